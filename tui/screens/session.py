"""One session: its figures and curve above; in tabs its story, its price, its samples, its frames."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, cast

from textual import events as screen_events
from textual.widget import Widget

from cms.contract.events import Event, ListEvents
from cms.contract.sessions import ListSamples, Sample, SessionView, ShowSession
from cms.contract.stations import ListMessages, Message
from tui import filing, story, words
from tui.charts.power import power_lines
from tui.charts.sheets import power_sheet
from tui.exchanges import Exchange, frame_key, paired
from tui.exporting import named
from tui.mirror import Ref
from tui.orders import Target
from tui.pricing import sheet
from tui.samples import Reading, power_samples, readings, sheet_of
from tui.screens.events import as_json
from tui.screens.frames import Frames
from tui.screens.page import Page, Panel
from tui.screens.place import target_of_session, target_of_station
from tui.sessionlines import figures, payer_of
from tui.trend import Sample as Power
from tui.widgets.chart import power_curve
from tui.widgets.lines import Lines
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.paint import Line, Span

CURVE_ROWS = (5, 16)
SAMPLES = (
    Column("Time", 19),
    Column("kWh", 9, right=True),
    Column("kW", 7, right=True),
    Column("SoC", 5, right=True),
    Column("A", 18, right=True, drop=2),
    Column("V", 18, right=True, drop=3),
    Column("", 8, grow=True, drop=4),
)


class SessionPanel(Panel):
    """A tab of a session."""

    @property
    def session(self) -> Session:
        return cast("Session", self.page)

    def target(self) -> Target | None:
        return self.session.session_target()


class Story(SessionPanel):
    """What happened, in sentences; ``y`` copies all of it, ready for a mail."""

    place = "session"
    title = "Story"

    def __init__(self, *, classes: str = "") -> None:
        super().__init__(classes=classes)
        self.events: OrderedDict[str, Event] = OrderedDict()
        self.lines: list[story.Line] = []

    def compose(self) -> Iterable[Widget]:
        table = LiveTable((Column("", 10), Column("", 20, grow=True)), self._cells, id="story", header=False)
        table.tail = True
        yield table

    def begin(self) -> None:
        self.page.fetch(self, "story", self.session.read)

    def take(self, what: str, found: Any) -> None:
        view, told, samples = found
        self.console.painting.collect(self.mirror.put(view))
        self.session.hear_samples(samples)
        self.hear(told)
        self.session.draw_above()

    def draw(self, changed: set[Ref] | None) -> None:
        cursors = self.mirror.events if changed is None else [key for kind, key in changed if kind == "event"]
        news = (self.mirror.events.get(cursor) for cursor in cursors)
        self.hear([event for event in news if event is not None and event.session == self.session.session])

    def hear(self, told: Sequence[Event]) -> None:
        """Events of this session, from the record or just now."""
        for event in told:
            self.events.setdefault(event.cursor, event)
        view = self.session.view
        if view is None:
            return
        payer = payer_of(self.mirror, view)
        self.lines = story.story(view, self.events.values(), self.session.power, payer)
        table = self.query_one("#story", LiveTable)
        keys = [str(number) for number in range(len(self.lines))]
        if table.ids != keys:
            table.set_ids(keys)
        table.repaint_changed()

    def _cells(self, key: str) -> Sequence[Span]:
        line = self.lines[int(key)] if int(key) < len(self.lines) else None
        return ("", "") if line is None else ((words.clock(line.at), "dim"), (line.text, line.tone))

    def copied(self) -> tuple[str, str] | None:
        view = self.session.view
        if view is None:
            return None
        station = self.mirror.stations.get(view.station)
        where = (station.site_name or station.site or "") if station else ""
        return story.as_text(view, self.lines, where), "the story, ready for a mail"

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        event.stop()
        told = self.lines[int(event.key)].event
        if told is not None:
            self.console.travel.open_paper(told.type, as_json(asdict(told)))


class Price(SessionPanel):
    """Each line of what it costs, and why."""

    place = "session-price"
    title = "Price"

    def __init__(self, *, classes: str = "") -> None:
        super().__init__(classes=classes)
        self.lines: list[str] = []

    def compose(self) -> Iterable[Widget]:
        table = LiveTable((Column("", 20, grow=True),), self._cells, id="price", header=False)
        table.empty = "it has no price (yet)"
        yield table

    def begin(self) -> None:
        from cms.contract.prices import ExplainPrice  # only who asks for a price pays for its import

        self.page.fetch(self, "price", lambda ask: ask(ExplainPrice(self.session.session)))

    def take(self, what: str, found: Any) -> None:
        self.lines = sheet(found)
        self.draw(None)

    def draw(self, changed: set[Ref] | None) -> None:
        if changed is None:
            table = self.query_one("#price", LiveTable)
            table.set_ids([str(number) for number in range(len(self.lines))])
            table.forget()
        elif ("session", self.session.session) in changed and self.lines:
            self.begin()

    def _cells(self, key: str) -> Sequence[Span]:
        return (self.lines[int(key)] if int(key) < len(self.lines) else "",)

    def copied(self) -> tuple[str, str] | None:
        return ("\n".join(self.lines), "the price") if self.lines else None


class Samples(SessionPanel):
    """What the meter said, a row for each instant; ``y`` copies them as CSV."""

    place = "session-samples"
    title = "Samples"

    def __init__(self, *, classes: str = "") -> None:
        super().__init__(classes=classes)
        self.rows: dict[str, Reading] = {}

    def compose(self) -> Iterable[Widget]:
        table = LiveTable(SAMPLES, self._cells, id="samples", tail=True)
        table.empty = "the station sent no meter value"
        yield table

    def begin(self) -> None:
        self.page.fetch(self, "samples", lambda ask: ask(ListSamples(self.session.session)))

    def take(self, what: str, found: Any) -> None:
        self.session.hear_samples(found)
        self.rows = {row.at.isoformat(): row for row in readings(found)}
        self.draw(None)

    def draw(self, changed: set[Ref] | None) -> None:
        if changed is None:
            table = self.query_one("#samples", LiveTable)
            if table.ids != list(self.rows):
                table.set_ids(list(self.rows))
            table.repaint_changed()
        elif ("session", self.session.session) in changed:
            self.begin()

    def _cells(self, key: str) -> Sequence[Span]:
        row = self.rows.get(key)
        if row is None:
            return [""] * len(SAMPLES)
        at = words.moment(row.at)
        return (at, row.energy, row.power, row.soc, row.current, row.voltage, (row.context, "dim"))

    def copied(self) -> tuple[str, str] | None:
        return (sheet_of(list(self.rows.values())), "the samples as CSV") if self.rows else None


class Session(Page):
    """Everything about one session."""

    contents = (Story, Price, Samples, Frames)

    def __init__(self, session: str, tab: str = "") -> None:
        super().__init__(tab)
        self.session = session
        self.power: list[Power] = []
        """What it drew over time (W), as far as the record and the stream tell."""
        self.frames: OrderedDict[str, Message] = OrderedDict()

    def above(self) -> Iterable[Widget]:
        yield Lines(id="facts", classes="values")
        yield Lines(id="session", classes="values")
        yield Lines(id="curve", classes="values")

    def crumbs(self) -> list[str]:
        return ["Sessions", self.session]

    @property
    def view(self) -> SessionView | None:
        return self.mirror.sessions.get(self.session)

    # ---- reading

    async def read(self, ask: Any) -> Any:
        """The session, its events and its samples."""
        view = await ask(ShowSession(self.session))
        told = await ask(ListEvents(session=self.session, limit=500))
        return view, told, await ask(ListSamples(self.session))

    def begin_frames(self) -> None:
        """Those of its station that are kept still, while it runs or just after."""
        if (view := self.view) is not None:
            self.fetch(self.panel_of("frames"), "frames", lambda ask: ask(ListMessages(view.station)))

    def take(self, what: str, found: Any) -> None:
        if what == "frames frames" and isinstance(found, list):
            of_mine = (each for each in paired(found) if self._is_mine(each))
            mine = [frame for each in of_mine for frame in (each.call, each.answer) if frame is not None]
            self.frames = OrderedDict((frame_key(f), f) for f in sorted(mine, key=lambda f: f.at))
            self.panel_of("frames").draw(None)
            return
        super().take(what, found)

    def _is_mine(self, exchange: Exchange) -> bool:
        """Whether it names the transaction, or the token."""
        view = self.view
        named = [name for name in (view.transaction_id, view.token) if name] if view is not None else []
        told = [frame.payload for frame in (exchange.call, exchange.answer) if frame is not None]
        return any(name in payload for name in named for payload in told)

    def hear_samples(self, samples: Sequence[Sample]) -> None:
        self.power = power_samples(samples)
        self.mirror.seed_power(self.session, self.power)
        self.draw_above()

    # ---- drawing

    def draw(self, changed: set[Ref] | None) -> None:
        heard = self.mirror.power.get(self.session, ())
        since = self.power[-1][0] if self.power else None
        self.power += [sample for sample in heard if since is None or sample[0] > since]
        super().draw(changed)

    def draw_above(self) -> None:
        view = self.view
        self.query_one("#facts", Lines).show(self._facts(view))
        self.query_one("#session", Lines).show([figures(self, view)] if view else [])
        curve = self.query_one("#curve", Lines)
        rows = self._curve_rows() if len(self.power) > 1 else 0
        curve.styles.height = rows
        end = view.ended_at if view is not None else None
        width = self.app.size.width - 1
        curve.show(power_curve(self.power, width, rows, end) if rows else [])

    def _curve_rows(self) -> int:
        least, most = CURVE_ROWS
        rows = min(most, (self.app.size.height - 10) // 2)
        return rows if rows >= least else 0

    def on_resize(self, event: screen_events.Resize) -> None:
        self.draw_above()

    def _facts(self, view: SessionView | None) -> list[Line]:
        if view is None:
            return [((f" {self.session} is not known here", "bad"),)]
        ended = f" → {words.moment(view.ended_at)}" if view.ended_at else " → now"
        meters = f"meter {_wh(view.meter_start_wh)} → {_wh(view.meter_stop_wh)}"
        why = f" · stopped: {view.stop_reason}" if view.stop_reason else ""
        offline = " · began offline" if view.offline else ""
        where = f"{view.station} c{words.plug(view.evse, view.connector)}"
        return [
            (f" {where} · {words.moment(view.started_at)}{ended}{why}{offline}",),
            ((f" {meters} · energy from {view.energy_source} · transaction {view.transaction_id or '?'}"
              f" · OCPP {view.ocpp_version or '?'} · authorised: {view.authorization or '?'}", "dim"),),
        ]  # fmt: skip

    # ---- the figures of the curve

    def figures(self) -> None:
        """The power, instant by instant."""
        self.console.travel.open_paper(f"Power of {self.session}", power_lines(self.power))

    def export(self) -> None:
        """The power, or all that the meter said, as a file in the present folder."""
        panel = self.panel
        if isinstance(panel, Samples) and panel.rows:
            what, text = "samples", sheet_of(list(panel.rows.values()))
        elif self.power:
            what, text = "power", power_sheet(self.power)
        else:
            self.console.say("the station sent no meter value", "dim")
            return
        name = named(f"session-{self.session}-{what}", self.console.now(), "csv")
        self.console.say(*filing.told(name, text.encode(), f"the {what}"))

    # ---- acting

    def near(self) -> set[Ref]:
        return {("session", self.session)}

    def session_target(self) -> Target | None:
        return target_of_session(self.mirror, self.session)

    def station_target(self) -> Target | None:
        view = self.view
        return target_of_station(self.mirror, view.station) if view else None


def _wh(value: int | None) -> str:
    return "?" if value is None else f"{value:,} Wh"
