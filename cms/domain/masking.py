"""What must never be shown, logged or kept: passwords, keys and key codes (2.0.1 A01.FR.09, C04.FR.04).

What a station sends is hostile: every function here takes time in proportion to the text, however it is made.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from cms.domain.crowds import crowded

MASK = "***"


class Masked(str):
    """A text that was masked already: to do so again would be work for nobody."""

    __slots__ = ()


_SECRETS = frozenset(
    {"authorizationkey", "basicauthpassword", "sharedsecret", "vpnkey", "simpin", "privatekey"}
)
_SECRET_WORDS = ("password", "passwd", "passphrase", "secret")
_VALUES = ("value", "attributeValue", "actualValue")


def is_secret(name: str) -> bool:
    """Whether the value of this 1.6 key, 2.x variable or member of a payload must never leave the OCPP border."""
    word = name.rpartition(".")[2].partition("#")[0].partition(":")[0].casefold()
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
    if box.get("token_kind") == "key-code" and "token" in box:
        clean["token"] = MASK  # an order of ours
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


_SUSPECT = re.compile(r"KeyCode|password|passwd|passphrase|secret|key", re.IGNORECASE)
#: Names of members whose text may be a secret, where it cannot be read of what.
_HIDING = re.compile(
    r'"(?:idToken|value|attributeValue|actualValue)"|password|passwd|passphrase|secret|key', re.IGNORECASE
)
_TOKENS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[^"]+', re.DOTALL)
#: Members that say of what the others speak: without them nobody knows what is secret.
_TELLING = frozenset({"key", "variable", "name", "type"})
#: ``ftp://user:password@host``; JSON may write its slashes with backslashes.
_CREDENTIALS = re.compile(r'(:(?:\\?/){2})[^/@\s"\\]+@')
_UPLOAD_KEY = re.compile(r'(/uploads/[^/"\s]{1,300}/\d{1,20}/\d{1,20})/[0-9a-f]{32}')
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode
_UNREADABLE = (msgspec.MsgspecError, RecursionError, ValueError, ArithmeticError)


def masked_addresses(text: str) -> str:
    """Addresses in this text without the credentials in them, and without the key of an upload address of ours."""
    return _UPLOAD_KEY.sub(rf"\1/{MASK}", _CREDENTIALS.sub(rf"\1{MASK}@", text))


def masked_text(text: str) -> str:
    """This JSON text with its secrets masked; where it cannot be read, everything that might be one."""
    if isinstance(text, Masked):
        return text
    if not _SUSPECT.search(text):
        return masked_addresses(text)
    return masked_addresses(rewritten(text, masked, _HIDING))


def rewritten(text: str, change: Callable[[Any], Any], hiding: re.Pattern[str]) -> str:
    """This JSON text with the change made; where it cannot be read, masked after every name with ``hiding`` in it."""
    try:
        return _encode(change(_decode(text))).decode()
    except _UNREADABLE:
        return _blindly(text, hiding)


def masked_start(text: str, limit: int) -> str:
    """The beginning of the masked text, at most ``limit`` characters: as broken JSON, so that the cut is seen."""
    start = _blindly(text[:limit], _HIDING) if crowded(text) else _start(text, limit)
    start = masked_addresses(start)
    return start[: min(limit, len(start) - 1)]


def _start(text: str, limit: int) -> str:
    try:
        return _encode(masked(_first(_decode(text), [limit]))).decode()
    except _UNREADABLE:
        return _blindly(text[:limit], _HIDING)


def _first(value: Any, room: list[int]) -> Any:
    """As much of this JSON as there is room for; to mask the rest would be work for nobody."""
    match value:
        case str():
            room[0] -= len(value)
            return value[: max(0, room[0] + len(value)) + 100]
        case list():
            room[0] -= 1
            items = []
            for item in value:
                if room[0] <= 0:
                    break
                items.append(_first(item, room))
            return items
        case dict():
            room[0] -= 1
            return {
                key: _first(item, room)
                for key, item in value.items()
                if (room[0] > 0 and _counted(key, room)) or key in _TELLING
            }
    room[0] -= 1
    return value


def _counted(key: str, room: list[int]) -> bool:
    room[0] -= len(key)
    return True


def _blindly(text: str, hiding: re.Pattern[str]) -> str:
    """For what is no JSON, or no more: every text is masked that follows a name which may be that of a secret."""
    said, name, follows = [], "", False
    for token in _TOKENS.findall(text):
        if not token.startswith('"'):
            follows = token.strip() == ":"
            said.append(token)
        elif follows and hiding.search(name):
            said.append(f'"{MASK}"')
        else:
            name, follows = token, False
            said.append(token)
    return "".join(said)
