"""What a step can do: one function per verb, and the table of them with what may stand beside each.

``README.md`` tells it to writers, with an example of each.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import quote

import httpx
import websockets
from websockets.frames import Frame, Opcode

from cms.contract.refusals import REFUSALS, Refusal
from tests.conformance.house import REQUESTS
from tests.conformance.language import Mistaken, Scope, shown
from tests.conformance.pki_verbs import PKI_VERBS
from tests.conformance.play import PATIENCE_S, Outcome, Play, Station, Step, Unmet, valid, words
from tests.conformance.shorthand import SHORTHAND
from tests.conformance.wire import CALL, ERROR, RESULT, basic

Verb = Callable[[Play, Step], Awaitable[None]]

#: Between two looks at something that is about to become true, seconds.
LOOK_AGAIN_S: Final = 0.02

_ACTION: Final = re.compile(r"[A-Z][A-Za-z0-9]+$")
_ID: Final = re.compile(r'^\s*\[\s*-?\d+\s*,\s*"([^"]*)"')


async def perform(play: Play, raw: Any) -> None:
    """Do what one entry of ``steps`` says; what it says for other versions is gone already."""
    if isinstance(raw, list):
        await play.steps(raw)
        return
    step = _step({raw: None} if isinstance(raw, str) else dict(raw), play.scope)
    verb, allowed = VERBS[step.verb]
    if unknown := step.more.keys() - allowed - {"by"}:
        raise Mistaken(
            f"`{step.verb}` does not know {', '.join(sorted(unknown))}; it knows {sorted(allowed)}"
        )
    await verb(play, step)


def _step(told: dict[str, Any], scope: Scope) -> Step:
    """A step in the plain language: shorthand is written out, an action's name is a call of it."""
    word = next(iter(told))
    value = told.pop(word)
    if word in SHORTHAND:
        told = {**SHORTHAND[word](scope.fill(value), scope), **told}
        if "error" in told:
            told.pop("answer", None)
        return _step(told, scope)
    if word in VERBS:
        return Step(word, value, told)
    if _ACTION.match(word):
        return Step("call", [word, value], told)
    raise Mistaken(f"`{word}` is no verb; there are: {', '.join(sorted({*VERBS, *SHORTHAND}))}")


# The station speaks.


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
    _compare_and_keep(play, step, step["answer"], frame[2])


async def _taken(
    station: Station, wanted: Callable[[list[Any]], bool], deadline_s: float, what: str
) -> list[Any]:
    try:
        return await station.wire.take(wanted, deadline_s)
    except TimeoutError:
        raise Unmet(f"{what} did not come within {deadline_s:g} s") from None
    except ConnectionError as error:
        raise Unmet(f"{what} did not come: {error}") from None


def _compare_and_keep(play: Play, step: Step, expected: Any, heard: Any) -> None:
    if expected is not None:
        play.require(play.scope.differences(expected, heard))
    if step["as"]:
        play.scope.names[play.scope.text(step["as"])] = heard


# The central system speaks.


async def expect(play: Play, step: Step) -> None:
    station = play.station(step)
    await _expect(play, step, station, step.value)


async def _expect(play: Play, step: Step, station: Station, wanted: Any) -> None:
    action, payload = next(iter(wanted.items())) if isinstance(wanted, dict) else (wanted, {})
    deadline = float(step["deadline"] or PATIENCE_S)
    frame = await _taken(station, lambda frame: frame[0] == CALL, deadline, f"a CALL {action}")
    station.last_call = frame
    play.scope.names["sent"], play.scope.names["sent_id"] = frame[3], frame[1]
    if frame[2] != action:
        raise Unmet(f"came {shown(frame)}, expected a CALL {action}")
    _compare_and_keep(play, step, payload, frame[3])
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
        valid_answer(station.wire.version, station.last_call[2], said)
    await station.wire.answer(id, said)


def valid_answer(version: str, action: str, payload: Any) -> None:
    """Raise Mistaken when what we are about to answer is not what the schema allows."""
    from tests.schemas import check

    try:
        check(version, action, payload, response=True)
    except AssertionError as error:
        raise Mistaken(f"{error} (say `invalid: true` when that is meant)") from None


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


# The connection.


