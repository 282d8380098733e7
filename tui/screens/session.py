"""One session: its facts, its power over time, and its story in events."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from textual.widget import Widget

from cms.contract.events import Event
from cms.contract.sessions import SessionView
from tui import words
from tui.mirror import Ref
from tui.orders import Target
from tui.screens.events import COLUMNS, as_json, cells_of
from tui.screens.place import Place, target_of_session
from tui.sessionlines import figures
from tui.widgets.lines import Lines
from tui.widgets.live_table import LiveTable
from tui.widgets.paint import Line, Span


class Session(Place):
    """Everything about one session."""

    place = "session"

    def __init__(self, session: str) -> None:
        super().__init__()
        self.session = session
        self.story: OrderedDict[str, Event] = OrderedDict()

    def body(self) -> Iterable[Widget]:
        yield Lines(id="facts", classes="values")
        yield Lines(id="session", classes="values")
        yield Lines(id="line")
        yield LiveTable(COLUMNS, self._cells, id="story", tail=True)

    def on_mount(self) -> None:
        super().on_mount()
        self.console.reading.read_story(self)

    def crumbs(self) -> list[str]:
        return ["Sessions", self.session]

    @property
    def view(self) -> SessionView | None:
        return self.mirror.sessions.get(self.session)

    def draw(self, changed: set[Ref] | None) -> None:
        view = self.view
        self.query_one("#facts", Lines).show(self._facts(view))
        self.query_one("#session", Lines).show([figures(self, view)] if view else [])
        self.query_one("#line", Lines).show([((" Its story".ljust(400), "title"),)])
        cursors = self.mirror.events if changed is None else [k for kind, k in changed if kind == "event"]
        news = (self.mirror.events.get(cursor) for cursor in cursors)
        self.hear([event for event in news if event is not None and event.session == self.session])

    def hear(self, events: Sequence[Event]) -> None:
        """Events of this session, from the record or just now."""
        for event in events:
            self.story.setdefault(event.cursor, event)
        self.story = OrderedDict(sorted(self.story.items(), key=lambda item: item[1].at))
        table = self.query_one("#story", LiveTable)
        if table.ids != list(self.story):
            table.set_ids(list(self.story))

    def _cells(self, key: str) -> Sequence[Span]:
        event = self.story.get(key)
        return cells_of(event) if event is not None else [""] * len(COLUMNS)

    def _facts(self, view: SessionView | None) -> list[Line]:
        if view is None:
            return [((f" {self.session} is not known here", "bad"),)]
        ended = f" → {words.moment(view.ended_at)}" if view.ended_at else " → now"
        meters = (
            f"meter {_wh(view.meter_start_wh)} → {_wh(view.meter_stop_wh)} · energy from {view.energy_source}"
        )
        why = f" · stopped: {view.stop_reason}" if view.stop_reason else ""
        offline = " · began offline" if view.offline else ""
        return [
            (f" {view.station} c{words.plug(view.evse, view.connector)} · {words.moment(view.started_at)}{ended}",),
            (f" {meters}{why}{offline}",),
            ((f" transaction {view.transaction_id or '?'} · OCPP {view.ocpp_version or '?'}"
              f" · authorised: {view.authorization or '?'}", "dim"),),
        ]  # fmt: skip

    def near(self) -> set[Ref]:
        return {("session", self.session)}

    def target(self) -> Target | None:
        return target_of_session(self.mirror, self.session)

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        told = self.story.get(event.key)
        if told is not None:
            self.console.travel.open_paper(told.type, as_json(asdict(told)))


def _wh(value: int | None) -> str:
    return "?" if value is None else f"{value:,} Wh"
