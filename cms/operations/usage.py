"""Reports of usage: put together from the sums where they have what is asked, else from the sessions one by one."""

from __future__ import annotations

import asyncio
import re
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate, pairwise
from typing import Any

from cms.contract.refusals import Invalid, NotFound, Unreachable
from cms.contract.tariffs import Money
from cms.contract.usage import GROUPINGS, TIMES, ShowUsage, Usage, UsageReport, UsageRow
from cms.core import Actor, Core
from cms.domain import accounts, ledger, measures, sites, tariffs
from cms.domain.accounts import Account
from cms.domain.measures import EPOCH, NOTHING, Counted, InService, Standing, Sums
from cms.domain.sessions import Session
from cms.domain.tariffs import Registered
from cms.operations.drivers import find
from cms.operations.sites import registered
from cms.operations.usagesums import catch_up, site_of, standing_of, zone_of

#: Whoever asks waits so long for sessions that are not counted yet.
_PATIENCE_S = 15.0
_AT_ONCE = 1000
_LONGEST_DAYS = 366 * 20
_LONGEST_HOURS = 366 * 24
_REVENUE = "billing.read"
_LAST = re.compile(r"([1-9][0-9]{0,4})\s*([hdwmy])", re.ASCII)
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_NOBODY = {"site": "no site", "driver": "no driver", "tariff": "no tariff"}


