"""A CSMS of a few lines, over real websockets: answers what stations send, gives orders, remembers all of it.

Every frame in both directions is checked against the published schemas, unless the desk is ``lenient``: that is
for stations with faults.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import ssl
from collections import defaultdict
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.schemas import check

NOW = "2026-03-02T00:00:00.000Z"
OLD_CARD = {"idTagInfo": {"status": "Accepted"}}
CARD = {"idTokenInfo": {"status": "Accepted"}}
ACCEPTED = {"status": "Accepted"}
#: Answers that hold a status and nothing else that must be.
STATUS_ANSWERS: dict[str, dict[str, Any]] = {
    "DataTransfer": {"status": "UnknownVendorId"},
    "Get15118EVCertificate": {"status": "Failed", "exiResponse": ""},
    "GetCertificateStatus": {"status": "Failed"},
    "NotifyEVChargingNeeds": ACCEPTED,
    "NotifyEVChargingSchedule": ACCEPTED,
    "OpenPeriodicEventStream": ACCEPTED,
    "PullDynamicScheduleUpdate": {"status": "Rejected"},
    "SignCertificate": ACCEPTED,
}


class Desk:
    """``answers`` replaces what is answered to an action: a payload, or a CALLERROR code, or a function."""

    def __init__(self) -> None:
        self.lenient = False
        self.order_of_frames: list[str] = []
        self.heard: list[tuple[str, str, dict[str, Any]]] = []
        self.answers: dict[str, Any] = {}
        self.links: dict[str, ServerConnection] = {}
        self.connections = 0
        self.paths: list[str] = []
        self.refused_answers = 0
        """CALLRESULTERRORs (2.1)."""
        self.url = ""
        self._numbers = itertools.count(1)
        self._orders: dict[str, asyncio.Future[Any]] = {}
        self._news = asyncio.Condition()
        self._read: dict[str, int] = defaultdict(int)

    async def serve_station(self, link: ServerConnection) -> None:
        assert link.request is not None
        station, version = link.request.path.rsplit("/", 1)[1], _version(link)
        self.paths.append(station)
        self.links[station] = link
        self.connections += 1
        try:
            async for text in link:
                if text:
                    await self._hear(link, station, version, json.loads(text))
        except ConnectionClosed:
            pass

    async def _hear(self, link: ServerConnection, station: str, version: str, frame: list[Any]) -> None:
        self.order_of_frames.append(frame[2] if frame[0] in (2, 6) else "answer")
        if frame[0] in (3, 4):
            self._orders.pop(frame[1]).set_result(frame)
            return
        if frame[0] == 5:
            self.refused_answers += 1
            return
        kind, message_id, action, payload = frame
        payload = payload or {}
        if not self.lenient:
            check(version, action, payload)
        if kind == 2:
            await self._reply(link, version, message_id, action, payload)
        async with self._news:
            self.heard.append((station, action, payload))
            self._news.notify_all()

    async def _reply(
        self, link: ServerConnection, version: str, message_id: str, action: str, payload: dict[str, Any]
    ) -> None:
        answer = self._answer(version, action, payload)
        if isinstance(answer, dict):
            if not self.lenient:
                check(version, action, answer, response=True)
            await link.send(json.dumps([3, message_id, answer]))
        elif isinstance(answer, str):
            await link.send(json.dumps([4, message_id, answer, "", {}]))

    def _answer(self, version: str, action: str, payload: dict[str, Any]) -> Any:
        answer = self.answers.get(action, self._usual_answer)
        if callable(answer):
            return answer(version, action, payload)
        return answer

    def _usual_answer(self, version: str, action: str, payload: dict[str, Any]) -> Any:
        match action:
            case "BootNotification":
                return {"status": "Accepted", "currentTime": NOW, "interval": 300}
            case "Heartbeat":
                return {"currentTime": NOW}
            case "Authorize":
                return OLD_CARD if version == "1.6" else CARD
            case "StartTransaction":
                return {"transactionId": next(self._numbers), **OLD_CARD}
            case "TransactionEvent" if "idToken" in payload:
                return CARD
            case _ if action in STATUS_ANSWERS:
                return STATUS_ANSWERS[action]
            case "VendorKeepAlive":
                return "NotImplemented"
            case "GetCertificateChainStatus":
                asked = payload["certificateStatusRequests"]
                told = [
                    {key: one[key] for key in ("certificateHashData", "source")}
                    | {"status": "Good", "nextUpdate": NOW}
                    for one in asked
                ]
                return {"certificateStatus": told}
            case "VatNumberValidation":
                return {"status": "Accepted", **payload}
            case _:
                return {}

    async def order(self, station: str, action: str, payload: dict[str, Any]) -> Any:
        """The station's answer: its payload, or the code of its CALLERROR."""
        version = _version(self.links[station])
        message_id = f"order-{next(self._numbers)}"
        answer = self._orders[message_id] = asyncio.get_running_loop().create_future()
        await self.links[station].send(json.dumps([2, message_id, action, payload]))
        frame = await answer
        if frame[0] == 4:
            return frame[2]
        if not self.lenient:
            check(version, action, frame[2], response=True)
        return frame[2]

    async def next(self, action: str, **having: Any) -> dict[str, Any]:
        """The next message of this action (and with these values) that nobody has taken yet."""
        async with self._news:
            while True:
                while self._read[action] < len(self.heard):
                    _, heard, payload = self.heard[self._read[action]]
                    self._read[action] += 1
                    if heard == action and having.items() <= payload.items():
                        return payload
                await self._news.wait()

    def all(self, action: str) -> list[dict[str, Any]]:
        return [payload for _, heard, payload in self.heard if heard == action]


def _version(link: ServerConnection) -> str:
    """Of a station that offers no subprotocol it is 1.6."""
    return (link.subprotocol or "ocpp1.6").removeprefix("ocpp")


def _choose(_link: ServerConnection, offered: Any) -> Any:
    return next((name for name in PROTOCOLS if name in offered), None)


PROTOCOLS: tuple[Any, ...] = ("ocpp1.6", "ocpp2.0.1", "ocpp2.1")


@asynccontextmanager
async def a_desk(tls: ssl.SSLContext | None = None) -> Any:
    """Behind wss when there is a context."""
    desk = Desk()
    async with serve(
        desk.serve_station,
        "127.0.0.1",
        0,
        subprotocols=PROTOCOLS,
        select_subprotocol=_choose,
        ping_interval=None,
        close_timeout=1,
        ssl=tls,
    ) as server:
        desk.url = f"{'wss' if tls else 'ws'}://127.0.0.1:{server.sockets[0].getsockname()[1]}/ocpp"
        yield desk
