"""How one looks at usage: by what, over which span, of whom, and in which picture; and how keys move that.

A span is the last so many days, or lies between two instants. Moving it is done by the wall clock of the
report's time zone, so that a day stays a day when the clocks are changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cms.contract.sessions import ListSessions
from cms.contract.usage import GROUPINGS, TIMES, ShowUsage, UsageReport, UsageRow
from tui.charts.measures import UPTIME, WORDS


@dataclass(frozen=True, slots=True)
class Span:
    """``last`` as ShowUsage takes it; ``by``: the grouping of time that suits it."""

    last: str
    title: str
    length: timedelta
    by: str


SPANS = (
    Span("24h", "last 24 hours", timedelta(hours=24), "hour"),
    Span("7d", "last 7 days", timedelta(days=7), "day"),
    Span("30d", "last 30 days", timedelta(days=30), "day"),
    Span("90d", "last 90 days", timedelta(days=90), "week"),
    Span("365d", "last 365 days", timedelta(days=365), "month"),
)
HEAT = "hour-of-week"
GROUPS = tuple(by for by in GROUPINGS if by != HEAT)
FITTING = {
    "hour": (timedelta(), timedelta(days=32)),
    "week": (timedelta(days=14), timedelta.max),
    "month": (timedelta(days=59), timedelta.max),
}
"""How long a span is that is looked at by this; by all else any is."""
SHOWN = ("both", "heat", "bars")
#: From a row of this grouping one looks into it by that one.
INTO = {
    "month": "day",
    "week": "day",
    "day": "hour",
    "site": "station",
    "driver": "day",
    "tariff": "day",
}


@dataclass(frozen=True, slots=True)
class Look:
    """``since`` and ``until`` where the span is not the last so many days; ``names``: whose usage, by kind."""

    by: str = "day"
    span: int | None = 1
    since: datetime | None = None
    until: datetime | None = None
    names: tuple[tuple[str, str, str], ...] = ()
    """(kind, key, title): site, station, driver, tariff."""
    inside: str = ""
    """What the span is called where it was opened as a row."""
    measure: str = "energy"
    compare: bool = False
    numbers: bool = False
    shown: str = "both"
    turned: bool = False

    @property
    def is_live(self) -> bool:
        """Whether the span ends now."""
        return self.until is None

    def within(self, kind: str) -> str | None:
        """The key of the site, station, driver or tariff that is looked at."""
        return next((key for name, key, _ in self.names if name == kind), None)


def request(look: Look, by: str | None = None) -> ShowUsage:
    """What the daemon is asked; always with the span before, for the change of the total."""
    live = look.is_live and look.span is not None
    return ShowUsage(
        by=by or look.by,
        since=None if live else look.since,
        until=None if live else look.until,
        last=SPANS[look.span].last if live and look.span is not None else None,
        site=look.within("site"),
        station=look.within("station"),
        driver=look.within("driver"),
        tariff=look.within("tariff"),
        compare=True,
    )


def series_by(report: UsageReport) -> str:
    """The grouping of time that suits a report's span."""
    length = report.until - report.since
    return next((span.by for span in SPANS if length <= span.length + timedelta(hours=2)), "month")


# ---- the span


def clock_of(zone: str) -> tzinfo:
    """The clock of a time zone; UTC where this machine does not know it, as the daemon's does."""
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def ending_now(span: Span, zone: str, now: datetime) -> tuple[datetime, datetime]:
    """The bounds of a live span before its report is there: until the end of the local day, or of the hour."""
    local = now.astimezone(clock_of(zone)).replace(minute=0, second=0, microsecond=0)
    hour, day = local + timedelta(hours=1), local.replace(hour=0) + timedelta(days=1)
    until = hour if span.by == "hour" else day
    return until - span.length, until


def moved(look: Look, report: UsageReport, by: int, now: datetime) -> Look:
    """One span earlier or later; what would reach into the future is the live span again, or stays."""
    since, until = shifted(report.since, report.until, report.time_zone, by)
    if since >= now:
        return look
    if until >= now and look.span is not None:
        return replace(look, since=None, until=None, inside="")
    return replace(look, since=since, until=until, inside="")


def shifted(since: datetime, until: datetime, zone: str, by: int) -> tuple[datetime, datetime]:
    """The span moved by its own length on the wall clock; whole months by as many months."""
    tz = clock_of(zone)
    begin, end = since.astimezone(tz).replace(tzinfo=None), until.astimezone(tz).replace(tzinfo=None)
    months = (end.year - begin.year) * 12 + end.month - begin.month
    if months and _begins_month(begin) and _begins_month(end):
        begin, end = _months_on(begin, months * by), _months_on(end, months * by)
    else:
        length = end - begin
        begin, end = begin + length * by, end + length * by
    return begin.replace(tzinfo=tz), end.replace(tzinfo=tz)


