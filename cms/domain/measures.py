"""What is counted of a session, and where: the measures of usage, defined once (docs/usage.md).

A session is counted when it is over: ``count`` makes its row, ``cells`` says to which sums it adds. A sum is of one
scope (all, a site, a station ...) in one span of local time (an hour, a day, a month), and whole: sums of rows are
sums of integers, so that in whatever order sessions are counted, taken back and counted again, the sums are the same.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from cms.domain.changes import Change
from cms.domain.record import record
from cms.domain.sessions import Session, SessionStatus

EPOCH = date(1970, 1, 1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE = datetime(1970, 1, 1)
_SECOND = 1_000_000
_HOUR = 3600 * _SECOND

#: Longer than any car stands: a clock was wrong, or a stop was lost. All of it counts when it ended, its time nowhere.
LONGEST = timedelta(days=60)

#: What of a row a sum is of. Hours are kept of the first two alone: of all stations there would be millions.
SCOPES = ("all", "site", "station", "connector", "driver", "tariff")
HOURLY = ("all", "site")
GRAINS = ("hour", "day", "month")

#: What is summed, in this order. ``revenue`` is in minor units of the cell's currency.
FIELDS = (
    "sessions",
    "starts",
    "failed",
    "unpriced",
    "energy_wh",
    "connected_s",
    "charging_s",
    "revenue",
)
Sums = tuple[int, int, int, int, int, int, int, int]
NOTHING: Sums = (0, 0, 0, 0, 0, 0, 0, 0)
#: (Scope, grain, local time as below, key, currency or nothing).
Cell = tuple[str, str, int, str, str]

#: One local hour of a session: (hour, Wh, seconds connected, seconds in which energy flowed).
Share = tuple[int, int, int, int]


@record
class Counted:
    """A session as it is counted. Texts are empty where there is none; ``revenue`` in minor units of ``currency``.

    ``site``, ``zone`` and ``driver`` are as its charge detail record has them, else as they were when it was counted.
    """

    session: str
    station: str
    evse: int | None
    connector: int | None
    site: str
    zone: str
    driver: str
    tariff: str
    started_at: datetime
    ended_at: datetime
    energy_wh: int
    starts: int
    failed: int
    unpriced: int
    currency: str
    revenue: int
    shares: tuple[Share, ...]

    @property
    def place(self) -> str:
        """Its connector, as reports call it."""
        return f"{self.station}/{self.evse or '-'}/{self.connector or '-'}"


@record
class InService:
    """When an EVSE was in service at a site; ``until`` null: it is."""

    station: str
    evse: int
    number: int
    site: str
    since: datetime
    until: datetime | None


@record
class CountSession(Change):
    """Write how a session is counted, instead of how it was."""

    counted: Counted


@record
class Uncount(Change):
    """A session that is no more counts nowhere."""

    session: str


@record
class AddToSums(Change):
    """Add to sums; take from them what is below nothing."""

    cells: Mapping[Cell, Sums]


@record
class Unmark(Change):
    """These sessions were counted as they stood when they were marked so."""

    marks: Sequence[tuple[str, int]]


@record
class SaveInService(Change):
    """Write when an EVSE was in service."""

    rows: Sequence[InService]


# Local time as whole numbers: they are compared, divided and stored.


@lru_cache(maxsize=1024)
def zone(name: str) -> tzinfo:
    """The zone of this IANA name."""
    return ZoneInfo(name)


def hour_of(at: datetime, where: tzinfo) -> int:
    """The local hour: hours of the wall clock since 1970, twice; odd in the hour that comes again in autumn."""
    local = at.astimezone(where)
    past = local.replace(tzinfo=None, fold=0) - _NAIVE
    return (past.days * 24 + past.seconds // 3600) * 2 + local.fold


def day_of(hour: int) -> int:
    """Days since 1970 of a local hour."""
    return hour // 48


def month_of(day: int) -> int:
    """The first day of its month."""
    return day - (EPOCH + timedelta(days=day)).day + 1


def week_of(day: int) -> int:
    """The Monday of its week; day 0 was a Thursday."""
    return day - (day + 3) % 7


def weekday_hour(hour: int) -> tuple[int, int]:
    """(0 is Monday, hour of the day)."""
    return (day_of(hour) + 3) % 7, hour // 2 % 24


def number(day: date) -> int:
    """Days since 1970."""
    return (day - EPOCH).days


def pieces(since: datetime, until: datetime, where: tzinfo) -> Iterator[tuple[int, datetime, datetime]]:
    """(Local hour, from, to) of a span: each ends with the hour of the wall clock, or where the clock is put."""
    at = since
    while at < until:
        local = at.astimezone(where)
        past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        end = min(at + timedelta(hours=1) - past, until)
        offset = local.utcoffset()
        if _offset(end - _TICK, where) != offset:
            end = _put(at, end, where)
        yield hour_of(at, where), at, end
        at = end


_TICK = timedelta(microseconds=1)


def _offset(at: datetime, where: tzinfo) -> timedelta | None:
    return at.astimezone(where).utcoffset()


def _put(at: datetime, end: datetime, where: tzinfo) -> datetime:
    """When the clock is put between two instants within an hour, to the second."""
    low, high, before = at, end, _offset(at, where)
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if _offset(middle, where) == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0) if high.replace(microsecond=0) > at else high


# How a session is shared out among hours.

#: A reading: (when, cumulative register in Wh, energy of the interval in Wh).
Read = tuple[datetime, int | None, int | None]


def curve(session: Session, end: datetime, readings: Iterable[Read]) -> list[tuple[datetime, int]]:
    """(When, Wh so far) from the session's start to its end: by its readings, and straight between them.

    A register that falls begins anew, as in domain.meters; readings never tell more than the session's energy.
    """
    start, most = session.started_at, session.energy_wh
    inside = [each for each in readings if start < each[0] < end]
    points = [(start, 0)]
    if any(register is not None for _, register, _ in inside):
        points += _by_register(session.meter_start_wh, inside, most)
    else:
        so_far = 0
        for at, _, interval in inside:
            if interval is not None:
                so_far = min(so_far + max(interval, 0), most)
                points.append((at, so_far))
    points.append((max(start, end), most))
    return points


def _by_register(first: int | None, inside: Sequence[Read], most: int) -> Iterator[tuple[datetime, int]]:
    so_far, last = 0, first
    for at, register, _ in inside:
        if register is None or (register == 0 and last):
            continue  # some firmwares send 0 while they cannot read the meter
        if last is not None and register > last:
            so_far = min(so_far + register - last, most)
        last = register
        yield at, so_far


def shares(points: Sequence[tuple[datetime, int]], where: tzinfo) -> tuple[Share, ...]:
    """What each local hour has of a session; the parts sum up to the whole exactly.

    Energy flows between two points where the second has more than the first.
    """
    start, end = points[0][0], points[-1][0]
    if end <= start:
        energy = points[-1][1]
        return ((hour_of(start, where), energy, 0, 0),)
    times = [(at - start) // _TICK for at, _ in points]
    flowing = [0]
    for i in range(1, len(points)):
        rises = points[i][1] > points[i - 1][1]
        flowing.append(flowing[-1] + (times[i] - times[i - 1] if rises else 0))
    energies = [wh for _, wh in points]
    found: list[Share] = []
    energy = connected = charging = 0
    for hour, _, upto in pieces(start, end, where):
        t = (upto - start) // _TICK
        i = bisect_right(times, t) - 1
        e, c, f = _between(times, energies, i, t), t // _SECOND, _between(times, flowing, i, t) // _SECOND
        share = (hour, e - energy, c - connected, f - charging)
        energy, connected, charging = e, c, f
        if found and found[-1][0] == hour:
            last = found.pop()
            share = (hour, last[1] + share[1], last[2] + share[2], last[3] + share[3])
        found.append(share)
    return tuple(found)


def _between(times: Sequence[int], values: Sequence[int], i: int, t: int) -> int:
    """The value at ``t``, straight between the points ``i`` and the one after, whole."""
    if i + 1 >= len(times):
        return values[-1]
    width = times[i + 1] - times[i]
    return values[i] + (values[i + 1] - values[i]) * (t - times[i]) // width if width else values[i + 1]


@record
class Standing:
    """Where a session is counted, and what it brought in."""

    site: str = ""
    zone: str = "UTC"
    driver: str = ""
    tariff: str = ""
    billed: tuple[int, str] | None = None
    """Minor units with taxes, currency: of the bill in force. None: it has no price, or its bill is held."""


def is_over(session: Session) -> bool:
    return session.status == SessionStatus.ENDED


def end_of(session: Session, now: datetime) -> datetime:
    """When it ended; of one that runs the present; of a suspect one when it was last heard of."""
    if session.ended_at is not None and is_over(session):
        return max(session.started_at, session.ended_at)
    if session.status == SessionStatus.SUSPECT:
        return max(session.started_at, session.last_sample_at or session.started_at)
    return max(session.started_at, now)


def count(session: Session, standing: Standing, readings: Iterable[Read], now: datetime) -> Counted:
    """The session as it is counted; one that runs as far as it came."""
    start, end, over = session.started_at, end_of(session, now), is_over(session)
    where = zone(standing.zone)
    if end - start > LONGEST:
        start = end
        parts: tuple[Share, ...] = ((hour_of(end, where), session.energy_wh, 0, 0),)
    else:
        parts = shares(curve(session, end, readings), where)
    delivered = session.energy_wh > 0
    revenue, currency = standing.billed or (0, "")
    return Counted(
        session=session.id,
        station=session.station,
        evse=session.evse,
        connector=session.connector,
        site=standing.site,
        zone=standing.zone,
        driver=standing.driver,
        tariff=standing.tariff,
        started_at=start,
        ended_at=end,
        energy_wh=session.energy_wh,
        starts=int(delivered or over),
        failed=int(over and not delivered),
        unpriced=int(over and standing.billed is None),
        currency=currency,
        revenue=revenue,
        shares=parts,
    )


def by_hour(counted: Counted) -> dict[int, Sums]:
    """What each local hour has of it: it began in its first hour, and brought in money in the one in which it ended."""
    where = zone(counted.zone)
    begun, ended = hour_of(counted.started_at, where), hour_of(counted.ended_at, where)
    found: dict[int, Sums] = {}
    first: Sums = (1, counted.starts, counted.failed, 0, 0, 0, 0, 0)
    last: Sums = (0, 0, 0, counted.unpriced, 0, 0, 0, counted.revenue)
    parts: list[tuple[int, Sums]] = [(begun, first), (ended, last)]
    parts += (
        (hour, (0, 0, 0, 0, wh, connected, charging, 0)) for hour, wh, connected, charging in counted.shares
    )
    for hour, part in parts:
        found[hour] = plus(found.get(hour, NOTHING), part)
    return found


def plus(one: Sums, other: Sums) -> Sums:
    a, b = one, other
    return (
        a[0] + b[0],
        a[1] + b[1],
        a[2] + b[2],
        a[3] + b[3],
        a[4] + b[4],
        a[5] + b[5],
        a[6] + b[6],
        a[7] + b[7],
    )


def times(sums: Sums, factor: int) -> Sums:
    a = sums
    return (
        a[0] * factor,
        a[1] * factor,
        a[2] * factor,
        a[3] * factor,
        a[4] * factor,
        a[5] * factor,
        a[6] * factor,
        a[7] * factor,
    )


def key_of(counted: Counted, scope: str) -> str:
    """Whose sum of a scope it adds to."""
    match scope:
        case "all":
            return ""
        case "connector":
            return counted.place
        case _:
            found: str = getattr(counted, scope)
            return found


def add(cells: dict[Cell, Sums], counted: Counted, factor: int = 1) -> None:
    """Add a session to the sums that it belongs to; with -1 take it back."""
    hours = {hour: times(sums, factor) for hour, sums in by_hour(counted).items()}
    days: dict[int, Sums] = {}
    for hour, sums in hours.items():
        days[day_of(hour)] = plus(days.get(day_of(hour), NOTHING), sums)
    months: dict[int, Sums] = {}
    for day, sums in days.items():
        months[month_of(day)] = plus(months.get(month_of(day), NOTHING), sums)
    for scope in SCOPES:
        key = key_of(counted, scope)
        for grain, parts in (("hour", hours), ("day", days), ("month", months)):
            if grain == "hour" and scope not in HOURLY:
                continue
            for at, sums in parts.items():
                cell = (scope, grain, at, key, counted.currency)
                cells[cell] = plus(cells.get(cell, NOTHING), sums)


def difference(before: Iterable[Counted], after: Iterable[Counted]) -> dict[Cell, Sums]:
    """What changes sums when these sessions are counted otherwise than before."""
    cells: dict[Cell, Sums] = {}
    for counted in before:
        add(cells, counted, -1)
    for counted in after:
        add(cells, counted)
    return {cell: sums for cell, sums in cells.items() if sums != NOTHING}
