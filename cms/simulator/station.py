"""One charging station: its link, what it tells, its EVSEs, and what it obeys.

Drivers call ``plug_in``, ``present`` and ``unplug``; bad luck calls ``lose_link``, ``lose_power``, ``break_down``
and ``mend``. In which words things are said and obeyed is the language's business (v16.py, v2.py).
"""

from __future__ import annotations

import asyncio
import contextlib
from base64 import b64encode
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, NoReturn
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake
from websockets.typing import Subprotocol

from cms.simulator.cars import Car
from cms.simulator.configuration import configuration
from cms.simulator.evse import Awaited, Evse, Measured, Transaction
from cms.simulator.language import ENDS, Language, Queued
from cms.simulator.outbox import Outbox
from cms.simulator.pace import Pace, stamp
from cms.simulator.v2 import V2
from cms.simulator.v16 import V16
from cms.simulator.wire import Fault, LinkLost, Payload, Refused, Reply, Silence, Wire

LANGUAGES: dict[str, Callable[[], Language]] = {
    "1.6": V16,
    "2.0.1": lambda: V2("2.0.1"),
    "2.1": lambda: V2("2.1"),
}

#: Called after the CALLRESULT has arrived: station, action, payload, answer.
Acknowledged = Callable[["Station", str, Payload, Payload], None]
#: Something a person may want to read: station, word, detail.
News = Callable[["Station", str, str], None]
Later = Callable[[], Awaitable[None]]

REBOOT_S = 25.0
PENDING_S = 60.0
FLAP_S = 240.0


@dataclass(frozen=True, slots=True)
class Make:
    """What a station says it is."""

    vendor: str = "Voltanova"
    model: str = "Duo 22"
    serial: str = "VN-000001"
    firmware: str = "3.4.1"


@dataclass(slots=True)
class Place:
    """Where a station connects and as whom. ``url`` is the CSMS's, without the identity."""

    url: str
    identity: str
    password: str | None = None

    @property
    def address(self) -> str:
        return f"{self.url.rstrip('/')}/{quote(self.identity, safe='')}"

    @property
    def headers(self) -> dict[str, str]:
        if self.password is None:
            return {}
        login = b64encode(f"{self.identity}:{self.password}".encode()).decode()
        return {"Authorization": f"Basic {login}"}


def nobody(*_: Any) -> None:
    pass