async def connect(play: Play, step: Step) -> None:
    """Connect; ``refused`` is the HTTP status (or ``4xx``) of one that must not succeed."""
    station, told = play.station(step), play.scope.fill(step.value or {})
    if step["within"]:
        await _connect_within(play, step)
        return
    if station.wire.open and not told.get("beside"):
        await station.wire.close()
    offered = told.get("subprotocols", [f"ocpp{station.version}"])
    path = told.get("path", quote(station.identity, safe=""))
    url, headers = f"{play.house.url}/{path}", _headers(station, told)
    try:
        socket = await station.wire.connect(url, headers, offered, compression=told.get("compression"))
    except websockets.InvalidStatus as error:
        _refused(play, step, error.response.status_code, dict(error.response.headers))
        return
    if step["refused"]:
        raise Unmet(f"the connection was accepted, expected {step['refused']}")
    if step["gives"]:
        extensions = [extension.name for extension in socket.protocol.extensions]
        told_back = {"subprotocol": socket.subprotocol, "extensions": extensions}
        play.require(play.scope.differences(step["gives"], told_back))


async def _connect_within(play: Play, step: Step) -> None:
    """Knock again until it is let in, or the deadline has passed."""
    once = Step(step.verb, step.value, {key: value for key, value in step.more.items() if key != "within"})
    deadline = asyncio.get_running_loop().time() + float(step["within"])
    while True:
        try:
            await connect(play, once)
            return
        except Unmet:
            if asyncio.get_running_loop().time() > deadline:
                raise
        await asyncio.sleep(LOOK_AGAIN_S)


def _headers(station: Station, told: dict[str, Any]) -> dict[str, str]:
    headers = dict(told.get("headers", {}))
    password = told.get("password", station.password)
    if password is not None:
        secret = bytes.fromhex(password["hex"]) if isinstance(password, dict) else password
        headers.setdefault("Authorization", basic(told.get("user", station.identity), secret))
    return headers


def _refused(play: Play, step: Step, status: int, headers: dict[str, str]) -> None:
    play.watch.note(step["by"] or "A", "--", f"refused with HTTP {status}")
    pattern = str(step["refused"] or "101").replace("x", ".")
    if not re.fullmatch(pattern, str(status)):
        raise Unmet(f"refused with HTTP {status}, expected {step['refused'] or 'to be let in'}")
    if step["gives"]:
        low = {name.lower(): value for name, value in headers.items()}
        play.require(play.scope.differences(step["gives"], {"headers": low}))


async def close(play: Play, step: Step) -> None:
    await play.station(step).wire.close()


async def drop(play: Play, step: Step) -> None:
    play.station(step).wire.drop()


async def freeze(play: Play, step: Step) -> None:
    """Read nothing any more, not even pings: the peer is gone without a FIN."""
    play.station(step).wire.socket.transport.pause_reading()


async def closed(play: Play, step: Step) -> None:
    """The central system closes the connection (with this code)."""
    socket = play.station(step).wire.socket
    try:
        await asyncio.wait_for(socket.wait_closed(), float(step["deadline"] or PATIENCE_S))
    except TimeoutError:
        raise Unmet("the connection is still open") from None
    if step.value is not None:
        play.require(play.scope.differences(step.value, socket.close_code, "the close code"))


async def ping(play: Play, step: Step) -> None:
    """A websocket ping with this payload is answered by a pong with the same."""
    pong = await play.station(step).wire.socket.ping(str(step.value or "hello"))
    await asyncio.wait_for(pong, PATIENCE_S)


async def knock(play: Play, step: Step) -> None:
    """A bare HTTP upgrade, header by header; ``gives``: status, and headers in lower case."""
    station, told = play.station(step), play.scope.fill(step.value or {})
    path = told.get("path", quote(station.identity, safe=""))
    headers = {
        "Host": "localhost",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": told.get("protocols", f"ocpp{station.version}"),
        **_headers(station, told),
    }
    lines = [f"GET /ocpp/{path} HTTP/1.1", *(f"{key}: {value}" for key, value in headers.items() if value)]
    reader, writer = await asyncio.open_connection("127.0.0.1", play.house.port)
    try:
        writer.write("\r\n".join([*lines, "", ""]).encode())
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)).decode("latin-1")
    finally:
        writer.close()
    play.watch.note(station.letter, "--", f"knocked {told}: {head.splitlines()[0]}")
    pairs = [line.split(": ", 1) for line in head.splitlines()[1:] if ": " in line]
    got = {"status": int(head.split()[1]), "headers": {name.lower(): value for name, value in pairs}}
    play.require(play.scope.differences(step["gives"], got))


