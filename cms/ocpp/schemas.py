"""The JSON schemas that the ``ocpp`` package ships, compiled once, and how strictly each message is held to them."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from cms.ocpp.frames import Failure, Refused
from cms.ocpp.values import Json, Remarks

Tolerance = frozenset[str]
"""Schema keywords whose violation is remarked and forgiven; ``null`` stands for a null optional field."""

STRICT: Tolerance = frozenset()
#: What is forgiven a single station by a switch of its own: the rest is forgiven or refused as of all.
LENGTHS: Tolerance = frozenset({"maxLength"})
#: A driver waits, and a token that is cut or guessed would be somebody else's: no length, no invented words.
LOOKED_UP: Tolerance = frozenset({"null", "additionalProperties"})
#: What is told is worth more than its form, except words that decide.
TOLD: Tolerance = LOOKED_UP | {"maxLength"}
#: Money and boots: a station throws a refused transaction message away, and a refused boot keeps it off line.
KEPT: Tolerance = TOLD | {"enum", "minItems", "maxItems"}

#: Words without which the message means nothing.
_DECISIVE = frozenset({"eventType"})
#: Texts that become keys: longer than this they are no identifiers.
_KEYS = frozenset({"transactionId", "idTag", "idToken"})
_MAX_KEY = 255
#: Optional parts whose inner gaps harm nobody, and fields that real stations leave out.
_LOOSE_PARTS = frozenset({"signedMeterValue", "customData"})
_LOOSE_FIELDS = frozenset({"readonly"})

_FAILURES = {
    "required": (Failure.OCCURRENCE, "a required field is missing"),
    "minItems": (Failure.OCCURRENCE, "too few entries"),
    "maxItems": (Failure.OCCURRENCE, "too many entries"),
    "type": (Failure.TYPE, "wrong type"),
    "enum": (Failure.PROPERTY, "not an allowed word"),
    "maxLength": (Failure.PROPERTY, "too long"),
    "minLength": (Failure.PROPERTY, "too short"),
    "minimum": (Failure.PROPERTY, "too small"),
    "maximum": (Failure.PROPERTY, "too large"),
    "additionalProperties": (Failure.FORMAT, "an unknown field"),
}
_OTHERWISE = (Failure.FORMAT, "not as its schema says")

#: RFC 8259 section 6: integers beyond this do not survive every JSON reader (nor a database column).
_SAFE_INTEGER = 2**53 - 1

#: What one message may be remarked upon; beyond it is more of the same.
MAX_REMARKS = 20

#: Names in 1.6 schema files that differ from the published ones, or that errata mend (J errata 2.1, 2.2).
_ALIASES = {"Celsius": "Celcius", "Celcius": "Celsius"}


class Schemas:
    """The schemas of one OCPP version. ``actions`` is every action the version knows, in either direction."""

    def __init__(self, folder: str, suffix: str) -> None:
        self._folder = _package() / folder / "schemas"
        self._suffix = suffix
        self._compiled: dict[str, jsonschema_rs.Validator] = {}
        self._forgiving: dict[tuple[str, Tolerance], jsonschema_rs.Validator] = {}
        names = {path.stem for path in self._folder.glob("*.json")}
        self.actions = frozenset(
            name.removesuffix("Request") for name in names if not name.endswith("Response")
        )
        self._sends = self.actions & names if suffix else frozenset()

    def check_call(
        self, action: str, payload: Json, tolerance: Tolerance, remarks: Remarks, *, long: bool = False
    ) -> Json:
        """The payload, mended where tolerance allows (remarks tell). Raises Refused.

        A ``long`` one is judged alike, but not looked through for every mistake.
        """
        # What comes as SEND has no answer, and no suffix in the name of its schema.
        name = action if action in self._sends else action + self._suffix
        return self._check(name, payload, tolerance, remarks, long)

    def check_answer(
        self, action: str, payload: Json, tolerance: Tolerance, remarks: Remarks, *, long: bool = False
    ) -> Json:
        """Likewise for the CALLRESULT of this action."""
        return self._check(action + "Response", payload, tolerance, remarks, long)

    def verdict(self, kind: str, action: str, payload: str) -> str | None:
        """For people: ``valid``, or what is wrong first; None where there is no schema (errors, inventions)."""
        check = {"call": self.check_call, "result": self.check_answer}.get(kind)
        if check is None or action not in self.actions:
            return None
        try:
            check(action, json.loads(payload, parse_float=Decimal), STRICT, [])
        except Refused as refused:
            return refused.words
        except (ValueError, RecursionError):
            return "no JSON"
        return "valid"

    def _check(self, name: str, payload: Json, tolerance: Tolerance, remarks: Remarks, long: bool) -> Json:
        validator = self._compiled.get(name) or self._compile(name)
        if validator.is_valid(payload):
            return payload
        if "null" in tolerance and _has_null(payload):
            payload = without_null(payload)
            remarks.append("null-field")
        if long:
            self._forgive_one(name, payload, tolerance, remarks)
            return payload
        for violation in validator.iter_errors(payload):
            _forgive(violation, tolerance, remarks)
        return payload

    def _forgive_one(self, name: str, payload: Json, tolerance: Tolerance, remarks: Remarks) -> None:
        """To list 40,000 mistakes takes the validator 0.3 s, in which nobody else has a turn: to find one, nothing.

        So a schema that says what is forgiven tells whether that is all; of what is, the first is remarked.
        """
        key = (name, tolerance)
        forgiving = self._forgiving.get(key)
        if forgiving is None:
            schema = self._schema(name)
            forgiving = self._forgiving[key] = _compiled(_forgiven(schema, schema, tolerance))
        try:
            forgiving.validate(payload)
        except jsonschema_rs.ValidationError as violation:
            raise _refused(violation) from None
        try:
            self._compiled[name].validate(payload)
        except jsonschema_rs.ValidationError as violation:
            _remark(remarks, _remarked(violation))

    def _compile(self, name: str) -> jsonschema_rs.Validator:
        validator = self._compiled[name] = _compiled(self._schema(name))
        return validator

    def _schema(self, name: str) -> Any:
        return _mended(json.loads((self._folder / f"{name}.json").read_text(encoding="utf-8-sig")))


def _compiled(schema: Any) -> jsonschema_rs.Validator:
    # One draft for all: the published ones name draft 4 and 6, which disagree on 1.0 as an integer.
    schema["$schema"] = "http://json-schema.org/draft-07/schema#"
    return jsonschema_rs.validator_for(schema, validate_formats=False)


@cache
def _package() -> Path:
    """Where the ``ocpp`` package lies; it is never imported, its code costs start-up time."""
    spec = importlib.util.find_spec("ocpp")
    assert spec is not None and spec.submodule_search_locations, "the ocpp package is a dependency"
    return Path(spec.submodule_search_locations[0])


def _mended(schema: Any) -> Any:
    match schema:
        case list():
            return [_mended(item) for item in schema]
        case dict():
            mended = {key: _mended(item) for key, item in schema.items()}
            if mended.get("type") == "integer":
                mended.setdefault("minimum", -_SAFE_INTEGER)
                mended.setdefault("maximum", _SAFE_INTEGER)
            if isinstance(words := mended.get("enum"), list):
                mended["enum"] = words + [
                    alias for word in words if (alias := _ALIASES.get(word)) not in (None, *words)
                ]
            return mended
    return schema


def _forgive(violation: jsonschema_rs.ValidationError, tolerance: Tolerance, remarks: Remarks) -> None:
    keyword, path = _keyword(violation), violation.instance_path
    if not (tolerance and _forgivable(keyword, path, violation, tolerance)):
        raise _refused(violation)
    _remark(remarks, _remarked(violation))


def _keyword(violation: jsonschema_rs.ValidationError) -> str:
    return str(violation.schema_path[-1]) if violation.schema_path else ""


def _remarked(violation: jsonschema_rs.ValidationError) -> str:
    return f"{_keyword(violation)}:{_place(_words(violation.instance_path))}"[:100]


def _refused(violation: jsonschema_rs.ValidationError) -> Refused:
    failure, words = _FAILURES.get(_keyword(violation), _OTHERWISE)
    return Refused(failure, f"{_place(violation.instance_path) or 'payload'}: {words}{_named(violation)}")


def _named(violation: jsonschema_rs.ValidationError) -> str:
    """Which field is missing: a name of the schema's, so nothing of the payload is quoted."""
    missing = getattr(violation.kind, "property", None)
    return f" ({missing})" if missing else ""


