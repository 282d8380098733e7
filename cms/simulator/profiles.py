"""Charging profiles: what is installed, what it leaves of an EVSE's power now, and what it will.

1.6 section 3.13, 2.0.1 K01: of one purpose the highest stack level that says anything counts; a transaction's
profile beats the default; of different purposes the lowest limit counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from cms.simulator.evse import LINE_V, Evse, Transaction

if TYPE_CHECKING:
    from cms.simulator.station import Station

#: How far ahead the next change of a limit is looked for.
HORIZON = timedelta(days=8)
RECURRENCE = {"Daily": timedelta(days=1), "Weekly": timedelta(days=7)}

MAX, DEFAULT, TX = "ChargingStationMaxProfile", "TxDefaultProfile", "TxProfile"
EXTERNAL, LOCAL, PRIORITY = "ChargingStationExternalConstraints", "LocalGeneration", "PriorityCharging"
#: Purposes that hold for the whole station when their profile names EVSE 0, and are shared by who charges.
SHARED = (MAX, EXTERNAL)


@dataclass(frozen=True, slots=True)
class Period:
    """From ``start_s`` after the schedule's start on; ``limit`` in the schedule's unit, None: no limit."""

    start_s: int
    limit: float | None
    phases: int | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """``purpose``, ``kind`` and ``recurrence`` in the words of 2.x. ``told`` is the profile as it was received."""

    id: int
    evse: int
    stack: int
    purpose: str
    kind: str
    unit: str
    periods: tuple[Period, ...]
    told: dict[str, Any]
    recurrence: str | None = None
    start: datetime | None = None
    duration_s: int | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    transaction: str | None = None
    source: str = "CSO"

    def begins(self, at: datetime, origin: datetime) -> datetime:
        """When the schedule that counts at this time begins; ``origin``: of the transaction, or of asking."""
        if self.kind == "Relative":
            return origin
        start = self.start or self.valid_from or origin
        every = RECURRENCE.get(self.recurrence or "")
        if self.kind != "Recurring" or every is None or at < start:
            return start
        return start + every * ((at - start) // every)

    def at(self, at: datetime, origin: datetime) -> Period | None:
        """The period that counts at this time; None where the profile says nothing."""
        if (self.valid_from and at < self.valid_from) or (self.valid_to and at >= self.valid_to):
            return None
        passed_s = (at - self.begins(at, origin)).total_seconds()
        if passed_s < 0 or (self.duration_s is not None and passed_s >= self.duration_s):
            return None
        past = [period for period in self.periods if period.start_s <= passed_s]
        return past[-1] if past else None

    def changes(self, since: datetime, origin: datetime) -> Iterator[datetime]:
        """The moments after ``since``, within the horizon, when what it says may change."""
        yield from (moment for moment in (self.valid_from, self.valid_to) if moment and moment > since)
        every = RECURRENCE.get(self.recurrence or "") if self.kind == "Recurring" else None
        begins = self.begins(since, origin)
        while begins <= since + HORIZON:
            for offset_s in (*(period.start_s for period in self.periods), self.duration_s):
                if offset_s is not None and begins + timedelta(seconds=offset_s) > since:
                    yield begins + timedelta(seconds=offset_s)
            if every is None:
                return
            begins += every


def watts(limit: float, unit: str, phases: int | None, dc: bool) -> float:
    """A limit in watts; amperes are per phase, of three phases when none are named."""
    if unit == "W":
        return limit
    return limit * (400.0 if dc else LINE_V * (phases or 3))


def amperes(limit_w: float, dc: bool) -> float:
    return limit_w / (400.0 if dc else LINE_V * 3)


class Profiles:
    """The register of a station."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._kept: dict[int, Profile] = {}

    def __iter__(self) -> Iterator[Profile]:
        return iter(self._kept.values())

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, profile_id: int) -> Profile | None:
        return self._kept.get(profile_id)

    def install(self, profile: Profile) -> None:
        """The same id replaces, and so does the same place: purpose, stack level, EVSE (and transaction)."""
        self.remove(lambda kept: _place(kept) == _place(profile))
        self._kept[profile.id] = profile
        self._station.charging.apply_limits()

    def put_limit(self, profile: Profile, limit: float | None) -> None:
        """A dynamic profile gets a new limit (2.1 K28)."""
        self._kept[profile.id] = replace(profile, periods=(replace(profile.periods[0], limit=limit),))
        self._station.charging.apply_limits()

    def remove(self, which: Callable[[Profile], bool]) -> int:
        """How many there were."""
        gone = [profile for profile in self if which(profile)]
        for profile in gone:
            del self._kept[profile.id]
        if gone:
            self._station.charging.apply_limits()
        return len(gone)

    def limit_w(self, evse: Evse, at: datetime, asked: datetime | None = None) -> float | None:
        """What all profiles together leave of an EVSE's power at a time; None: no limit.

        ``asked``: since when, where no transaction runs (composite schedules).
        """
        origin = evse.transaction.started_at if evse.transaction else asked or at
        limits = [self._own_w(evse, at, origin), self._best_w((LOCAL,), evse, at, origin)]
        limits += [self._best_w((purpose,), evse, at, origin) for purpose in SHARED]
        return min((limit for limit in limits if limit is not None), default=None)

    def _own_w(self, evse: Evse, at: datetime, origin: datetime) -> float | None:
        transaction = evse.transaction
        urgent = transaction is not None and transaction.priority
        for purpose in (PRIORITY,) * urgent + (TX, DEFAULT):
            limit = self._best_w((purpose,), evse, at, origin)
            if limit is not None:
                return limit
        return None

    def _best_w(self, purposes: tuple[str, ...], evse: Evse, at: datetime, origin: datetime) -> float | None:
        fitting = [profile for profile in self if profile.purpose in purposes and concerns(profile, evse)]
        for profile in sorted(fitting, key=lambda profile: -profile.stack):
            period = profile.at(at, origin)
            if period is not None and period.limit is not None:
                limit = watts(period.limit, profile.unit, period.phases, evse.dc)
                return limit / self._sharing() if profile.purpose in SHARED and not profile.evse else limit
        return None

    def _sharing(self) -> int:
        return max(1, sum(1 for evse in self._station.evses if evse.transaction is not None))

    def next_change(self, evse: Evse, since: datetime) -> datetime | None:
        """When the limit of a charging EVSE may change next."""
        origin = evse.transaction.started_at if evse.transaction else since
        return min(self._changes(evse, since, origin), default=None)

    def _changes(self, evse: Evse, since: datetime, origin: datetime) -> Iterable[datetime]:
        for profile in self:
            if concerns(profile, evse):
                yield from profile.changes(since, origin)

    def composite(self, evses: list[Evse], since: datetime, duration_s: int) -> list[tuple[int, float]]:
        """(seconds from ``since``, watts) of these EVSEs together, from 0 on, each different from the one before."""
        until = since + timedelta(seconds=duration_s)
        moments = {since}
        for evse in evses:
            origin = evse.transaction.started_at if evse.transaction else since
            moments |= {moment for moment in self._changes(evse, since, origin) if moment < until}
        steps: list[tuple[int, float]] = []
        for moment in sorted(moments):
            total_w = sum(self._offer_w(evse, moment, since) for evse in evses)
            if not steps or steps[-1][1] != total_w:
                steps.append((int((moment - since).total_seconds()), total_w))
        return steps

    def _offer_w(self, evse: Evse, at: datetime, asked: datetime) -> float:
        limit = self.limit_w(evse, at, asked)
        return evse.offered_w if limit is None else max(0.0, min(evse.offered_w, limit))

    def transaction_over(self, transaction: Transaction) -> None:
        """A transaction's profiles end with it."""
        self.remove(lambda profile: profile.purpose == TX and profile.evse == transaction.evse)


def concerns(profile: Profile, evse: Evse) -> bool:
    """Whether a profile has a say at this EVSE: it names it, or the whole station."""
    if profile.evse not in (0, evse.id):
        return False
    return profile.purpose != TX or evse.transaction is not None


def _place(profile: Profile) -> tuple[object, ...]:
    return profile.purpose, profile.stack, profile.evse, profile.transaction