async def upload(play: Play, step: Step) -> None:
    """The station puts a file at an address: by PUT, as a form, or as a bare POST with Content-Disposition."""
    told = play.scope.fill(step.value)
    content, how = str(told.get("content", "log")).encode(), told.get("how", "put")
    name = told.get("name", "station.log")
    kinds: dict[str, tuple[str, dict[str, Any]]] = {
        "put": ("PUT", {"content": content}),
        "form": ("POST", {"files": {"file": (name, content)}}),
        "post": (
            "POST",
            {"content": content, "headers": {"Content-Disposition": f'attachment; filename="{name}"'}},
        ),
    }
    method, sent = kinds[how]
    async with httpx.AsyncClient() as http:
        answer = await http.request(method, told["to"], **sent)
    play.watch.note(play.station(step).letter, "--", f"uploaded {name} by {how}: {answer.status_code}")
    play.require(play.scope.differences(step["gives"] or {"status": 201}, {"status": answer.status_code}))


# The control API and the command line.


async def ask(play: Play, step: Step) -> None:
    name, fields = _request(play, step)
    if step["within"]:
        await _until(play, step, name, fields)
        return
    try:
        outcome = Outcome(await play.house.ask(name, fields))
    except Refusal as refusal:
        outcome = Outcome(refusal=refusal)
    _judge(play, step, outcome, name)


def _request(play: Play, step: Step) -> tuple[str, dict[str, Any]]:
    """A request's name and fields; ``station`` is the one that the step is about, where it must be told or narrows."""
    name, told = next(iter(step.value.items())) if isinstance(step.value, dict) else (step.value, {})
    if name not in REQUESTS:
        raise Mistaken(f"{name} is no request of cms.contract.routes")
    told = play.scope.fill(told or {})
    kept = {item.name: item for item in dataclasses.fields(REQUESTS[name])}.get("station")
    if kept and "station" not in told and (kept.default is dataclasses.MISSING or name.startswith("List")):
        told["station"] = play.station(step).identity
    return name, {key: value for key, value in told.items() if value is not None}


async def _until(play: Play, step: Step, name: str, fields: dict[str, Any]) -> None:
    """Ask again until the answer fits, or the deadline has passed."""
    deadline = asyncio.get_running_loop().time() + float(step["within"])
    while True:
        try:
            _judge(play, step, Outcome(await play.house.ask(name, fields)), name)
            return
        except (Unmet, Refusal):
            if asyncio.get_running_loop().time() > deadline:
                raise
        await asyncio.sleep(LOOK_AGAIN_S)


def _judge(play: Play, step: Step, outcome: Outcome, what: str) -> None:
    """Compare what became of a request with gives, has, lacks, count, refuses and says."""
    refusal = outcome.refusal
    if step["refuses"]:
        _judge_refusal(step, outcome, what, play)
        return
    if refusal is not None:
        raise Unmet(f"{what} was refused: {refusal.name}: {refusal.message}") from refusal
    _judge_answer(play, step, outcome.answer)
    if step["as"]:
        play.scope.names[play.scope.text(step["as"])] = outcome.answer


def _judge_refusal(step: Step, outcome: Outcome, what: str, play: Play) -> None:
    names = str(step["refuses"]).split("|")
    if unknown := set(names) - REFUSALS.keys():
        raise Mistaken(f"{unknown} are no refusals of cms.contract.refusals")
    if outcome.refusal is None:
        raise Unmet(f"{what} was answered {shown(outcome.answer)}, expected {step['refuses']}")
    said = f"{outcome.refusal.name}: {outcome.refusal.message}"
    if outcome.refusal.name not in names or not re.search(play.scope.text(step["says"] or ""), said):
        raise Unmet(f"{what} was refused with {said!r}, expected {step['refuses']} {step['says'] or ''}")


