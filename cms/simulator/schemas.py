"""The published schemas, as the ``ocpp`` package ships them: orders are held to them, strictly."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema_rs

FOLDERS = {"1.6": "v16", "2.0.1": "v201", "2.1": "v21"}
#: The only message that is sent unconfirmed, and named without Request (2.1 part 4).
UNCONFIRMED = frozenset({"NotifyPeriodicEventStream"})


class Malformed(Exception):
    """Not as the schema says; tells where, without the value."""


@cache
def _schema(version: str, name: str) -> jsonschema_rs.Validator | None:
    place = files("ocpp") / FOLDERS[version] / "schemas" / f"{name}.json"
    if not place.is_file():
        return None
    schema = json.loads(place.read_text("utf-8-sig"))
    _without_steps(schema)
    return jsonschema_rs.validator_for(schema, validate_formats=True)


def _without_steps(schema: Any) -> None:
    """Limits have one decimal in 1.6 ("multipleOf": 0.1), which binary floats do not satisfy."""
    if isinstance(schema, dict):
        schema.pop("multipleOf", None)
        for inner in schema.values():
            _without_steps(inner)
    elif isinstance(schema, list):
        for inner in schema:
            _without_steps(inner)


def request_name(version: str, action: str) -> str:
    return action if version == "1.6" or action in UNCONFIRMED else f"{action}Request"


@cache
def knows(version: str, action: str) -> bool:
    """Whether the version has this action, in either direction."""
    return action.isalnum() and _schema(version, request_name(version, action)) is not None


def check_call(version: str, action: str, payload: Any) -> None:
    """Raises Malformed."""
    _check(version, request_name(version, action), action, payload)


def check_answer(version: str, action: str, payload: Any) -> None:
    """Raises Malformed."""
    _check(version, f"{action}Response", action, payload)


def _check(version: str, name: str, action: str, payload: Any) -> None:
    schema = _schema(version, name)
    if schema is None:
        raise Malformed(f"{action} is not in OCPP {version}")
    for error in schema.iter_errors(payload):
        place = "/".join(str(step) for step in error.instance_path) or "the top"
        raise Malformed(f"{action}, {place}: {error.kind.name}")