@dataclass(frozen=True, slots=True)
class Span:
    """Local hours (domain.measures) from ``first`` to before ``end``."""

    first: int
    end: int

    @property
    def days(self) -> tuple[int, int]:
        return measures.day_of(self.first), measures.day_of(self.end - 1) + 1

    @property
    def before(self) -> Span:
        """The span before it, as long."""
        return Span(2 * self.first - self.end, self.first)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request made ready. ``scope``: whose sums have all of it; None: no sums have."""

    by: str
    zone: str
    span: Span
    narrowed: dict[str, str]
    money: bool
    now: datetime

    @property
    def scope(self) -> tuple[str, str | None] | None:
        match [*self.narrowed.items()]:
            case []:
                return ("all" if self.in_time else self.by), None
            case [(name, key)] if self.in_time and (name in measures.HOURLY or not self.hourly):
                return name, key
        return None

    @property
    def in_time(self) -> bool:
        """Whether its rows are spans of time."""
        return self.by in TIMES or self.by == "hour-of-week"

    @property
    def hourly(self) -> bool:
        """Whether days are too coarse for its rows."""
        return self.by in ("hour", "hour-of-week")

    @property
    def keeps_hours(self) -> bool:
        """Whether the hours of each row are known, and so the highest of them."""
        return self.scope is None or (self.in_time and self.scope[0] in measures.HOURLY)

    @property
    def has_places(self) -> bool:
        """Whether EVSEs belong to the rows: drivers and tariffs have none."""
        return self.by not in ("driver", "tariff") and not {"driver", "tariff"} & set(self.narrowed)


@dataclass(slots=True)
class _Figures:
    """What is summed of one row: by currency; in its hours, where they are known; by EVSEs in service."""

    sums: dict[str, Sums] = field(default_factory=dict)
    hours: dict[int, int] = field(default_factory=dict)
    available_s: int = 0
    running: int = 0

    def add(self, currency: str, sums: Sums) -> None:
        self.sums[currency] = measures.plus(self.sums.get(currency, NOTHING), sums)

    def add_hour(self, hour: int, energy_wh: int) -> None:
        self.hours[hour] = self.hours.get(hour, 0) + energy_wh


#: A row's key before it is written: a local hour, days since 1970, an hour of the week, or a name.
_Key = Any
_Table = dict[_Key, _Figures]


async def show(core: Core, request: ShowUsage, actor: Actor) -> UsageReport:
    asked = _asked(core, request, _REVENUE in actor.permissions)
    if left := await catch_up(core, _PATIENCE_S):
        raise Unreachable(
            f"{left} sessions are still to be counted", "it goes on by itself: ask again in a minute"
        )
    table, total = await _table(core, asked, asked.span)
    if not request.compare:
        return _report(core, asked, table, total, None)
    return _report(core, asked, table, total, await _table(core, asked, asked.span.before))


# What is asked


def _asked(core: Core, request: ShowUsage, money: bool) -> _Asked:
    if request.by not in GROUPINGS:
        raise Invalid(f"usage is not counted by {request.by[:40]!r}", f"by: {', '.join(GROUPINGS)}")
    narrowed = _narrowed(core, request)
    zone = _zone(core, narrowed)
    now = core.clock.now()
    return _Asked(request.by, zone, _span(request, zone, now), narrowed, money, now)


def _narrowed(core: Core, request: ShowUsage) -> dict[str, str]:
    """What it is narrowed to, each as it is registered. Raises NotFound."""
    known: dict[str, Callable[[str], str]] = {
        "site": lambda name: registered(core, name).id,
        "station": lambda name: core.lane(name).state.station.id,
        "driver": lambda name: find(core, name).id,
        "tariff": lambda name: _tariff(core, name),
    }
    given = {name: getattr(request, name) for name in known}
    return {name: known[name](value) for name, value in given.items() if value is not None}


def _tariff(core: Core, name: str) -> str:
    known: dict[str, Registered] = core.kept.get(tariffs.TARIFF, {})
    if name in known:
        return known[name].name
    if all(version.name != name for version in known.values()):
        raise NotFound(f"there is no tariff {name}", "see `cms tariffs list`")
    return name


def _zone(core: Core, narrowed: dict[str, str]) -> str:
    """Whose clock the span is meant on."""
    if "site" in narrowed:
        return registered(core, narrowed["site"]).time_zone
    return zone_of(core, site_of(core, narrowed["station"]) if "station" in narrowed else None)


def _span(request: ShowUsage, zone: str, now: datetime) -> Span:
    where = measures.zone(zone)
    fine = request.by == "hour"
    if request.last is not None and (request.since or request.until):
        raise Invalid(
            "a span is either the last so many days, or from an instant to another", "leave one out"
        )
    until = _local(request.until, now, where) if request.until is not None else None
    end = _up(now, where, fine) if until is None else _up(until, where, fine)
    if request.since is not None:
        since = _local(request.since, now, where)
        first = measures.hour_of(since, where)
        first = first if fine else measures.day_of(first) * 48
    else:
        first = _back(end, request.last or "30d", fine)
    if first >= end:
        raise Invalid("the span ends before it begins")
    longest = _LONGEST_HOURS * 2 if fine else _LONGEST_DAYS * 48
    if end - first > longest:
        raise Invalid(f"the span is too long by {request.by}", "20 years; a year by hour")
    return Span(first, end)


def _local(at: datetime, now: datetime, where: Any) -> datetime:
    """An instant that somebody named; without an offset it is meant on the clock of the report."""
    aware = at.replace(tzinfo=where) if at.tzinfo is None else at
    if not 1990 <= aware.year <= now.year + 10:
        raise Invalid(f"there is no usage in {aware.year}")
    return aware.astimezone(UTC)


def _up(at: datetime, where: Any, fine: bool) -> int:
    """The first hour (or day) that begins no earlier than this instant."""
    last = measures.hour_of(at - timedelta(microseconds=1), where)
    return (last // 2 + 1) * 2 if fine else (measures.day_of(last) + 1) * 48


def _back(end: int, last: str, fine: bool) -> int:
    """Where a span begins that ends there and is so long."""
    found = _LAST.fullmatch(last.strip().lower())
    if found is None:
        raise Invalid(f"{last[:20]!r} is no length of time", "e.g. 24h, 30d, 4w, 12m (months), 1y")
    count, unit = int(found[1]), found[2]
    if unit == "h":
        first = end - 2 * count
        return first if fine else first // 48 * 48
    days = {"d": count, "w": 7 * count}
    if unit in days:
        return end - 48 * days[unit]
    months = count * (12 if unit == "y" else 1)
    whole, rest = divmod(end, 48)
    return _earlier(whole, months) * 48 + rest


def _earlier(day: int, months: int) -> int:
    """The same day so many months before, or the last of that month."""
    at = EPOCH + timedelta(days=day)
    year, month = divmod(at.year * 12 + at.month - 1 - months, 12)
    if year < 1970:
        raise Invalid("there was no usage before 1970")
    following = date(year + month // 11, (month + 1) % 12 + 1, 1)
    return measures.number(date(year, month + 1, min(at.day, (following - timedelta(days=1)).day)))


# What is found


async def _table(core: Core, asked: _Asked, span: Span) -> tuple[_Table, _Figures]:
    """The rows of a span by their keys, and all of it."""
    table: _Table = {key: _Figures() for key in _listed(asked, span)}
    if asked.scope is not None:
        await _from_sums(core, asked, span, asked.scope, table)
    else:
        async for counted in _sessions(core, asked, span):
            _take(table, asked, span, counted)
    running = await _running(core, asked)
    for counted in running:
        _take(table, asked, span, counted, running=True)
    total = _together(table.values())
    if not asked.keeps_hours and not asked.narrowed:
        total.hours = await _hours(core, span, running)
    if asked.has_places:
        total.available_s = await _serve(core, asked, span, table)
    return table, total


def _listed(asked: _Asked, span: Span) -> Iterable[_Key]:
    """Rows that are there whether or not anything happened."""
    first, end = span.days
    match asked.by:
        case "hour":
            where = measures.zone(asked.zone)
            since, until = (_instant(hour, where) for hour in (span.first, span.end))
            return dict.fromkeys(hour for hour, _, _ in measures.pieces(since, until, where))
        case "day":
            return range(first, end)
        case "week":
            return range(measures.week_of(first), end, 7)
        case "month":
            return dict.fromkeys(map(measures.month_of, range(first, end)))
        case "hour-of-week":
            return [(day, hour) for day in range(7) for hour in range(24)]
    return ()


def _instant(hour: int, where: Any) -> datetime:
    """When a local hour begins."""
    day, rest = divmod(hour, 48)
    at = datetime(1970, 1, 1) + timedelta(days=day, hours=rest // 2)
    return at.replace(tzinfo=where, fold=rest % 2).astimezone(UTC)


def _row_of(by: str, hour: int) -> _Key:
    """The row in time to which an hour belongs."""
    match by:
        case "hour":
            return hour
        case "day":
            return measures.day_of(hour)
        case "week":
            return measures.week_of(measures.day_of(hour))
        case "month":
            return measures.month_of(measures.day_of(hour))
    return measures.weekday_hour(hour)


async def _from_sums(
    core: Core, asked: _Asked, span: Span, scope: tuple[str, str | None], table: _Table
) -> None:
    usage, (name, key) = core.store.usage, scope
    if not asked.in_time:
        for grain, since, until in _grains(*span.days):
            for row, currency, sums in await usage.sums(name, grain, since, until, by_key=True):
                if sums != NOTHING:
                    table.setdefault(row, _Figures()).add(currency, sums)
        return
    if name in measures.HOURLY:
        for hour, currency, sums in await usage.sums(name, "hour", span.first, span.end, key=key):
            assert isinstance(hour, int)
            figures = table.setdefault(_row_of(asked.by, hour), _Figures())
            figures.add(currency, sums)
            figures.add_hour(hour, sums[_ENERGY])
        return
    for day, currency, sums in await usage.sums(name, "day", *span.days, key=key):
        assert isinstance(day, int)
        table.setdefault(_row_of(asked.by, day * 48), _Figures()).add(currency, sums)


_ENERGY = measures.FIELDS.index("energy_wh")


def _grains(first: int, end: int) -> Iterator[tuple[str, int, int]]:
    """Days up to a month's beginning, whole months, days after their end."""
    begin = first if measures.month_of(first) == first else _following(first)
    last = measures.month_of(end)
    if begin >= last:
        yield "day", first, end
        return
    if first < begin:
        yield "day", first, begin
    yield "month", begin, last
    if last < end:
        yield "day", last, end


