"""How much is used: bars by time or by whom, the week as a heat map, the figures themselves, a step deeper by enter.

What is looked at is a Look (tui/charts/looks); keys turn it into another, and what that one needs and is not known is
read. A deeper look is a place on top of this one, so that the way back finds everything as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from textual import events
from textual.containers import Container, Vertical
from textual.timer import Timer
from textual.widget import Widget

from cms.contract.events import Event, ListEvents
from cms.contract.refusals import Refusal
from cms.contract.sessions import ListSessions, SessionView
from cms.contract.usage import TIMES, ShowUsage, UsageReport, UsageRow
from tui import filing, words
from tui.charts import looks, tables
from tui.charts.heat import extremes, grid_of, heat_map
from tui.charts.looks import HEAT, Look
from tui.charts.measures import MEASURES, UPTIME, WORDS, Measure, Scale, currency_of
from tui.charts.sheets import uptime_sheet, usage_sheet
from tui.charts.uptime import LEGEND, TELLING, Uptime, uptime
from tui.mirror import Mirror, Ref
from tui.screens.place import NARROW, WIDE, Place, titled
from tui.widgets.chart import steps_chart
from tui.widgets.lines import Lines
from tui.widgets.live_table import LiveTable
from tui.widgets.paint import Line, Span, width_of

#: While the span ends now, new sessions are looked for this often.
READ_AGAIN_S = 60.0
KEPT = 12
"""Reports that are kept for the way back to them."""
LINKS = 5_000
"""Events of one kind that uptime is made from; what lies before them is not known."""
SHORTEST = timedelta(days=2, hours=2)
"""A shorter span has no week to show beside its bars."""
TALL = 40


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


class Usage(Place):
    """One look at usage."""

    place = "usage"
    title_words = "Usage"
    AUTO_FOCUS = "#list"
    DEFAULT_CSS = """
    Usage #panes { height: 1fr; layout: vertical; }
    Usage #list { height: 1fr; }
    Usage #hours { height: 1fr; display: none; }
    Usage #side { height: auto; }
    Usage #series { height: 14; }
    Usage #seriespane, Usage #qualitypane { display: none; height: auto; }
    Usage.-wide #panes { layout: horizontal; }
    Usage.-wide #side { width: 54; height: 1fr; }
    Usage.-wide.-roomy #side { width: 78; }
    Usage.-wide #qualitypane { display: block; }
    Usage.-wide.-tall #seriespane { display: block; }
    Usage.-bars #side, Usage.-heat #list, Usage.-narrow #side { display: none; }
    Usage.-heat #side { display: block; height: 1fr; width: 1fr; }
    Usage.-heat #qualitypane, Usage.-heat #seriespane { display: none; }
    Usage.-links #side, Usage.-links #seriespane, Usage.-links #qualitypane { display: none; }
    Usage.-figures #side { display: none; }
    Usage.-figures #hours { display: block; }
    """

    def __init__(self, look: Look | None = None) -> None:
        super().__init__()
        self.look = look or Look()
        self._reports: dict[ShowUsage, UsageReport] = {}
        self._span: UsageReport | None = None
        """The latest report of the present span, by whatever."""
        self._rows: dict[str, UsageRow] = {}
        self._links: dict[str, Uptime] = {}
        self._links_span: tuple[datetime, datetime] | None = None
        self._scale = Scale()
        self._peak = 0.0
        self._currency = ""
        self._asked: set[ShowUsage] = set()
        """What is being read."""
        self._read_at: datetime | None = None
        self._trouble = ""
        self._due: Timer | None = None
        self._hours: Mapping[str, Sequence[Span]] = {}
        self._series_drawn: tuple[Any, ...] = (None,)

    # ---- body

    def body(self) -> Iterable[Widget]:
        yield Lines(id="measures")
        yield Lines(id="total", classes="values")
        with Vertical(id="seriespane"):
            yield Lines(id="seriestitle")
            yield Lines(id="series", classes="values")
        with Container(id="panes"):
            yield Board((), self._cells, id="list")
            yield Board(tables.HOURS, self._hour_cells, id="hours")
            with Vertical(id="side"):
                yield Lines(id="heattitle")
                yield Lines(id="heat", classes="values")
                with Vertical(id="qualitypane"):
                    yield Lines(id="qualitytitle")
                    yield Lines(id="quality", classes="values")

    def crumbs(self) -> list[str]:
        if self._is_narrow:  # the line below tells the span
            return [looks.whose(self.look) if self.look.names else self.title_words]
        return [self.title_words, looks.whose(self.look), looks.spanned(self.look, self._span)]

    def near(self) -> set[Ref]:
        return set()

    def footer(self) -> list[tuple[str, str]]:
        """How to look otherwise comes before the way back."""
        keys = super().footer()
        return sorted(keys, key=lambda key: key[1] == "back")

    @property
    def board(self) -> Board:
        return self.query_one("#list", Board)

    @property
    def report(self) -> UsageReport | None:
        """What the bars show, where it was read."""
        return self._reports.get(looks.request(self.look))

    @property
    def measure(self) -> Measure | None:
        """None while uptime is looked at."""
        return MEASURES.get(self.look.measure)

    @property
    def heat(self) -> UsageReport | None:
        return self._reports.get(looks.request(self.look, HEAT))

    @property
    def series(self) -> UsageReport | None:
        """The span as it went: the bars themselves where they are of time."""
        if self.look.by in TIMES or self._span is None:
            return self.report
        return self._reports.get(looks.request(self.look, looks.series_by(self._span)))

    # ---- reading

    def on_mount(self) -> None:
        super().on_mount()
        self._read()

    def come_back(self) -> None:
        self.draw(None)
        if self.look.is_live:
            self._read(anew=True)

    def _shows_heat(self) -> bool:
        if self.measure is None or self.look.shown == "heat":
            return self.measure is not None
        return self.look.shown == "both" and not self._is_narrow and not self._is_short

    @property
    def _is_short(self) -> bool:
        """Whether the span is too short to have a week's shape."""
        return self._span is not None and self._span.until - self._span.since < SHORTEST

    @property
    def _is_narrow(self) -> bool:
        return self.app.size.width < NARROW

    @property
    def _has_series(self) -> bool:
        return self.app.size.width >= WIDE and self.app.size.height >= TALL and self.look.shown == "both"

    def _wanted(self) -> list[ShowUsage]:
        """What this look needs to know."""
        if self.measure is None:
            return []
        wanted = [looks.request(self.look)]
        if self._shows_heat():
            wanted.append(looks.request(self.look, HEAT))
        if self._has_series and self._span is not None and self.look.by not in TIMES:
            wanted.append(looks.request(self.look, looks.series_by(self._span)))
        return wanted

    def _read(self, *, anew: bool = False) -> None:
        """Read what is wanted and not known, or all of it anew."""
        if self.measure is None:
            self.console.reading.fetch(self, UPTIME, self._ask_links)
            return
        for request in self._wanted():
            if request not in self._asked and (anew or request not in self._reports):
                self._asked.add(request)
                self.console.reading.fetch(self, f"usage {request}", _asking(request))

    async def _ask_links(self, ask: Callable[[Any], Any]) -> list[list[Event]]:
        station = self.look.within("station")
        return [await ask(ListEvents(type=kind, station=station, limit=LINKS)) for kind in TELLING]

    def take(self, what: str, found: Any | Refusal) -> None:
        """What was read, or why not; what was known stays."""
        match found:
            case (ShowUsage() as request, Refusal() as refusal):
                self._asked.discard(request)
                self._fail(refusal)
            case (ShowUsage() as request, UsageReport() as report):
                self._asked.discard(request)
                self._take_report(request, report)
            case Refusal():
                self._fail(found)
            case [list() as connected, list() as disconnected]:
                self._take_links(connected, disconnected)

    def _fail(self, refusal: Refusal) -> None:
        self._trouble = words.sentence(refusal)
        self.draw(None)
        self._read_later()

    def _take_report(self, request: ShowUsage, report: UsageReport) -> None:
        self._trouble = ""
        self._read_at = self.console.now()
        if self._reports.get(request) == report:
            return
        self._reports.pop(request, None)
        self._reports[request] = report
        while len(self._reports) > KEPT:
            self._reports.pop(next(iter(self._reports)))
        if request in self._wanted():
            self._span = report
            self._read()  # what only the span tells that it is wanted
        self.draw_frame()
        self.draw(None)

    def _take_links(self, *kinds: list[Event]) -> None:
        """Uptime of the stations that are looked at, the least first."""
        self._trouble = ""
        self._read_at = self.console.now()
        since, until = self._link_span()
        full = [told[0].at for told in kinds if len(told) >= LINKS]
        by_station: dict[str, list[Event]] = {}
        for event in (event for told in kinds for event in told):
            by_station.setdefault(event.station or "", []).append(event)
        site, station = self.look.within("site"), self.look.within("station")
        count = max(8, self.app.size.width - 40)
        known = {
            key: uptime(
                by_station.get(key, ()), since, until, count, view.online, known_from=max(full, default=None)
            )
            for key, view in self.mirror.stations.items()
            if station in (None, key) and (site is None or view.site == site)
        }
        self._links = dict(
            sorted(known.items(), key=lambda item: (item[1].share is None, item[1].share or 0, item[0]))
        )
        self._links_span = (since, until)
        self.draw_frame()
        self.draw(None)

    def _link_span(self) -> tuple[datetime, datetime]:
        """The span of the look, until now at most."""
        now = self.console.now()
        if self._span is not None and not self.look.is_live:
            return self._span.since, min(self._span.until, now)
        length = looks.SPANS[self.look.span].length if self.look.span is not None else timedelta(hours=24)
        return now - length, now

    def _read_later(self) -> None:
        """Sessions moved: look again, but not at every meter value."""
        if self._due is None:
            self._due = self.set_timer(READ_AGAIN_S, self._read_again)

    def _read_again(self) -> None:
        self._due = None
        if self.is_current and not self.console.painting.paused:
            self._read(anew=True)

    # ---- drawing

    def draw(self, changed: set[Ref] | None) -> None:
        if changed is not None:
            if self.look.is_live and any(kind in ("session", "station") for kind, _ in changed):
                self._read_later()
            return
        look = self.look
        alone = look.shown == "heat" and self.measure is not None
        self.set_class(alone, "-heat")
        self.set_class(not self._shows_heat() and self.app.size.width < WIDE, "-bars")
        self.set_class(alone and look.numbers, "-figures")
        self.set_class(self.measure is None, "-links")
        self.set_class(self.app.size.width >= 132, "-roomy")
        self._prepare()
        self.query_one("#measures", Lines).show([self._measures()])
        self.query_one("#total", Lines).show([self._total()])
        self._draw_board()
        self._draw_heat()
        self._draw_quality()
        # The sizes of what was shown or hidden just now are known after a while.
        self.call_after_refresh(self._draw_series)

    def _prepare(self) -> None:
        """The scale and the order of the rows."""
        report, measure = self.report, self.measure
        self._rows = {}
        if report is None or measure is None:
            return
        self._currency = currency_of(report)
        values = {row.key: measure.value(row.usage, self._currency) for row in report.rows}
        self._scale = measure.scale(values.values(), self._currency)
        self._peak = max((value for value in values.values() if value is not None), default=0.0)
        rows = list(report.rows)
        if report.by not in TIMES:
            rows.sort(key=lambda row: -(values[row.key] or 0.0))
        if self.look.turned:
            rows.reverse()
        self._rows = {row.key: row for row in rows}

    def _draw_board(self) -> None:
        board, look = self.board, self.look
        if self.measure is None:
            board.empty = self._trouble or ("no station here" if self._links_span else "reading …")
            board.lay(tables.link_columns(self._links, numbers=look.numbers))
            keys = list(self._links)
        else:
            board.empty = self._trouble or ("nothing in this span" if self.report else "reading …")
            board.lay(tables.columns(look, list(self._rows.values()), self.measure, self._scale))
            keys = list(self._rows)
        if look.turned and self.measure is None:
            keys.reverse()
        board.set_ids(keys)
        board.repaint_changed()

    def _cells(self, key: str) -> Sequence[Span]:
        board = self.board
        if self.measure is None:
            known = self._links.get(key)
            if known is None:
                return [""] * len(board.columns)
            return tables.link_cells(key, known, board.room(2), numbers=self.look.numbers)
        row = self._rows.get(key)
        if row is None:
            return [""] * len(board.columns)
        if self.look.numbers:
            return tables.number_cells(row, self.look, self.measure, self._scale, self._currency)
        room = board.room(2)
        return tables.bar_cells(row, self.look, self.measure, self._scale, self._currency, self._peak, room)

    def _grid(self, report: UsageReport, measure: Measure) -> Any:
        currency = currency_of(report)
        return grid_of((row.key, measure.value(row.usage, currency)) for row in report.rows)

    def _draw_heat(self) -> None:
        report, measure = self.heat, self.measure
        if measure is None or not self._shows_heat():
            return
        width = self.app.size.width
        if width >= WIDE and self.look.shown == "both":
            width = 78 if width >= 132 else 54
        title = f"When: {measure.heading.lower()}"
        if report is None:
            # As many lines as there will be: nothing jumps when they come.
            self.query_one("#heattitle", Lines).show([titled(title)])
            self.query_one("#heat", Lines).show([((f" {self._trouble or 'reading …'}", "dim"),), *[()] * 8])
            return
        grid = self._grid(report, measure)
        most, least = extremes(grid)
        self.query_one("#heattitle", Lines).show([titled(f"{title} · most {most}, least {least}")])
        scale = measure.scale((value for day in grid for value in day), currency_of(report))
        self.query_one("#heat", Lines).show(heat_map(grid, width, scale.figure, scale.unit))
        self._hours = tables.hour_rows(grid, scale)
        hours = self.query_one("#hours", Board)
        hours.set_ids(list(self._hours))
        hours.repaint_changed()

    def _hour_cells(self, key: str) -> Sequence[Span]:
        return self._hours.get(key, [""] * len(tables.HOURS))

    def _draw_quality(self) -> None:
        if self.report is None or self.app.size.width < WIDE:
            return
        self.query_one("#qualitytitle", Lines).show([titled("Quality, and before")])
        self.query_one("#quality", Lines).show(tables.quality(self.report, self.series))

    def _draw_series(self) -> None:
        """The measure as it went over the span; drawn anew only when it or its place is another."""
        report, measure = self.series, self.measure
        if not self.is_attached or report is None or measure is None or not self._has_series:
            return
        picture = self.query_one("#series", Lines)
        width, height = picture.size
        drawn = (report, measure.word, width, height)
        if not width or (self._series_drawn[1:] == drawn[1:] and self._series_drawn[0] is report):
            return
        self._series_drawn = drawn
        currency = currency_of(report)
        values = [measure.value(row.usage, currency) for row in report.rows]
        scale = measure.scale(values, currency)
        figures = [None if value is None else value / scale.factor for value in values]
        title = f"{measure.heading} by {report.by}, {looks.days(report)}"
        self.query_one("#seriestitle", Lines).show([titled(title)])
        picture.show(
            steps_chart(
                figures, [tables.title_of(row, report.by) for row in report.rows], scale.unit, width, height
            )
        )

    def _measures(self) -> Line:
        """All measures, the present one in brackets; what the rows are."""
        look = self.look
        by = f"by {look.by} · {looks.spanned(look, self._span)}"
        if self._is_narrow:
            return (" ", (f"[{look.measure}]", "strong"), f" {by}")
        spans: list[Span] = [" "]
        for word in WORDS:
            spans += [(f"[{word}]", "strong") if word == look.measure else (word, "dim"), " "]
        room = self.app.size.width - width_of(spans)
        return (*spans, f" {by}" if len(by) + 1 < room else f" by {look.by}")

    def _total(self) -> Line:
        """The total, how it moved against the span before, and how old the figures are."""
        data_to = f"data to {self._read_at.astimezone():%H:%M}" if self._read_at else "reading …"
        if self.measure is None:
            shares = [each.share for each in self._links.values() if each.share is not None]
            mean = f"{sum(shares) / len(shares) * 100:.2f} %" if shares else words.NONE
            return (f" Mean {mean}", (f" · {LEGEND} · {data_to}", "dim"))
        report, measure = self.report, self.measure
        if report is None:
            return ((f" {self._trouble or 'reading …'}", "bad" if self._trouble else "dim"),)
        return tables.total(report, measure, "" if self._is_narrow else data_to)

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self.call_after_refresh(self._redraw)

    def _redraw(self) -> None:
        if self.is_attached:
            self.draw(None)
            self._read()

    # ---- keys

    TURNS: ClassVar[Mapping[str, Callable[[Usage], Look]]] = {
        "measure": lambda place: looks.remeasured(place.look),
        "by": lambda place: looks.regrouped(place.look, place._span),
        "earlier": lambda place: place._moved(-1),
        "later": lambda place: place._moved(1),
        "longer": lambda place: place._resized(1),
        "shorter": lambda place: place._resized(-1),
        "heat": lambda place: looks.reshown(place.look, narrow=place._is_narrow),
        "figures": lambda place: replace(place.look, numbers=not place.look.numbers),
        "compare": lambda place: replace(place.look, compare=not place.look.compare),
        "turned": lambda place: replace(place.look, turned=not place.look.turned),
    }

    def turn(self, name: str) -> None:
        """Look otherwise."""
        before, self.look = self.look, self.TURNS[name](self)
        if self.look == before:
            return
        if (before.span, before.since, before.until) != (self.look.span, self.look.since, self.look.until):
            self._span = self.report
        self._trouble = ""
        self.draw_frame()
        self.draw(None)
        self._read()
        shown = "#hours" if self.look.shown == "heat" and self.look.numbers else "#list"
        if (table := self.query_one(shown, Board)).display:
            table.focus()

    def _moved(self, by: int) -> Look:
        if self._span is None:
            return self.look
        found = looks.moved(self.look, self._span, by, self.console.now())
        if found == self.look:
            self.console.say("what lies after this span has not happened yet", "dim")
        return found

    def _resized(self, by: int) -> Look:
        return self.look if self._span is None else looks.resized(self.look, self._span, by)

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        travel = self.console.travel
        if event.table.id == "hours":
            return
        if self.measure is None:
            travel.open_station(event.key)
            return
        row, report = self._rows.get(event.key), self.report
        if row is None or report is None:
            return
        match looks.opened(self.look, report, row):
            case ListSessions() as request:
                travel.open_sessions(request, row.title or row.key, _counting(self.mirror, self.look))
            case Look() as inner:
                travel.open_usage(inner)
            case None:
                self.console.say(f"nothing finer is known of {row.title or 'this row'}", "dim")

    # ---- the figures, to take away

    def sheet(self) -> tuple[str, str]:
        """A name, and the figures of the picture as CSV."""
        look = self.look
        if self.measure is None:
            if self._links_span is None:
                return "", ""
            return f"uptime-{looks.dated(*self._links_span)}", uptime_sheet(self._links, *self._links_span)
        heat_alone = look.shown == "heat"
        report = self.heat if heat_alone else self.report
        if report is None:
            return "", ""
        rows = report.rows if heat_alone else tuple(self._rows.values())
        name = f"usage-{report.by}-{looks.dated(report.since, report.until)}"
        return name, usage_sheet(replace(report, rows=rows), compare=look.compare)

    def export(self) -> None:
        """The figures as a file in the present folder."""
        name, text = self.sheet()
        if not text:
            self.console.say("nothing has been read yet", "dim")
            return
        self.console.say(*filing.told(f"{name}.csv", text.encode(), "the figures"))


def _counting(mirror: Mirror, look: Look) -> Callable[[SessionView], bool]:
    """Whether a session is of the site and the driver that are looked at."""
    site, driver = look.within("site"), look.within("driver")

    def counts(session: SessionView) -> bool:
        station = mirror.stations.get(session.station)
        token = mirror.tokens.get(session.token or "")
        return (site is None or (station is not None and station.site == site)) and (
            driver is None or driver in (session.token, token.driver if token is not None else None)
        )

    return counts


def _asking(request: ShowUsage) -> Callable[[Callable[[Any], Any]], Any]:
    """A worker's errand: the report, or why there is none, together with what was asked for."""

    async def ask_for(ask: Callable[[Any], Any]) -> tuple[ShowUsage, UsageReport | Refusal]:
        try:
            return request, await ask(request)
        except Refusal as refusal:
            return request, refusal

    return ask_for