@dataclass(eq=False)
class Station:
    """A station of one version. ``run`` is its life; cancelled, it is switched off for good."""

    place: Place
    version: str
    evses: list[Evse]
    pace: Pace = field(default_factory=Pace)
    rng: Random = field(default_factory=Random)
    make: Make = field(default_factory=Make)
    faults: frozenset[str] = frozenset()
    boots_always: bool = False
    """Sends BootNotification after every reconnection, not only after power-up, as some firmware does."""
    back_off_s: float = 5.0
    patience_s: float = 30.0
    """Real seconds: the CSMS's time does not run faster because ours does."""
    acknowledged: Acknowledged = nobody
    news: News = nobody
    awaits_driver: Callable[[Evse], None] = nobody
    """Told when a remote start waits for a car."""

    def __post_init__(self) -> None:
        self.language = LANGUAGES[self.version]()
        self.configuration = configuration(self.version)
        self.transactions: list[Transaction] = []
        self.queue = Outbox(self._retry_after_s, self.pace.sleep)
        self.powered = asyncio.Event()
        """Set once it runs: drivers may come."""
        self.online = False
        """Connected and accepted."""
        self._wire: Wire | None = None
        self._registered = False
        self._boot_reason = "PowerUp"
        self._boot_now = asyncio.Event()
        self._away_s = 0.0
        self._reset_when_idle = False
        self._numbers = 0
        self._statuses: deque[tuple[Evse, str]] = deque()
        self._told: dict[int, str] = {}
        self._status_news = asyncio.Event()
        self._tasks: asyncio.TaskGroup | None = None
        self._describe_itself()

    def _describe_itself(self) -> None:
        for name, value in (
            ("NumberOfConnectors", str(len(self.evses))),
            ("ChargingStation.Model", self.make.model),
            ("ChargingStation.VendorName", self.make.vendor),
            ("SecurityCtrlr.Identity", self.place.identity),
        ):
            if name in self.configuration:
                self.configuration.put(name, value)

    @property
    def id(self) -> str:
        return self.place.identity

    @property
    def idle(self) -> bool:
        return all(evse.idle for evse in self.evses)

    # Life

    async def run(self) -> NoReturn:
        """Connect, and stay connected as well as the world allows."""
        async with asyncio.TaskGroup() as self._tasks:
            self.powered.set()
            if "flapping" in self.faults:
                self._tasks.create_task(self._flap())
            failures = 0
            while True:
                await self._be_away()
                failures = 0 if await self._connect_once() else failures + 1
                await self.pace.sleep(self._back_off(failures))
        raise AssertionError("a station runs until it is cancelled")

    async def _be_away(self) -> None:
        while self._away_s > 0:
            away_s, self._away_s = self._away_s, 0.0
            await self.pace.sleep(away_s)

    def _back_off(self, failures: int) -> float:
        """2.0.1 part 4 section 5.3, and not unusual in 1.6: doubling waits with a random part."""
        return self.back_off_s * (2.0 ** min(failures, 3) + self.rng.random())

    async def _connect_once(self) -> bool:
        """One connection from dial to loss; whether it came about."""
        try:
            socket = await connect(
                self.place.address,
                subprotocols=[Subprotocol(self.language.subprotocol)],
                additional_headers=self.place.headers,
                user_agent_header=None,
                compression=None,
                proxy=None,
                ping_interval=None,
                open_timeout=self.patience_s,
                close_timeout=1.0,
            )
        except (OSError, InvalidHandshake, TimeoutError, EOFError) as why:
            self.news(self, "cannot connect", str(why) or type(why).__name__)
            return False
        async with socket:
            self.news(self, "connected", self.language.subprotocol)
            self.news(self, "disconnected", await self._converse(socket))
        return True

    async def _converse(self, socket: ClientConnection) -> str:
        """Live on one connection until it is lost; why it was."""
        self._wire = wire = Wire(socket, self._obey, self._do, self.patience_s)
        # No TaskGroup here: before Python 3.13 one with errors forgets a cancellation that comes with them,
        # and a station would outlive its end.
        listening, talking = asyncio.create_task(wire.listen()), asyncio.create_task(self._talk())
        try:
            await asyncio.wait((listening, talking), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._wire, self.online = None, False
            listening.cancel()
            talking.cancel()
            ends = await asyncio.gather(listening, talking, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception) and not isinstance(end, LinkLost):
                raise end
        return str(ends[0])

    async def _talk(self) -> None:
        """Everything that is said on this connection without being asked for, until it is lost."""
        try:
            async with asyncio.TaskGroup() as tasks:
                if self._needs_boot():
                    await self._boot()
                self.online = self._registered = True
                self._retell_statuses()
                tasks.create_task(self.queue.deliver(self._deliver))
                tasks.create_task(self._tell_statuses())
                tasks.create_task(self._beat())
        except* LinkLost:
            pass  # listening says it too, and why

    def _needs_boot(self) -> bool:
        return "no-boot" not in self.faults and (not self._registered or self.boots_always)

    async def _boot(self) -> None:
        """Announce itself until accepted; ask again after the interval that the CSMS named."""
        while True:
            try:
                answer = await self._say(*self.language.boot(self, self._boot_reason))
            except (Refused, Silence):
                answer = {"status": "Rejected", "interval": 0}
            interval_s = float(answer.get("interval") or 0)
            if answer["status"] == "Accepted":
                if interval_s:
                    self.configuration.turn("heartbeat_s", str(int(interval_s)))
                return
            self.news(self, "not accepted", answer["status"])
            self._boot_now.clear()
            await self.pace.wait(self._boot_now, interval_s or PENDING_S)

    async def _beat(self) -> None:
        while True:
            await self.pace.sleep(self.configuration.number("heartbeat_s") or 86_400)
            await self.say("Heartbeat", {})

    async def _flap(self) -> None:
        while True:
            await self.pace.sleep(FLAP_S * (0.5 + self.rng.random()))
            self.lose_link(5.0)

    # What it says

    async def _say(self, action: str, payload: Payload) -> Payload:
        """A CALL on the present link. Raises LinkLost, Refused, Silence."""
        if self._wire is None:
            raise LinkLost("offline")
        answer = await self._wire.call(action, payload)
        self.acknowledged(self, action, payload, answer)
        return answer

    async def say(self, action: str, payload: Payload) -> None:
        """Tell the CSMS something that is worth no second attempt."""
        with contextlib.suppress(Refused, Silence):
            await self._say(action, payload)

    async def _deliver(self, action: str, payload: Payload) -> Payload:
        answer = await self._say(action, payload)
        if "twice" in self.faults:
            await self.say(action, payload)
        return answer

    def _retry_after_s(self, attempts: int) -> float | None:
        if attempts >= self.configuration.number("attempts"):
            return None
        return self.configuration.number("retry_s") * attempts

    def _retell_statuses(self) -> None:
        """After an outage only what is true now is told, not what was."""
        self._statuses.clear()
        self._told.clear()
        for evse in self.evses:
            self._note_status(evse)

    def _note_status(self, evse: Evse) -> None:
        if self.online and self._told.get(evse.id) != evse.status:
            self._told[evse.id] = evse.status
            self._statuses.append((evse, evse.status))
            self._status_news.set()

    async def _tell_statuses(self) -> None:
        whole = self.language.status(self, None, "available")
        if whole is not None:
            await self.say(*whole)
        while True:
            while self._statuses:
                message = self.language.status(self, *self._statuses.popleft())
                assert message is not None
                await self.say(*message)
            self._status_news.clear()
            await self._status_news.wait()

    def stamp(self, at: datetime | None = None) -> str:
        """A time as this station writes it; now when none is given."""
        written = stamp(at or self.pace.now())
        if "year-1970" in self.faults:
            written = "1970-01-01" + written[10:]
        return written.rstrip("Z") if "no-zone" in self.faults else written

    @property
    def measurands(self) -> frozenset[str]:
        """What its meter values hold, as configured."""
        name = "MeterValuesSampledData" if self.version == "1.6" else "SampledDataCtrlr.TxUpdatedMeasurands"
        return frozenset(self.configuration[name].value.replace(" ", "").split(","))

    def in_its_units(self, measured: Measured) -> tuple[str, str]:
        if "kwh" in self.faults and measured.unit == "Wh":
            return f"{measured.value / 1000:.3f}", "kWh"
        return f"{measured.value:g}" if measured.unit != "Wh" else str(measured.value), measured.unit

    def next_number(self) -> int:
        self._numbers += 1
        return self._numbers

    # Drivers

    def plug_in(self, evse: Evse, car: Car) -> None:
        evse.car, evse.used = car, False
        awaited, evse.awaited = evse.awaited, None
        self._note_status(evse)
        if awaited is not None and self.pace.now() <= awaited.until:
            trigger = "RemoteStart" if awaited.remote_start_id is not None else "CablePluggedIn"
            self._begin(evse, awaited.token, trigger, awaited.remote_start_id)

    async def present(self, evse: Evse, token: str) -> str:
        """Hold a card to the reader: started, stopped, waiting (for the car) or refused."""
        if evse.transaction is not None:
            return self._present_again(evse, evse.transaction, token)
        if not evse.operative or evse.fault or not await self._lets_in(token):
            return "refused"
        if not evse.idle:
            return "refused"  # a remote start was faster
        if evse.car is None:
            self._await_car(evse, token, None)
            return "waiting"
        self._begin(evse, token, "Authorized", None)
        return "started"

    def _present_again(self, evse: Evse, transaction: Transaction, token: str) -> str:
        if transaction.token.lower() != token.lower():
            return "refused"
        self._end(evse, "local")
        return "stopped"

    async def _lets_in(self, token: str) -> bool:
        if not self.online:
            return self.configuration.flag("trusts_offline")
        try:
            answer = await self._say(*self.language.authorize(token))
        except (LinkLost, Silence):
            return self.configuration.flag("trusts_offline")
        except Refused:
            return False
        return self.language.verdict(answer) == "Accepted"

    def unplug(self, evse: Evse) -> Car | None:
        """The driver takes the cable out; a running transaction ends by it."""
        self._end(evse, "unplugged")
        car, evse.car = evse.car, None
        self._note_status(evse)
        return car

    # Bad luck

    def lose_link(self, seconds: float) -> None:
        """The network goes away for a while; the station goes on charging."""
        self._away_s = max(self._away_s, seconds)
        if self._wire is not None:
            self._wire.cut()

    def lose_power(self, seconds: float) -> None:
        """Everything stops; the station boots when the power is back."""
        for evse in self.evses:
            self._end(evse, "power-loss")
        self._registered, self._boot_reason = False, "PowerUp"
        self.lose_link(seconds + REBOOT_S)

    def break_down(self, evse: Evse, error_code: str) -> None:
        """``error_code`` is a 1.6 ChargePointErrorCode."""
        evse.fault = error_code
        self._end(evse, "fault")
        self._note_status(evse)

    def mend(self, evse: Evse) -> None:
        evse.fault = None
        self._note_status(evse)

    # Transactions

    def _begin(self, evse: Evse, token: str, trigger: str, remote_start_id: int | None) -> None:
        if "fresh-register" in self.faults:
            evse.register_wh = 0.0
        now = self.pace.now()
        transaction = Transaction(
            evse.id, token, now, evse.meter_wh, remote_start_id=remote_start_id, version=self.version
        )
        evse.transaction, evse.metered_at, evse.told_full, evse.used = transaction, now, False, True
        self.transactions.append(transaction)
        self._queue(self.language.started(self, evse, transaction, trigger))
        self._note_status(evse)
        self.news(self, "session started", f"EVSE {evse.id} token {token}")
        self._do(lambda: self._charge(evse, transaction))

    async def _charge(self, evse: Evse, transaction: Transaction) -> None:
        """Let the transaction run: a sample now and then, and the moment when the car has enough."""
        due = transaction.started_at
        while True:
            due += timedelta(seconds=self.configuration.number("sample_s") or 86_400)
            while (left_s := (due - self.pace.now()).total_seconds()) > 0:
                full_s = self._full_after_s(evse)
                if await self.pace.wait(transaction.over, min(left_s, full_s)):
                    return
                evse.advance(self.pace.now())
                self._note_full(evse, transaction)
            evse.advance(self.pace.now())
            if "no-meter" not in self.faults:
                self._queue(self.language.metered(self, evse, transaction))

    def _full_after_s(self, evse: Evse) -> float:
        if evse.car is None or evse.told_full:
            return 86_400.0
        return evse.car.satisfied_after_s(evse.offered_w, evse.dc)

    def _note_full(self, evse: Evse, transaction: Transaction) -> None:
        if evse.car is None or evse.told_full or not evse.car.satisfied:
            return
        evse.told_full = True
        suspended = self.language.suspended(self, evse, transaction)
        if suspended is not None:
            self._queue(suspended)
        self._note_status(evse)

    def _end(self, evse: Evse, why: str) -> None:
        transaction = evse.transaction
        if transaction is None:
            return
        now = self.pace.now()
        evse.advance(now)
        transaction.ended_at, transaction.meter_stop_wh, transaction.end_reason = now, evse.meter_wh, why
        evse.transaction = None
        transaction.over.set()
        if "lost-stop" not in self.faults:
            self._queue(self.language.ended(self, evse, transaction, ENDS[why]))
        self.news(self, "session ended", f"EVSE {evse.id} {transaction.energy_wh} Wh, {why}")
        self._now_idle(evse)

    def _now_idle(self, evse: Evse) -> None:
        if evse.operative_later is not None:
            evse.operative, evse.operative_later = evse.operative_later, None
        self._note_status(evse)
        if self._reset_when_idle and self.idle:
            self._reset_when_idle = False
            self._do(self.resetting("hard-reset", "ScheduledReset"))

    def _queue(self, queued: Queued) -> None:
        self.queue.put(queued)

    def judged(self, transaction: Transaction, word: str) -> None:
        """The CSMS's verdict on a started transaction's token (1.6 section 4.8, 2.0.1 E05)."""
        if word == "Accepted":
            return
        transaction.refused = True
        evse = self.evse_in(lambda running: running is transaction)
        if evse is not None and self.configuration.flag("stops_invalid"):
            self._end(evse, "deauthorized")

    # Orders: looked up and carried out by the language's table

    def _obey(self, action: str, payload: Payload) -> Reply | Fault | None:
        if "deaf" in self.faults:
            return None
        order = self.language.orders.get(action)
        if order is None:
            return Fault("NotImplemented", f"{action} is not known here")
        try:
            reply = order(self, payload)
        except (KeyError, TypeError, AttributeError) as why:
            return Fault(self.language.malformed, f"{action}: {why!r}")
        self.news(
            self, f"order {action}", str(reply.payload.get("status", "")) if isinstance(reply, Reply) else ""
        )
        return reply

    def _do(self, later: Later) -> None:
        """Do something beside everything else, for as long as the station lives."""
        assert self._tasks is not None, "the station does not run"
        self._tasks.create_task(self._quietly(later))

    async def _quietly(self, later: Later) -> None:
        with contextlib.suppress(LinkLost, Refused, Silence):
            await later()

    def evse(self, evse_id: int) -> Evse | None:
        return next((evse for evse in self.evses if evse.id == evse_id), None)

    def evses_named(self, evse_id: int | None) -> list[Evse]:
        """One, or all when none is named; empty when there is no such."""
        return [evse for evse in self.evses if not evse_id or evse.id == evse_id]

    def evse_in(self, wanted: Callable[[Transaction], bool]) -> Evse | None:
        """The EVSE that is in the wanted transaction."""
        for evse in self.evses:
            if evse.transaction is not None and wanted(evse.transaction):
                return evse
        return None

    def evse_for_start(self, evse_id: int | None) -> Evse | None:
        """Where a remote start may begin: where a car waits, else anywhere free; nowhere before acceptance."""
        if not self.online:
            return None
        able = [
            evse
            for evse in self.evses_named(evse_id)
            if evse.idle and evse.operative and evse.fault is None and evse.awaited is None
        ]
        return next((evse for evse in able if evse.car is not None), next(iter(able), None))

    def starting(self, evse: Evse, token: str, remote_start_id: int | None) -> Later:
        """What a remote start sets going: at once where a car is plugged in, else as soon as one is."""

        async def start() -> None:
            if "idle-start" in self.faults:
                return
            if self.configuration.flag("asks_remote") and not await self._lets_in(token):
                return
            if not evse.idle:
                return
            if evse.car is not None:
                self._begin(evse, token, "RemoteStart", remote_start_id)
            else:
                self._await_car(evse, token, remote_start_id)
                self.awaits_driver(evse)

        return start

    def _await_car(self, evse: Evse, token: str, remote_start_id: int | None) -> None:
        wait_s = self.configuration.number("plug_in_s")
        awaited = Awaited(token, self.pace.now() + timedelta(seconds=wait_s), remote_start_id)

        async def expire() -> None:
            await self.pace.sleep(wait_s + 1)
            if evse.awaited is awaited:
                evse.awaited = None
                self._note_status(evse)

        evse.awaited = awaited
        self._note_status(evse)
        self._do(expire)

    def stopping(self, evse: Evse, why: str) -> Later:
        async def stop() -> None:
            self._end(evse, why)

        return stop

    def set_availability(self, evses: list[Evse], operative: bool) -> str:
        """Accepted, or Scheduled where a transaction must end first (1.6 section 5.2, 2.0.1 G03)."""
        for evse in evses:
            if evse.idle:
                evse.operative, evse.operative_later = operative, None
                self._note_status(evse)
            else:
                evse.operative_later = operative
        waits = [evse for evse in evses if not evse.idle and evse.operative != operative]
        return "Scheduled" if waits else "Accepted"

    def resetting(self, why: str, boot_reason: str) -> Later:
        """End what runs, go down, come back."""

        async def reset() -> None:
            if "silent-reset" in self.faults:
                return
            for evse in self.evses:
                self._end(evse, why)
            self._registered, self._boot_reason, self._away_s = False, boot_reason, REBOOT_S
            for evse in self.evses:
                evse.awaited = None
            if self._wire is not None:
                await self._wire.close(1001, "reset")

        return reset

    def reset_when_idle(self) -> None:
        self._reset_when_idle = True

    def sending(self, message: str, evses: list[Evse]) -> Later | None:
        """What TriggerMessage asks for; None when this station has no such message."""
        send = self._triggers().get(message)
        if send is None or "idle-trigger" not in self.faults:
            return None if send is None else (lambda: send(evses))

        async def nothing() -> None:
            pass

        return nothing

    def _triggers(self) -> dict[str, Callable[[list[Evse]], Awaitable[None]]]:
        triggers: dict[str, Callable[[list[Evse]], Awaitable[None]]] = {
            "BootNotification": self._send_boot,
            "Heartbeat": self._send_heartbeat,
            "StatusNotification": self._send_statuses,
            "MeterValues": self._send_meters,
        }
        if self.version != "1.6":
            triggers["TransactionEvent"] = self._send_meters
        return triggers

    async def _send_boot(self, _evses: list[Evse]) -> None:
        if self.online:
            await self.say(*self.language.boot(self, "Triggered"))
        else:
            self._boot_now.set()

    async def _send_heartbeat(self, _evses: list[Evse]) -> None:
        await self.say("Heartbeat", {})

    async def _send_statuses(self, evses: list[Evse]) -> None:
        for evse in evses:
            message = self.language.status(self, evse, evse.status)
            if message is not None:
                await self.say(*message)

    async def _send_meters(self, evses: list[Evse]) -> None:
        for evse in evses:
            if evse.transaction is not None:
                evse.advance(self.pace.now())
                self._queue(self.language.metered(self, evse, evse.transaction))

    def change(self, name: str, value: str) -> str:
        """Set a configuration value: accepted, reboot (accepted, needs one), refused or unknown."""
        if name not in self.configuration:
            return "unknown"
        setting = self.configuration[name]
        if setting.access == "r" or not setting.takes(value):
            return "refused"
        self.configuration.put(name, value)
        if self.configuration.is_knob(name, "password"):
            self.place.password = value
        return "reboot" if setting.reboot else "accepted"
