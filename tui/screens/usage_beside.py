"""What stands beside the bars of usage where there is room: the week, the quality, the span as it went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical

from cms.contract.usage import UsageReport
from tui.charts import looks, tables
from tui.charts.heat import extremes, grid_of, heat_map
from tui.charts.measures import Measure, currency_of
from tui.screens.place import titled
from tui.widgets.chart import steps_chart
from tui.widgets.lines import Lines
from tui.widgets.live_table import LiveTable
from tui.widgets.paint import Line, Span

WEEK_LINES = 9


class Board(LiveTable):
    """A table whose columns change with what is looked at."""

    def lay(self, columns: Sequence[tables.Column]) -> None:
        if self.columns != tuple(columns):
            self.columns = tuple(columns)
            self._widths = self._layout(self.size.width)
            self.forget()

    def room(self, place: int) -> int:
        """The cells that a column has."""
        return self._widths[place] if place < len(self._widths) else 0


class Pane(Vertical):
    """A heading and lines below it."""

    DEFAULT_CSS = "Pane { height: auto; }"

    def compose(self) -> ComposeResult:
        yield Lines(classes="title")
        yield Lines(classes="values picture")

    @property
    def picture(self) -> Lines:
        return self.query_one(".picture", Lines)

    def show(self, title: str, lines: Sequence[Line]) -> None:
        self.query_one(".title", Lines).show([titled(title)])
        self.picture.show(lines)


class Week(Pane):
    """A measure by weekday and hour, darker where there is more; ``hours`` are its figures as rows."""

    hours: Mapping[str, Sequence[Span]] = {}

    def cells(self, key: str) -> Sequence[Span]:
        return self.hours.get(key, [""] * len(tables.HOURS))

    def tell(self, report: UsageReport | None, measure: Measure, width: int, waiting: str) -> None:
        """Draw it; while there is no report as many lines as there will be, so that nothing jumps."""
        title = f"When: {measure.heading.lower()}"
        if report is None:
            self.show(title, [((f" {waiting}", "dim"),), *[()] * (WEEK_LINES - 1)])
            return
        currency = currency_of(report)
        grid = grid_of((row.key, measure.value(row.usage, currency)) for row in report.rows)
        scale = measure.scale((value for day in grid for value in day), currency)
        most, least = extremes(grid)
        self.show(f"{title} · most {most}, least {least}", heat_map(grid, width, scale.figure, scale.unit))
        self.hours = tables.hour_rows(grid, scale)


class Quality(Pane):
    """How well it goes, against the span before."""

    def tell(self, report: UsageReport | None, series: UsageReport | None) -> None:
        told = [] if report is None else tables.quality(report, series)
        self.show("Quality, and before", told or [((" reading …", "dim"),)])


class Course(Pane):
    """A measure as it went over the span; drawn anew only when it or its place is another."""

    _drawn: tuple[Any, ...] = (None,)

    def tell(self, report: UsageReport | None, measure: Measure) -> None:
        width, height = self.picture.size
        drawn = (report, measure.word, width, height)
        if not width or (self._drawn[0] is report and self._drawn[1:] == drawn[1:]):
            return
        self._drawn = drawn
        if report is None:
            self.show(measure.heading, [((" reading …", "dim"),)])
            return
        currency = currency_of(report)
        values = [measure.value(row.usage, currency) for row in report.rows]
        scale = measure.scale(values, currency)
        figures = [None if value is None else value / scale.factor for value in values]
        titles = [tables.title_of(row, report.by) for row in report.rows]
        self.show(
            f"{measure.heading} by {report.by}, {looks.days(report)}",
            steps_chart(figures, titles, scale.unit, width, height),
        )
