"""Transactions: how they begin, run, are limited, and end. What of it is told is the language's business."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cms.simulator.evse import Awaited, Evse, Transaction
from cms.simulator.language import ENDS, Queued, Verdict
from cms.simulator.profiles import PRIORITY

if TYPE_CHECKING:
    from cms.simulator.station import Station

NEVER_S = 86_400.0
#: Limits of 2.1 E16, and the reason that each of them is to end.
LIMITS = {
    "maxEnergy": "energy-limit",
    "maxTime": "time-limit",
    "maxSoC": "soc-limit",
    "maxCost": "cost-limit",
}


class Charging:
    """A station's transactions."""

    def __init__(self, station: Station) -> None:
        self._station = station

    # Beginning

    def begin(self, evse: Evse, who: Awaited, trigger: str) -> Transaction:
        """A transaction starts; ``who`` without a token is nobody yet (2.x TxStartPoint EVConnected)."""
        station = self._station
        if "fresh-register" in station.faults:
            evse.register_wh = 0.0
        now = station.pace.now()
        transaction = Transaction(
            evse.id,
            who.token,
            now,
            evse.meter_wh,
            remote_start_id=who.remote_start_id,
            version=station.version,
            token_kind=who.token_kind,
            authorized=bool(who.token),
        )
        evse.transaction, evse.metered_at, evse.told_full, evse.used = transaction, now, False, True
        self._belongs_to(evse, transaction, who)
        station.transactions.append(transaction)
        self._queue(station.language.started(station, evse, transaction, trigger))
        if who.profile is not None:
            station.profiles.install(who.profile)
        self.apply_limits()
        station.note_status(evse)
        whose = f" token {who.token}" if who.token else ""
        station.news(station, "session started", f"EVSE {evse.id}{whose}")
        station.do(lambda: self._run(evse, transaction))
        return transaction

    def _belongs_to(self, evse: Evse, transaction: Transaction, who: Awaited) -> None:
        """Reservation and tariff of whom it is for."""
        station = self._station
        if not who.token:
            return
        if len(station.reservations):
            group = station.authorization.group(who.token, station.pace.now())
            transaction.reservation_id = station.reservations.use(evse, who.token, group)
        evse.paying_until = None
        verdict = station.authorization.cached(who.token)
        transaction.tariff = verdict.tariff if verdict else None

    def authorize(self, evse: Evse, who: Awaited, trigger: str) -> None:
        """Somebody was let in to a transaction that runs (2.x E02)."""
        transaction = evse.transaction
        if transaction is None:
            return
        transaction.token, transaction.token_kind = who.token, who.token_kind
        transaction.remote_start_id = who.remote_start_id
        transaction.authorized = True
        self._belongs_to(evse, transaction, who)
        if who.profile is not None:
            self._station.profiles.install(who.profile)
        self._stir(evse, trigger)

    def connect(self, evse: Evse) -> None:
        """The car came to a transaction that waited for it (2.x E03)."""
        self._stir(evse, "CablePluggedIn")

    def _pause_for_good(self, evse: Evse, why: str) -> None:
        """It charges no more, and ends when the car leaves (2.x TxStopPoint EVConnected)."""
        transaction = evse.transaction
        if transaction is not None:
            evse.advance(self._station.pace.now())
            transaction.authorized, transaction.stopped_by = False, why
            self._stir(evse, ENDS[why].trigger)

    def _stir(self, evse: Evse, trigger: str) -> None:
        evse.metered_at = self._station.pace.now()
        self.tell(evse, trigger)
        if evse.transaction is not None:
            evse.transaction.stirred.set()
        self._station.note_status(evse)

    # Running

    async def _run(self, evse: Evse, transaction: Transaction) -> None:
        """A sample now and then, and the moments when something changes."""
        station, due = self._station, transaction.started_at
        while True:
            due += timedelta(seconds=station.configuration.number("sample_s") or NEVER_S)
            while (left_s := (due - station.pace.now()).total_seconds()) > 0:
                until_s = min(left_s, self._changes_after_s(evse, transaction))
                await station.pace.wait(transaction.stirred, until_s)
                transaction.stirred.clear()
                if transaction.over.is_set() or self._look(evse, transaction):
                    return
            if self._look(evse, transaction):
                return
            if "no-meter" not in station.faults and not transaction.frozen:
                self._sample(evse, transaction)

    def _sample(self, evse: Evse, transaction: Transaction) -> None:
        """A periodic meter value; some meters show 0 in the first."""
        register_wh = evse.register_wh
        if "zero-first" in self._station.faults and not transaction.sampled:
            evse.register_wh = 0.0
        self._queue(self._station.language.metered(self._station, evse, transaction))
        evse.register_wh, transaction.sampled = register_wh, True

    def _changes_after_s(self, evse: Evse, transaction: Transaction) -> float:
        """Seconds until the car has enough, a limit changes or one is reached; at most a day."""
        station, moments = self._station, [NEVER_S]
        if evse.car is not None and not evse.told_full and transaction.authorized and evse.offer_w >= 1.0:
            moments.append(evse.car.satisfied_after_s(evse.offer_w, evse.dc))
        if len(station.profiles):
            change = station.profiles.next_change(evse, station.pace.now())
            if change is not None:
                moments.append((change - station.pace.now()).total_seconds())
        if transaction.limits:
            moments.append(self._limited_after_s(evse, transaction))
        return max(1.0, min(moments))

    def _limited_after_s(self, evse: Evse, transaction: Transaction) -> float:
        passed_s = (self._station.pace.now() - transaction.started_at).total_seconds()
        left_s = [transaction.limits.get("maxTime", 1e9) - passed_s]
        if "maxEnergy" in transaction.limits and evse.power_w:
            left_wh = transaction.limits["maxEnergy"] - (evse.register_wh - transaction.meter_start_wh)
            left_s.append(left_wh * 3600 / evse.power_w)
        if "maxCost" in transaction.limits or "maxSoC" in transaction.limits:
            left_s.append(15.0)
        return min(left_s)

    def _look(self, evse: Evse, transaction: Transaction) -> bool:
        """What has come about since the last look; whether the transaction ended by it."""
        evse.advance(self._station.pace.now())
        if len(self._station.profiles):
            self.apply_limits()
        self._note_full(evse)
        reached = self._limit_reached(evse, transaction) if transaction.limits else None
        if reached is not None:
            self.end(evse, reached)
        return reached is not None

    def _limit_reached(self, evse: Evse, transaction: Transaction) -> str | None:
        """The first limit that is reached, as a reason to end."""
        passed_s = (self._station.pace.now() - transaction.started_at).total_seconds()
        reached = {
            "maxEnergy": evse.meter_wh - transaction.meter_start_wh,
            "maxTime": passed_s,
            "maxSoC": evse.car.soc * 100 if evse.car else 0.0,
            "maxCost": self._station.kept.costs.get(str(transaction.id), 0.0),
        }
        beyond = (name for name, limit in transaction.limits.items() if reached.get(name, 0.0) >= limit)
        return next((LIMITS[name] for name in beyond if name in LIMITS), None)

    def _note_full(self, evse: Evse) -> None:
        if evse.car is None or evse.told_full or not evse.car.satisfied:
            return
        evse.told_full = True
        self.tell(evse, "ChargingStateChanged")
        self._station.note_status(evse)

    def apply_limits(self) -> None:
        """What the charging profiles leave to each EVSE from now on."""
        station = self._station
        now = station.pace.now()
        ignored = not len(station.profiles) or "profile-ignored" in station.faults
        for evse in station.evses:
            limit_w = None if ignored else station.profiles.limit_w(evse, now)
            if limit_w != evse.limit_w:
                self._put_limit(evse, limit_w, now)

    def _put_limit(self, evse: Evse, limit_w: float | None, now: datetime) -> None:
        paused = evse.paused
        evse.advance(now)
        evse.limit_w = limit_w
        if evse.transaction is None:
            return
        evse.transaction.stirred.set()
        if evse.paused != paused:
            self.tell(evse, "ChargingStateChanged")
            self._station.note_status(evse)

    def prioritize(self, evse: Evse, activate: bool) -> str:
        """2.1 K21: Accepted, Rejected or NoProfile."""
        if evse.transaction is None:
            return "Rejected"
        if activate and not any(profile.purpose == PRIORITY for profile in self._station.profiles):
            return "NoProfile"
        evse.transaction.priority = activate
        self.apply_limits()
        return "Accepted"

    def freeze(self, evse: Evse) -> None:
        """The station goes down with a transaction that it will resume."""
        if evse.transaction is not None:
            evse.advance(self._station.pace.now())
            evse.transaction.frozen = True

    async def resume(self) -> None:
        """Once the station is accepted again, go on with what was frozen."""
        await self._station.life.accepted.wait()
        for evse in self._station.evses:
            if evse.transaction is not None and evse.transaction.frozen:
                evse.transaction.frozen = False
                self._stir(evse, "TxResumed")

    # Telling

    def tell(self, evse: Evse, trigger: str) -> None:
        """That a running transaction changed; ``trigger`` is a triggerReason of 2.x."""
        if evse.transaction is not None:
            evse.advance(self._station.pace.now())
            queued = self._station.language.changed(self._station, evse, evse.transaction, trigger)
            if queued is not None:
                self._queue(queued)

    def meter(self, evses: Iterable[Evse], context: str = "Trigger") -> None:
        """Meter values of running transactions, now."""
        for evse in evses:
            if evse.transaction is not None:
                evse.advance(self._station.pace.now())
                self._queue(self._station.language.metered(self._station, evse, evse.transaction, context))

    def judged(self, transaction: Transaction, verdict: Verdict) -> None:
        """The CSMS's verdict on a transaction's token (1.6 section 4.8, 2.0.1 E05)."""
        station = self._station
        station.authorization.remember(transaction.token, verdict)
        if verdict.accepted:
            return
        transaction.refused = True
        evse = station.evse_in(lambda running: running is transaction)
        if evse is not None and station.configuration.flag("stops_invalid"):
            self.end(evse, "deauthorized")

    def _queue(self, queued: Queued) -> None:
        self._station.queue.put(queued)

    # Ending

    def stop(self, evse: Evse, why: str) -> None:
        """By a card or by order: at once, or when the car leaves where the stop point says so."""
        if self._station.ends_when_unplugged and evse.car is not None:
            self._pause_for_good(evse, why)
        else:
            self.end(evse, why)

    def end(self, evse: Evse, why: str) -> None:
        """``why`` is a key of language.ENDS."""
        station, transaction = self._station, evse.transaction
        if transaction is None:
            return
        now = station.pace.now()
        evse.advance(now)
        transaction.ended_at, transaction.meter_stop_wh, transaction.end_reason = now, evse.meter_wh, why
        if "late-meter" in station.faults:
            late = station.language.metered(station, evse, transaction)
        evse.transaction = None
        transaction.over.set()
        transaction.stirred.set()
        if "lost-stop" not in station.faults:
            end = ENDS[why]
            if why == "unplugged" and transaction.stopped_by is not None:
                end = replace(end, v2=ENDS[transaction.stopped_by].v2)
            self._queue(station.language.ended(station, evse, transaction, end))
        if "late-meter" in station.faults:
            self._queue(late)
        station.news(station, "session ended", f"EVSE {evse.id} {transaction.energy_wh} Wh, {why}")
        if len(station.profiles):
            station.profiles.transaction_over(transaction)
            self.apply_limits()
        station.kept.transaction_over(str(transaction.id))
        station.now_idle(evse)