def _judge_answer(play: Play, step: Step, answer: Any) -> None:
    if step["gives"] is not None:
        play.require(play.scope.differences(step["gives"], answer))
    elements = answer if isinstance(answer, list) else [answer]
    for wanted in _listed(step["has"]):
        if not any(not play.scope.differences(wanted, element) for element in elements):
            raise Unmet(f"none of {shown(answer, 1500)} is {shown(wanted)}")
    for unwanted in _listed(step["lacks"]):
        if found := [element for element in elements if not play.scope.differences(unwanted, element)]:
            raise Unmet(f"there is {shown(found[0])}, expected none like {shown(unwanted)}")
    if step["distinct"] is not None:
        values = [element[step["distinct"]] for element in elements]
        if doubled := {value for value in values if values.count(value) > 1}:
            raise Unmet(f"{step['distinct']} is not unique: {shown(sorted(doubled))}")
    if step["count"] is not None and len(elements) != int(step["count"]):
        raise Unmet(f"there are {len(elements)}, expected {step['count']}: {shown(answer, 1500)}")


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


async def order(play: Play, step: Step) -> None:
    """Ask for what a station must answer: in the background; with ``sends``, the whole of it."""
    name, fields = _request(play, step)
    fields.setdefault("timeout_s", PATIENCE_S)
    keep, station = play.scope.text(step["as"] or "order"), play.station(step)
    play.background(keep, play.house.ask(name, fields))
    if step["sends"] is not None:
        await _sends(play, step, play.orders[keep])
    elif step["refuses"] is None and step["gives"] is None:
        return
    _judge(play, Step(step.verb, None, _without_as(step)), await play.outcome(keep), name)
    _keep_outcome(play, keep)
    if step["refuses"] and step["sends"] is None and station.wire.open:
        await quiet(play, step)


async def _sends(play: Play, step: Step, asked: asyncio.Task[Outcome]) -> None:
    """The CALL that the request makes the CSMS send comes, and is replied to; at once a failure when it does not."""
    expected = Step("expect", None, _without_as(step))
    coming = asyncio.create_task(_expect(play, expected, play.station(step), step["sends"]))
    await asyncio.wait({coming, asked}, return_when=asyncio.FIRST_COMPLETED)
    if not coming.done():
        # What was asked has ended first. A frame on its way comes before the answer to a Heartbeat.
        await asyncio.wait({coming}, timeout=0.2)
    if not coming.done():
        coming.cancel()
        outcome = asked.result()
        said = outcome.refusal.message if outcome.refusal else shown(outcome.answer)
        raise Unmet(f"nothing was sent to the station; the asker was told: {said}")
    await coming


def _without_as(step: Step) -> dict[str, Any]:
    return {key: value for key, value in step.more.items() if key != "as"}


def _keep_outcome(play: Play, name: str) -> None:
    task = play.orders[name]
    if task.result().refusal is None:
        play.scope.names[name] = task.result().answer


async def ordered(play: Play, step: Step) -> None:
    """What became of an order given in the background."""
    name = play.scope.text(step.value or "order")
    outcome = await play.outcome(name, float(step["deadline"] or PATIENCE_S))
    _judge(play, Step(step.verb, None, _without_as(step)), outcome, f"the order {name}")
    _keep_outcome(play, name)


async def intent(play: Play, step: Step) -> None:
    """The order's record becomes like this: its status after the effect was seen, its answer."""
    fields = {"intent": play.scope.look_up(f"{step['of'] or 'order'}.id")}
    looked = Step(
        step.verb, None, {"gives": step.value, "within": step["within"] or PATIENCE_S, "as": step["as"]}
    )
    await _until(play, looked, "ShowIntent", fields)


async def cli(play: Play, step: Step) -> None:
    """A command line of ``cms``: ``exit`` code, ``gives`` a subset of its JSON, ``says`` matches what it said."""
    line = words(play.scope.text(step.value))
    play.background("cli", play.house.cli(line, play.scope.text(step["stdin"] or "")))
    if step["sends"] is not None:
        await _sends(play, step, play.orders["cli"])
    code, out, err = (await play.outcome("cli", 20)).answer
    play.watch.note("cli", "--", f"cms {' '.join(line)}: exit {code}, {out[:400]} {err[:400]}")
    if code != int(step["exit"] or 0):
        raise Unmet(f"exit code {code}, expected {step['exit'] or 0}; it said {out[:500]} {err[:500]}")
    if step["says"] and not re.search(play.scope.text(step["says"]), out + err):
        raise Unmet(f"it said {out[:1000]!r} {err[:500]!r}, expected {step['says']!r}")
    if any(step[key] is not None for key in ("gives", "has", "lacks", "count", "as")):
        told = _json(out)
        _judge_answer(play, step, told)
        if step["as"]:
            play.scope.names[play.scope.text(step["as"])] = told


