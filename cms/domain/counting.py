"""Counting what a session takes at each price: exact, whole where nothing was cut, with work that does not grow.

A run is what was taken of one thing (energy, time of charging ...) at one price without another price in between. It
is known by how much the session had taken of that thing in all when the run began and when it ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

from cms.contract.tariffs import Tariff
from cms.domain.conditions import SECOND, Piece, Rate, Ready, rate_at, ready
from cms.domain.money import Exact, added, exact, parts, times
from cms.domain.record import record
from cms.domain.tariffs import UNITS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
#: Runs that are told apart; what comes later joins what had the same price.
_RUNS = 200
#: Places in COUNTERS.
_ENERGY, _TIME, _CHARGING = 0, 1, 2


@record
class Volume:
    """How much (Wh, seconds, times) was taken at one price of a tariff, from the first to the last moment of it.

    ``end`` is how much the session had taken of it in all by then: what comes next at the same price goes on from
    there. Volumes of older records know neither.
    """

    tariff: str
    component: str
    price: int
    amount: Fraction
    since: datetime | None = None
    until: datetime | None = None
    end: Fraction | None = None


@record
class Reserved:
    """An EVSE was held for the driver: until the session began, or (``expired``) until nobody had come for it."""

    since: datetime
    until: datetime
    expired: bool = False


class Run:
    """A volume while it is counted, in Wh and microseconds: ``amount`` from before, and from ``start`` to ``end``."""

    __slots__ = ("amount", "component", "end", "price", "since", "start", "tariff", "until")

    def __init__(self, tariff: str, component: str, price: int, since: int | None, until: int | None) -> None:
        self.tariff = tariff
        self.component = component
        self.price = price
        self.since = since
        self.until = until
        self.amount: Exact = 0
        self.start: Exact = 0
        self.end: Exact | None = None

    @property
    def taken(self) -> Exact:
        return self.amount if self.end is None else exact(self.amount + (self.end - self.start))


class Count:
    """A session while it is counted; everything is an int where it is whole."""

    __slots__ = ("at", "charging", "energy", "idle", "kind", "known", "quiet", "runs", "since", "zone")

    def __init__(self, since: int, kind: str | None, zone: str | None) -> None:
        self.since = self.at = since
        self.kind = kind
        self.zone = zone
        self.energy: Exact = 0
        self.charging: Exact = 0
        self.idle: Exact = 0
        #: Those of before as they were kept: only what goes on is unpacked.
        self.runs: list[Volume | Run] = []
        self.quiet: Quiet | None = None
        self.known: dict[str, Run] = {}

    def begin(self, tariff: Tariff, reserved: Reserved | None) -> None:
        """What is due at once: the reservation, and the fixed fee (its conditions are judged at the start)."""
        if reserved is not None:
            self._reserve(tariff, reserved)
        if reserved is None or not reserved.expired:
            made = ready(tariff, self.zone, self.kind)
            self._once(made, "fixed_fee", Piece(made.clocks, self.since, (0, 0, 0, 0)))

    def _once(self, made: Ready, name: str, piece: Piece) -> None:
        rate = rate_at(made.usable.get(name, ()), piece)
        if rate is not None:
            self._add(made.tariff.id, name, rate.index, 0, 1, piece.at, piece.at)

    def _reserve(self, tariff: Tariff, reserved: Reserved) -> None:
        made = ready(tariff, self.zone, self.kind, reserved.expired)
        since, until = micros(reserved.since), micros(reserved.until)
        self._once(made, "reservation_fixed", Piece(made.clocks, since, (0, 0, 0, 0)))
        edges = [since, *self._edges(made, since, until), until]
        for begin, end in pairwise(edges):
            spent = begin + end - 2 * since
            piece = Piece(made.clocks, (begin + end) // 2, (0, spent, 0, 0))
            rate = rate_at(made.usable.get("reservation_time", ()), piece)
            if rate is not None and end > begin:
                self._add(tariff.id, "reservation_time", rate.index, begin - since, end - since, begin, end)

    @staticmethod
    def _edges(made: Ready, since: int, until: int) -> list[int]:
        found = {
            since + bound
            for place, bounds in made.bounds
            for bound in bounds
            if place == _TIME and 0 < bound < until - since
        }
        if made.clocks is not None:
            found.update(made.clocks.edges(since, until))
        return sorted(int(edge) for edge in found)

    def add(
        self, until: int, energy: Exact, charging: bool, current: Exact | None, made: Ready | None
    ) -> None:
        """A stretch under one tariff (or none), cut wherever a condition may turn."""
        since, before = self.at, self.energy
        span, flowed = until - since, energy - before
        quiet = self.quiet
        if (
            quiet is not None
            and quiet.made is made
            and quiet.charging is charging
            and (quiet.flows or not flowed)
            and (quiet.until is None or until <= quiet.until)
            and (quiet.energy is None or energy <= quiet.energy)
        ):
            if flowed and quiet.energy_run is not None:
                quiet.energy_run.end, quiet.energy_run.until = energy, until
            if quiet.time_run is not None and quiet.time_run.end is not None:
                quiet.time_run.end, quiet.time_run.until = quiet.time_run.end + span, until
        elif made is not None and (span or flowed):
            begin: Exact = since
            speed = (flowed, span, current)
            if made.cutting:
                for end, reached in self._cuts(made, until, energy, charging):
                    self._piece(made, begin, end, before, reached, charging, speed)
                    begin, before = end, reached
            self._piece(made, begin, until, before, energy, charging, speed)
        if charging:
            self.charging += span
        else:
            self.idle += span
        self.at, self.energy = until, energy
        if quiet is not self.quiet and self.quiet is not None:
            self.quiet.set_limits(self)

    def _cuts(self, made: Ready, until: int, energy: Exact, charging: bool) -> Sequence[tuple[Exact, Exact]]:
        """Instants within the stretch when a condition may begin or cease to hold, with the energy by then."""
        since, before = self.at, self.energy
        span, flowed = until - since, energy - before
        found: set[tuple[Exact, Exact]] = set()
        if made.clocks is not None and span:
            for edge in made.clocks.edges(since, until):
                share = Fraction(flowed * (edge - since)) / span if flowed else 0
                found.add((edge, exact(before + share)))
        for place, bounds in made.bounds:
            if place == _ENERGY:
                for bound in bounds:
                    if before < bound < energy:
                        found.add((exact(since + Fraction(span * (bound - before)) / flowed), bound))
                continue
            spent = self.spent(place, charging)
            if spent is None:
                continue
            for bound in bounds:
                gone = bound - spent
                if 0 < gone < span:
                    found.add((since + gone, exact(before + flowed * Fraction(gone) / span)))
        return sorted(found) if found else ()

    def spent(self, place: int, charging: bool) -> Exact | None:
        """How far a counter of time had got; None: it does not move in this stretch."""
        if place == _TIME:
            return self.at - self.since
        if place == _CHARGING:
            return self.charging if charging else None
        return None if charging else self.idle

    def _piece(
        self,
        made: Ready,
        begin: Exact,
        end: Exact,
        before: Exact,
        reached: Exact,
        charging: bool,
        speed: tuple[Exact, int, Exact | None],
    ) -> None:
        """A part of a stretch within which no condition turns."""
        middle: Piece | None = None
        energy_run = time_run = None
        rates = made.energy
        if rates and before != reached:
            rate: Rate | None = rates[0]
            if not rates[0].always:
                middle = self._middle(made, begin, end, before + reached, charging, speed)
                rate = rate_at(rates, middle)
            if rate is not None:
                energy_run = self._add(made.tariff.id, "energy", rate.index, before, reached, begin, end)
        rates = made.charging if charging else made.idle
        if rates and begin != end:
            rate = rates[0]
            if not rates[0].always:
                if middle is None:
                    middle = self._middle(made, begin, end, before + reached, charging, speed)
                rate = rate_at(rates, middle)
            if rate is not None:
                name, spent = ("charging_time", self.charging) if charging else ("idle_time", self.idle)
                spent -= self.at
                index = rate.index
                time_run = self._add(made.tariff.id, name, index, spent + begin, spent + end, begin, end)
        if made.steady and begin != end:
            self.quiet = Quiet(made, charging, before != reached, energy_run, time_run)

    def _middle(
        self,
        made: Ready,
        begin: Exact,
        end: Exact,
        energy: Exact,
        charging: bool,
        speed: tuple[Exact, int, Exact | None],
    ) -> Piece:
        both = begin + end
        moved = both - 2 * self.at
        charged, idled = 2 * self.charging, 2 * self.idle
        if charging:
            charged += moved
        else:
            idled += moved
        at = both // 2 if type(both) is int else (both / 2).__floor__()
        return Piece(made.clocks, at, (energy, both - 2 * self.since, charged, idled), speed)

    def _add(
        self, tariff: str, component: str, price: int, low: Exact, high: Exact, begin: Exact, end: Exact
    ) -> Run:
        """From how much to how much was taken at this price, and when."""
        run = self.known.get(component)
        if run is None and self.runs:
            run = self._last(component)
        if run is None or run.end != low or run.price != price or run.tariff != tariff:
            run = self._next(tariff, component, price, begin.__floor__())
            run.amount, run.start = run.taken, low
            self.known[component] = run
        run.end = high
        run.until = end if type(end) is int else end.__ceil__()
        return run

    def _last(self, component: str) -> Run | None:
        """The latest one kept, unpacked."""
        for index in range(len(self.runs) - 1, -1, -1):
            held = self.runs[index]
            if held.component == component:
                run = self.runs[index] = unpacked(held)
                self.known[component] = run
                return run
        return None

    def _next(self, tariff: str, component: str, price: int, since: int) -> Run:
        if len(self.runs) >= _RUNS:
            for index, held in enumerate(self.runs):
                if (held.tariff, held.component, held.price) == (tariff, component, price):
                    run = self.runs[index] = unpacked(held)
                    return run
        run = Run(tariff, component, price, since, since)
        self.runs.append(run)
        return run

    def unpacked(self) -> list[Run]:
        """All runs, those of one component in the order of time."""
        return [unpacked(held) for held in self.runs]

    def joined(self) -> list[Run]:
        """One run for each price, for sums alone."""
        amounts: dict[tuple[str, str, int], list[Exact]] = {}
        ends: dict[tuple[str, str, int], int] = {}
        for held in self.runs:
            key = (held.tariff, held.component, held.price)
            if isinstance(held, Run):
                amount, until = parts(held.taken, _scale(held.component)), held.until
            else:
                amount, until = held.amount, None if held.until is None else micros(held.until)
            amounts.setdefault(key, []).append(amount)
            ends[key] = max(ends.get(key, 0), until or 0)
        found = []
        for (tariff, component, price), amounts_there in amounts.items():
            run = Run(tariff, component, price, None, ends[tariff, component, price])
            run.amount = times(added(amounts_there), _scale(component))
            found.append(run)
        return found


class Quiet:
    """The prices that were found last, and how far they hold for sure: most stretches turn nothing."""

    __slots__ = ("charging", "energy", "energy_run", "flows", "made", "time_run", "until")

    def __init__(
        self, made: Ready, charging: bool, flows: bool, energy_run: Run | None, time_run: Run | None
    ) -> None:
        self.made = made
        self.charging = charging
        self.flows = flows
        self.energy_run = energy_run
        self.time_run = time_run
        self.until: Exact | None = None
        self.energy: Exact | None = None

    def set_limits(self, count: Count) -> None:
        """From where the count has got to: the next instant and amount at which a condition may turn."""
        ends: list[Exact] = []
        if self.made.clocks is not None:
            ends.append(self.made.clocks.next_edge(count.at))
        for place, bounds in self.made.bounds:
            if place == _ENERGY:
                self.energy = next((bound for bound in bounds if bound >= count.energy), None)
                continue
            spent = count.spent(place, self.charging)
            if spent is not None:
                ends += [count.at + (bound - spent) for bound in bounds if bound >= spent]
        self.until = min(ends, default=None)


def micros(at: datetime) -> int:
    """Microseconds since 1970."""
    past = at - _EPOCH
    return (past.days * 86_400 + past.seconds) * SECOND + past.microseconds


def instant(at: int) -> datetime:
    return _EPOCH + at * _MICROSECOND


def _scale(component: str) -> int:
    return SECOND if UNITS[component] == "min" else 1


def unpacked(held: Volume | Run) -> Run:
    if isinstance(held, Run):
        return held
    scale = _scale(held.component)
    since, until = (None if at is None else micros(at) for at in (held.since, held.until))
    run = Run(held.tariff, held.component, held.price, since, until)
    run.amount = times(held.amount, scale)
    if held.end is not None:
        run.start = run.end = times(held.end, scale)
    return run


def packed(held: Volume | Run) -> Volume:
    if isinstance(held, Volume):
        return held
    scale = _scale(held.component)
    since, until = (None if at is None else instant(at) for at in (held.since, held.until))
    end = None if held.end is None else parts(held.end, scale)
    return Volume(held.tariff, held.component, held.price, parts(held.taken, scale), since, until, end)
