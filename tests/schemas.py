"""The published OCPP schemas, from the ``ocpp`` package, through the ``jsonschema`` package: not our validator."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft7Validator

FOLDERS = {"1.6": "v16", "2.0.1": "v201", "2.1": "v21"}


@cache
def schema(version: str, action: str, response: bool) -> Draft7Validator:
    plain = version == "1.6" or action == "NotifyPeriodicEventStream"  # 2.1's one SEND has no suffix either
    ending = "Response" if response else ("" if plain else "Request")
    folder = files("ocpp") / FOLDERS[version] / "schemas"
    text = (folder / f"{action}{ending}.json").read_text("utf-8-sig")
    # Decimals: the 1.6 schemas say multipleOf 0.1, which binary floats do not satisfy.
    return Draft7Validator(json.loads(text, parse_float=Decimal))


def check(version: str, action: str, payload: Any, *, response: bool = False) -> None:
    """Assert that the payload is valid; the message names the action and the place."""
    exact = json.loads(json.dumps(payload), parse_float=Decimal)
    for error in schema(version, action, response).iter_errors(exact):
        kind = "answer" if response else "request"
        place = "/".join(str(step) for step in error.path)
        raise AssertionError(f"{version} {action} {kind} at {place or 'the top'}: {error.message}")