def _following(day: int) -> int:
    """The first day of the month after."""
    return measures.month_of(measures.month_of(day) + 31)


async def _hours(core: Core, span: Span, running: Iterable[Counted]) -> dict[int, int]:
    """Wh in each hour, of everything."""
    all_ = _Figures()
    for hour, _, sums in await core.store.usage.sums("all", "hour", span.first, span.end):
        assert isinstance(hour, int)
        all_.add_hour(hour, sums[_ENERGY])
    for hour, energy_wh in ((share[0], share[1]) for counted in running for share in counted.shares):
        if span.first <= hour < span.end:
            all_.add_hour(hour, energy_wh)
    return all_.hours


async def _sessions(core: Core, asked: _Asked, span: Span) -> AsyncIterator[Counted]:
    """Sessions of the span one by one; stations have their turn in between."""
    # No zone is further from UTC than a day.
    since, until = (_instant(hour, UTC) for hour in (span.first - 48, span.end + 48))
    after: tuple[datetime, str] | None = None
    while True:
        found = await core.store.usage.overlapping(
            since,
            until,
            after=after,
            limit=_AT_ONCE,
            **asked.narrowed,
        )
        for counted in found:
            yield counted
        if len(found) < _AT_ONCE or found[-1].ended_at > until + measures.LONGEST:
            return
        after = found[-1].ended_at, found[-1].session
        await asyncio.sleep(0)