def _json(out: str) -> Any:
    """One JSON value, or one per line."""
    try:
        return json.loads(out)
    except ValueError:
        try:
            return [json.loads(line) for line in out.splitlines()]
        except ValueError:
            raise Unmet(f"it printed {out[:500]!r}, expected JSON") from None


# What the record shows: the questions that are asked most.


def _view(name: str, fields: Callable[[Play, Step], dict[str, Any]], pick: str) -> Verb:
    """A verb that asks ``name`` until the answer fits: as a whole (gives), or an element of it (has)."""

    async def look(play: Play, step: Step) -> None:
        more = {**step.more, "within": step["within"] or 2.0}
        if step.value is not None:
            more[pick] = step.value
        await _until(play, Step(step.verb, None, more), name, fields(play, step))

    return look


def _of_station(play: Play, step: Step) -> dict[str, Any]:
    return {"station": play.station(step).identity}


async def session(play: Play, step: Step) -> None:
    """The session of transaction ``$tx``; ``tx`` names another. ``as`` keeps its view."""
    number = str(play.scope.look_up(play.scope.text(step["tx"] or "tx")))
    wanted = {"transaction_id": number, **(step.value or {})}
    more = {"has": [wanted], "within": step["within"] or 2.0}
    fields = _of_station(play, step)
    await _until(play, Step(step.verb, None, more), "ListSessions", fields)
    if step["as"]:
        found = await play.house.ask("ListSessions", fields)
        play.scope.names[play.scope.text(step["as"])] = next(
            item for item in found if item["transaction_id"] == number
        )


async def samples(play: Play, step: Step) -> None:
    """Samples of the session of ``$tx``: each one listed is there."""
    number = str(play.scope.look_up(play.scope.text(step["tx"] or "tx")))
    found = await play.house.ask("ListSessions", _of_station(play, step))
    known = [item for item in found if item["transaction_id"] == number]
    if not known:
        raise Unmet(f"there is no session of transaction {number}")
    more = {
        **{key: value for key, value in step.more.items() if key != "tx"},
        "has": step.value,
        "within": 2.0,
    }
    await _until(play, Step(step.verb, None, more), "ListSamples", {"session": known[0]["id"]})


async def connector(play: Play, step: Step) -> None:
    """Connector 1 of EVSE 1; ``at: 2`` or ``at: [2, 1]`` is another (1.6: connector N is EVSE N)."""
    evse, number = step["at"] if isinstance(step["at"], list) else (step["at"] or 1, 1)
    wanted = {"evse": evse, "connector": number, **(step.value or {})}
    more = {"gives": {"connectors": [wanted]}, "within": step["within"] or 2.0}
    await _until(play, Step(step.verb, None, more), "ShowStation", _of_station(play, step))


# The daemon.


async def restart(play: Play, step: Step) -> None:
    """End the daemon (``restart: kill`` with -9) and start it on the same record; stations are disconnected."""
    for station in play.stations.values():
        station.wire.outstanding = None
    await asyncio.to_thread(play.house.stop, kill=step.value == "kill")
    await asyncio.to_thread(play.house.start)


async def storage(play: Play, step: Step) -> None:
    """``storage: fails``: nothing can be written to the record until ``storage: works``."""
    {"fails": play.house.lock_storage, "works": play.house.unlock_storage}[step.value]()


async def log(play: Play, step: Step) -> None:
    """The daemon's log ``has`` a text, and ``lacks`` another."""
    text = play.house.log()
    for wanted in _listed(step.value.get("has")):
        if play.scope.text(wanted) not in text:
            raise Unmet(f"the log lacks {play.scope.text(wanted)!r}")
    for unwanted in _listed(step.value.get("lacks")):
        if play.scope.text(unwanted) in text:
            raise Unmet(f"the log has {play.scope.text(unwanted)!r}")


