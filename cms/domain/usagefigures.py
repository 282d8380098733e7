"""The figures of a report of usage: gathered by row, measured against EVSEs in service, told as views."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate, pairwise

from cms.contract.tariffs import Money
from cms.contract.usage import TIMES, Usage, UsageReport, UsageRow
from cms.domain import ledger, measures, usagespans
from cms.domain.measures import NOTHING, Counted, InService, Sums
from cms.domain.usagespans import Key, Span, instant, row_of

ENERGY = measures.FIELDS.index("energy_wh")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request made ready. ``scope``: whose sums have all of it; None: no sums have."""

    by: str
    zone: str
    span: Span
    narrowed: dict[str, str]
    money: bool
    now: datetime

    in_time: bool = field(init=False)
    """Whether its rows are spans of time."""
    has_places: bool = field(init=False)
    """Whether EVSEs belong to the rows: drivers and tariffs have none."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "in_time", self.by in TIMES or self.by == "hour-of-week")
        whose = {self.by, *self.narrowed}
        object.__setattr__(self, "has_places", not {"driver", "tariff"} & whose)

    @property
    def scope(self) -> tuple[str, str | None] | None:
        match [*self.narrowed.items()]:
            case []:
                return ("all" if self.in_time else self.by), None
            case [(name, key)] if self.in_time and (name in measures.HOURLY or not self.hourly):
                return name, key
        return None

    @property
    def hourly(self) -> bool:
        """Whether days are too coarse for its rows."""
        return self.by in ("hour", "hour-of-week")

    @property
    def keeps_hours(self) -> bool:
        """Whether the hours of each row are known, and so the highest of them."""
        return self.scope is None or (self.in_time and self.scope[0] in measures.HOURLY)


@dataclass(slots=True)
class Figures:
    """What is summed of one row: by currency; in its hours, where they are known; by EVSEs in service."""

    sums: dict[str, Sums] = field(default_factory=dict)
    hours: dict[int, int] = field(default_factory=dict)
    available_s: int = 0
    running: int = 0

    def add(self, currency: str, sums: Sums) -> None:
        known = self.sums.get(currency)
        self.sums[currency] = sums if known is None else measures.plus(known, sums)

    def add_hour(self, hour: int, energy_wh: int) -> None:
        self.hours[hour] = self.hours.get(hour, 0) + energy_wh


Table = dict[Key, Figures]


def take(table: Table, asked: Asked, span: Span, counted: Counted, *, running: bool = False) -> None:
    """What the span has of a session."""
    for hour, sums in measures.by_hour(counted).items():
        if not span.first <= hour < span.end:
            continue
        row = row_of(asked.by, hour) if asked.in_time else measures.key_of(counted, asked.by)
        figures = table.setdefault(row, Figures())
        figures.add(counted.currency, sums)
        figures.running += sums[0] if running else 0
        if asked.keeps_hours:
            figures.add_hour(hour, sums[ENERGY])


def together(rows: Iterable[Figures]) -> Figures:
    total = Figures()
    for figures in rows:
        total.running += figures.running
        for currency, sums in figures.sums.items():
            total.add(currency, sums)
        for hour, energy_wh in figures.hours.items():
            total.add_hour(hour, energy_wh)
    return total


# What was in service


def serve(
    asked: Asked,
    span: Span,
    by_zone: Mapping[str, Sequence[InService]],
    connectors: Mapping[tuple[str, int], Sequence[int]],
    table: Table,
) -> int:
    """Give each row the time in which EVSEs were in service, up to now; how long all were, in seconds."""
    total = 0
    for zone, rows in by_zone.items():
        where = measures.zone(zone)
        since, until = (min(instant(hour, where), asked.now) for hour in (span.first, span.end))
        if asked.in_time:
            total += _serve_times(asked, zone, (since, until), rows, table)
        else:
            total += _serve_places(asked, (since, until), rows, connectors, table)
    return total


def _serve_times(
    asked: Asked, zone: str, bounds: tuple[datetime, datetime], rows: Sequence[InService], table: Table
) -> int:
    so_far, last = _in_service_until(rows, asked.now), 0
    begun = last = so_far(bounds[0])
    for hour, end in _steps(asked, zone, bounds):
        reached = so_far(end)
        if reached > last:
            table.setdefault(row_of(asked.by, hour), Figures()).available_s += reached - last
        last = reached
    return last - begun


def _steps(asked: Asked, zone: str, bounds: tuple[datetime, datetime]) -> Iterator[tuple[int, datetime]]:
    """(Local hour, end) of the hours of a span; of its days where nobody asks for hours."""
    where, (since, until) = measures.zone(zone), bounds
    if asked.hourly:
        yield from ((hour, end) for hour, _, end in measures.pieces(since, until, where))
        return
    at = since
    while at < until:
        hour = measures.hour_of(at, where)
        at = min(instant((measures.day_of(hour) + 1) * 48, where), until)
        yield hour, at


def _in_service_until(rows: Iterable[InService], now: datetime) -> Callable[[datetime], int]:
    """How many seconds these EVSEs were in service, all together, up to an instant."""
    steps: dict[datetime, int] = {}
    for row in rows:
        until = min(row.until or now, now)
        if until > row.since:
            steps[row.since] = steps.get(row.since, 0) + 1
            steps[until] = steps.get(until, 0) - 1
    times = sorted(steps)
    counts = list(accumulate(steps[at] for at in times))
    spans = (later - at for at, later in pairwise(times))
    sums = [timedelta(), *accumulate(span * count for span, count in zip(spans, counts, strict=False))]

    def so_far(at: datetime) -> int:
        i = bisect_right(times, at) - 1
        return 0 if i < 0 else (sums[i] + (at - times[i]) * counts[i]) // timedelta(seconds=1)

    return so_far


def _serve_places(
    asked: Asked,
    bounds: tuple[datetime, datetime],
    rows: Iterable[InService],
    connectors: Mapping[tuple[str, int], Sequence[int]],
    table: Table,
) -> int:
    total, (since, until) = 0, bounds
    for row in rows:
        seconds = (min(row.until or asked.now, until) - max(row.since, since)) // timedelta(seconds=1)
        if seconds > 0:
            total += seconds
            for key in _keys(asked.by, row, connectors):
                table.setdefault(key, Figures()).available_s += seconds
    return total


def _keys(by: str, row: InService, connectors: Mapping[tuple[str, int], Sequence[int]]) -> Iterable[str]:
    """The rows of an EVSE: a connector has the time of its EVSE."""
    if by != "connector":
        return (row.site if by == "site" else row.station,)
    return [f"{row.station}/{row.evse}/{number}" for number in connectors.get((row.station, row.evse), (1,))]


# What is said


def report(
    asked: Asked,
    titles: Callable[[str], str],
    table: Table,
    total: Figures,
    before: tuple[Table, Figures] | None,
) -> UsageReport:
    where = measures.zone(asked.zone)
    usages = {key: _usage(asked, figures) for key, figures in table.items()}
    earlier = _earlier_rows(asked, list(usages), before[0]) if before is not None else {}
    keys = _ordered(asked, usages, earlier)
    nothing = _usage(asked, Figures())
    rows = tuple(
        UsageRow(
            *_named(asked, titles, key),
            usages.get(key, nothing),
            None if before is None else earlier.get(key, nothing),
        )
        for key in keys
    )
    return UsageReport(
        asked.by,
        instant(asked.span.first, where),
        instant(asked.span.end, where),
        asked.zone,
        rows,
        _usage(asked, total),
        None if before is None else _usage(asked, before[1]),
    )


def _earlier_rows(asked: Asked, keys: Sequence[Key], before: Table) -> dict[Key, Usage]:
    """The span before by the keys of this one: times by their place in the row, everything else by name."""
    usages = {key: _usage(asked, figures) for key, figures in sorted(before.items())}
    if asked.by in TIMES:
        return dict(zip(sorted(keys), usages.values(), strict=False))
    return usages


def _ordered(asked: Asked, usages: dict[Key, Usage], earlier: dict[Key, Usage]) -> list[Key]:
    if asked.in_time:
        return sorted(usages)
    keys = {**usages, **earlier}
    return sorted(keys, key=lambda key: (-usages[key].energy_wh if key in usages else 0, key))


def _usage(asked: Asked, figures: Figures) -> Usage:
    sessions, starts, failed, unpriced, energy_wh, connected_s, charging_s, _ = _all(figures.sums.values())
    available = figures.available_s if asked.has_places else None
    return Usage(
        sessions=sessions,
        energy_wh=energy_wh,
        revenue=_revenue(figures.sums) if asked.money else None,
        connected_s=connected_s,
        charging_s=charging_s,
        available_s=available,
        utilisation=round(connected_s / available, 6) if available else None,
        starts=starts,
        failed=failed,
        success=round((starts - failed) / starts, 6) if starts else None,
        peak_w=max(figures.hours.values(), default=None),
        unpriced=unpriced,
        running=figures.running,
    )


def _all(sums: Collection[Sums]) -> Sums:
    first, *others = sums or (NOTHING,)
    for each in others:
        first = measures.plus(first, each)
    return first


def _revenue(sums: dict[str, Sums]) -> tuple[Money, ...]:
    found = {currency: each[-1] for currency, each in sorted(sums.items()) if currency and each != NOTHING}
    return tuple(Money(ledger.major(minor, currency), currency) for currency, minor in found.items())


def _named(
    asked: Asked, titles: Callable[[str], str], key: Key
) -> tuple[str, str, datetime | None, datetime | None]:
    """Key, title, from and to of a row."""
    if isinstance(key, str):
        return key, titles(key), None, None
    return usagespans.written(asked.by, key, asked.span, asked.zone)
