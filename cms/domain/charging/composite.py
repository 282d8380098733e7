"""What holds at an EVSE, out of everything that is installed: our own composite schedule.

At each instant the profile with the highest stack level that has something to say leads its purpose; a session's
own profile stands in for the default one; of all that remain the lowest limit holds (1.6 section 3.13.4, 2.x
K01.FR.17, K01.FR.21 ...). Profiles in the other unit are left out unless a voltage makes them comparable.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from math import ceil, floor

from cms.contract.charging import CompositeStep, Period, Profile, Schedule
from cms.domain.charging.register import Installed
from cms.domain.record import record

#: Nobody plans further ahead, and no station's absurd duration is followed further.
MOST_S = 31 * 86_400
#: Instants at which something may change, in one composite schedule, and in all that it is made of: what stations
#: report must not take longer than a moment.
_MOST_STEPS = 400
_MOST_CHANGES = 12_000
_EVERY = {"daily": timedelta(days=1), "weekly": timedelta(days=7)}
_TENTH = Decimal("0.1")


@record
class Foreign:
    """A limit that somebody else set, as far as it takes part: its schedules from ``at`` on."""

    evse: int
    at: datetime
    schedules: tuple[Schedule, ...]
    adds: bool = False
    """Local generation adds to what the grid gives (2.1 K27)."""


@record
class Place:
    """Whose composite schedule: the EVSE, and the session on it, if one is."""

    evse: int
    transaction_id: str | None = None
    started_at: datetime | None = None
    priority: bool = False


@record
class Mains:
    """Makes A and W comparable: V between phase and neutral, and phases where a period does not say."""

    voltage: Decimal
    phases: int

    def converted(self, limit: Decimal, unit: str, phases: int | None) -> Decimal:
        """The limit in the other unit, rounded down to one decimal."""
        factor = self.voltage * (phases if phases in (1, 2, 3) else self.phases)
        return (limit * factor if unit == "A" else limit / factor).quantize(_TENTH, ROUND_DOWN)


@record
class Composite:
    """``duration_s`` is shorter than asked for where too much happens in it."""

    steps: tuple[CompositeStep, ...]
    duration_s: int
    left_out: tuple[int, ...] = ()

    def at(self, offset_s: float) -> Decimal | None:
        """The limit so many seconds after the start."""
        index = bisect_right([step.start_s for step in self.steps], offset_s) - 1
        return self.steps[max(index, 0)].limit


_Said = tuple[Decimal, int | None]
"""A limit, and on how many phases."""


@record
class _Line:
    """One profile in the window: from each of ``starts`` (s) on it says the limit beside; None says nothing."""

    stack_level: int
    specific: bool
    room: int
    """How many changes may be drawn."""
    starts: list[int] = field(default_factory=list)
    says: list[_Said | None] = field(default_factory=list)

    @property
    def drawn_s(self) -> float:
        """How far it is drawn."""
        return self.starts[-1] if len(self.starts) >= self.room else float("inf")

    def along(self, edges: Sequence[int]) -> Iterator[_Said | None]:
        """What it says at each edge; they are in the order of time."""
        index, count = 0, len(self.starts)
        for edge in edges:
            while index < count and self.starts[index] <= edge:
                index += 1
            yield self.says[index - 1] if index else None


@record
class _Run:
    """A schedule that counts its seconds from ``begin`` and says something from ``first`` to before ``end``."""

    begin: float
    first: float
    end: float


def composite(
    known: Iterable[Installed],
    foreign: Iterable[Foreign],
    place: Place,
    start: datetime,
    duration_s: int,
    unit: str,
    mains: Mains | None = None,
) -> Composite:
    """The limits from ``start`` for ``duration_s`` (at most MOST_S), in ``unit``."""
    span_s = max(1, min(duration_s, MOST_S))
    concerned = [one for one in known if _concerns(one, place)]
    limits = [limit for limit in foreign if limit.evse in (0, place.evse)]
    room = min(_MOST_STEPS, _MOST_CHANGES // max(1, len(concerned) + len(limits)))
    layers: dict[str, list[_Line]] = {}
    left_out: list[int] = []
    for one in concerned:
        line = _line(one, place, start, span_s, unit, mains, room)
        if line is None:
            left_out.append(one.id)
        else:
            layers.setdefault(one.profile.purpose, []).append(line)
    others = [(limit.adds, _foreign(limit, start, span_s, unit, mains, room)) for limit in limits]
    lines = [line for of_purpose in layers.values() for line in of_purpose] + [line for _, line in others]
    edges = _edges(lines, span_s)
    if len(edges) > _MOST_STEPS:
        span_s, edges = edges[_MOST_STEPS], edges[:_MOST_STEPS]
    drawn_s = min((line.drawn_s for line in lines), default=float(span_s))
    edges = [edge for edge in edges if edge <= drawn_s]
    steps = _merged(_steps(layers, others, edges, place))
    return Composite(tuple(steps), int(min(span_s, drawn_s)), tuple(dict.fromkeys(left_out)))


def _concerns(one: Installed, place: Place) -> bool:
    profile = one.profile
    if place.evse == 0:
        return profile.purpose in ("station-max", "external", "local-generation") and one.evse == 0
    if profile.transaction_id is not None and profile.transaction_id != place.transaction_id:
        return False
    return one.evse in (0, place.evse)


def _line(
    one: Installed, place: Place, start: datetime, span_s: int, unit: str, mains: Mains | None, room: int
) -> _Line | None:
    """None when its unit cannot be compared."""
    profile, schedule = one.profile, one.profile.schedules[0]
    if schedule.unit != unit and mains is None:
        return None
    line = _Line(profile.stack_level, one.evse == place.evse, room)
    _draw(line, schedule, _runs(profile, schedule, place, start, span_s), unit, mains)
    return line


def _foreign(
    limit: Foreign, start: datetime, span_s: int, unit: str, mains: Mains | None, room: int
) -> _Line:
    line = _Line(0, False, room)
    for schedule in limit.schedules[:1]:
        if schedule.unit != unit and mains is None:
            continue
        begin = ((schedule.start or limit.at) - start).total_seconds()
        end = begin + schedule.duration_s if schedule.duration_s is not None else float(span_s)
        _draw(line, schedule, [_Run(begin, begin, min(end, span_s))], unit, mains)
    return line


def _runs(profile: Profile, schedule: Schedule, place: Place, start: datetime, span_s: int) -> Iterator[_Run]:
    """When the schedule runs in the window, cut to the profile's validity."""
    first = _offset(profile.valid_from, start, float("-inf"))
    last = min(_offset(profile.valid_to, start, float(span_s)), float(span_s))
    lasts = float(schedule.duration_s) if schedule.duration_s is not None else float("inf")
    if profile.kind == "recurring" and profile.recurrency in _EVERY:
        begins = _recurring(schedule, profile.recurrency, start, span_s)
        lasts = min(lasts, _EVERY[profile.recurrency].total_seconds())
    elif profile.kind == "relative":
        begins = iter([_offset(place.started_at, start, 0.0)])
    else:
        begins = iter([_offset(schedule.start, start, max(first, -float(MOST_S)))])
    for begin in begins:
        run = _Run(begin, max(begin, first), min(begin + lasts, last))
        if run.first < run.end and run.end > 0:
            yield run


