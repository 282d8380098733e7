"""Texts that a station might send: valid frames, frames with something wrong, and garbage."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any

import msgspec

from tests.fuzz.seeds import Choices, actions, likely, one_of, request, response

_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode

#: Longer ones end the connection before they come to the link (``max_frame_bytes``).
LONGEST = 256 * 1024
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
    choices: Choices, version: str, told: Sequence[str], answers: str | None = None, action: str = "Reset"
) -> str:
    """One text message. ``told`` are the actions that mean something to us; ``answers`` is the id of a CALL
    of ours that the station may answer, of ``action``.
    """
    if likely(choices, 20):
        return _garbage(choices)
    frame = _frame(choices, version, told, answers, action)
    for _ in range(one_of(choices, (0, 0, 1, 1, 2, 4))):
        frame = one_of(choices, _MUTATIONS)(choices, frame)
    try:
        written = _encode(frame).decode()
    except (UnicodeEncodeError, OverflowError):  # a lone surrogate, a number beyond 64 bits
        written = json.dumps(frame, default=str)
    return (_scratched(choices, written) if likely(choices, 8) else written)[:LONGEST]


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
