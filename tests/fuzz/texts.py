"""Texts that a station might send: valid frames, frames with something wrong, and garbage."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from tests.fuzz.seeds import Choices, actions, likely, one_of, request, response

_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode

#: Longer ones end the connection before they come to the link (``max_frame_bytes``).
LONGEST = 1024 * 1024
#: What 2.1 sends without being answered.
SENT = frozenset({"NotifyPeriodicEventStream"})
#: What a place in a message may hold instead of what belongs there.
_STRANGE: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1.5,
    2**31,
    2**63,
    10**25,
    "",
    " ",
    "x" * 300,
    "x" * 5000,
    "\x00",
    "\x1b[2J\u202e",
    "\ud800",
    "'; DROP TABLE stations; --",
    "NaN",
    "1e999999",
    "٣",
    [],
    {},
    [None],
    [[[[]]]],
    {"": None},
    {"customData": {"vendorId": "v"}},
)
_KINDS: tuple[Any, ...] = (2, 2, 2, 2, 2, 3, 4, 5, 6, 0, -1, 7, 2**70, "2", None, 2.0, True, [])
_IDS: tuple[Any, ...] = ("1", "", "m" * 36, "m" * 300, 1, 2**70, None, [], {}, 1.5, "\x00", "\u202e")
_ACTIONS: tuple[Any, ...] = ("", "heartbeat", "Invented", "\x00", "x" * 400, 5, None, [], {}, "__class__")
#: Pieces that mean something to a reader of JSON.
_PIECES = (
    '"',
    "\\",
    "\\u0000",
    "\\ud800",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "null",
    "NaN",
    "Infinity",
    "1e400",
    "-0",
    "9" * 500,
    "[" * 200,
    "\x00",
    "\n",
    "\u2028",
    "\ufeff",
    "\ufffd",
    "{}",
    "//",
    "'",
)


def text(
    choices: Choices,
    version: str,
    told: Sequence[str],
    answers: str | None = None,
    action: str = "Reset",
    *,
    long_one_in: int = 0,
) -> str:
    """One text message. ``told`` are the actions that mean something to us; ``answers`` is the id of a CALL
    of ours that the station may answer, of ``action``; one in ``long_one_in`` is blown up.
    """
    if likely(choices, 20):
        return _garbage(choices)
    frame = _frame(choices, version, told, answers, action)
    if long_one_in and likely(choices, long_one_in):
        frame = _blown_up(choices, frame)
    frame = mutated(choices, frame, one_of(choices, (0, 0, 1, 1, 2, 4)))
    try:
        written = _encode(frame).decode()
    except (UnicodeEncodeError, OverflowError):  # a lone surrogate, a number beyond 64 bits
        written = json.dumps(frame, default=str)
    return (_scratched(choices, written) if likely(choices, 8) else written)[:LONGEST]


def mutated(choices: Choices, value: Any, times: int) -> Any:
    """This JSON with so many things wrong."""
    for _ in range(times):
        value = one_of(choices, _MUTATIONS)(choices, value)
    return value


def _frame(choices: Choices, version: str, told: Sequence[str], answers: str | None, action: str) -> Any:
    if answers is not None and not likely(choices, 3):
        if likely(choices, 4):
            code = one_of(choices, ("NotSupported", "NotImplemented", "InternalError", "", "x" * 300))
            return [4, answers, code, "words", {}]
        return [3, answers, response(choices, version, action)]
    said = one_of(choices, actions(version) if likely(choices, 5) else told)
    return [6 if said in SENT else 2, f"m{choices.randrange(4)}", said, request(choices, version, said)]


def _garbage(choices: Choices) -> str:
    return "".join(
        one_of(choices, (*_PIECES, chr(choices.randrange(0xD800)))) for _ in range(choices.randrange(12))
    )


def _strange(choices: Choices) -> Any:
    return copy.deepcopy(one_of(choices, _STRANGE))


def _replaced(choices: Choices, frame: Any) -> Any:
    """Something else at some place."""
    box, key = _place(choices, frame)
    if box is not None:
        box[key] = _strange(choices)
    return frame


def _removed(choices: Choices, frame: Any) -> Any:
    box, key = _place(choices, frame)
    if box is not None:
        del box[key]
    return frame


def _added(choices: Choices, frame: Any) -> Any:
    box, _ = _place(choices, frame)
    if isinstance(box, dict):
        box[one_of(choices, ("extra", "", "customData", "\x00", "idTag", "x" * 300))] = _strange(choices)
    elif isinstance(box, list):
        box.insert(choices.randrange(len(box) + 1), _strange(choices))
    return frame


def _repeated(choices: Choices, frame: Any) -> Any:
    """An entry of a list, many times."""
    box, key = _place(choices, frame)
    if isinstance(box, list) and box is not frame:
        box.extend([box[key]] * one_of(choices, (1, 2, 30, 300)))
    return frame


def _blown_up(choices: Choices, frame: Any) -> Any:
    """Up to the longest there may be: a list of many entries, each a little different, or a mass of small things."""
    room = 1 + choices.randrange(LONGEST)
    lists = list(_lists(frame[2:]))
    if not lists or likely(choices, 4):
        make = one_of(choices, _MASSES)
        one = len(_encode(make(0))) + 1
        frame[-1] = {**frame[-1], "customData": {"vendorId": "v", "x": [make(n) for n in range(room // one)]}}
        return frame
    entries = one_of(choices, lists)
    one = len(json.dumps(entries, default=str)) + 1
    for n in range(1, room // one):
        entries += [_another(entry, n) for entry in entries[: len(entries) if n == 1 else 1]]
    return frame


_MASSES: tuple[Any, ...] = (
    lambda n: n,
    lambda n: n + 0.5,
    lambda n: [],
    lambda n: {},
    lambda n: {"a": [n]},
    lambda n: {f"password{n}": "x"},
    str,
    lambda n: None,
    lambda n: "\x00",
    lambda n: "\u202e\U0001f50c",
)


def _lists(value: Any) -> Iterator[list[Any]]:
    if isinstance(value, list) and value and not isinstance(value[0], str | int):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _lists(item)


def _another(entry: Any, n: int) -> Any:
    """The same with one or two other values, as the entries of a list have."""
    match entry:
        case dict():
            return {key: _another(item, n) for key, item in entry.items()}
        case bool() | None:
            return entry
        case int():
            return entry + n
        case str() if len(entry) < 5:
            return f"{entry}{n}"
    return entry


def _swapped(choices: Choices, frame: Any) -> Any:
    """Two places exchange what they hold."""
    one, key = _place(choices, frame)
    other, other_key = _place(choices, frame)
    if one is not None and one is other:
        one[key], one[other_key] = one[other_key], one[key]
    return frame


def _wrapped(choices: Choices, frame: Any) -> Any:
    """Deeper than anybody writes."""
    box, key = _place(choices, frame)
    if box is not None:
        for _ in range(one_of(choices, (1, 10, 40))):
            box[key] = [box[key]]
    return frame


def _head(choices: Choices, frame: Any) -> Any:
    """Another message type, id or action."""
    if not isinstance(frame, list) or len(frame) < 3:
        return frame
    at = choices.randrange(3)
    frame[at] = copy.deepcopy(one_of(choices, (_KINDS, _IDS, _ACTIONS)[at]))
    return frame


_MUTATIONS = (_replaced, _replaced, _removed, _added, _repeated, _swapped, _wrapped, _head)


def _place(choices: Choices, value: Any) -> tuple[Any, Any]:
    """A container somewhere inside and one of its keys; (None, None) where there is none."""
    found: tuple[Any, Any] = (None, None)
    while isinstance(value, dict | list) and value:
        key = one_of(choices, list(value)) if isinstance(value, dict) else choices.randrange(len(value))
        found = (value, key)
        value = value[key]
        if likely(choices, 4):
            break
    return found


def _scratched(choices: Choices, written: str) -> str:
    """The text with a few characters lost, added or changed."""
    for _ in range(1 + choices.randrange(3)):
        at = choices.randrange(len(written) + 1)
        end = at + one_of(choices, (0, 1, 5, 100))
        written = written[:at] + one_of(choices, _PIECES) * choices.randrange(2) + written[end:]
    return written
