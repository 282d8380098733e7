"""``price(facts, tariffs)``: what a session costs by any tariff, from what is known of it and nothing else.

The running cost, the final bill, a preview, a simulation and a later revision are the same arithmetic (``costs``):
they differ in where the facts come from.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from operator import itemgetter

from cms.contract.tariffs import Bill, Tariff
from cms.domain import costs
from cms.domain.costs import Step, Timeline, Total
from cms.domain.counting import Count, Reserved, micros
from cms.domain.money import Exact, Number, exact
from cms.domain.record import record

Turns = Sequence[tuple[datetime, bool | None]]
"""Since when the car charged (True), did not (False), or nobody said (None: it charged where energy flowed)."""


@record
class Reached:
    """The energy of the session by an instant; the current of all phases until then, where it was measured."""

    at: datetime
    energy_wh: Number
    current_a: Number | None = None


@record
class Facts:
    """What a session's price depends on. ``energy_wh`` is that of the whole session, ``zone`` (IANA) its site's.

    ``since`` and ``until`` of a reservation that nobody came for are both its end.
    """

    since: datetime
    until: datetime
    energy_wh: Number = 0
    readings: tuple[Reached, ...] = ()
    turns: tuple[tuple[datetime, bool | None], ...] = ()
    evse_kind: str | None = None
    zone: str | None = None
    reserved: Reserved | None = None


Priced = Tariff | Sequence[tuple[datetime, Tariff]]
"""One tariff, or which one held from when, oldest first."""


def price(facts: Facts, tariffs: Priced) -> Bill:
    """The bill of a session. The tariff that held last decides on the currency and the bounds."""
    return costs.bill(calculated(facts, tariffs))


def calculated(facts: Facts, tariffs: Priced) -> Total:
    """``price`` before anything is rounded."""
    held = [(facts.since, tariffs)] if isinstance(tariffs, Tariff) else tariffs
    if not held:
        raise ValueError("a session without a tariff has no price")
    timeline = [(since, tariff.id) for since, tariff in held]
    known = {tariff.id: tariff for _, tariff in held}
    total = costs.summed(counted(facts, timeline, known), timeline, known)
    assert total is not None
    return total


def counted(facts: Facts, timeline: Timeline, tariffs: Mapping[str, Tariff]) -> Count:
    """Everything from the start."""
    count = Count(micros(facts.since), facts.evse_kind, facts.zone)
    first = tariffs.get(timeline[0][1]) if timeline else None
    if first is not None:
        count.begin(first, facts.reserved)
    costs.follow(count, _steps(facts), timeline, tariffs)
    return count


def _steps(facts: Facts) -> Iterator[Step]:
    since, until, final = micros(facts.since), micros(facts.until), exact(facts.energy_wh)
    if until <= since:
        # Begun and ended in one instant, or before it began, as its clock says: what flowed is billed all the same.
        return iter([(since, final, final > 0, None)] if final else [])
    points = _points(facts, since, until, final)
    return divided(since, 0, points, turned(facts.turns))


Point = tuple[int, Exact, Exact | None]
"""An instant, the energy by then, the current until then."""


def _points(facts: Facts, since: int, until: int, final: Exact) -> list[Point]:
    """Instants with the energy by then, which never falls and never exceeds that of the whole session."""
    said: list[Point] = []
    for reading in facts.readings:
        at = micros(reading.at)
        if since < at <= until:
            current = reading.current_a
            said.append((at, exact(reading.energy_wh), None if current is None else exact(current)))
    said.sort(key=itemgetter(0, 1))
    points: list[Point] = []
    peak: Exact = 0
    for point in said:
        peak = min(max(peak, point[1]), final)
        if points and points[-1][0] == point[0]:
            points.pop()  # of two at one instant the higher one counts
        points.append((point[0], peak, point[2]))
    current = points.pop()[2] if points and points[-1][0] == until else None
    points.append((until, final, current))
    return points


def turned(turns: Turns) -> list[tuple[int, bool | None]]:
    return [(micros(at), charging) for at, charging in turns]


def divided(
    since: int,
    before: Exact,
    points: Iterable[Point],
    turns: Sequence[tuple[int, bool | None]],
) -> Iterator[Step]:
    """From where a session had got to on to each point, cut where charging began or ceased: energy flows evenly."""
    place = bisect_right(turns, since, key=itemgetter(0))
    charging = turns[place - 1][1] if place else None
    for until, energy, current in points:
        begin, reached, span, flowed = since, before, until - since, energy - before
        while place < len(turns) and turns[place][0] < until:
            at, now = turns[place]
            place += 1
            if at > begin:
                there = exact(before + Fraction(at - since, span) * flowed) if flowed else before
                yield at, there, _charged(charging, there - reached), current
                begin, reached = at, there
            charging = now
        if until >= begin:
            yield until, energy, _charged(charging, energy - reached), current
        while place < len(turns) and turns[place][0] == until:
            charging = turns[place][1]
            place += 1
        since, before = until, energy


def _charged(said: bool | None, flowed: Exact) -> bool:
    """Whether a stretch is charging time."""
    return flowed > 0 if said is None else said


def since_when(turns: Turns, at: datetime) -> Turns:
    """The turns that matter from an instant on: the last one before it, and those after it."""
    return turns[max(bisect_left(turns, at, key=itemgetter(0)) - 1, 0) :]