async def _running(core: Core, asked: _Asked) -> list[Counted]:
    """Sessions that are not over, as far as they came. Readings are asked for where rows cut one."""
    found = []
    for session, standing in _open_sessions(core):
        counted = measures.count(session, standing, (), asked.now)
        if all(getattr(counted, name) == key for name, key in asked.narrowed.items()):
            found.append((session, standing, counted))
    cut = [session for session, _, counted in found if session.energy_wh and _cut(asked, counted)]
    readings = await core.store.usage.readings(cut)
    return [
        measures.count(session, standing, readings[session.id], asked.now)
        if session.id in readings
        else counted
        for session, standing, counted in found
    ]


def _open_sessions(core: Core) -> list[tuple[Session, Standing]]:
    """Each with where it counts, and the tariff that holds for it now."""
    found = []
    for lane in core.lanes.values():
        for session in lane.state.sessions.values():
            account: Account | None = lane.state.kept_of(accounts.KIND).get(session.id)
            tariff = account.tariff if account is not None else None
            found.append((session, standing_of(core, session, tariff=tariff)))
    return found


def _cut(asked: _Asked, counted: Counted) -> bool:
    hours = {share[0] for share in counted.shares}
    return len(hours if asked.hourly else set(map(measures.day_of, hours))) > 1


def _take(table: _Table, asked: _Asked, span: Span, counted: Counted, *, running: bool = False) -> None:
    """What the span has of a session."""
    for hour, sums in measures.by_hour(counted).items():
        if not span.first <= hour < span.end:
            continue
        row = _row_of(asked.by, hour) if asked.in_time else measures.key_of(counted, asked.by)
        figures = table.setdefault(row, _Figures())
        figures.add(counted.currency, sums)
        figures.running += sums[0] if running else 0
        if asked.keeps_hours:
            figures.add_hour(hour, sums[_ENERGY])


def _together(rows: Iterable[_Figures]) -> _Figures:
    total = _Figures()
    for figures in rows:
        total.running += figures.running
        for currency, sums in figures.sums.items():
            total.add(currency, sums)
        for hour, energy_wh in figures.hours.items():
            total.add_hour(hour, energy_wh)
    return total


