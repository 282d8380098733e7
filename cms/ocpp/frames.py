"""OCPP-J frames: text <-> CALL, CALLRESULT, CALLERROR, CALLRESULTERROR, SEND.

Nothing here knows a version; the grammar comes first, what it means comes later (OCPP 2.0.1 Part 4, section 4).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from cms.domain.crowds import crowded
from cms.domain.record import record
from cms.ocpp.values import Json

MessageId = str | int
"""Text by the specification; a number from some stations, echoed unchanged."""

MAX_MESSAGE_ID = 255
"""The specification says 36; a longer one is echoed unchanged, within reason."""


class Failure(StrEnum):
    """Why a CALL is refused, in no version's words; ``dialect.codes`` has those."""

    NOT_IMPLEMENTED = "not-implemented"
    NOT_SUPPORTED = "not-supported"
    INTERNAL = "internal"
    SECURITY = "security"
    FORMAT = "format"
    PROPERTY = "property"
    OCCURRENCE = "occurrence"
    TYPE = "type"
    FRAMEWORK = "framework"
    MESSAGE_TYPE = "message-type"


class Refused(Exception):
    """A CALL that is answered with a CALLERROR; the words say what is wrong without quoting the payload."""

    def __init__(self, failure: Failure, words: str) -> None:
        super().__init__(words)
        self.failure = failure
        self.words = words


class Unreadable(Refused):
    """A text that is no frame; ``message_id`` where at least that could be read of a CALL."""

    def __init__(self, failure: Failure, words: str, message_id: MessageId | None = None) -> None:
        super().__init__(failure, words)
        self.message_id = message_id


@record
class Call:
    """[2, id, action, payload]"""

    id: MessageId
    action: str
    payload: Json


class Send(NamedTuple):
    """[6, id, action, payload]: a message that is never answered (2.1)."""

    id: MessageId
    action: str
    payload: Json


class ResultError(NamedTuple):
    """[5, id, code, description, details]: the station could not use our CALLRESULT (2.1)."""

    id: MessageId
    code: str
    description: str


class Result(NamedTuple):
    """[3, id, payload]; the payload is None when it is missing or no object."""

    id: MessageId
    payload: Json | None


class Error(NamedTuple):
    """[4, id, code, description, details]"""

    id: MessageId
    code: str
    description: str


class Silent(NamedTuple):
    """What is never answered and cannot be read: broken answers, broken SENDs."""

    kind: int


class Strange(NamedTuple):
    """A message type number that nobody knows."""

    kind: int
    id: MessageId | None


Frame = Call | Send | Result | Error | ResultError | Silent | Strange

