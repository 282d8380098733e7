"""Verbs of the link: connections come, are refused, go; and bare HTTP beside them."""

from __future__ import annotations

import asyncio
import re
from typing import Any, Final
from urllib.parse import quote

import websockets

from tests.conformance.play import LOOK_AGAIN_S, PATIENCE_S, Play, Rows, Station, Step, Unmet
from tests.conformance.wire import basic


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


LINKING: Final[Rows] = (
    ("connect", connect, {"refused", "gives", "within"}),
    ("close", close, set[str]()),
    ("drop", drop, set[str]()),
    ("freeze", freeze, set[str]()),
    ("closed", closed, {"deadline"}),
    ("ping", ping, set[str]()),
    ("knock", knock, {"gives"}),
)