# What was in service


async def _serve(core: Core, asked: _Asked, span: Span, table: _Table) -> int:
    """Give each row the time in which EVSEs were in service, up to now; how long all were."""
    by_zone: dict[str, list[InService]] = {}
    for row in await core.store.usage.in_service():
        if all(getattr(row, name) == key for name, key in asked.narrowed.items()):
            site = sites.of(core.kept.get(sites.KIND, {}), row.site)
            by_zone.setdefault(zone_of(core, site), []).append(row)
    total = 0
    for zone, rows in by_zone.items():
        where = measures.zone(zone)
        since, until = (min(_instant(hour, where), asked.now) for hour in (span.first, span.end))
        if asked.in_time:
            total += _serve_times(asked, zone, (since, until), rows, table)
        else:
            total += _serve_places(core, asked, (since, until), rows, table)
    return total


def _serve_times(
    asked: _Asked, zone: str, bounds: tuple[datetime, datetime], rows: Sequence[InService], table: _Table
) -> int:
    so_far, last = _in_service_until(rows, asked.now), 0
    begun = last = so_far(bounds[0])
    for hour, end in _steps(asked, zone, bounds):
        reached = so_far(end)
        if reached > last:
            table.setdefault(_row_of(asked.by, hour), _Figures()).available_s += reached - last
        last = reached
    return last - begun


def _steps(asked: _Asked, zone: str, bounds: tuple[datetime, datetime]) -> Iterator[tuple[int, datetime]]:
    """(Local hour, end) of the hours of a span; of its days where nobody asks for hours."""
    where, (since, until) = measures.zone(zone), bounds
    if asked.hourly:
        yield from ((hour, end) for hour, _, end in measures.pieces(since, until, where))
        return
    at = since
    while at < until:
        hour = measures.hour_of(at, where)
        at = min(_instant((measures.day_of(hour) + 1) * 48, where), until)
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
    core: Core, asked: _Asked, bounds: tuple[datetime, datetime], rows: Iterable[InService], table: _Table
) -> int:
    total, (since, until) = 0, bounds
    for row in rows:
        seconds = (min(row.until or asked.now, until) - max(row.since, since)) // timedelta(seconds=1)
        if seconds > 0:
            total += seconds
            for key in _keys(core, asked.by, row, table):
                table.setdefault(key, _Figures()).available_s += seconds
    return total


def _keys(core: Core, by: str, row: InService, table: _Table) -> Iterable[str]:
    """The rows of an EVSE: a connector has the time of its EVSE."""
    if by != "connector":
        return (row.site if by == "site" else row.station,)
    begins = f"{row.station}/{row.evse}/"
    lane = core.lanes.get(row.station.casefold())
    known = (
        [f"{begins}{number}" for evse, number in lane.state.connectors if evse == row.evse] if lane else []
    )
    return known or (f"{begins}1",)


# What is said


def _report(
    core: Core, asked: _Asked, table: _Table, total: _Figures, before: tuple[_Table, _Figures] | None
) -> UsageReport:
    where = measures.zone(asked.zone)
    usages = {key: _usage(asked, figures) for key, figures in table.items()}
    earlier = _earlier_rows(asked, list(usages), before[0]) if before is not None else {}
    keys = _ordered(asked, usages, earlier)
    nothing = _usage(asked, _Figures())
    rows = tuple(
        UsageRow(
            *_named(core, asked, key),
            usages.get(key, nothing),
            None if before is None else earlier.get(key, nothing),
        )
        for key in keys
    )
    return UsageReport(
        asked.by,
        _instant(asked.span.first, where),
        _instant(asked.span.end, where),
        asked.zone,
        rows,
        _usage(asked, total),
        None if before is None else _usage(asked, before[1]),
    )