def _offset(at: datetime | None, start: datetime, otherwise: float) -> float:
    return otherwise if at is None else (at - start).total_seconds()


def _recurring(schedule: Schedule, recurrency: str, start: datetime, span_s: int) -> Iterator[float]:
    every_s = _EVERY[recurrency].total_seconds()
    anchor = _offset(schedule.start, start, 0.0)
    begin = anchor - every_s * (anchor // every_s + 1)  # the last one before the window
    while begin < span_s:
        yield begin
        begin += every_s


def _draw(line: _Line, schedule: Schedule, runs: Iterable[_Run], unit: str, mains: Mains | None) -> None:
    """Run after run, as far as there is room; what was over before the window is passed by."""
    begins = [period.start_s for period in schedule.periods]
    says: dict[int, _Said | None] = {}
    for run in runs:
        begin_s = floor(run.begin)
        if line.starts and line.starts[-1] > floor(run.first):
            # The run before ends within the second in which this one begins.
            line.starts[-1] = floor(run.first)
        # Of those that begin before the first moment the last one leads from there on.
        first = bisect_right(begins, max(floor(run.first), 0) - begin_s) - 1
        for index in range(max(first, 0), len(begins)):
            at = begin_s + begins[index]
            if at >= run.end:
                break
            if len(line.starts) >= line.room:
                return
            if index not in says:
                says[index] = _said(schedule.periods[index], schedule.unit, unit, mains)
            line.starts.append(max(at, floor(run.first)))
            line.says.append(says[index])
        line.starts.append(ceil(run.end))
        line.says.append(None)


def _said(period: Period, spoken: str, unit: str, mains: Mains | None) -> _Said | None:
    if period.limit is None:
        return None
    if spoken == unit:
        return period.limit, period.phases
    assert mains is not None
    return mains.converted(period.limit, spoken, period.phases), period.phases


def _edges(lines: Sequence[_Line], span_s: int) -> list[int]:
    """The whole seconds at which something may change; 0 is one of them."""
    edges = {0}
    for line in lines:
        edges.update(at for at in line.starts if 0 < at < span_s)
    return sorted(edges)


def _steps(
    layers: dict[str, list[_Line]], others: list[tuple[bool, _Line]], edges: list[int], place: Place
) -> Iterator[CompositeStep]:
    """One sweep over the edges, each line beside it."""
    leading = {purpose: _leading(lines, edges) for purpose, lines in layers.items()}
    theirs = [list(line.along(edges)) for adds, line in others if not adds]
    added = [list(line.along(edges)) for adds, line in others if adds]
    for index, edge in enumerate(edges):
        leads = {purpose: says[index] for purpose, says in leading.items()}
        grid = [leads.get("station-max"), leads.get("external"), *(says[index] for says in theirs)]
        own = [leads.get("local-generation"), *(says[index] for says in added)]
        yield _step(edge, leads, grid, own, place)


def _step(
    edge: int,
    leads: dict[str, _Said | None],
    grid: list[_Said | None],
    own: list[_Said | None],
    place: Place,
) -> CompositeStep:
    session = leads.get("tx") or leads.get("tx-default")
    if place.priority and leads.get("priority"):
        session = leads["priority"]
    shared = min((said[0] for said in grid if said), default=None)
    if shared is not None:
        shared += sum((said[0] for said in own if said), Decimal(0))
    limits = [limit for limit in (session and session[0], shared) if limit is not None]
    return CompositeStep(edge, min(limits, default=None), session[1] if session else None)


def _leading(lines: list[_Line], edges: list[int]) -> list[_Said | None]:
    """The highest stack level that says something; at the same level the EVSE's own before the station's."""
    leads: list[_Said | None] = [None] * len(edges)
    for line in sorted(lines, key=lambda line: (line.stack_level, line.specific), reverse=True):
        leads = [lead or said for lead, said in zip(leads, line.along(edges), strict=True)]
        if all(leads):
            break
    return leads


def _merged(steps: Iterable[CompositeStep]) -> Iterator[CompositeStep]:
    last: CompositeStep | None = None
    for step in steps:
        if last is None or (step.limit, step.phases) != (last.limit, last.phases):
            yield step
            last = step
