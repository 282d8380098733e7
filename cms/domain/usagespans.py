"""Spans of local time in which usage is reported: from what somebody asks to the rows of a report."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo

from cms.contract.refusals import Invalid
from cms.contract.usage import ShowUsage
from cms.domain import measures
from cms.domain.measures import EPOCH
from cms.domain.record import record

_LONGEST_DAYS = 366 * 20
_LONGEST_HOURS = 366 * 24
_LAST = re.compile(r"([1-9][0-9]{0,4})\s*([hdwmy])", re.ASCII)
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

#: A row's key before it is written: a local hour, days since 1970, an hour of the week, or a name.
Key = int | tuple[int, int] | str


@record
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


def span_of(request: ShowUsage, zone: str, now: datetime) -> Span:
    where = measures.zone(zone)
    fine = request.by == "hour"
    begins = _first_of(request.since, request.since_day, where)
    ends = _first_of(request.until, request.until_day, where)
    if request.last is not None and (begins or ends):
        raise Invalid(
            "a span is either the last so many days, or from an instant to another", "leave one out"
        )
    until = _known(ends, now) if ends is not None else None
    end = _up(now, where, fine) if until is None else _up(until, where, fine)
    if begins is not None:
        first = measures.hour_of(_known(begins, now), where)
        first = first if fine else measures.day_of(first) * 48
    else:
        first = _back(end, request.last or "30d", fine)
    if first >= end:
        raise Invalid("the span ends before it begins")
    longest = _LONGEST_HOURS * 2 if fine else _LONGEST_DAYS * 48
    if end - first > longest:
        raise Invalid(f"the span is too long by {request.by}", "20 years; a year by hour")
    return Span(first, end)


def _first_of(at: datetime | None, day: date | None, where: tzinfo) -> datetime | None:
    """An instant that somebody named; or the beginning of a day on the report's clock."""
    if at is not None and day is not None:
        raise Invalid("a bound is either an instant or a day", "leave one out")
    return at if day is None else instant(measures.number(day) * 48, where)


def _known(at: datetime, now: datetime) -> datetime:
    if at.tzinfo is None:
        raise Invalid(f"{at:%Y-%m-%dT%H:%M} says no offset", "e.g. 2026-05-01T12:00:00Z")
    if not 1990 <= at.year <= now.year + 10:
        raise Invalid(f"there is no usage in {at.year}")
    return at.astimezone(UTC)


def _up(at: datetime, where: tzinfo, fine: bool) -> int:
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


def listed(by: str, zone: str, span: Span) -> Iterable[Key]:
    """Rows that are there whether or not anything happened."""
    first, end = span.days
    match by:
        case "hour":
            where = measures.zone(zone)
            since, until = (instant(hour, where) for hour in (span.first, span.end))
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


def instant(hour: int, where: tzinfo) -> datetime:
    """When a local hour begins."""
    day, rest = divmod(hour, 48)
    at = datetime(1970, 1, 1) + timedelta(days=day, hours=rest // 2)
    return at.replace(tzinfo=where, fold=rest % 2).astimezone(UTC)


def row_of(by: str, hour: int) -> Key:
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


def grains(first: int, end: int) -> Iterator[tuple[str, int, int]]:
    """Days up to a month's beginning, whole months, days after their end."""
    begin = first if measures.month_of(first) == first else following(first)
    last = measures.month_of(end)
    if begin >= last:
        yield "day", first, end
        return
    if first < begin:
        yield "day", first, begin
    yield "month", begin, last
    if last < end:
        yield "day", last, end


def following(day: int) -> int:
    """The first day of the month after."""
    return measures.month_of(measures.month_of(day) + 31)


def written(by: str, key: Key, span: Span, zone: str) -> tuple[str, str, datetime | None, datetime | None]:
    """Key, title, from and to of a row in time."""
    if isinstance(key, tuple):
        return f"{key[0]}-{key[1]}", f"{_WEEKDAYS[key[0]]} {key[1]:02}:00", None, None
    assert isinstance(key, int)
    where = measures.zone(zone)
    first = key if by == "hour" else key * 48
    since, until = max(first, span.first), min(_end_of(by, key, where), span.end)
    name, title = _times(by, instant(first, where).astimezone(where), key)
    return name, title, instant(since, where), instant(until, where)


def _end_of(by: str, key: int, where: tzinfo) -> int:
    """The local hour that follows a row in time."""
    match by:
        case "hour":  # in autumn one comes again
            return measures.hour_of(instant(key, where) + timedelta(hours=1), where)
        case "month":
            return following(key) * 48
        case _:
            return (key + (7 if by == "week" else 1)) * 48


def _times(by: str, at: datetime, key: int) -> tuple[str, str]:
    if by == "hour":
        return at.isoformat(timespec="minutes"), f"{at:%a %Y-%m-%d %H:00}"
    day = EPOCH + timedelta(days=key)
    if by == "day":
        return f"{day}", f"{day:%a %Y-%m-%d}"
    if by == "week":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02}", f"{year}-W{week:02}"
    return f"{day:%Y-%m}", f"{day:%b %Y}"