def _earlier_rows(asked: _Asked, keys: Sequence[_Key], before: _Table) -> dict[_Key, Usage]:
    """The span before by the keys of this one: times by their place in the row, everything else by name."""
    usages = {key: _usage(asked, figures) for key, figures in sorted(before.items())}
    if asked.by in TIMES:
        return dict(zip(sorted(keys), usages.values(), strict=False))
    return usages


def _ordered(asked: _Asked, usages: dict[_Key, Usage], earlier: dict[_Key, Usage]) -> list[_Key]:
    if asked.in_time:
        return sorted(usages)
    keys = {**usages, **earlier}
    return sorted(keys, key=lambda key: (-usages[key].energy_wh if key in usages else 0, key))


def _usage(asked: _Asked, figures: _Figures) -> Usage:
    s = dict(zip(measures.FIELDS, _all(figures.sums.values()), strict=True))
    available = figures.available_s if asked.has_places else None
    succeeded = s["starts"] - s["failed"]
    return Usage(
        sessions=s["sessions"],
        energy_wh=s["energy_wh"],
        revenue=_revenue(figures.sums) if asked.money else None,
        connected_s=s["connected_s"],
        charging_s=s["charging_s"],
        available_s=available,
        utilisation=round(s["connected_s"] / available, 6) if available else None,
        starts=s["starts"],
        failed=s["failed"],
        success=round(succeeded / s["starts"], 6) if s["starts"] else None,
        peak_w=max(figures.hours.values(), default=None),
        unpriced=s["unpriced"],
        running=figures.running,
    )


def _all(sums: Iterable[Sums]) -> Sums:
    found = NOTHING
    for each in sums:
        found = measures.plus(found, each)
    return found


def _revenue(sums: dict[str, Sums]) -> tuple[Money, ...]:
    found = {currency: each[-1] for currency, each in sorted(sums.items()) if currency and each != NOTHING}
    return tuple(Money(ledger.major(minor, currency), currency) for currency, minor in found.items())


def _named(core: Core, asked: _Asked, key: _Key) -> tuple[str, str, datetime | None, datetime | None]:
    """Key, title, from and to of a row."""
    if asked.by == "hour-of-week":
        return f"{key[0]}-{key[1]}", f"{_WEEKDAYS[key[0]]} {key[1]:02}:00", None, None
    if asked.by not in TIMES:
        return key, _title(core, asked.by, key), None, None
    where = measures.zone(asked.zone)
    first = key if asked.by == "hour" else key * 48
    end = _end_of(asked.by, key, where)
    at = _instant(first, where)
    since = max(first, asked.span.first)
    until = min(end, asked.span.end)
    written, title = _times(asked.by, at.astimezone(where), key)
    return written, title, _instant(since, where), _instant(until, where)


def _end_of(by: str, key: int, where: Any) -> int:
    """The local hour that follows a row in time."""
    match by:
        case "hour":  # in autumn one comes again
            return measures.hour_of(_instant(key, where) + timedelta(hours=1), where)
        case "month":
            return _following(key) * 48
        case _:
            return (key + (7 if by == "week" else 1)) * 48


def _times(by: str, at: datetime, key: _Key) -> tuple[str, str]:
    if by == "hour":
        return at.isoformat(timespec="minutes"), f"{at:%a %Y-%m-%d %H:00}"
    day = EPOCH + timedelta(days=key)
    if by == "day":
        return f"{day}", f"{day:%a %Y-%m-%d}"
    if by == "week":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02}", f"{year}-W{week:02}"
    return f"{day:%Y-%m}", f"{day:%b %Y}"


def _title(core: Core, by: str, key: str) -> str:
    if not key:
        return _NOBODY.get(by, "none")
    if by == "site":
        site = sites.of(core.kept.get(sites.KIND, {}), key)
        return (site.name if site is not None else "") or key
    if by == "connector":
        station, evse, connector = key.rsplit("/", 2)
        return f"{station} EVSE {evse} connector {connector}"
    return key
