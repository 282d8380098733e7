"""A changed copy of a frozen dataclass, at half the price of dataclasses.replace.

It runs several times for every message a station sends, on values with forty fields.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

T = TypeVar("T")


@cache
def _shape(kind: Any) -> tuple[Callable[[Any], tuple[Any, ...]], dict[str, int]]:
    names = [field.name for field in fields(kind)]
    return attrgetter(*names), {name: place for place, name in enumerate(names)}


def evolve(value: T, **changes: Any) -> T:
    """``value`` with some fields changed."""
    kind: Any = type(value)
    read, places = _shape(kind)
    values = list(read(value))
    for name, changed in changes.items():
        values[places[name]] = changed
    return type(value)(*values)
