"""What a session costs: the only arithmetic on money. Pure and exact; rounded once, last.

A session is a row of stretches, each from one instant to the next with the energy that flowed and whether the car
was charging. ``advance`` adds a stretch to what was counted before, at a price that does not grow with the session;
``total`` makes the calculation of it and ``bill`` rounds that. Running cost, final bill, preview and a later
calculation from the readings are these.

Everything is counted in whole Wh and microseconds, and in fractions of them where a price changes between two
readings (energy flows evenly there): so it changes nothing where a stretch is cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from fractions import Fraction

from cms.contract.tariffs import Tariff
from cms.domain.bills import Line, Total, bill, bounded
from cms.domain.conditions import SECOND, Rate, Ready, ready
from cms.domain.counting import Count, Reserved, Run, Volume, instant, micros, packed
from cms.domain.money import Exact, Number, exact, minor_units, parts, rounded, times
from cms.domain.record import record
from cms.domain.tariffs import UNITS

__all__ = [
    "Count",
    "Progress",
    "Reserved",
    "Stretch",
    "Timeline",
    "Total",
    "Volume",
    "advance",
    "begin",
    "bill",
    "minor_units",
    "recount",
    "rounded",
    "summed",
    "total",
]

_NOTHING = Fraction(0)


@record
class Progress:
    """What was counted until ``at``. Energy in Wh, spans in seconds. ``zone`` (IANA) is the site's, if it said one."""

    since: datetime
    at: datetime
    energy_wh: Fraction = _NOTHING
    charging_s: Fraction = _NOTHING
    idle_s: Fraction = _NOTHING
    volumes: tuple[Volume, ...] = ()
    evse_kind: str | None = None
    zone: str | None = None


@record
class Stretch:
    """Until when, the energy of the whole session by then, and whether the car was charging meanwhile.

    ``current_a`` is the sum of all phases, where somebody measured it.
    """

    until: datetime
    energy_wh: Number
    charging: bool
    current_a: Number | None = None


Timeline = Sequence[tuple[datetime, str]]
"""Which tariff held from when, oldest first."""


def loaded(progress: Progress) -> Count:
    """What was kept, to be gone on with."""
    count = Count(micros(progress.since), progress.evse_kind, progress.zone)
    count.at = micros(progress.at)
    count.energy = exact(progress.energy_wh)
    count.charging = times(progress.charging_s, SECOND)
    count.idle = times(progress.idle_s, SECOND)
    count.runs = list(progress.volumes)
    return count


def kept(count: Count, since: datetime) -> Progress:
    """What was counted, to be kept."""
    return Progress(
        since,
        instant(count.at),
        Fraction(count.energy),
        parts(count.charging, SECOND),
        parts(count.idle, SECOND),
        tuple(packed(held) for held in count.runs),
        count.kind,
        count.zone,
    )


def begin(
    since: datetime,
    tariff: Tariff | None,
    evse_kind: str | None = None,
    zone: str | None = None,
    reserved: Reserved | None = None,
) -> Progress:
    """A session that begins: its reservation and the fixed fee are due."""
    count = Count(micros(since), evse_kind, zone)
    if tariff is not None:
        count.begin(tariff, reserved)
    return kept(count, since)


def advance(
    progress: Progress, stretch: Stretch, timeline: Timeline, tariffs: Mapping[str, Tariff]
) -> Progress:
    """One stretch more. One that lies before what was counted adds nothing: it is for ``recount``."""
    count = loaded(progress)
    follow(count, [_step(stretch)], timeline, tariffs)
    return kept(count, progress.since)


def recount(
    since: datetime,
    stretches: Iterable[Stretch],
    timeline: Timeline,
    tariffs: Mapping[str, Tariff],
    evse_kind: str | None = None,
    zone: str | None = None,
) -> Progress:
    """Everything from the start, from stretches in the order of time: for data that came late."""
    count = Count(micros(since), evse_kind, zone)
    first = tariffs.get(timeline[0][1]) if timeline else None
    if first is not None:
        count.begin(first, None)
    follow(count, map(_step, stretches), timeline, tariffs)
    return kept(count, since)


Step = tuple[int, Exact, bool, Exact | None]
"""A stretch in microseconds since 1970: until when, energy by then, whether charging, current."""


