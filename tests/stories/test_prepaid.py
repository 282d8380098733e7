"""A driver who pays before he charges: a transfer, sessions that end with his balance, kills around the debit."""

from __future__ import annotations

import asyncio
import json
import random
import socket
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from cms.client import Address, AsyncClient
from cms.contract.balances import SetBalance, ShowBalance
from cms.contract.drivers import AddDriver
from cms.contract.events import ListEvents
from cms.contract.ledger import ListAccounts, VerifyLedger
from cms.contract.statements import ImportStatement
from cms.contract.tariffs import AddTariff, Component, Price, Tariff, UseTariff
from cms.contract.tokens import AddToken
from tests.domain.test_statements import entry, statement
from tests.fleet import client_of, enrol, running, started

Json = dict[str, Any]
#: No end of a session takes longer than this to be committed on a machine at rest.
COMMITTED_WITHIN_S = 0.02


class Charger:
    """A station of one connector that says what it is told to, and stops when it is ordered to."""

    def __init__(self, socket: ClientConnection, version: str, now: Callable[[], datetime]) -> None:
        self._socket, self._version, self._now = socket, version, now
        self._number, self.stopped = 0, False
        self._transaction: Any = None
        self._seq = 0
        self.meter_wh = 10_000

    async def says(self, action: str, payload: Json) -> Json:
        """A CALL, and the payload of its CALLRESULT."""
        await self.tells(action, payload)
        while True:
            kind, id, *rest = json.loads(await self._socket.recv())
            if kind == 2:
                await self._ordered(id, rest[0])
            elif id == f"{self._number}":
                assert kind == 3, rest
                answer: Json = rest[0]
                return answer

    async def tells(self, action: str, payload: Json) -> None:
        """A CALL whose answer is not waited for."""
        self._number += 1
        await self._socket.send(json.dumps([2, f"{self._number}", action, payload]))

    async def _ordered(self, id: str, action: str) -> None:
        if action in ("RemoteStopTransaction", "RequestStopTransaction"):
            self.stopped = True
            await self._socket.send(json.dumps([3, id, {"status": "Accepted"}]))
        else:  # what the daemon asks of a station that is new to it
            await self._socket.send(json.dumps([4, id, "NotSupported", "", {}]))

    async def boots(self) -> None:
        named: Json = {"chargePointVendor": "V", "chargePointModel": "M"}
        if self._version != "1.6":
            named = {"chargingStation": {"vendorName": "V", "model": "M"}, "reason": "PowerUp"}
        await self.says("BootNotification", named)

    async def starts(self, token: str) -> str:
        """A session begins; what its token is answered."""
        self._seq, self.stopped = 0, False
        if self._version == "1.6":
            begun = await self.says(
                "StartTransaction",
                {"connectorId": 1, "idTag": token, "meterStart": self.meter_wh, "timestamp": self._at()},
            )
            self._transaction = begun["transactionId"]
            return str(begun["idTagInfo"]["status"])
        self._transaction = f"tx-{self._at()}"
        begun = await self.says("TransactionEvent", self._event("Started", "Authorized", token=token))
        return str(begun["idTokenInfo"]["status"])

    async def charges(self, wh: int) -> None:
        self.meter_wh += wh
        if self._version == "1.6":
            value = {"timestamp": self._at(), "sampledValue": [{"value": str(self.meter_wh)}]}
            said = {"connectorId": 1, "transactionId": self._transaction, "meterValue": [value]}
            await self.says("MeterValues", said)
        else:
            await self.says("TransactionEvent", self._event("Updated", "MeterValuePeriodic"))
        await self.says(
            "Heartbeat", {}
        )  # an order that follows from this has come by now, or comes with the next

    def end(self) -> tuple[str, Json]:
        if self._version == "1.6":
            said = {"transactionId": self._transaction, "meterStop": self.meter_wh, "timestamp": self._at()}
            return "StopTransaction", said
        return "TransactionEvent", self._event("Ended", "RemoteStop")

    async def is_stopped(self) -> None:
        async with asyncio.timeout(10):
            while not self.stopped:
                await self.says("Heartbeat", {})

    def _event(self, type: str, trigger: str, token: str | None = None) -> Json:
        self._seq += 1
        value = {"value": self.meter_wh, "measurand": "Energy.Active.Import.Register"}
        said: Json = {
            "eventType": type,
            "timestamp": self._at(),
            "triggerReason": trigger,
            "seqNo": self._seq,
            "transactionInfo": {"transactionId": self._transaction, "chargingState": "Charging"},
            "evse": {"id": 1, "connectorId": 1},
            "meterValue": [{"timestamp": self._at(), "sampledValue": [value]}],
        }
        return said if token is None else {**said, "idToken": {"idToken": token, "type": "ISO14443"}}

    def _at(self) -> str:
        return self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")


@asynccontextmanager
async def charger(
    url: str, name: str, password: str, version: str, now: Callable[[], datetime]
) -> AsyncIterator[Charger]:
    headers = {"Authorization": "Basic " + b64encode(f"{name}:{password}".encode()).decode()}
    protocol = Subprotocol(f"ocpp{version}")
    async with connect(f"{url}/{name}", subprotocols=[protocol], additional_headers=headers) as connection:
        station = Charger(connection, version, now)
        await station.boots()
        yield station


