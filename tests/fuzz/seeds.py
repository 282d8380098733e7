"""Valid messages of every action of a version, made from its published schemas: what mutations begin with."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Protocol

from tests.schemas import FOLDERS


class Choices(Protocol):
    """Where choices come from: a seeded Random, hypothesis, or the bytes of a coverage-guided fuzzer."""

    def randrange(self, stop: int, /) -> int: ...


def one_of(choices: Choices, options: Any) -> Any:
    return options[choices.randrange(len(options))]


def likely(choices: Choices, one_in: int) -> bool:
    return choices.randrange(one_in) == 0


@cache
def schemas(version: str) -> dict[str, Any]:
    """Schema by name (``Heartbeat`` or ``HeartbeatRequest``, ``HeartbeatResponse``) of one version."""
    folder = files("ocpp") / FOLDERS[version] / "schemas"
    return {
        path.name.removesuffix(".json"): json.loads(path.read_text("utf-8-sig"))
        for path in sorted(folder.iterdir(), key=lambda path: path.name)
        if path.name.endswith(".json")
    }


@cache
def actions(version: str) -> tuple[str, ...]:
    """Every action of the version, in either direction."""
    names = (name for name in schemas(version) if not name.endswith("Response"))
    return tuple(sorted(name.removesuffix("Request") for name in names))


def request(choices: Choices, version: str, action: str) -> Any:
    """A valid request of this action, with some of its optional fields."""
    # 1.6 has no suffix, nor has what 2.1 sends without being answered.
    known = schemas(version)
    return _of(choices, known.get(action) or known[action + "Request"])


def response(choices: Choices, version: str, action: str) -> Any:
    """A valid answer to it."""
    return _of(choices, schemas(version)[action + "Response"])


def _of(choices: Choices, schema: Any) -> Any:
    return _example(choices, schema, schema.get("definitions", {}), "", 0)


#: Values that mean something to the state behind: ids and places that come again, times around now.
_TIMES = (
    "2026-05-04T12:00:00Z",
    "2026-05-04T12:00:01.123Z",
    "2026-05-04T11:59:00+02:00",
    "2026-05-04T12:00:00",
    "0001-01-01T00:00:00Z",
    "1970-01-01T00:00:00.000Z",
    "9999-12-31T23:59:59-23:59",
    "2026-05-04T23:59:60Z",
)
_WORDS: dict[str, tuple[Any, ...]] = {
    "idTag": ("CARD1", "card1", "CARD2"),
    "idToken": ("CARD1", "CARD2"),
    "transactionId": ("tx-1", "tx-2", "1"),
    "value": ("1000", "1.5", "", " ", "nan", "1e99", "0x10", "Available", "-0"),
    "key": ("HeartbeatInterval", "AuthorizationKey", "heartbeatinterval"),
}
_NUMBERS: dict[str, tuple[int, ...]] = {
    "connectorId": (0, 1, 1, 2),
    "evseId": (0, 1, 1, 2),
    "id": (0, 1, 1, 2),
    "transactionId": (-1, 0, 1, 2, 2**31 - 1),
    "seqNo": (0, 1, 2, 3),
    "requestId": (0, 1, 2),
}
_LIMITS = (0, 1, 2, 60, 1000, 10**6, -1, 2**31, 2**53 - 1)


def _example(choices: Choices, schema: Any, definitions: Any, field: str, depth: int) -> Any:
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if "enum" in schema:
        return one_of(choices, schema["enum"])
    kind = schema.get("type")
    make = _KINDS.get(kind) if isinstance(kind, str) else None
    return {"any": 1} if make is None else make(choices, schema, definitions, field, depth)


def _object(choices: Choices, schema: Any, definitions: Any, field: str, depth: int) -> Any:
    required = schema.get("required", ())
    return {
        name: _example(choices, inner, definitions, name, depth + 1)
        for name, inner in schema.get("properties", {}).items()
        if name in required or (depth < 5 and likely(choices, 2))
    }


def _array(choices: Choices, schema: Any, definitions: Any, field: str, depth: int) -> Any:
    least = schema.get("minItems", 0)
    most = min(schema.get("maxItems", 3), least + 2)
    count = least + choices.randrange(most - least + 1)
    return [_example(choices, schema.get("items", {}), definitions, field, depth + 1) for _ in range(count)]


def _string(choices: Choices, schema: Any, definitions: Any, field: str, depth: int) -> Any:
    if schema.get("format") == "date-time":
        return one_of(choices, _TIMES)
    if field in _WORDS:
        return one_of(choices, _WORDS[field])
    longest = schema.get("maxLength", 50)
    return one_of(choices, ("x", "text", "é\u202e", "0"))[:longest] or "x"


def _integer(choices: Choices, schema: Any, definitions: Any, field: str, depth: int) -> Any:
    return one_of(choices, _NUMBERS.get(field, _LIMITS))


def _number(choices: Choices, schema: Any, definitions: Any, field: str, depth: int) -> Any:
    return one_of(choices, (0, 1, 1.5, -2.25, 16, 1e9, Decimal("0.1")))


def _boolean(choices: Choices, schema: Any, definitions: Any, field: str, depth: int) -> Any:
    return likely(choices, 2)


_KINDS = {
    "object": _object,
    "array": _array,
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
}