def _begins_month(at: datetime) -> bool:
    return (at.day, at.hour, at.minute) == (1, 0, 0)


def _months_on(at: datetime, count: int) -> datetime:
    year, month = divmod(at.year * 12 + at.month - 1 + count, 12)
    return at.replace(year=year, month=month + 1)


def resized(look: Look, report: UsageReport | None, by: int) -> Look:
    """The next longer or shorter span with the same end; grouping by time follows it."""
    if look.span is None:
        if report is None:
            return look
        length = report.until - report.since
        longer = [place for place, span in enumerate(SPANS) if span.length > length]
        shorter = [place for place, span in enumerate(SPANS) if span.length < length]
        place = (longer or [len(SPANS) - 1])[0] if by > 0 else (shorter or [0])[-1]
    else:
        place = max(0, min(look.span + by, len(SPANS) - 1))
    grouping = SPANS[place].by if look.by in TIMES else look.by
    until = look.until
    since = None if until is None else until - SPANS[place].length
    return replace(look, span=place, since=since, until=until, by=grouping, inside="")


# ---- the grouping, the measure, the picture


def regrouped(look: Look, report: UsageReport | None) -> Look:
    """By the next grouping that says something here."""
    length = report.until - report.since if report is not None else timedelta()
    anything = (timedelta(), timedelta.max)
    bounds = {by: FITTING.get(by, anything) for by in GROUPS}
    fitting = [by for by, (least, most) in bounds.items() if least <= length <= most]
    place = fitting.index(look.by) if look.by in fitting else -1
    measure = "energy" if look.measure == UPTIME else look.measure
    return replace(look, by=fitting[(place + 1) % len(fitting)], measure=measure)


def remeasured(look: Look) -> Look:
    """The next measure; uptime is looked at by station."""
    measure = WORDS[(WORDS.index(look.measure) + 1) % len(WORDS)]
    return replace(look, measure=measure, by="station" if measure == UPTIME else look.by)


def reshown(look: Look, *, narrow: bool) -> Look:
    """Bars and heat map, the heat map alone, the bars alone; a narrow terminal has room for one."""
    if narrow:
        return replace(look, shown="bars" if look.shown == "heat" else "heat")
    return replace(look, shown=SHOWN[(SHOWN.index(look.shown) + 1) % len(SHOWN)])


# ---- into a row


def opened(look: Look, report: UsageReport, row: UsageRow) -> Look | ListSessions | None:
    """What is inside a row: a finer look, the sessions of a station, or nothing that has a name."""
    if not row.key:
        return None
    if look.by == "hour":
        if look.within("tariff") is not None:
            return None  # sessions do not tell their tariff in a list
        return ListSessions(station=look.within("station"), since=row.since, until=row.until)
    if look.by in TIMES:
        return replace(look, by=INTO[look.by], span=None, since=row.since, until=row.until, inside=row.title)
    if look.by in ("station", "connector"):
        station = row.key.rsplit("/", 2)[0] if look.by == "connector" else row.key
        return ListSessions(station=station, since=report.since, until=report.until)
    kept = tuple(name for name in look.names if name[0] != look.by)
    finer = INTO[look.by]
    if finer in TIMES:
        finer = series_by(report)
    return replace(look, by=finer, names=(*kept, (look.by, row.key, row.title or row.key)))


# ---- in words


def whose(look: Look) -> str:
    """``all sites``, or what was opened: ``Garage ▸ Anna K.``."""
    return " ▸ ".join(title for _, _, title in look.names) or "all sites"


def spanned(look: Look, report: UsageReport | None) -> str:
    """The span in words: ``last 7 days``, what it was opened as, or its first and last day."""
    if look.inside:
        return look.inside
    if look.is_live and look.span is not None:
        return SPANS[look.span].title
    return days(report) if report is not None else ""


def local(report: UsageReport) -> tuple[datetime, datetime]:
    """The bounds of a report on its own clock."""
    tz = clock_of(report.time_zone)
    return report.since.astimezone(tz), report.until.astimezone(tz)


def dated(since: datetime, until: datetime) -> str:
    """The span in a file's name: ``2026-11-16-2026-11-22``."""
    last = until - timedelta(seconds=1)
    return f"{since:%Y-%m-%d}" if since.date() == last.date() else f"{since:%Y-%m-%d}-{last:%Y-%m-%d}"


def days(report: UsageReport) -> str:
    """The first and the last day of a report by its own clock: ``2026-11-16 to 2026-11-22``."""
    first, until = local(report)
    last = until - timedelta(seconds=1)
    if first.date() == last.date():
        return f"{first:%Y-%m-%d}"
    return f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