async def ada(client: AsyncClient) -> None:
    """Registered, with two cards; a kilowatt-hour costs one euro."""
    await client.ask(AddTariff(Tariff("T", "EUR", energy=Component((Price(D(1)),)))))
    await client.ask(UseTariff("T"))
    await client.ask(AddDriver("ada", email="ada@example.org"))
    for card in ("CARD1", "CARD2"):
        await client.ask(AddToken(card, driver="ada"))


async def left(client: AsyncClient) -> tuple[D, D]:
    shown = await client.ask(ShowBalance("ada"))
    return D(shown.balance.amount), D(shown.available.amount)


async def agrees(client: AsyncClient) -> None:
    """The balance is what the ledger holds, and everything agrees with it."""
    assert (await client.ask(VerifyLedger())).differences == ()
    held = {row.account: row.balance.amount for row in await client.ask(ListAccounts("prepaid/"))}
    assert -held.get("prepaid/ada", D(0)) == (await left(client))[0]


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 1, 8, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


async def test_a_transfer_is_charged_away_until_the_sessions_end_by_themselves(tmp_path: Path) -> None:
    clock = Clock()
    async with running(tmp_path, clock) as daemon, client_of(daemon) as client:
        passwords = await enrol(client, ["OLD", "NEW"], [])
        await ada(client)
        paid = ImportStatement(statement(entry("12.00", "TOPUP-ada", ref="B1")))
        for status in ("matched", "known"):
            assert [line.status for line in await client.ask(paid)] == [status]
        await client.ask(SetBalance("ada", warn_below=D(8)))
        url = daemon.endpoint.url
        async with (
            charger(url, "OLD", passwords["OLD"], "1.6", clock.now) as old,
            charger(url, "NEW", passwords["NEW"], "2.0.1", clock.now) as new,
        ):
            assert await old.starts("CARD1") == "Accepted"
            await old.charges(3_000)
            assert await left(client) == (D("12.00"), D("0.00"))
            assert await new.starts("CARD2") == "NoCredit", "the other card's session may take all there is"
            await new.says(*new.end())
            await old.says(*old.end())
            clock.time += timedelta(hours=1)
            assert await left(client) == (D("9.00"), D("9.00"))
            for station, wh, rest in ((new, 5_000, D("4.00")), (old, 4_500, D("-0.50"))):
                assert await station.starts("CARD1") == "Accepted"
                await station.charges(wh)
                if rest < 0:
                    await station.is_stopped()
                assert station.stopped is (rest < 0)
                await station.says(*station.end())
                clock.time += timedelta(hours=1)
                assert await left(client) == (rest, rest)
            assert await new.starts("CARD1") == "NoCredit"
            await new.says(*new.end())
        low = [event for event in await client.ask(ListEvents(limit=500)) if event.type == "balance.low"]
        assert [event.data["balance"]["amount"] for event in low] == ["4.00"]
        await agrees(client)


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.timeout(120)
async def test_kills_around_the_debit_take_nothing_twice_and_lose_nothing(tmp_path: Path) -> None:
    await killed_around_the_debit(tmp_path, [random.uniform(0, COMMITTED_WITHIN_S), None])


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_nor_do_many_more(tmp_path: Path) -> None:
    moments = [random.uniform(0, COMMITTED_WITHIN_S) for _ in range(20)]
    await killed_around_the_debit(tmp_path, [0.0, *moments, None])


async def killed_around_the_debit(tmp_path: Path, kills_after_s: list[float | None]) -> None:
    """The daemon dies so long after the end of a session was told; None: when it was answered."""
    print(f"killed after {kills_after_s}")
    port, now = a_free_port(), lambda: datetime.now(UTC)
    flags = ("--ocpp-port", str(port))
    owed, waiting, passwords = D(200), None, {}
    for number, kill_after_s in enumerate((*kills_after_s, "no more")):
        with started(tmp_path, *flags, environ={"CMS_LOG_LEVEL": "error"}) as process:
            async with AsyncClient(Address(socket=str(tmp_path / "cms.sock"))) as client:
                if number == 0:
                    passwords = await enrol(client, ["CP1"], [])
                    await ada(client)
                    await client.ask(ImportStatement(statement(entry("200.00", "TOPUP-ada", ref="B1"))))
                async with charger(
                    f"ws://127.0.0.1:{port}/ocpp", "CP1", passwords["CP1"], "1.6", now
                ) as station:
                    if waiting is not None:  # what the station was not answered it tells again
                        await station.says(*waiting)
                    assert await left(client) == (owed, owed)
                    await agrees(client)
                    if kill_after_s == "no more":
                        return
                    station.meter_wh += 100_000 * number
                    assert await station.starts("CARD1") == "Accepted"
                    await station.charges(4_000)
                    waiting = station.end()
                    await _ended(station, waiting, kill_after_s, process)
                    owed -= 4


async def _ended(station: Charger, end: tuple[str, Json], kill_after_s: Any, process: Any) -> None:
    """The station tells the end of its session, and the daemon is killed around its debit."""
    if kill_after_s is None:
        await station.says(*end)
    else:
        await station.tells(*end)
        await asyncio.sleep(kill_after_s)  # the moment to die is the point of it
    process.kill()
    process.wait()
    with pytest.raises(ConnectionClosed):
        while True:
            await station._socket.recv()
