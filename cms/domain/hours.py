"""Opening hours as OCPI 2.2.1 has them (8.4.14 Hours), and as people write them: ``mon-fri 06:00-22:00, sat 8-20``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from cms.contract.refusals import Invalid
from cms.contract.sites import Daily, Hours, Span

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALWAYS = "24/7"
#: No place has more; an importer that writes more has lost its way.
MOST = 200
_HINT = "e.g. 24/7, or mon-fri 06:00-22:00, sat 08:00-20:00; times are the site's"
_PART = re.compile(r"(?P<days>[a-z,\- ]+?)\s+(?P<begin>[\d:]+)\s*-\s*(?P<end>[\d:]+)", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2})(?::(\d\d))?", re.ASCII)


def open_at(hours: Hours | None, zone: ZoneInfo, now: datetime) -> bool:
    """Whether a place is open at an instant. Nothing said: it is. A closing overrides all else (OCPI 8.4.14).

    Regular hours are compared on the wall: an hour that happens twice is open twice.
    """
    if hours is None:
        return True
    if _within(hours.exceptional_closings, now):
        return False
    if hours.twentyfourseven or _within(hours.exceptional_openings, now):
        return True
    local = now.astimezone(zone)
    wall, weekday = f"{local:%H:%M}", local.isoweekday()
    return any(d.weekday == weekday and d.begin <= wall < d.end for d in hours.regular)


def _within(spans: Iterable[Span], now: datetime) -> bool:
    return any(span.begin <= now < span.end for span in spans)


def read(text: str) -> tuple[bool, tuple[Daily, ...]]:
    """What people write: whether it is always open, else the hours of each day; over midnight is two days."""
    said = text.strip().casefold()
    if said == ALWAYS:
        return True, ()
    found: list[Daily] = []
    at = 0
    while at < len(said):
        part = _PART.match(said, at)
        if part is None:
            raise Invalid(f"opening hours cannot be read from {said[at:][:40]!r}", _HINT)
        begin, end = _wall(part["begin"]), _wall(part["end"])
        for day in _weekdays(part["days"]):
            found.extend(_of_day(day, begin, end))
        at = part.end()
        at += len(said[at:]) - len(said[at:].lstrip(" ,;"))
    return False, tuple(sorted(set(found), key=lambda d: (d.weekday, d.begin)))


def _of_day(day: int, begin: str, end: str) -> Iterator[Daily]:
    if begin == end:
        raise Invalid(f"from {begin} to {end} is no time at all", "a whole day is 00:00-24:00")
    if begin < end:
        yield Daily(day, begin, end)
        return
    yield Daily(day, begin, "24:00")
    if end != "00:00":
        yield Daily(day % 7 + 1, "00:00", end)


def _wall(text: str) -> str:
    """``8`` and ``08:00`` are the same; ``24:00`` is the end of a day."""
    found = _CLOCK.fullmatch(text)
    hour, minute = (int(found[1]), int(found[2] or 0)) if found else (99, 0)
    if hour > 24 or minute > 59 or (hour == 24 and minute):
        raise Invalid(f"{text!r} is no time of day", _HINT)
    return f"{hour:02}:{minute:02}"


def _weekdays(text: str) -> Iterator[int]:
    """``mon-fri,sun`` -> 1 2 3 4 5 7; a range may go over Sunday."""
    for part in text.replace(",", " ").replace(" - ", "-").split():
        first, dash, last = part.partition("-")
        begin = _day(first)
        end = _day(last) if dash else begin
        yield from ((begin + step - 1) % 7 + 1 for step in range((end - begin) % 7 + 1))


def _day(name: str) -> int:
    if name[:3] not in DAYS:
        raise Invalid(f"{name!r} is no day of the week", _HINT)
    return DAYS.index(name[:3]) + 1


def read_span(text: str, zone: ZoneInfo) -> Span:
    """``2026-12-25`` (a whole day there), or ``BEGIN/END`` in ISO 8601, in the site's time where no zone is said."""
    first, slash, last = text.strip().partition("/")
    try:
        begin = _instant(first, zone)
        whole_day = begin.astimezone(zone).replace(hour=0, minute=0) + timedelta(days=1)  # wall arithmetic
        end = _instant(last, zone) if slash else whole_day.astimezone(ZoneInfo("UTC"))
    except ValueError as error:
        raise Invalid(f"{text!r} is no date and no BEGIN/END", "e.g. 2026-12-25") from error
    if end <= begin:
        raise Invalid(f"{text!r} ends before it begins")
    return Span(begin, end)


def _instant(text: str, zone: ZoneInfo) -> datetime:
    when = datetime.fromisoformat(text.strip())
    return (when if when.tzinfo else when.replace(tzinfo=zone)).astimezone(ZoneInfo("UTC"))


def told(hours: Hours | None) -> str | None:
    """Regular hours in one line, which ``read`` understands; None: nothing is said."""
    if hours is None:
        return None
    if hours.twentyfourseven:
        return ALWAYS
    by_day = {
        day: tuple((d.begin, d.end) for d in rows)
        for day, rows in groupby(hours.regular, key=lambda d: d.weekday)
    }
    parts: list[str] = []
    days = sorted(by_day)
    while days:
        first = last = days.pop(0)
        while days and days[0] == last + 1 and by_day[days[0]] == by_day[first]:
            last = days.pop(0)
        name = DAYS[first - 1] if first == last else f"{DAYS[first - 1]}-{DAYS[last - 1]}"
        parts.extend(f"{name} {begin}-{end}" for begin, end in by_day[first])
    return ", ".join(parts)


def check(hours: Hours) -> None:
    """What an importer hands in by fields is held to what people may write."""
    if max(len(hours.regular), len(hours.exceptional_openings), len(hours.exceptional_closings)) > MOST:
        raise Invalid(f"opening hours have at most {MOST} parts")
    for daily in hours.regular:
        begins = daily.begin == _wall(daily.begin) and daily.begin < "24:00"
        if not (1 <= daily.weekday <= 7 and begins and daily.end == _wall(daily.end)):
            raise Invalid(f"weekday {daily.weekday} {daily.begin}-{daily.end} is no time of a week", _HINT)
        if daily.end <= daily.begin:
            raise Invalid(f"weekday {daily.weekday}: {daily.end} is not after {daily.begin}", _HINT)
