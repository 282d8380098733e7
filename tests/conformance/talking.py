"""Verbs of talk: what a station says, and what it hears from the central system."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any, Final

import websockets
from websockets.frames import Frame, Opcode

from tests.conformance.language import Mistaken, shown
from tests.conformance.play import PATIENCE_S, Play, Rows, Station, Step, Unmet, valid
from tests.conformance.wire import CALL, ERROR, RESULT

_ID: Final = re.compile(r'^\s*\[\s*-?\d+\s*,\s*"([^"]*)"')
_SAYS: Final = {"answer", "error", "id", "later", "invalid", "deadline", "as"}
#: What may stand beside a verb after which a station replies.
REPLIES: Final = {"reply", "reply-error", "invalid", "deadline"}


async def call(play: Play, step: Step) -> None:
    station = play.station(step)
    action, payload = step.value[0], play.scope.fill(step.value[1] or {})
    id = play.scope.text(step["id"]) if step["id"] is not None else play.message_id()
    if not step["invalid"]:
        valid(station.wire.version, action, payload)
    await station.wire.call(action, payload, id)
    if step["later"]:
        station.later[play.scope.text(step["later"])] = id
    else:
        await _hear(play, station, step, id)


async def answered(play: Play, step: Step) -> None:
    station = play.station(step)
    name = play.scope.text(step.value)
    if name not in station.later:
        raise Mistaken(f"no call was kept for later as {name!r}")
    await _hear(play, station, step, station.later.pop(name))


async def raw(play: Play, step: Step) -> None:
    station = play.station(step)
    text = play.scope.text(step.value)
    match = _ID.match(text)
    id = play.scope.text(step["id"]) if step["id"] is not None else match[1] if match else None
    action = text.split('"')[3] if match and text.count('"') > 3 else None
    try:
        await station.wire.say(text, action, id)
    except websockets.ConnectionClosed:
        if not step["breaks"]:
            raise
    if step["later"]:
        station.later[play.scope.text(step["later"])] = id or ""
    elif step["answer"] is not None or step["error"] is not None:
        await _hear(play, station, step, id)


async def fragments(play: Play, step: Step) -> None:
    """The text in several websocket fragments, cut at byte offsets; its answer as for ``raw``."""
    station = play.station(step)
    text = play.scope.text(step.value)
    data = text.encode()
    cuts = [0, *step["cuts"], len(data)]
    protocol = station.wire.socket.protocol
    for number, (begin, end) in enumerate(itertools.pairwise(cuts)):
        opcode = Opcode.CONT if number else Opcode.TEXT
        protocol.send_frame(Frame(opcode, data[begin:end], fin=end == len(data)))
    station.wire.socket.send_data()
    match = _ID.match(text)
    await _hear(play, station, step, match[1] if match else None)


async def octets(play: Play, step: Step) -> None:
    """Bytes, given in hex, as a ``text`` frame (they may be no UTF-8) or a ``binary`` one."""
    socket = play.station(step).wire.socket
    opcode = {"text": Opcode.TEXT, "binary": Opcode.BINARY}[step["frame"] or "text"]
    socket.protocol.send_frame(Frame(opcode, bytes.fromhex(step.value)))
    socket.send_data()


async def _hear(play: Play, station: Station, step: Step, id: str | None) -> None:
    """The answer to a call, compared with ``answer`` or ``error``; ``silence`` is none before a fence."""
    errors = str(step["error"]).split("|") if step["error"] is not None else []
    deadline = float(step["deadline"] or PATIENCE_S)

    def ours(frame: list[Any]) -> bool:
        return frame[0] in (RESULT, ERROR) and frame[1] == id

    if "silence" in errors:
        await play.fence(station)
        frame = next(filter(ours, station.wire.unread), None)
        if frame is None:
            return
        station.wire.unread.remove(frame)
    else:
        frame = await _taken(station, ours, deadline, f"an answer to {id}")
    if frame[0] == ERROR:
        if frame[2] not in errors:
            raise Unmet(f"came CALLERROR {shown(frame)}, expected {shown(step['error'] or 'an answer')}")
        return
    if errors and "result" not in errors:
        raise Unmet(f"came {shown(frame)}, expected {step['error']}")
    compare_and_keep(play, step, step["answer"], frame[2])


async def _taken(
    station: Station, wanted: Callable[[list[Any]], bool], deadline_s: float, what: str
) -> list[Any]:
    try:
        return await station.wire.take(wanted, deadline_s)
    except TimeoutError:
        raise Unmet(f"{what} did not come within {deadline_s:g} s") from None
    except ConnectionError as error:
        raise Unmet(f"{what} did not come: {error}") from None


def compare_and_keep(play: Play, step: Step, expected: Any, heard: Any) -> None:
    if expected is not None:
        play.require(play.scope.differences(expected, heard))
    if step["as"]:
        play.scope.names[play.scope.text(step["as"])] = heard


# The central system speaks.


async def expect(play: Play, step: Step) -> None:
    station = play.station(step)
    await expect_call(play, step, station, step.value)


async def expect_call(play: Play, step: Step, station: Station, wanted: Any) -> None:
    action, payload = next(iter(wanted.items())) if isinstance(wanted, dict) else (wanted, {})
    deadline = float(step["deadline"] or PATIENCE_S)
    frame = await _taken(station, lambda frame: frame[0] == CALL, deadline, f"a CALL {action}")
    station.last_call = frame
    play.scope.names["sent"], play.scope.names["sent_id"] = frame[3], frame[1]
    if frame[2] != action:
        raise Unmet(f"came {shown(frame)}, expected a CALL {action}")
    compare_and_keep(play, step, payload, frame[3])
    if step["silent"]:
        station.wire.outstanding = None
    await _reply(play, step, station, step["reply"], step["reply-error"])


async def reply(play: Play, step: Step) -> None:
    station = play.station(step)
    id = play.scope.look_up(step["to"]) if step["to"] else None
    await _reply(play, step, station, step.value, step["reply-error"], id)


async def reply_error(play: Play, step: Step) -> None:
    await _reply(play, step, play.station(step), None, step.value)


async def _reply(
    play: Play, step: Step, station: Station, payload: Any, error: Any, id: str | None = None
) -> None:
    """Answer the last CALL (or the one with this id), when there is something to answer."""
    if payload is None and error is None:
        return
    if not station.last_call:
        raise Mistaken("there is no CALL to reply to")
    id = id or station.last_call[1]
    if error is not None:
        await station.wire.refuse(id, *([error] if isinstance(error, str) else error))
        return
    said = play.scope.fill(payload)
    if not step["invalid"]:
        valid(station.wire.version, station.last_call[2], said, response=True)
    await station.wire.answer(id, said)


async def quiet(play: Play, step: Step) -> None:
    """Nothing came that nobody expected: neither before now nor before the answer to a Heartbeat."""
    station = play.station(step)
    await play.fence(station)
    if station.wire.unread:
        raise Unmet(f"nothing was expected, but came {shown(station.wire.unread)}")


async def fence(play: Play, step: Step) -> None:
    await play.fence(play.station(step))


async def forget(play: Play, step: Step) -> None:
    """Whatever came and was not looked at does not matter."""
    play.station(step).wire.unread.clear()


TALKING: Final[Rows] = (
    ("call", call, _SAYS),
    ("answered", answered, _SAYS),
    ("raw", raw, {*_SAYS, "breaks"}),
    ("fragments", fragments, {*_SAYS, "cuts"}),
    ("octets", octets, {"frame"}),
    ("expect", expect, {*REPLIES, "as", "silent"}),
    ("reply", reply, {"to", "invalid"}),
    ("reply-error", reply_error, set[str]()),
    ("quiet", quiet, set[str]()),
    ("fence", fence, set[str]()),
    ("forget", forget, set[str]()),
)