def _step(stretch: Stretch) -> Step:
    current = None if stretch.current_a is None else exact(stretch.current_a)
    return micros(stretch.until), exact(stretch.energy_wh), stretch.charging, current


def follow(count: Count, steps: Iterable[Step], timeline: Timeline, tariffs: Mapping[str, Tariff]) -> None:
    """Count stretches, cut where the tariff changed; not those that lie before what was counted."""
    marks = [(micros(since), _ready(count, tariffs, tariff_id)) for since, tariff_id in timeline]
    only = marks[0][1] if len(marks) == 1 else None
    for until, energy, charging, current in steps:
        if until < count.at or energy < count.energy:
            continue
        if only is not None:
            count.add(until, energy, charging, current, only)
        else:
            _divided(count, (until, energy, charging, current), marks)


def _divided(count: Count, step: Step, marks: Sequence[tuple[int, Ready | None]]) -> None:
    """A stretch cut where the tariff changed; what lies before the first of them has its price."""
    until, energy, charging, current = step
    since, before = count.at, count.energy
    span, flowed = until - since, energy - before
    held: Ready | None = None
    for place, (mark, now) in enumerate(marks):
        if place and since < mark < until:
            reached = exact(before + Fraction(mark - since, span) * flowed)
            count.add(mark, reached, charging, current, held)
        if not place or mark < until:
            held = now
    count.add(until, energy, charging, current, held)


def _ready(count: Count, tariffs: Mapping[str, Tariff], tariff_id: str) -> Ready | None:
    tariff = tariffs.get(tariff_id)
    return None if tariff is None else ready(tariff, count.zone, count.kind)


def total(progress: Progress, timeline: Timeline, tariffs: Mapping[str, Tariff]) -> Total | None:
    """The calculation; None where there was no tariff. The last tariff's bounds hold for the whole."""
    return summed(loaded(progress), timeline, tariffs)


def summed(
    count: Count, timeline: Timeline, tariffs: Mapping[str, Tariff], apart: bool = True
) -> Total | None:
    """``total`` of what is not yet packed. Not ``apart``: one line a price, without periods, for its sum alone."""
    last = tariffs.get(timeline[-1][1]) if timeline else None
    if last is None:
        return None
    runs = count.unpacked() if apart else count.joined()
    bounds = ready(last, count.zone, count.kind).allowed
    return bounded(tuple(_lines(count, runs, tariffs)), bounds, last)


_ORDER = {name: place for place, name in enumerate(UNITS)}


def _order(run: Run) -> int:
    return _ORDER[run.component]


def _lines(count: Count, runs: list[Run], tariffs: Mapping[str, Tariff]) -> Iterator[Line]:
    runs.sort(key=_order)
    made = {name: ready(tariffs[name], count.zone, count.kind).rates for name in {run.tariff for run in runs}}
    rates = [made[run.tariff][run.component][run.price] for run in runs]
    more = _steps(runs, rates) if any(rate.step for rate in rates) else {}
    for index, (run, rate) in enumerate(zip(runs, rates, strict=True)):
        taken = run.taken
        if index in more:
            taken += more[index]
        yield Line(
            _WORDS[run.component],
            run.tariff,
            Fraction(taken, rate.per),
            rate.unit,
            rate.amount,
            Fraction(taken.numerator * rate.top, taken.denominator * rate.bottom),
            rate.factor,
            rate.percent,
            None if run.since is None else instant(run.since),
            None if run.until is None else instant(run.until),
        )


_WORDS = {name: name.replace("_", "-") for name in UNITS}
#: What is rounded up to steps, once a session each. Where time was paid that the car did not charge, only that is:
#: time of charging is followed by it (OCPI 2.2.1 mod_cdrs, 3.1.1 step_size).
_STEPPED = (("energy",), ("idle_time", "charging_time"), ("reservation_time",))


def _steps(runs: Sequence[Run], rates: Sequence[Rate]) -> dict[int, Exact]:
    """What step sizes add, by the index of the run whose price it has: the last of what it is a step of."""
    found: dict[int, Exact] = {}
    for names in _STEPPED:
        name = next((name for name in names if any(run.component == name for run in runs)), None)
        places = [index for index, run in enumerate(runs) if run.component == name]
        if not places:
            continue
        last = max(places, key=lambda index: (runs[index].until or 0, index))
        step = rates[last].step
        if step:
            found[last] = -sum(runs[index].taken for index in places) % step
    return found