def _remark(remarks: Remarks, words: str) -> None:
    """Once per kind of place, not per entry of a list: remarks become flags of a session, for people to read."""
    if words not in remarks and len(remarks) < MAX_REMARKS:
        remarks.append(words)


def _forgivable(
    keyword: str, path: Sequence[str | int], violation: jsonschema_rs.ValidationError, tolerance: Tolerance
) -> bool:
    field = next((step for step in reversed(path) if isinstance(step, str)), "")
    if keyword in tolerance:
        if field in _DECISIVE:
            return False
        return not (keyword == "maxLength" and field in _KEYS and len(str(violation.instance)) > _MAX_KEY)
    if tolerance < KEPT:
        return False
    if not _LOOSE_PARTS.isdisjoint(_words(path)):
        return True
    if keyword == "required":
        return getattr(violation.kind, "property", None) in _LOOSE_FIELDS
    # 1.6 wants a text, 2.x a number, stations send either: the value is readable all the same.
    return (
        keyword == "type" and field == "value" and isinstance(violation.instance, str | int | float | Decimal)
    )


def _forgiven(schema: Json, whole: Json, tolerance: Tolerance, field: str = "") -> Json:
    """The schema (a part of ``whole``) without what ``_forgivable`` forgives in this field."""
    if "$ref" in schema:
        return _forgiven(whole["definitions"][schema["$ref"].rpartition("/")[2]], whole, tolerance, field)
    if not tolerance < KEPT and field in _LOOSE_PARTS:
        return {}
    kept = {key: value for key, value in schema.items() if key != "definitions"}
    if field not in _DECISIVE:
        kept = {key: value for key, value in kept.items() if key not in tolerance}
        if field in _KEYS and "maxLength" in schema.keys() - kept.keys():
            kept["maxLength"] = max(schema["maxLength"], _MAX_KEY)
    if not tolerance < KEPT:
        kept |= _loosened(kept, field)
    if "properties" in kept:
        kept["properties"] = {
            name: _forgiven(part, whole, tolerance, name) for name, part in kept["properties"].items()
        }
    if "items" in kept:
        kept["items"] = _forgiven(kept["items"], whole, tolerance, field)
    return kept


def _loosened(schema: Json, field: str) -> Json:
    loose: Json = {}
    if "required" in schema:
        loose["required"] = [name for name in schema["required"] if name not in _LOOSE_FIELDS]
    if field == "value" and "type" in schema:
        loose["type"] = list({schema["type"], "string", "number", "boolean"})
    return loose


def _words(path: Iterable[str | int]) -> list[str]:
    return [step for step in path if isinstance(step, str)]


def _place(path: Iterable[str | int]) -> str:
    return ".".join(str(step) for step in path)


def _has_null(value: Any) -> bool:
    match value:
        case None:
            return True
        case dict():
            return any(_has_null(item) for item in value.values())
        case list():
            return any(_has_null(item) for item in value)
    return False


def without_null(value: Any) -> Any:
    """The same JSON without null members and entries: null means absent."""
    match value:
        case dict():
            return {key: without_null(item) for key, item in value.items() if item is not None}
        case list():
            return [without_null(item) for item in value if item is not None]
    return value