_decode = msgspec.json.Decoder(type=list[Any], float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode
_HUGE = re.compile(r"[0-9]{400}")
_LONG_TEXT = 4096


def read(text: str, max_depth: int = 32) -> Frame:
    """The frame in this text. Raises Unreadable."""
    items = _items(text, max_depth)
    kind = items[0] if items else None
    reader = _READERS.get(kind) if type(kind) is int else None
    if reader is not None:
        return reader(items)
    if type(kind) is int:
        return Strange(kind, _message_id(items))
    raise Unreadable(Failure.FRAMEWORK, "the first element is not a message type number")


def _items(text: str, max_depth: int) -> list[Any]:
    if len(text) > _LONG_TEXT:
        if _HUGE.search(text):
            _refuse_huge_numbers(text)
        if crowded(text):
            raise Unreadable(Failure.FRAMEWORK, "JSON beyond reason")
    try:
        items = _decode(text)
    except msgspec.MsgspecError:
        raise Unreadable(Failure.FRAMEWORK, "not a JSON array") from None
    except (RecursionError, ValueError, ArithmeticError):
        raise Unreadable(Failure.FRAMEWORK, "JSON beyond reason") from None
    if text.count("[") + text.count("{") > max_depth and _deeper_than(items, max_depth):
        raise Unreadable(Failure.FRAMEWORK, f"nested deeper than {max_depth} levels", _call_id(items))
    # NUL is legal JSON and poison for databases and terminals.
    return _without_nul(items) if "\\u0000" in text else items


def _refuse_huge_numbers(text: str) -> None:
    """Reading a number of thousands of digits costs quadratic time: find one before it is read as such."""
    try:
        json.loads(text, parse_int=_short, parse_float=_short, parse_constant=_short)
    except (ValueError, RecursionError):
        raise Unreadable(Failure.FRAMEWORK, "JSON beyond reason") from None


def _short(digits: str) -> int:
    if len(digits) > 399:
        raise ValueError("a number of this length")
    return 0


def _deeper_than(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit + 1):
        level = [item for box in level for item in _contents(box) if isinstance(item, list | dict)]
        if not level:
            return False
    return True


def _contents(box: Any) -> Any:
    return box.values() if isinstance(box, dict) else box


def _without_nul(value: Any) -> Any:
    match value:
        case str():
            return value.replace("\0", "")
        case list():
            return [_without_nul(item) for item in value]
        case dict():
            return {_without_nul(key): _without_nul(item) for key, item in value.items()}
    return value


def _message_id(items: list[Any]) -> MessageId | None:
    if len(items) < 2:
        return None
    candidate = items[1]
    if type(candidate) is str and len(candidate) <= MAX_MESSAGE_ID:
        return candidate
    return candidate if type(candidate) is int and abs(candidate) < 2**63 else None


def _call_id(items: list[Any]) -> MessageId | None:
    return _message_id(items) if items and items[0] == 2 else None


def _read_call(items: list[Any]) -> Frame:
    message_id = _message_id(items)
    if message_id is None:
        raise Unreadable(Failure.FRAMEWORK, "the message id cannot be read")
    if len(items) != 4:
        words = f"a CALL has 4 elements, this one {len(items)}"
        raise Unreadable(Failure.FORMAT, words, message_id)
    _, _, action, payload = items
    if type(action) is not str:
        raise Unreadable(Failure.FORMAT, "the action is not a text", message_id)
    # A null payload is an empty one (seen where the serialiser drops empty objects).
    if payload is None:
        payload = {}
    if type(payload) is not dict:
        raise Unreadable(Failure.FORMAT, "the payload is not an object", message_id)
    return Call(message_id, action, payload)


def _read_result(items: list[Any]) -> Frame:
    message_id = _message_id(items)
    if message_id is None:
        return Silent(3)
    if len(items) != 3:
        return Result(message_id, None)
    payload = {} if items[2] is None else items[2]
    return Result(message_id, payload if type(payload) is dict else None)


def _read_error(items: list[Any]) -> Frame:
    message_id = _message_id(items)
    if message_id is None:
        return Silent(4)
    code, description = ([str(item) for item in items[2:4]] + ["", ""])[:2]
    return Error(message_id, code[:50], description[:255])


def _read_result_error(items: list[Any]) -> Frame:
    error = _read_error(items)
    return ResultError(*error) if isinstance(error, Error) else Silent(5)


def _read_send(items: list[Any]) -> Frame:
    message_id = _message_id(items)
    payload = items[3] if len(items) == 4 else None
    if message_id is None or type(payload) is not dict or type(items[2]) is not str:
        return Silent(6)
    return Send(message_id, items[2], payload)


_READERS: dict[int, Callable[[list[Any]], Frame]] = {
    2: _read_call,
    3: _read_result,
    4: _read_error,
    5: _read_result_error,
    6: _read_send,
}


def call(message_id: str, action: str, payload: Mapping[str, Any]) -> bytes:
    return _encode([2, message_id, action, payload])


def result(message_id: MessageId, payload: Mapping[str, Any]) -> bytes:
    return _encode([3, message_id, payload])


def error(message_id: MessageId, code: str, description: str) -> bytes:
    """The description is cut at its 255 characters (OCPP-J 4.2.3)."""
    return _encode([4, message_id, code, description[:255], {}])


def result_error(message_id: MessageId, code: str, description: str) -> bytes:
    """We could not use the station's CALLRESULT (2.1 only, Part 4 section 4.2.4)."""
    return _encode([5, message_id, code, description[:255], {}])
