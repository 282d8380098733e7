"""Stations that are not ours behind one face: the ``ocpp`` package's ChargePoint, and ``ocpp-rpc`` in strict mode.

Both hold every message and every answer of either side to the published schemas they bring; what they find is in
``wrong``. What a station answers to an order is the test's: one function for both.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import pytest
from ocpp.messages import (  # type: ignore[import-untyped]  # the package ships no types
    Call,
    CallError,
    validate_payload,
)
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.fleet import ended
from tests.schemas import FOLDERS, check

RPC = Path(__file__).parent / "ocpp_rpc"
Json = dict[str, Any]
Answering = Callable[[str, Json], Json]
"""Action and payload of an order -> the payload of its answer."""


class Peer(Protocol):
    """A connected station. ``heard`` are the orders so far, as they came."""

    heard: list[tuple[str, Json]]
    wrong: list[str]

    async def say(self, action: str, payload: Json) -> Json:
        """Send a CALL; the payload of its CALLRESULT. Raises when there is none, or an invalid one."""
        ...


class Checked:
    """A connection as the ``ocpp`` package wants one, which checks every frame that passes."""

    def __init__(self, socket: ClientConnection, version: str) -> None:
        self._socket = socket
        self._version = version
        self._actions: dict[str, str] = {}
        self.asked: dict[str, Json] = {}
        """Orders by message id, word for word: the package hands on other spellings."""
        self.checked: list[str] = []
        self.wrong: list[str] = []

    async def recv(self) -> str:
        text = str(await self._socket.recv())
        self._look(frame := json.loads(text))
        if frame[0] == 2:
            self.asked[frame[1]] = frame[3]
        return text

    async def send(self, text: str) -> None:
        self._look(json.loads(text))
        await self._socket.send(text)

    def _look(self, frame: list[Any]) -> None:
        """Findings are kept, not raised: the package would swallow them."""
        try:
            self._check(frame)
        except AssertionError as wrong:
            self.wrong.append(str(wrong))

    def _check(self, frame: list[Any]) -> None:
        match frame:
            case [2, message_id, action, payload]:
                self._actions[message_id] = action
                check(self._version, action, payload)
                self.checked.append(action)
            case [3, message_id, payload]:
                action = self._actions.pop(message_id)
                check(self._version, action, payload, response=True)
                self.checked.append(f"{action} answer")
            case _:
                raise AssertionError(f"not a CALL or a CALLRESULT: {frame}")


class PackagePeer:
    """A ChargePoint of the ``ocpp`` package with a handler for every action it knows, its validation on."""

    def __init__(self, checked: Checked, version: str, answering: Answering) -> None:
        package = import_module(f"ocpp.{FOLDERS[version]}")
        self.heard: list[tuple[str, Json]] = []
        self.wrong = checked.wrong
        self._version = version
        self._results = package.call_result
        self._checked = checked
        self._answering = answering
        self._ids = itertools.count(1)
        self.station = package.ChargePoint("IND-1", checked, response_timeout=5)
        for action in vars(self._results):
            self.station.route_map[action] = {"_on_action": self._handler(action)}

    async def say(self, action: str, payload: Json) -> Json:
        """By the package's messages and validation, past its dataclasses: they misspell names (receiptURL, SoC)."""
        call = Call(f"said-{next(self._ids)}", action, payload)
        await validate_payload(call, self._version)
        await self.station._send(call.to_json())
        answer = await self.station._get_specific_response(call.unique_id, 5)
        if isinstance(answer, CallError):
            raise answer.to_exception()
        answer.action = action
        await validate_payload(answer, self._version)
        said: Json = answer.payload
        return said

    def _handler(self, action: str) -> Callable[..., Any]:
        def handle(call_unique_id: str, **_: Any) -> Any:
            payload = self._checked.asked.pop(call_unique_id)
            self.heard.append((action, payload))
            return _typed(getattr(self._results, action), self._answering(action, payload))

        return handle


