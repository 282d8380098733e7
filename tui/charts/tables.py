"""The rows of a usage report as cells: bars, figures, strips of links, hours of a week; totals and quality in lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from rich.cells import cell_len

from cms.contract.usage import Usage, UsageReport, UsageRow
from tui.charts.heat import DAYS, Grid
from tui.charts.looks import Look
from tui.charts.measures import MEASURES, Measure, Scale, change, currency_of
from tui.charts.uptime import LEGEND, Uptime, strip_of
from tui.widgets.live_table import Column
from tui.widgets.paint import Line, Span, clean
from tui.widgets.sparkline import bar, spark
from tui.words import NONE

NAMES = (6, 24)
"""The least and the most cells for what a row is called."""
HOURS = (Column("Hour", 5), *(Column(day, 4, right=True, most=10) for day in DAYS))
_KWH, _KW, _PERCENT = Scale(1e3, "kWh", 1), Scale(1e3, "kW", 1), Scale(0.01, "%", 1)
_HOURS = Scale(3600, "h", 1)
_COUNT = Scale()
_YEAR = re.compile(r"\b[0-9]{4}-(?=[0-9]{2}-[0-9]{2})")


def _named(titles: Sequence[str], heading: str) -> Column:
    longest = max((cell_len(clean(title)) for title in titles), default=0)
    return Column(heading.capitalize(), min(NAMES[1], max(NAMES[0], longest, len(heading))))


def title_of(row: UsageRow, by: str) -> str:
    """What people call a row; days without their year, and one that belongs nowhere says so."""
    title = row.title or row.key or f"no {by}"
    return _YEAR.sub("", title) if by in ("day", "hour") else title


# ---- bars and figures


def columns(look: Look, rows: Sequence[UsageRow], measure: Measure, scale: Scale) -> list[Column]:
    """For the bars, or for all figures."""
    name = _named([title_of(row, look.by) for row in rows], look.by)
    compared = [Column("Before", 9, right=True), Column("Change", 8, right=True)] if look.compare else []
    if look.numbers:
        return [name, *(column for column, _ in _FIGURES), *compared]
    return [name, Column(scale.unit or measure.heading, 9, right=True), Column("", 4, grow=True), *compared]


def bar_cells(
    row: UsageRow, look: Look, measure: Measure, scale: Scale, currency: str, peak: float, room: int
) -> list[Span]:
    """One bar: what it is of, its figure, the bar, and what was before."""
    value = measure.value(row.usage, currency)
    drawn = bar(round((value or 0.0) * 1000), round(peak * 1000), room)
    cells: list[Span] = [title_of(row, look.by), scale.figure(value), (drawn, "busy")]
    return [*cells, *_compared(row, look, measure, scale, currency)]


def number_cells(row: UsageRow, look: Look, measure: Measure, scale: Scale, currency: str) -> list[Span]:
    """All figures of a row."""
    cells: list[Span] = [title_of(row, look.by)]
    cells += [show(row.usage, currency) for _, show in _FIGURES]
    return [*cells, *_compared(row, look, measure, scale, currency)]


def _compared(row: UsageRow, look: Look, measure: Measure, scale: Scale, currency: str) -> list[Span]:
    if not look.compare:
        return []
    now = measure.value(row.usage, currency)
    before = measure.value(row.before, currency) if row.before is not None else None
    return [(scale.figure(before), "dim"), change(now, before, share=measure.share)]


def _money(usage: Usage, _: str) -> str:
    """All currencies; a dot where nobody may read it or nothing was taken."""
    return " + ".join(f"{money.amount:,.2f} {money.currency}" for money in usage.revenue or ()) or NONE


_FIGURES: tuple[tuple[Column, Callable[[Usage, str], str]], ...] = (
    (Column("Sessions", 8, right=True), lambda usage, _: f"{usage.sessions:,}"),
    (Column("kWh", 10, right=True), lambda usage, _: _KWH.figure(usage.energy_wh)),
    (Column("Revenue", 13, right=True, drop=1, most=20), _money),
    (Column("Success", 7, right=True, drop=2), lambda usage, _: _PERCENT.figure(usage.success)),
    (Column("Failed", 6, right=True, drop=6), lambda usage, _: f"{usage.failed:,}"),
    (Column("Used %", 6, right=True, drop=3), lambda usage, _: _PERCENT.figure(usage.utilisation)),
    (Column("Peak kW", 8, right=True, drop=4), lambda usage, _: _KW.figure(usage.peak_w)),
    (Column("Plugged h", 9, right=True, drop=7), lambda usage, _: _HOURS.figure(usage.connected_s)),
    (Column("Charging h", 10, right=True, drop=8), lambda usage, _: _HOURS.figure(usage.charging_s)),
    (Column("Unpriced", 8, right=True, drop=9), lambda usage, _: f"{usage.unpriced:,}"),
)


# ---- links


def link_columns(known: Mapping[str, Uptime], *, numbers: bool) -> list[Column]:
    """Strips of links, or how long they held and how often they broke."""
    name = _named(list(known), "station")
    share = Column("Uptime %", 8, right=True)
    if not numbers:
        return [name, share, Column("", 8, grow=True)]
    return [
        name,
        share,
        Column("Breaks", 6, right=True),
        Column("Connected h", 11, right=True),
        Column("Known h", 8, right=True),
    ]


def link_cells(key: str, known: Uptime, room: int, *, numbers: bool) -> list[Span]:
    """One station's link."""
    share = NONE if known.share is None else f"{known.share * 100:.2f}"
    if numbers:
        hours = (_HOURS.figure(known.connected_s), _HOURS.figure(known.known_s))
        return [key, share, f"{known.breaks:,}", *hours]
    text = "".join(sign for sign, _ in strip_of(known))
    # The strip has a cell for each place of the widest terminal that was there when it was made.
    fitting = text if len(text) <= room else "".join(text[place * len(text) // room] for place in range(room))
    tones = {tone for _, tone in strip_of(known)}
    return [key, share, (fitting, next(tone for tone in ("bad", "warn", "good", "dim") if tone in tones))]


def links_total(known: Mapping[str, Uptime], data_to: str) -> Line:
    """The mean of the links, and what the signs of their strips mean."""
    shares = [each.share for each in known.values() if each.share is not None]
    mean = f"{sum(shares) / len(shares) * 100:.2f} %" if shares else NONE
    return (f" Mean {mean}", (f" · {LEGEND} · {data_to}", "dim"))


# ---- the week in figures


def hour_rows(grid: Grid, scale: Scale) -> dict[str, list[Span]]:
    """24 rows of an hour and its seven days."""
    return {
        str(hour): [f"{hour:02}-{hour + 1:02}", *(scale.figure(day[hour]) for day in grid)]
        for hour in range(24)
    }


# ---- lines


def total(report: UsageReport, measure: Measure, data_to: str) -> Line:
    """The whole of a report: its figure, its change, and what else is to know of it; short without ``data_to``."""
    currency = currency_of(report)
    value = measure.value(report.total, currency)
    before = measure.value(report.before, currency) if report.before is not None else None
    scale = measure.scale([value], currency)
    told = scale.told(value)
    if measure.word == "revenue" and report.total.revenue is None:
        told = "revenue is not yours to read"
    spans: list[Span] = [" Total ", (told, "strong")]
    others = [money for money in report.total.revenue or () if money.currency != currency]
    if measure.word == "revenue" and others:
        spans.append("".join(f" + {money.amount:,.2f} {money.currency}" for money in others))
    moved = change(value, before, share=measure.share)
    against = " against the span before" if data_to else ""
    if moved == "new":
        spans.append("  nothing in the span before")
    elif moved != NONE:
        spans.append(f"  {moved}{against}")
    if measure.word == "revenue" and report.total.unpriced:
        spans.append((f" · {report.total.unpriced:,} without a price", "warn"))
    if report.total.running:
        spans.append(f" · {report.total.running:,} running")
    return (*spans, (f" · {data_to} · {report.time_zone}", "dim")) if data_to else tuple(spans)


Reckoned = Callable[[Usage], float | None]


def _per(part: Reckoned, whole: Reckoned) -> Reckoned:
    def ratio(usage: Usage) -> float | None:
        below = whole(usage)
        above = part(usage)
        return above / below if below and above is not None else None

    return ratio


_QUALITY: tuple[tuple[str, Scale, Reckoned], ...] = (
    ("successful starts", Scale(0.01, "%", 1), lambda usage: usage.success),
    ("failed starts", _COUNT, lambda usage: usage.failed),
    ("utilisation", Scale(0.01, "%", 1), lambda usage: usage.utilisation),
    ("energy per session", _KWH, _per(lambda usage: usage.energy_wh, lambda usage: usage.sessions)),
    ("time per session", _HOURS, _per(lambda usage: usage.connected_s, lambda usage: usage.sessions)),
    (
        "plugged in, not charging",
        Scale(0.01, "%", 1),
        _per(lambda usage: max(0, usage.connected_s - usage.charging_s), lambda usage: usage.connected_s),
    ),
    ("without a price", _COUNT, lambda usage: usage.unpriced),
)
_SPARK = 24


def quality(report: UsageReport, series: UsageReport | None) -> list[Line]:
    """How well it goes: now, before, and as it went over the span."""
    lines: list[Line] = [((f" {'':<26}{'now':>10}{'before':>10}", "dim"),)]
    for name, scale, reckoned in _QUALITY:
        now = scale.told(reckoned(report.total))
        before = scale.told(reckoned(report.before)) if report.before is not None else NONE
        drawn = ""
        if series is not None:
            values = [round(1000 * (reckoned(row.usage) or 0.0)) for row in series.rows[-_SPARK:]]
            drawn = spark(values)[0] if any(values) else ""
        lines.append((f" {name:<26}{now:>10}", (f"{before:>10}", "dim"), (f"  {drawn}", "busy")))
    return lines


__all__ = [
    "HOURS",
    "MEASURES",
    "Column",
    "bar_cells",
    "columns",
    "hour_rows",
    "link_cells",
    "link_columns",
    "links_total",
    "number_cells",
    "quality",
    "total",
]
