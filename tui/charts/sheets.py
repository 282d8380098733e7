"""The figures of a picture as a sheet (RFC 4180)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cms.contract.safe import csv_cell
from tui.charts.uptime import Uptime
from tui.trend import Sample

if TYPE_CHECKING:
    from cms.contract.usage import Usage, UsageReport

FIELDS = (
    "sessions",
    "energy_wh",
    "connected_s",
    "charging_s",
    "available_s",
    "utilisation",
    "starts",
    "failed",
    "success",
    "peak_w",
    "unpriced",
    "running",
)


def usage_sheet(report: UsageReport, *, compare: bool = False) -> str:
    """One row per group with all its figures in base units; with ``compare`` also those of the span before."""
    currencies = sorted(
        {money.currency for usage in _usages(report, compare) for money in usage.revenue or ()}
    )
    spans = ("", "before_") if compare else ("",)
    head = ["key", "title", "since", "until"]
    for prefix in spans:
        head += [f"{prefix}{name}" for name in (*FIELDS, *(f"revenue_{each}" for each in currencies))]
    rows = []
    for row in report.rows:
        cells: list[Any] = [row.key, row.title, row.since, row.until]
        for usage in (row.usage, row.before)[: len(spans)]:
            cells += _figures(usage, currencies)
        rows.append(cells)
    return sheet(head, rows)


def _usages(report: UsageReport, compare: bool) -> Iterable[Usage]:
    for row in report.rows:
        yield row.usage
        if compare and row.before is not None:
            yield row.before


def _figures(usage: Usage | None, currencies: Sequence[str]) -> list[Any]:
    if usage is None:
        return [None] * (len(FIELDS) + len(currencies))
    taken = {money.currency: money.amount for money in usage.revenue or ()}
    return [*(getattr(usage, name) for name in FIELDS), *(taken.get(each) for each in currencies)]


def uptime_sheet(known: Mapping[str, Uptime], since: datetime, until: datetime) -> str:
    """One row per station: how much of the known time it was connected, and how often its link broke."""
    head = ("station", "since", "until", "known_s", "connected_s", "uptime", "breaks")
    return sheet(
        head,
        [
            (key, since, until, round(each.known_s), round(each.connected_s), each.share, each.breaks)
            for key, each in known.items()
        ],
    )


def power_sheet(samples: Iterable[Sample]) -> str:
    """Power over time: an instant and W."""
    return sheet(("at", "power_w"), samples)


def sheet(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Cells that are no formula, instants in UTC, nothing for None; numbers stay numbers."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case float():
            return f"{value:.6g}"
        case int() | Decimal():
            return str(value)
    return csv_cell(value)
