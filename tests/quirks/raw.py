"""A station of raw frames against a whole daemon: what it sends is what a test writes."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from cms.client import AsyncClient
from cms.contract.events import ListEvents
from cms.contract.sessions import ListSessions, SessionView
from cms.contract.stations import AddStation
from cms.contract.tokens import AddToken
from cms.daemon import Daemon
from tests.fleet import client_of, running

PASSWORD = "a password that nobody guesses"
AT = "2026-05-04T12:00:00Z"
BOOT_16 = {"chargePointVendor": "Acme", "chargePointModel": "One", "firmwareVersion": "1.0"}
BOOT_2 = {"reason": "PowerUp", "chargingStation": {"vendorName": "Acme", "model": "Two"}}
PATIENCE_S = 10.0

#: What a station answers to an order: a payload, a CALLERROR code, or None for silence.
Answer = dict[str, Any] | str | None


def _accepted(_: Any) -> Answer:
    return {"status": "Accepted"}


class Raw:
    """One connection. ``asked`` are the orders it got, ``answers`` what it says to them by action."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.asked: list[tuple[str, Any]] = []
        self.answers: dict[str, Callable[[Any], Answer]] = {}
        self._waiting: dict[str, asyncio.Future[list[Any]]] = {}
        self._ids = itertools.count(1)
        self._changed = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            async for text in self.socket:
                frame = json.loads(text)
                if frame[0] == 2:
                    await self._answer(*frame[1:])
                elif (waiting := self._waiting.pop(str(frame[1]), None)) is not None:
                    waiting.set_result(frame)
        except ConnectionClosed:
            return

    async def _answer(self, message_id: str, action: str, payload: Any) -> None:
        async with self._changed:
            self.asked.append((action, payload))
            self._changed.notify_all()
        said = self.answers.get(action, _accepted)(payload)
        if isinstance(said, str):
            await self.send([4, message_id, said, "", {}])
        elif said is not None:
            await self.send([3, message_id, said])

    async def send(self, frame: Any) -> None:
        await self.socket.send(frame if isinstance(frame, str) else json.dumps(frame))

    async def call(self, action: str, payload: Any, message_id: str | None = None) -> Any:
        """The payload of the answer; the code of a CALLERROR."""
        frame = await self.exchange([2, message_id or f"m{next(self._ids)}", action, payload])
        return frame[2]

    async def exchange(self, frame: list[Any]) -> list[Any]:
        waiting = asyncio.get_running_loop().create_future()
        self._waiting[str(frame[1])] = waiting
        await self.send(frame)
        async with asyncio.timeout(PATIENCE_S):
            answer: list[Any] = await waiting
        return answer

    async def until_asked(self, action: str, count: int = 1) -> Any:
        """Wait for an order of this action; its payload."""
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: len(self.orders(action)) >= count)
        return self.orders(action)[count - 1]

    def orders(self, action: str) -> list[Any]:
        return [payload for name, payload in self.asked if name == action]

    async def closed(self) -> int | None:
        async with asyncio.timeout(PATIENCE_S):
            await self.socket.wait_closed()
        return self.socket.close_code

    async def leave(self) -> None:
        await self.socket.close()
        await self._reading


class Site:
    """A daemon with a station CP-7 and a token CARD1, and stations of raw frames that come and go."""

    def __init__(self, daemon: Daemon, client: AsyncClient) -> None:
        self.daemon = daemon
        self.client = client
        self._raws: list[Raw] = []

    async def station(
        self, identity: str = "CP-7", *protocols: str, prefix: str = "", user: str | None = None
    ) -> Raw:
        """Connect; without a protocol none is offered."""
        credentials = base64.b64encode(f"{user or identity}:{PASSWORD}".encode()).decode()
        socket = await connect(
            f"{self.daemon.endpoint.url}{prefix}/{identity}",
            subprotocols=[Subprotocol(name) for name in protocols] or None,
            additional_headers={"Authorization": f"Basic {credentials}"},
            proxy=None,
        )
        self._raws.append(Raw(socket))
        return self._raws[-1]

    async def booted(self, version: str = "1.6") -> Raw:
        raw = await self.station("CP-7", f"ocpp{version}")
        said = await raw.call("BootNotification", BOOT_16 if version == "1.6" else BOOT_2)
        assert said["status"] == "Accepted"
        return raw

    async def refused(self, identity: str, *protocols: str) -> int:
        """The HTTP status with which it is turned away."""
        try:
            await self.station(identity, *protocols)
        except InvalidStatus as refusal:
            return refusal.response.status_code
        raise AssertionError(f"{identity} was let in")

    async def sessions(self) -> list[SessionView]:
        """Oldest first."""
        found: list[SessionView] = await self.client.ask(ListSessions())
        return found[::-1]

    async def session(self) -> SessionView:
        (only,) = await self.sessions()
        return only

    async def events(self, type: str) -> list[Any]:
        found: list[Any] = await self.client.ask(ListEvents(type=type))
        return found

    async def leave(self) -> None:
        for raw in self._raws:
            await raw.leave()


@asynccontextmanager
async def a_site(folder: Path, **settings: Any) -> AsyncIterator[Site]:
    async with running(folder, **{"boot_trigger_s": 0, **settings}) as daemon, client_of(daemon) as client:
        site = Site(daemon, client)
        known = {lane.state.station.id for lane in daemon.core.lanes.values()}
        if "CP-7" not in known:
            await client.ask(AddStation("CP-7", password=PASSWORD))
            await client.ask(AddToken("CARD1"))
        try:
            yield site
        finally:
            await site.leave()


def start(
    meter: int = 1000, at: str = AT, card: str = "CARD1", connector: int = 1, **more: Any
) -> dict[str, Any]:
    return {"connectorId": connector, "idTag": card, "meterStart": meter, "timestamp": at, **more}


def stop(
    transaction: int, meter: int = 6000, at: str = "2026-05-04T13:00:00Z", **more: Any
) -> dict[str, Any]:
    return {"transactionId": transaction, "meterStop": meter, "timestamp": at, **more}


def meter(
    transaction: int | None, *sampled: dict[str, Any], at: str = "2026-05-04T12:30:00Z"
) -> dict[str, Any]:
    said = {"connectorId": 1, "meterValue": [{"timestamp": at, "sampledValue": list(sampled)}]}
    return said if transaction is None else said | {"transactionId": transaction}


def status(word: str, at: str = AT, connector: int = 1) -> dict[str, Any]:
    return {"connectorId": connector, "errorCode": "NoError", "status": word, "timestamp": at}
