"""What must never be shown, logged or kept: passwords, keys and key codes (2.0.1 A01.FR.09, C04.FR.04)."""

from __future__ import annotations

from typing import Any

MASK = "***"

_SECRETS = frozenset(
    {"authorizationkey", "basicauthpassword", "sharedsecret", "vpnkey", "simpin", "privatekey"}
)
_SECRET_WORDS = ("password", "passwd", "passphrase", "secret")
_VALUES = ("value", "attributeValue", "actualValue")


def is_secret(name: str) -> bool:
    """Whether the value of this 1.6 key, 2.x variable or member of a payload must never leave the OCPP border."""
    word = name.rpartition(".")[2].partition("#")[0].casefold()
    return word in _SECRETS or any(part in word for part in _SECRET_WORDS)


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
