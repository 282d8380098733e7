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
from cms.contract.usage import TIMES, ShowUsage, UsageReport
from tui import filing, words
from tui.charts import looks, tables
from tui.charts.boards import Bars, Shown, Strips, sheet_of
from tui.charts.looks import HEAT, Look
from tui.charts.measures import MEASURES, UPTIME, WORDS, Measure
from tui.charts.reports import Reports
from tui.charts.uptime import TELLING, Uptime, uptimes
from tui.mirror import Mirror, Ref
from tui.screens.place import NARROW, WIDE, Place
from tui.screens.usage_beside import Board, Course, Quality, Week
from tui.widgets.lines import Lines
from tui.widgets.live_table import LiveTable
from tui.widgets.paint import Line, Span, width_of

#: While the span ends now, new sessions are looked for this often.
READ_AGAIN_S = 60.0
BURST_S = 0.1
"""Keys that follow each other sooner are one wish."""
LINKS = 5_000
"""Events of one kind that uptime is made from; what lies before them is not known."""
SHORTEST = timedelta(days=2, hours=2)
"""A shorter span has no week to show beside its bars."""
TALL, ROOMY = 40, 132


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
    Usage Course .picture { height: 14; }
    Usage Course, Usage Quality { display: none; }
    Usage.-wide #panes { layout: horizontal; }
    Usage.-wide #side { width: 54; height: 1fr; }
    Usage.-wide.-roomy #side { width: 78; }
    Usage.-wide Quality { display: block; }
    Usage.-wide.-tall Course { display: block; }
    Usage.-bars #side, Usage.-heat #list, Usage.-narrow #side { display: none; }
    Usage.-heat #side { display: block; height: 1fr; width: 1fr; }
    Usage.-heat Quality, Usage.-heat Course { display: none; }
    Usage.-links #side, Usage.-links Course, Usage.-weekless Week { display: none; }
    Usage.-figures #side { display: none; }
    Usage.-figures #hours { display: block; }
    """

    def __init__(self, look: Look | None = None) -> None:
        super().__init__()
        self.look = look or Look()
        self._reports = Reports()
        self._span: UsageReport | None = None
        """The report of the present span, by whatever; its bounds are those of the span."""
        self._latest: UsageReport | None = None
        self._links: dict[str, Uptime] = {}
        self._links_span: tuple[datetime, datetime] | None = None
        self._shown: Shown | None = None
        """What the table shows; none before it was read."""
        self._read_at: datetime | None = None
        self._trouble = ""
        self._due: Timer | None = None
        self._pause: Timer | None = None

    # ---- body

    def body(self) -> Iterable[Widget]:
        yield Lines(id="measures")
        yield Lines(id="total", classes="values")
        yield Course()
        week = Week()
        with Container(id="panes"):
            yield Board((), self._cells, id="list")
            yield Board(tables.HOURS, week.cells, id="hours")
            with Vertical(id="side"):
                yield week
                yield Quality()

    def crumbs(self) -> list[str]:
        if self._is_narrow:  # the line below tells the span
            return [looks.whose(self.look) if self.look.names else self.title_words]
        return [self.title_words, looks.whose(self.look), looks.spanned(self.look, self._bounds())]

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

    def reread(self) -> None:
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
            if self._reports.begin(request, anew=anew):
                self.console.reading.fetch(self, f"usage {request}", _asking(request))

    def _read_soon(self) -> None:
        """Keys come in bursts: what is passed over is not read."""
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(BURST_S, self._read)

    async def _ask_links(self, ask: Callable[[Any], Any]) -> list[list[Event]]:
        station = self.look.within("station")
        return [await ask(ListEvents(type=kind, station=station, limit=LINKS)) for kind in TELLING]

    def take(self, what: str, found: Any | Refusal) -> None:
        """What was read, or why not; what was known stays."""
        match found:
            case (ShowUsage() as request, Refusal() as refusal):
                self._reports.fail(request)
                self._fail(refusal)
            case (ShowUsage() as request, UsageReport() as report):
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
        if not self._reports.take(request, report):
            self.query_one("#total", Lines).show([self._total()])
            return
        if request == looks.request(self.look):
            self._span = self._latest = report
            self._read()  # what only the span tells that it is wanted
        self.draw_frame()
        self.draw(None)

    def _take_links(self, *kinds: list[Event]) -> None:
        self._trouble = ""
        self._read_at = self.console.now()
        since, until = self._link_span()
        site, station = self.look.within("site"), self.look.within("station")
        online = {
            key: view.online
            for key, view in self.mirror.stations.items()
            if station in (None, key) and (site is None or view.site == site)
        }
        count = max(8, self.app.size.width - 40)
        self._links = uptimes(kinds, online, since, until, count, LINKS)
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
        self.set_class(not self._shows_heat(), "-weekless")
        self.set_class(self.app.size.width >= ROOMY, "-roomy")
        self._shown = self._prepared()
        self.query_one("#measures", Lines).show([self._measures()])
        self.query_one("#total", Lines).show([self._total()])
        self._draw_board()
        if self._shows_heat():
            self._draw_week()
        if self.app.size.width >= WIDE:
            self.query_one(Quality).tell(self.report, self.series)
        if self._has_series:
            # The sizes of what was shown or hidden just now are known after a while.
            self.call_after_refresh(self._draw_course)

    def _prepared(self) -> Shown | None:
        """The rows of the look, where they are known."""
        if self.measure is not None:
            return Bars(self.report, self.measure, self.look) if self.report is not None else None
        return Strips(self._links, *self._links_span, self.look) if self._links_span is not None else None

    def _draw_board(self) -> None:
        board, shown = self.board, self._shown
        if shown is not None:
            board.lay(shown.columns)
        board.empty = self._trouble or ("reading …" if shown is None else "nothing in this span")
        board.set_ids(shown.keys if shown is not None else [])
        board.repaint_changed()

    def _cells(self, key: str) -> Sequence[Span]:
        board = self.board
        if self._shown is None or key not in self._shown:
            return [""] * len(board.columns)
        return self._shown.cells(key, board.room(2))

    def _draw_week(self) -> None:
        measure, week, hours = self.measure, self.query_one(Week), self.query_one("#hours", Board)
        assert measure is not None
        width = self.app.size.width
        if width >= WIDE and self.look.shown == "both":
            width = 78 if width >= ROOMY else 54
        week.tell(self.heat, measure, width, self._trouble or "reading …")
        hours.set_ids(list(week.hours))
        hours.repaint_changed()

    def _draw_course(self) -> None:
        if self.is_attached and self.measure is not None:
            self.query_one(Course).tell(self.series, self.measure)

    def _measures(self) -> Line:
        """All measures, the present one in brackets; what the rows are."""
        look = self.look
        by = f"by {look.by} · {looks.spanned(look, self._bounds())}"
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
        if self._shown is None:
            return ((f" {self._trouble or 'reading …'}", "bad" if self._trouble else "dim"),)
        return self._shown.total("" if self._is_narrow else data_to)

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
        "by": lambda place: looks.regrouped(place.look, place._bounds()),
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
        self._read_soon()
        shown = "#hours" if self.look.shown == "heat" and self.look.numbers else "#list"
        if (table := self.query_one(shown, Board)).display:
            table.focus()

    def _bounds(self) -> UsageReport | None:
        """The report of the span, or, while that is being read, one that has its bounds."""
        look, latest = self.look, self._latest
        if self._span is not None or latest is None:
            return self._span
        if look.since is not None and look.until is not None:
            return replace(latest, since=look.since, until=look.until)
        if look.span is None:
            return None
        since, until = looks.ending_now(looks.SPANS[look.span], latest.time_zone, self.console.now())
        return replace(latest, since=since, until=until)

    def _moved(self, by: int) -> Look:
        if (span := self._bounds()) is None:
            return self.look
        found = looks.moved(self.look, span, by, self.console.now())
        if found == self.look:
            self.console.say("what lies after this span has not happened yet", "dim")
        return found

    def _resized(self, by: int) -> Look:
        return looks.resized(self.look, self._bounds(), by)

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        travel = self.console.travel
        if event.table.id == "hours":
            return
        if self.measure is None:
            travel.open_station(event.key)
            return
        if not isinstance(self._shown, Bars) or (row := self._shown.rows.get(event.key)) is None:
            return
        match looks.opened(self.look, self._shown.report, row):
            case ListSessions() as request:
                travel.open_sessions(request, row.title or row.key, _counting(self.mirror, self.look))
            case Look() as inner:
                travel.open_usage(inner)
            case None:
                self.console.say(f"nothing finer is known of {row.title or 'this row'}", "dim")

    # ---- the figures, to take away

    def sheet(self) -> tuple[str, str]:
        """A name, and the figures of the picture as CSV."""
        if self.measure is not None and self.look.shown == "heat":
            return sheet_of(self.heat, self.look) if self.heat is not None else ("", "")
        return self._shown.sheet() if self._shown is not None else ("", "")

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