# Steps of steps.


async def each(play: Play, step: Step) -> None:
    """The steps once for each value, which is ``$it`` meanwhile (``as`` names it otherwise)."""
    for value in step.value:
        play.scope.names[step["as"] or "it"] = play.scope.fill(value)
        await play.steps(step["steps"])


async def repeat(play: Play, step: Step) -> None:
    """The steps so many times; ``$i`` counts from 0."""
    for number in range(int(step.value)):
        play.scope.names["i"] = number
        await play.steps(step["steps"])


async def keep(play: Play, step: Step) -> None:
    """Give names to values: ``keep: {t0: $now-4h}``."""
    play.scope.names.update(play.scope.fill(step.value))


async def storm(play: Play, step: Step) -> None:
    """So many fresh stations connect and boot at once; all are accepted within ``deadline`` seconds."""
    count, letters = int(step.value), []
    for number in range(count):
        station = play._introduce(f"S{number}", {})
        letters.append(station.letter)
        await play.house.ask("AddStation", {"station": station.identity, "password": station.password})

    async def come(letter: str) -> None:
        await play.connect(play.stations[letter])
        await perform(play, {"boot": None, "by": letter, "deadline": 30})

    try:
        await asyncio.wait_for(asyncio.gather(*map(come, letters)), float(step["deadline"] or 30))
    except TimeoutError:
        raise Unmet(f"{count} stations were not all accepted in time") from None


_SAYS: Final = {"answer", "error", "id", "later", "invalid", "deadline", "as"}
_JUDGED: Final = {"gives", "has", "lacks", "count", "distinct", "refuses", "says", "as"}
_REPLIES: Final = {"reply", "reply-error", "invalid", "deadline"}

VERBS: Final[dict[str, tuple[Verb, frozenset[str]]]] = {
    name: (verb, frozenset(beside))
    for name, verb, beside in (
        ("call", call, _SAYS),
        ("answered", answered, _SAYS),
        ("raw", raw, {*_SAYS, "breaks"}),
        ("fragments", fragments, {*_SAYS, "cuts"}),
        ("octets", octets, {"frame"}),
        ("expect", expect, {*_REPLIES, "as", "silent"}),
        ("reply", reply, {"to", "invalid"}),
        ("reply-error", reply_error, set[str]()),
        ("quiet", quiet, set[str]()),
        ("fence", fence, set[str]()),
        ("forget", forget, set[str]()),
        ("connect", connect, {"refused", "gives", "within"}),
        ("close", close, set[str]()),
        ("drop", drop, set[str]()),
        ("freeze", freeze, set[str]()),
        ("closed", closed, {"deadline"}),
        ("ping", ping, set[str]()),
        ("knock", knock, {"gives"}),
        ("upload", upload, {"gives"}),
        ("ask", ask, {*_JUDGED, "within"}),
        ("order", order, {*_JUDGED, *_REPLIES, "sends"}),
        ("ordered", ordered, {*_JUDGED, "deadline"}),
        ("intent", intent, {"of", "within", "as"}),
        ("cli", cli, {*_JUDGED, *_REPLIES, "sends", "exit", "stdin"}),
        ("station", _view("ShowStation", _of_station, "gives"), {"within", "as"}),
        ("session", session, {"tx", "within", "as"}),
        ("sessions", _view("ListSessions", _of_station, "has"), {*_JUDGED, "within"}),
        ("samples", samples, {"tx", "lacks", "count"}),
        ("connector", connector, {"at", "within"}),
        ("told", _view("ListEvents", _of_station, "has"), {"lacks", "within", "as"}),
        ("quarantined", _view("ListQuarantine", _of_station, "has"), {"lacks", "count", "within"}),
        ("variables", _view("ListVariables", _of_station, "has"), {"lacks", "count", "within"}),
        ("restart", restart, set[str]()),
        ("storage", storage, set[str]()),
        ("log", log, set[str]()),
        ("each", each, {"as", "steps"}),
        ("repeat", repeat, {"steps"}),
        ("keep", keep, set[str]()),
        ("storm", storm, {"deadline"}),
        *PKI_VERBS,
    )
}

assert not VERBS.keys() & SHORTHAND.keys()
