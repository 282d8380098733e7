"""Requests made from their types: the smallest one of every kind, for tests over the whole table of operations."""

from __future__ import annotations

import dataclasses
import typing
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import UnionType
from typing import Any

from tests.domain.build import NOON

#: What is there in the house of ``conftest.small``.
THERE: dict[str, Any] = {"station": "CP1", "token": "CARD1", "evse": 1, "connector": 1}

_PLAIN: dict[Any, Any] = {
    str: "x",
    int: 1,
    float: 1.0,
    bool: True,
    Decimal: Decimal(1),
    date: NOON.date(),
    datetime: NOON + timedelta(hours=1),
    Any: {},
    object: {},
}


def draft(kind: type[Any], /, **known: Any) -> Any:
    """A request of this kind with its required fields, and with ``known`` where it has them."""
    hints = typing.get_type_hints(kind)
    told = {**THERE, **known}
    values = {
        field.name: told.get(field.name, value_of(hints[field.name]))
        for field in dataclasses.fields(kind)
        if field.name in known
        or (field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING)
    }
    return kind(**values)


def value_of(hint: Any) -> Any:
    """Some value of this type."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return draft(hint)
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, UnionType):
        return value_of(next(part for part in parts if part is not type(None)))
    if origin is tuple:
        return (value_of(parts[0]),)
    if origin is list:
        return [value_of(parts[0])]
    if origin is dict:
        return {"x": value_of(parts[1])}
    raise AssertionError(f"no value is known for {hint}")
