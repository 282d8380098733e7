"""``@record``: a dataclass that is frozen for the type checker and cheap at run time.

A frozen dataclass pays object.__setattr__ for every field of every new value: 5 µs for a session, against 0.6.
Some thirty values are made for each message a station sends, so mypy guards them instead of the interpreter
(docs/decisions/0004-records-are-frozen-by-the-type-checker.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """Make a dataclass with slots; whoever assigns to a field is stopped by mypy."""
    return dataclass(slots=True)(cls)
