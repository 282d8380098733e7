"""Frames as people may see them: passwords, keys and key codes masked (2.0.1 A01.FR.09, C04.FR.04)."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import msgspec

from cms.ocpp.names import is_secret

MASK = "***"

_SUSPECT = re.compile(r"KeyCode|password|passwd|passphrase|secret|key", re.IGNORECASE)
_STRINGS = re.compile(
    r'("(?:idToken|value|attributeValue|actualValue|[^"]*password[^"]*)"\s*:\s*)"(?:[^"\\]|\\.)*"?', re.I
)
_VALUES = ("value", "attributeValue", "actualValue")
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


def masked_text(text: str) -> str:
    """This JSON text with its secrets masked; where it cannot be read, everything that might be one."""
    if not _SUSPECT.search(text):
        return text
    try:
        return _encode(masked(_decode(text))).decode()
    except (msgspec.MsgspecError, RecursionError, ValueError, ArithmeticError):
        return _STRINGS.sub(rf'\1"{MASK}"', text)


def masked(value: Any) -> Any:
    """The same JSON with its secrets masked."""
    match value:
        case list():
            return [masked(item) for item in value]
        case dict():
            return _masked_object(value)
    return value


def _masked_object(box: dict[str, Any]) -> dict[str, Any]:
    clean = {
        key: MASK if isinstance(item, str) and is_secret(key) else masked(item) for key, item in box.items()
    }
    if box.get("type") == "KeyCode" and "idToken" in box:
        clean["idToken"] = MASK
    return _hidden(clean) if is_secret(_subject(box)) else clean


def _subject(box: dict[str, Any]) -> str:
    """Which configuration key or variable this object speaks of."""
    if isinstance(key := box.get("key"), str):
        return key
    variable = box.get("variable")
    return str(variable.get("name")) if isinstance(variable, dict) else ""


def _hidden(value: Any) -> Any:
    """Every value of a secret variable, also in its list of attributes."""
    match value:
        case list():
            return [_hidden(item) for item in value]
        case dict():
            return {key: MASK if key in _VALUES else _hidden(item) for key, item in value.items()}
    return value
