"""A changed copy of a record.

It runs several times for every message a station sends, on values with forty fields, so the copy is a function
written for the kind of record and the fields that change, as dataclasses writes ``__init__``: a third of the price
of dataclasses.replace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


def evolve(value: T, **changes: Any) -> T:
    """``value`` with some fields changed."""
    return with_fields(value, changes)


def with_fields(value: T, changes: Mapping[str, Any]) -> T:
    """``evolve`` for many fields that are in a mapping already: to unpack it would cost more than to copy."""
    kind: Any = type(value)
    changed: T = _copier(kind, tuple(changes))(value, *changes.values())
    return changed


@cache
def _copier(kind: Any, changed: tuple[str, ...]) -> Callable[..., Any]:
    """``copy(value, *new values of these fields)``. All names are those of fields: nothing else is executed."""
    names = [field.name for field in fields(kind)]
    unknown = set(changed) - set(names)
    if unknown:
        raise TypeError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
    source = [f"def copy(value, {', '.join(f'new_{name}' for name in changed)}):", " copied = create(kind)"]
    source += [f" copied.{name} = {f'new_{name}' if name in changed else f'value.{name}'}" for name in names]
    scope: dict[str, Any] = {"create": object.__new__, "kind": kind}
    exec("\n".join([*source, " return copied"]), scope)  # noqa: S102
    copy: Callable[..., Any] = scope["copy"]
    return copy