def _typed(type_: Any, payload: Json) -> Any:
    """The package's dataclass of a payload: its fields in its own spelling, what is within them in OCPP's."""
    spelled = {field.name.replace("_", ""): field.name for field in fields(type_)}
    return type_(**{spelled[name.lower()]: value for name, value in payload.items()})


@asynccontextmanager
async def package_station(url: str, password: str, version: str, answering: Answering) -> AsyncIterator[Peer]:
    async with connect(
        f"{url}/IND-1",
        subprotocols=[Subprotocol(f"ocpp{version}")],
        additional_headers={"Authorization": "Basic " + b64encode(f"IND-1:{password}".encode()).decode()},
        proxy=None,
    ) as socket:
        peer = PackagePeer(Checked(socket, version), version, answering)
        reading = asyncio.create_task(until_closed(peer.station))
        try:
            yield peer
        finally:
            await ended(reading)


async def until_closed(station: Any) -> None:
    """The package's reader, which knows no end."""
    try:
        await station.start()
    except ConnectionClosed:
        pass


class RpcPeer:
    """An ocpp-rpc client in strict mode in a process of its own (ocpp_rpc/relay.js)."""

    def __init__(self, process: asyncio.subprocess.Process, answering: Answering) -> None:
        self.heard: list[tuple[str, Json]] = []
        self.wrong: list[str] = []
        self._process = process
        self._answering = answering
        self._ids = itertools.count(1)
        self._called: dict[int, asyncio.Future[Json]] = {}
        self.connected = asyncio.Event()

    async def say(self, action: str, payload: Json) -> Json:
        number = next(self._ids)
        self._called[number] = told_later = asyncio.get_running_loop().create_future()
        self._tell({"call": number, "action": action, "payload": payload})
        told = await told_later
        assert "refused" not in told, f"{action} was answered: {told['refused']}"
        answer: Json = told["payload"]
        return answer

    async def read(self) -> None:
        """Take in its lines until it ends."""
        assert self._process.stdout is not None
        async for text in self._process.stdout:
            self._take(json.loads(text))

    def _take(self, line: Json) -> None:
        match line:
            case {"asked": number, "action": action, "payload": payload}:
                self.heard.append((action, payload))
                self._tell({"answer": number, "payload": self._answering(action, payload)})
            case {"called": number}:
                self._called.pop(number).set_result(line)
            case {"wrong": finding}:
                self.wrong.append(finding)
            case {"connected": _}:
                self.connected.set()

    def _tell(self, line: Json) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line).encode() + b"\n")


@asynccontextmanager
async def rpc_station(url: str, password: str, version: str, answering: Answering) -> AsyncIterator[Peer]:
    process = await asyncio.create_subprocess_exec(
        "node",
        str(RPC / "relay.js"),
        *(url, "IND-1", password, f"ocpp{version}"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=ocpp_rpc(),
        limit=2**24,
    )
    peer = RpcPeer(process, answering)
    reading = asyncio.create_task(peer.read())
    try:
        async with asyncio.timeout(20):
            await peer.connected.wait()
        yield peer
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
        await ended(reading)


def ocpp_rpc() -> dict[str, str]:
    """The environment in which node finds ocpp-rpc; skips where it does not."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    places = [RPC / "node_modules", *map(Path, filter(None, os.environ.get("NODE_PATH", "").split(":")))]
    for place in places:
        if (place / "ocpp-rpc").is_dir():
            return {**os.environ, "NODE_PATH": str(place)}
    pytest.skip(f"ocpp-rpc is not installed: npm install --prefix {RPC}")


Connecting = Callable[[str, str, str, Answering], AbstractAsyncContextManager[Peer]]
"""URL of the endpoint, password, version, answers -> the station ``IND-1`` while it is connected."""

KINDS: dict[str, Connecting] = {"ocpp": package_station, "ocpp-rpc": rpc_station}
