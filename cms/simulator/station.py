"""One charging station: its EVSEs, what drivers do at it, its transactions, and the parts that serve it.

Drivers call ``plug_in``, ``present`` and ``unplug``; bad luck calls ``lose_link``, ``lose_power``, ``break_down``
and ``mend``. In which words things are said and obeyed is the language's business (v16/, v2/); how it is connected
is its life's (life.py).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, NoReturn

from cms.simulator.authorization import Authorization
from cms.simulator.cars import Car
from cms.simulator.certificates import Certificates
from cms.simulator.charging import Charging
from cms.simulator.configuration import configuration
from cms.simulator.evse import CARD, Awaited, Evse, Transaction
from cms.simulator.firmware import Firmware, Publisher
from cms.simulator.language import Language, Verdict
from cms.simulator.life import Life
from cms.simulator.logs import Logs
from cms.simulator.networks import Network
from cms.simulator.orders import await_car, resetting
from cms.simulator.outbox import Outbox
from cms.simulator.pace import Pace, stamp
from cms.simulator.place import Make, Place
from cms.simulator.profiles import Profiles
from cms.simulator.reservations import Reservations
from cms.simulator.schemas import Malformed, check_call
from cms.simulator.v2 import V2
from cms.simulator.v2.state import Kept
from cms.simulator.v16 import V16
from cms.simulator.wire import Fault, LinkLost, Payload, Refused, Reply, Silence, Slow

__all__ = ["Acknowledged", "Make", "News", "Place", "Station", "nobody"]

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
    tell: News = nobody
    awaits_driver: Callable[[Evse], None] = nobody
    """Told when a remote start waits for a car."""

    def __post_init__(self) -> None:
        self.language: Language = LANGUAGES[self.version]()
        self.configuration = configuration(self.version, self.evses)
        self.transactions: list[Transaction] = []
        self.queue = Outbox(
            self._retry_after_s, self.pace.sleep, replays="replay-out-of-order" in self.faults
        )
        self.powered = asyncio.Event()
        """Set once it runs: drivers may come."""
        self.life: Life = Life(self)
        self.network: Network = Network(self, {})
        self.authorization: Authorization = Authorization()
        self.reservations: Reservations = Reservations(self)
        self.profiles: Profiles = Profiles(self)
        self.certificates: Certificates = Certificates(self)
        self.firmware: Firmware = Firmware(self)
        self.publisher: Publisher = Publisher(self)
        self.logs: Logs = Logs(self)
        self.charging: Charging = Charging(self)
        self.aligning: asyncio.Task[None] | None = None
        self.kept: Kept = Kept()
        """What only 2.x knows."""
        self.operative = True
        self._reset_when_idle = False
        self._numbers = 0
        self._tasks: asyncio.TaskGroup | None = None
        self._describe_itself()

    def _describe_itself(self) -> None:
        for name, value in (
            ("NumberOfConnectors", str(len(self.evses))),
            ("ChargingStation.Model", self.make.model),
            ("ChargingStation.VendorName", self.make.vendor),
            ("ChargingStation.SerialNumber", self.make.serial),
            ("SecurityCtrlr.Identity", self.place.identity),
            ("ChargeProfileMaxStackLevel", "0" if "stack-0-only" in self.faults else "8"),
        ):
            if name in self.configuration:
                self.configuration.put(name, value)
        if "rate-unit-words" in self.faults:
            self.configuration.turn("rate_units", " A ; W ")

    @property
    def id(self) -> str:
        return self.place.identity

    @property
    def identity_as_written(self) -> str:
        """Its identity in the URL, as a careless installer or firmware writes it."""
        if "id-suffix" in self.faults:
            return f"{self.id}_{self.make.serial}"
        return self.id.swapcase() if "id-case" in self.faults else self.id

    @property
    def online(self) -> bool:
        """Connected and accepted."""
        return self.life.online

    @property
    def idle(self) -> bool:
        return all(evse.idle for evse in self.evses)

    async def run(self) -> NoReturn:
        """Live until cancelled."""
        async with asyncio.TaskGroup() as self._tasks:
            self.powered.set()
            await self.life.run()
        raise AssertionError("a station runs until it is cancelled")

    # What it says

    def news(self, station: Station, word: str, detail: str) -> None:
        """Tell who watches, and keep it for the log."""
        self.logs.note("DiagnosticsLog", f"{word} {detail}".rstrip())
        self.tell(station, word, detail)

    async def call(self, action: str, payload: Payload) -> Payload:
        """A CALL on the present link. Raises LinkLost, Refused, Silence."""
        if self.life.wire is None:
            raise LinkLost("offline")
        answer = await self.life.wire.call(action, payload)
        self.acknowledged(self, action, payload, answer)
        return answer

    async def say(self, action: str, payload: Payload) -> None:
        """Tell the CSMS something that is worth no second attempt."""
        with contextlib.suppress(Refused, Silence):
            await self.call(action, payload)

    async def report(self, action: str, payload: Payload) -> None:
        """Tell the CSMS something that must reach it, as soon as there is a link."""
        while True:
            await self.life.accepted.wait()
            try:
                await self.say(action, payload)
            except LinkLost:
                continue
            return

    async def deliver(self, action: str, payload: Payload) -> Payload:
        """A transaction message, as the outbox sends it."""
        answer = await self.call(action, payload)
        if "twice" in self.faults or ("start-repeated" in self.faults and action == "StartTransaction"):
            await self.say(action, payload)
        return answer

    def _retry_after_s(self, attempts: int) -> float | None:
        if attempts >= self.configuration.number("attempts"):
            return None
        return self.configuration.number("retry_s") * attempts

    def note_status(self, evse: Evse) -> None:
        self.life.note_status(evse)

    def stamp(self, at: datetime | None = None) -> str:
        """A time as this station writes it; now when none is given."""
        at = at or self.pace.now()
        written = stamp(at + timedelta(days=4000) if "future" in self.faults else at)
        if "year-1970" in self.faults:
            written = "1970-01-01" + written[10:]
        return written.rstrip("Z") if "no-zone" in self.faults else written

    def next_number(self) -> int:
        self._numbers += 1
        return self._numbers

    # Drivers

    def plug_in(self, evse: Evse, car: Car) -> None:
        evse.car, evse.used = car, False
        awaited, evse.awaited = evse.awaited, None
        self.note_status(evse)
        if evse.transaction is not None:
            self.charging.connect(evse)
        elif awaited is not None and self.pace.now() <= awaited.until:
            trigger = "RemoteStart" if awaited.remote_start_id is not None else "CablePluggedIn"
            self.charging.begin(evse, awaited, trigger)
        elif self._starts_at("EVConnected") and evse.operative and evse.fault is None:
            self.charging.begin(evse, Awaited("", self.pace.now()), "CablePluggedIn")

    async def present(self, evse: Evse, token: str, kind: str = CARD) -> str:
        """Hold a card to the reader: started, stopped, waiting (for the car) or refused."""
        if evse.transaction is not None and not evse.unclaimed:
            return self._present_again(evse, evse.transaction, token)
        if not evse.operative or evse.fault or self._being_paid(evse):
            return "refused"
        if not await self.lets_in(token, kind) or not self.not_reserved(evse, token):
            return "refused"
        if not evse.unclaimed:
            return "refused"  # a remote start was faster
        return self.let_in(evse, Awaited(token, self.pace.now(), None, kind), "Authorized")

    def let_in(self, evse: Evse, who: Awaited, trigger: str) -> str:
        """Somebody may charge here: started, or waiting for the car."""
        if evse.transaction is not None:
            self.charging.authorize(evse, who, trigger)
            return "started"
        if evse.car is not None or self._starts_at("Authorized"):
            self.charging.begin(evse, who, trigger)
        if evse.car is None:
            await_car(self, evse, who)
        return "started" if evse.car is not None else "waiting"

    def _starts_at(self, point: str) -> bool:
        """2.x TxStartPoint; without it a transaction begins when power may flow."""
        name = "TxCtrlr.TxStartPoint"
        return name in self.configuration and point in self.configuration[name].value

    @property
    def ends_when_unplugged(self) -> bool:
        """2.x TxStopPoint EVConnected alone: who stops it suspends it until the car leaves."""
        name = "TxCtrlr.TxStopPoint"
        return name in self.configuration and self.configuration[name].value == "EVConnected"

    def _present_again(self, evse: Evse, transaction: Transaction, token: str) -> str:
        if transaction.token.lower() != token.lower() and not self._of_one_group(transaction.token, token):
            return "refused"
        if transaction.stopped_by:
            return "refused"
        self.charging.stop(evse, "local")
        return "stopped"

    def _of_one_group(self, one: str, other: str) -> bool:
        now = self.pace.now()
        group = self.authorization.group(one, now)
        return group is not None and group == self.authorization.group(other, now)

    def not_reserved(self, evse: Evse, token: str) -> bool:
        group = self.authorization.group(token, self.pace.now())
        return not len(self.reservations) or self.reservations.admits(evse, token, group)

    def _being_paid(self, evse: Evse) -> bool:
        return evse.paying_until is not None and self.pace.now() < evse.paying_until

    async def lets_in(self, token: str, kind: str = CARD) -> bool:
        """Whether a token may charge: the local list first if so configured, then the CSMS, then what is known."""
        listed = self.authorization.listed(token, self.pace.now())
        if listed is not None and listed.accepted and self.configuration.flag("pre_authorizes"):
            return True
        if not self.online:
            return self._lets_in_offline(token, listed)
        try:
            answer = await self.call(*self.language.authorize(token, kind))
        except (LinkLost, Silence):
            return self._lets_in_offline(token, listed)
        except Refused:
            return False
        verdict = self.language.verdict(answer)
        self.authorization.remember(token, verdict)
        return verdict.accepted

    def _lets_in_offline(self, token: str, listed: Verdict | None) -> bool:
        known = listed or (self.authorization.cached(token) if self.configuration.flag("caches") else None)
        if known is not None and self.configuration.flag("authorizes_offline"):
            return known.accepted
        return self.configuration.flag("trusts_offline")

    def unplug(self, evse: Evse) -> Car | None:
        """The driver takes the cable out; a running transaction ends by it."""
        self.charging.end(evse, "unplugged")
        car, evse.car = evse.car, None
        self.note_status(evse)
        return car

    # Bad luck

    def lose_link(self, seconds: float) -> None:
        """The network goes away for a while; the station goes on charging."""
        self.life.lose_link(seconds)

    def lose_power(self, seconds: float) -> None:
        """Everything stops; the station boots when the power is back, and resumes if it was short (2.1 E17)."""
        resumes = seconds < self._resumes_within_s
        for evse in self.evses:
            if resumes:
                self.charging.freeze(evse)
            else:
                self.charging.end(evse, "power-loss")
        self.life.lose_power(seconds)
        if resumes:
            self.do(self.charging.resume)

    @property
    def _resumes_within_s(self) -> float:
        name = "TxCtrlr.ResumptionTimeout"
        return float(self.configuration[name].value) if name in self.configuration else 0.0

    @property
    def word(self) -> str:
        """Its own status: unavailable once it was taken out of use and nothing runs any more."""
        return "available" if self.operative or not self.idle else "unavailable"

    def break_down(self, evse: Evse, error_code: str) -> None:
        """``error_code`` is a 1.6 ChargePointErrorCode."""
        evse.fault = error_code
        self.charging.end(evse, "fault")
        self.note_status(evse)
        self.lose_reservation(evse)
        self._look()

    def mend(self, evse: Evse) -> None:
        evse.fault = None
        self.note_status(evse)
        self._look()

    def _look(self) -> None:
        if self._tasks is not None:
            self.do(lambda: self.language.look(self))

    def lose_reservation(self, evse: Evse) -> None:
        """An EVSE that is not to be had ends what held it."""
        if evse.reservation_id is not None and self._tasks is not None:
            self.do(lambda: self.reservations.lose(evse))

    def now_idle(self, evse: Evse) -> None:
        """A transaction ended: what waited for that happens."""
        if evse.operative_later is not None:
            evse.operative, evse.operative_later = evse.operative_later, None
        self.note_status(evse)
        self.life.note_whole()
        if self._reset_when_idle and self.idle:
            self._reset_when_idle = False
            self.do(resetting(self, "hard-reset", "ScheduledReset"))

    # Orders: looked up and carried out by the language's table

    def obey(self, action: str, payload: Payload) -> Reply | Fault | Slow | None:
        """What becomes of an order."""
        if "deaf" in self.faults:
            return None
        order = self.language.orders.get(action)
        if order is None:
            return Fault("NotImplemented", f"{action} is not known here")
        try:
            check_call(self.version, action, payload)
        except Malformed as why:
            self.news(self, f"malformed {action}", str(why))
            return Fault(self.language.malformed, str(why)[:255])
        try:
            reply = order(self, payload)
        except ValueError as why:  # a time that is one by its form alone: 23:59:60
            return Fault(self.language.malformed, str(why)[:255])
        if "mute-reset" in self.faults and action == "Reset" and isinstance(reply, Reply):
            if reply.then is not None:
                self.do(reply.then)
            return None
        status = str(reply.payload.get("status", "")) if isinstance(reply, Reply) else ""
        self.news(self, f"order {action}", status)
        return reply

    def do(self, later: Later) -> asyncio.Task[None]:
        """Do something beside everything else, for as long as the station lives."""
        assert self._tasks is not None, "the station does not run"
        return self._tasks.create_task(self._quietly(later))

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

    def reset_when_idle(self) -> None:
        self._reset_when_idle = True
