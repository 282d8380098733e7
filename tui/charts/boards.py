"""What the table of usage shows: bars (or figures) of a report's rows, or strips of stations' links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from cms.contract.usage import TIMES, UsageReport, UsageRow
from tui.charts import looks, tables
from tui.charts.looks import Look
from tui.charts.measures import Measure, currency_of
from tui.charts.sheets import uptime_sheet, usage_sheet
from tui.charts.uptime import Uptime
from tui.widgets.paint import Line, Span


class Shown(Protocol):
    """``keys`` are the rows in their order; a ``sheet`` is a name and the figures as CSV."""

    keys: list[str]
    columns: list[tables.Column]

    def __contains__(self, key: str) -> bool: ...

    def cells(self, key: str, room: int) -> Sequence[Span]: ...

    def total(self, data_to: str) -> Line: ...

    def sheet(self) -> tuple[str, str]: ...


class Bars:
    """A report by one measure; groups of time in time's order, others the greatest first."""

    def __init__(self, report: UsageReport, measure: Measure, look: Look) -> None:
        self.report = report
        self._measure, self._look = measure, look
        self._currency = currency_of(report)
        values = {row.key: measure.value(row.usage, self._currency) for row in report.rows}
        self._scale = measure.scale(values.values(), self._currency)
        self._peak = max((value for value in values.values() if value is not None), default=0.0)
        rows = list(report.rows)
        if report.by not in TIMES:
            rows.sort(key=lambda row: -(values[row.key] or 0.0))
        if look.turned:
            rows.reverse()
        self.rows: dict[str, UsageRow] = {row.key: row for row in rows}
        self.keys = list(self.rows)
        self.columns = tables.columns(look, rows, measure, self._scale)

    def __contains__(self, key: str) -> bool:
        return key in self.rows

    def cells(self, key: str, room: int) -> Sequence[Span]:
        row, look, measure = self.rows[key], self._look, self._measure
        if look.numbers:
            return tables.number_cells(row, look, measure, self._scale, self._currency)
        return tables.bar_cells(row, look, measure, self._scale, self._currency, self._peak, room)

    def total(self, data_to: str) -> Line:
        return tables.total(self.report, self._measure, data_to)

    def sheet(self) -> tuple[str, str]:
        return sheet_of(replace(self.report, rows=tuple(self.rows.values())), self._look)


class Strips:
    """Links of stations over a span, the least connected first."""

    def __init__(self, links: Mapping[str, Uptime], since: datetime, until: datetime, look: Look) -> None:
        self._links, self._span, self._look = links, (since, until), look
        self.keys = list(links)[::-1] if look.turned else list(links)
        self.columns = tables.link_columns(links, numbers=look.numbers)

    def __contains__(self, key: str) -> bool:
        return key in self._links

    def cells(self, key: str, room: int) -> Sequence[Span]:
        return tables.link_cells(key, self._links[key], room, numbers=self._look.numbers)

    def total(self, data_to: str) -> Line:
        return tables.links_total(self._links, data_to)

    def sheet(self) -> tuple[str, str]:
        known = {key: self._links[key] for key in self.keys}
        return f"uptime-{looks.dated(*self._span)}", uptime_sheet(known, *self._span)


def sheet_of(report: UsageReport, look: Look) -> tuple[str, str]:
    """A file's name and the figures of a report as CSV."""
    bounds = looks.dated(*looks.local(report))
    return f"usage-{report.by}-{bounds}", usage_sheet(report, compare=look.compare)
