"""Payloads out of the published schemas: the least that is valid, and everything that can be said at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.schemas import schema

Json = dict[str, Any]


def made(
    version: str, action: str, *, response: bool = False, rich: bool = False, values: Mapping[str, Any]
) -> Json:
    """A valid payload. ``values`` are what fields of these names say, wherever they are; the rest is made up."""
    whole = schema(version, action, response).schema
    assert isinstance(whole, dict)
    payload: Json = _Maker(whole, rich, values).value(whole, "")
    return payload


class _Maker:
    def __init__(self, whole: Json, rich: bool, values: Mapping[str, Any]) -> None:
        self._whole = whole
        self._rich = rich
        self._values = values

    def value(self, part: Json, name: str) -> Any:
        part = self._resolved(part)
        given = self._values.get(name)
        if words := part.get("enum"):
            return given if given in words else "Accepted" if "Accepted" in words else words[0]
        if given is not None and part.get("type") not in ("object", "array"):
            return given
        return _TYPES[part.get("type", "string")](self, part, name)

    def _resolved(self, part: Json) -> Json:
        place = part.get("$ref")
        return part if place is None else self._whole["definitions"][place.rpartition("/")[2]]

    def _object(self, part: Json, name: str) -> Json:
        required = set(part.get("required", ()))
        return {
            key: self.value(inner, key)
            for key, inner in part.get("properties", {}).items()
            if self._rich or key in required
        }

    def _array(self, part: Json, name: str) -> list[Any]:
        # Everything once: a second entry of the same would say the same.
        times = max(part.get("minItems", 0), 1 if self._rich else 0)
        return [self.value(part["items"], name) for _ in range(times)]

    def _string(self, part: Json, name: str) -> str:
        if part.get("format") == "date-time":
            return str(self._values["date-time"])
        if part.get("format") == "uri":
            return "https://files.example/file"
        return name[: part.get("maxLength", 50)]

    def _number(self, part: Json, name: str) -> int:
        return min(max(int(part.get("minimum", 1)), 1), int(part.get("maximum", 1)))

    def _boolean(self, part: Json, name: str) -> bool:
        return True


_TYPES = {
    "object": _Maker._object,
    "array": _Maker._array,
    "string": _Maker._string,
    "integer": _Maker._number,
    "number": _Maker._number,
    "boolean": _Maker._boolean,
}
