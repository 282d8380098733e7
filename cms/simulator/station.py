"""One charging station: its EVSEs, what drivers do at it, its transactions, and the parts that serve it.

Drivers call ``plug_in``, ``present`` and ``unplug``; bad luck calls ``lose_link``, ``lose_power``, ``break_down``
and ``mend``. In which words things are said and obeyed is the language's business (v16/, v2/); how it is connected
is its life's (life.py).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, NoReturn

from cms.simulator.authorization import Authorization
from cms.simulator.cars import Car
from cms.simulator.certificates import Certificates
from cms.simulator.configuration import configuration
from cms.simulator.evse import CARD, Awaited, Evse, Measured, Transaction
from cms.simulator.firmware import Firmware, Publisher
from cms.simulator.language import ENDS, Language, Queued, Verdict
from cms.simulator.life import Life
from cms.simulator.logs import Logs
from cms.simulator.networks import Network
from cms.simulator.outbox import Outbox
from cms.simulator.pace import Pace, stamp
from cms.simulator.place import Make, Place
from cms.simulator.profiles import PRIORITY, Profile, Profiles
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
        self.kept: Kept = Kept()
        """What only 2.x knows."""
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

    @property
    def measurands(self) -> frozenset[str]:
        """What its meter values hold, as configured."""
        return frozenset(self.configuration.knob("measurands").replace(" ", "").split(","))

    def in_its_units(self, measured: Measured) -> tuple[str, str]:
        if measured.unit == "Wh" and (
            "kwh" in self.faults or ("mixed-units" in self.faults and self.next_number() % 2)
        ):
            return f"{measured.value / 1000:.3f}", "kWh"
        return f"{measured.value:g}" if measured.unit != "Wh" else str(measured.value), measured.unit

    def next_number(self) -> int:
        self._numbers += 1
        return self._numbers

    # Drivers

    def plug_in(self, evse: Evse, car: Car) -> None:
        evse.car, evse.used = car, False
        awaited, evse.awaited = evse.awaited, None
        self.note_status(evse)
        if awaited is not None and self.pace.now() <= awaited.until:
            trigger = "RemoteStart" if awaited.remote_start_id is not None else "CablePluggedIn"
            self.begin(evse, awaited, trigger)

    async def present(self, evse: Evse, token: str, kind: str = CARD) -> str:
        """Hold a card to the reader: started, stopped, waiting (for the car) or refused."""
        if evse.transaction is not None:
            return self._present_again(evse, evse.transaction, token)
        if not evse.operative or evse.fault or self._being_paid(evse):
            return "refused"
        if not await self.lets_in(token, kind) or not self._not_reserved(evse, token):
            return "refused"
        if not evse.idle:
            return "refused"  # a remote start was faster
        if evse.car is None:
            self.await_car(evse, token, None, kind)
            return "waiting"
        self.begin(evse, Awaited(token, self.pace.now(), None, kind), "Authorized")
        return "started"

    def _present_again(self, evse: Evse, transaction: Transaction, token: str) -> str:
        if transaction.token.lower() != token.lower() and not self._of_one_group(transaction.token, token):
            return "refused"
        self.end(evse, "local")
        return "stopped"

    def _of_one_group(self, one: str, other: str) -> bool:
        now = self.pace.now()
        group = self.authorization.group(one, now)
        return group is not None and group == self.authorization.group(other, now)

    def _not_reserved(self, evse: Evse, token: str) -> bool:
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
        self.end(evse, "unplugged")
        car, evse.car = evse.car, None
        self.note_status(evse)
        return car

    # Bad luck

    def lose_link(self, seconds: float) -> None:
        """The network goes away for a while; the station goes on charging."""
        self.life.lose_link(seconds)

    def lose_power(self, seconds: float) -> None:
        """Everything stops; the station boots when the power is back."""
        for evse in self.evses:
            self.end(evse, "power-loss")
        self.life.lose_power(seconds)

    def break_down(self, evse: Evse, error_code: str) -> None:
        """``error_code`` is a 1.6 ChargePointErrorCode."""
        evse.fault = error_code
        self.end(evse, "fault")
        self.note_status(evse)
        self._lost(evse)

    def mend(self, evse: Evse) -> None:
        evse.fault = None
        self.note_status(evse)

    def _lost(self, evse: Evse) -> None:
        if evse.reservation_id is not None and self._tasks is not None:
            self.do(lambda: self.reservations.lose(evse))

    # Transactions

    def begin(self, evse: Evse, who: Awaited, trigger: str) -> Transaction:
        """A transaction starts for whom was let in."""
        if "fresh-register" in self.faults:
            evse.register_wh = 0.0
        now = self.pace.now()
        transaction = Transaction(
            evse.id,
            who.token,
            now,
            evse.meter_wh,
            remote_start_id=who.remote_start_id,
            version=self.version,
            token_kind=who.token_kind,
        )
        if len(self.reservations):
            group = self.authorization.group(who.token, now)
            transaction.reservation_id = self.reservations.use(evse, who.token, group)
        evse.transaction, evse.metered_at, evse.told_full, evse.used = transaction, now, False, True
        evse.paying_until = None
        self.transactions.append(transaction)
        verdict = self.authorization.cached(who.token)
        transaction.tariff = verdict.tariff if verdict else None
        self._queue(self.language.started(self, evse, transaction, trigger))
        if who.profile is not None:
            self.profiles.install(who.profile)
        self.apply_limits()
        self.note_status(evse)
        self.news(self, "session started", f"EVSE {evse.id} token {who.token}")
        self.do(lambda: self._charge(evse, transaction))
        return transaction

    async def _charge(self, evse: Evse, transaction: Transaction) -> None:
        """Let the transaction run: a sample now and then, and the moments when something changes."""
        due = transaction.started_at
        while True:
            due += timedelta(seconds=self.configuration.number("sample_s") or 86_400)
            while (left_s := (due - self.pace.now()).total_seconds()) > 0:
                until_s = min(left_s, self._changes_after_s(evse, transaction))
                await self.pace.wait(transaction.stirred, until_s)
                transaction.stirred.clear()
                if transaction.over.is_set():
                    return
                self._look(evse, transaction)
                if transaction.over.is_set():
                    return
            self._look(evse, transaction)
            if transaction.over.is_set():
                return
            if "no-meter" not in self.faults:
                self._queue(self.language.metered(self, evse, transaction))

    def _changes_after_s(self, evse: Evse, transaction: Transaction) -> float:
        """Seconds until the car has enough, a limit changes or one is reached; at most a day."""
        moments = [86_400.0]
        if evse.car is not None and not evse.told_full and evse.offer_w >= 1.0:
            moments.append(evse.car.satisfied_after_s(evse.offer_w, evse.dc))
        if len(self.profiles):
            change = self.profiles.next_change(evse, self.pace.now())
            if change is not None:
                moments.append((change - self.pace.now()).total_seconds())
        if transaction.limits:
            moments.append(self._limited_after_s(evse, transaction))
        return max(1.0, min(moments))

    def _limited_after_s(self, evse: Evse, transaction: Transaction) -> float:
        passed_s = (self.pace.now() - transaction.started_at).total_seconds()
        left_s = [transaction.limits.get("maxTime", 1e9) - passed_s]
        if "maxEnergy" in transaction.limits and evse.power_w:
            left_wh = transaction.limits["maxEnergy"] - (evse.register_wh - transaction.meter_start_wh)
            left_s.append(left_wh * 3600 / evse.power_w)
        if "maxCost" in transaction.limits or "maxSoC" in transaction.limits:
            left_s.append(15.0)
        return min(left_s)

    def _look(self, evse: Evse, transaction: Transaction) -> None:
        """What has come about since the last look."""
        evse.advance(self.pace.now())
        if len(self.profiles):
            self.apply_limits()
        self._note_full(evse, transaction)
        if transaction.limits:
            reached = self._limit_reached(evse, transaction)
            if reached is not None:
                self.end(evse, reached)

    def _limit_reached(self, evse: Evse, transaction: Transaction) -> str | None:
        """2.1 E16: the first limit that is reached, as a reason to end."""
        limits = transaction.limits
        soc = evse.car.soc * 100 if evse.car else 0.0
        passed_s = (self.pace.now() - transaction.started_at).total_seconds()
        reached = {
            "energy-limit": evse.meter_wh - transaction.meter_start_wh >= limits.get("maxEnergy", 1e12),
            "time-limit": passed_s >= limits.get("maxTime", 1e12),
            "soc-limit": soc >= limits.get("maxSoC", 1e12),
            "cost-limit": self.kept.costs.get(str(transaction.id), 0.0) >= limits.get("maxCost", 1e12),
        }
        return next((word for word, is_so in reached.items() if is_so), None)

    def apply_limits(self) -> None:
        """What the charging profiles leave to each EVSE from now on."""
        now = self.pace.now()
        ignored = not len(self.profiles) or "profile-ignored" in self.faults
        for evse in self.evses:
            limit_w = None if ignored else self.profiles.limit_w(evse, now)
            if limit_w != evse.limit_w:
                self._put_limit(evse, limit_w, now)

    def _put_limit(self, evse: Evse, limit_w: float | None, now: datetime) -> None:
        paused = evse.paused
        evse.advance(now)
        evse.limit_w = limit_w
        transaction = evse.transaction
        if transaction is None:
            return
        transaction.stirred.set()
        if evse.paused != paused:
            self._queue_if(self.language.changed(self, evse, transaction, "ChargingStateChanged"))
            self.note_status(evse)

    def _note_full(self, evse: Evse, transaction: Transaction) -> None:
        if evse.car is None or evse.told_full or not evse.car.satisfied:
            return
        evse.told_full = True
        self._queue_if(self.language.changed(self, evse, transaction, "ChargingStateChanged"))
        self.note_status(evse)

    def change_transaction(self, evse: Evse, trigger: str) -> None:
        """Tell that a running transaction changed; ``trigger`` is a triggerReason of 2.x."""
        if evse.transaction is not None:
            evse.advance(self.pace.now())
            self._queue_if(self.language.changed(self, evse, evse.transaction, trigger))

    def meter(self, evses: Iterable[Evse], context: str = "Trigger") -> None:
        """Meter values of running transactions, now."""
        for evse in evses:
            if evse.transaction is not None:
                evse.advance(self.pace.now())
                self._queue(self.language.metered(self, evse, evse.transaction, context))

    def end(self, evse: Evse, why: str) -> None:
        """``why`` is a key of language.ENDS."""
        transaction = evse.transaction
        if transaction is None:
            return
        now = self.pace.now()
        evse.advance(now)
        transaction.ended_at, transaction.meter_stop_wh, transaction.end_reason = now, evse.meter_wh, why
        evse.transaction = None
        transaction.over.set()
        transaction.stirred.set()
        if "lost-stop" not in self.faults:
            self._queue(self.language.ended(self, evse, transaction, ENDS[why]))
        self.news(self, "session ended", f"EVSE {evse.id} {transaction.energy_wh} Wh, {why}")
        if len(self.profiles):
            self.profiles.transaction_over(transaction)
            self.apply_limits()
        self.kept.transaction_over(str(transaction.id))
        self._now_idle(evse)

    def _now_idle(self, evse: Evse) -> None:
        if evse.operative_later is not None:
            evse.operative, evse.operative_later = evse.operative_later, None
        self.note_status(evse)
        if self._reset_when_idle and self.idle:
            self._reset_when_idle = False
            self.do(self.resetting("hard-reset", "ScheduledReset"))

    def _queue(self, queued: Queued) -> None:
        self.queue.put(queued)

    def _queue_if(self, queued: Queued | None) -> None:
        if queued is not None:
            self.queue.put(queued)

    def judged(self, transaction: Transaction, verdict: Verdict) -> None:
        """The CSMS's verdict on a started transaction's token (1.6 section 4.8, 2.0.1 E05)."""
        self.authorization.remember(transaction.token, verdict)
        if verdict.accepted:
            return
        transaction.refused = True
        evse = self.evse_in(lambda running: running is transaction)
        if evse is not None and self.configuration.flag("stops_invalid"):
            self.end(evse, "deauthorized")

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
        reply = order(self, payload)
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

    def evse_for_start(self, evse_id: int | None, token: str) -> Evse | None:
        """Where a remote start may begin: where a car waits, else anywhere free; nowhere before acceptance."""
        if not self.online:
            return None
        able = [
            evse
            for evse in self.evses_named(evse_id)
            if evse.idle and evse.operative and evse.fault is None and evse.awaited is None
            if self._not_reserved(evse, token)
        ]
        return next((evse for evse in able if evse.car is not None), next(iter(able), None))

    def starting(self, evse: Evse, who: Awaited) -> Later:
        """What a remote start sets going: at once where a car is plugged in, else as soon as one is."""

        async def start() -> None:
            if "idle-start" in self.faults:
                return
            if self.configuration.flag("asks_remote") and not await self.lets_in(who.token, who.token_kind):
                return
            if not evse.idle:
                return
            if evse.car is not None:
                self.begin(evse, who, "RemoteStart")
            else:
                self.await_car(evse, who.token, who.remote_start_id, who.token_kind, who.profile)
                self.awaits_driver(evse)

        return start

    def await_car(
        self,
        evse: Evse,
        token: str,
        remote_start_id: int | None,
        kind: str = CARD,
        profile: Profile | None = None,
    ) -> None:
        """Somebody was let in before there was a car: wait for it, for as long as configured."""
        wait_s = self.configuration.number("plug_in_s")
        until = self.pace.now() + timedelta(seconds=wait_s)
        awaited = Awaited(token, until, remote_start_id, kind, profile)

        async def expire() -> None:
            await self.pace.sleep(wait_s + 1)
            if evse.awaited is awaited:
                evse.awaited = None
                self.note_status(evse)

        evse.awaited = awaited
        self.note_status(evse)
        self.do(expire)

    def stopping(self, evse: Evse, why: str) -> Later:
        async def stop() -> None:
            self.end(evse, why)

        return stop

    def set_availability(self, evses: list[Evse], operative: bool) -> str:
        """Accepted, or Scheduled where a transaction must end first (1.6 section 5.2, 2.0.1 G03)."""
        for evse in evses:
            if evse.idle:
                evse.operative, evse.operative_later = operative, None
                self.note_status(evse)
                if not operative:
                    self._lost(evse)
            else:
                evse.operative_later = operative
        waits = [evse for evse in evses if not evse.idle and evse.operative != operative]
        return "Scheduled" if waits else "Accepted"

    def resetting(self, why: str, boot_reason: str, *, resumes: bool = False) -> Later:
        """End what runs (unless it is resumed, 2.1 B13), go down, come back."""

        async def reset() -> None:
            if "silent-reset" in self.faults:
                return
            for evse in self.evses:
                evse.awaited = None
                if not resumes:
                    self.end(evse, why)
            await self.life.go_down(boot_reason)
            if resumes:
                self.life.accepted.clear()
                await self.life.accepted.wait()
                for evse in self.evses:
                    self.change_transaction(evse, "TxResumed")

        return reset

    def reset_when_idle(self) -> None:
        self._reset_when_idle = True

    def triggered(self, message: str, evses: list[Evse]) -> Later | None:
        """What TriggerMessage asks for; None when this station has no such message."""
        send = self.language.triggers.get(message)
        if send is None:
            return None

        async def go() -> None:
            one_of_many = len(evses) < len(self.evses)
            if "idle-trigger" in self.faults or ("idle-evse-trigger" in self.faults and one_of_many):
                return
            await send(self, evses)

        return go

    def change(self, name: str, value: str) -> str:
        """Set a configuration value: accepted, reboot (accepted, needs one), refused or unknown."""
        if name not in self.configuration:
            return "unknown"
        setting = self.configuration[name]
        if setting.access == "r" or not setting.takes(value):
            return "refused"
        self.configuration.put(name, value)
        if self.configuration.is_knob(name, "password"):
            self.place.password = _password(value, self.version)
        if self.configuration.is_knob(name, "measurands") and "boot-loop" in self.faults:
            self.do(self._boot_over_and_over)
        for transaction in (evse.transaction for evse in self.evses):
            if transaction is not None:
                transaction.stirred.set()
        return "reboot" if setting.reboot else "accepted"

    async def _boot_over_and_over(self) -> None:
        """A list of measurands that is too long for this firmware: it boots until the list is short again."""
        while len(self.measurands) > 4:
            await self.pace.sleep(30.0)
            for evse in self.evses:
                self.end(evse, "reboot")
            await self.life.reboot("Watchdog")

    def activate_priority(self, evse: Evse, activate: bool) -> str:
        """2.1 K21: Accepted, Rejected or NoProfile."""
        if evse.transaction is None:
            return "Rejected"
        if activate and not any(profile.purpose == PRIORITY for profile in self.profiles):
            return "NoProfile"
        evse.transaction.priority = activate
        self.apply_limits()
        return "Accepted"


def _password(value: str, version: str) -> str:
    """1.6 security whitepaper A00.FR.205: AuthorizationKey is hexadecimal; some send it as it is."""
    if version == "1.6" and len(value) % 2 == 0 and len(value) >= 32:
        with contextlib.suppress(ValueError):
            return bytes.fromhex(value).decode("utf-8")
    return value
