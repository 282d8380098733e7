"""A station's past: how its link was, and its sessions, orders and events as one dated list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import events
from textual.widget import Widget

from cms.contract.events import Event, ListEvents
from cms.contract.intents import IntentView, ListIntents
from cms.contract.sessions import ListSessions, SessionView
from tui import signs, words
from tui.charts.uptime import TELLING, strip_of, uptime
from tui.mirror import Ref
from tui.orders import Target
from tui.screens.events import as_json
from tui.screens.page import Panel
from tui.sessionlines import cost_of, payer_of
from tui.widgets.lines import Lines
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.paint import Line, Span

if TYPE_CHECKING:
    from tui.screens.station import Station

SESSIONS = 200
ORDERS = 200
EVENTS = 500
LINK = 1_000
SPAN = timedelta(hours=24)
COLUMNS = (
    Column("When", 16),
    Column("", 1),
    Column("Kind", 7, drop=2),
    Column("What", 24, grow=True),
)
KINDS = ("", "session", "order", "event")
SHOWN = {"": "all of it", "session": "sessions", "order": "orders", "event": "events"}
#: Events that sessions and orders tell better.
_TOLD_OTHERWISE = ("session.", "intent.")


@dataclass(frozen=True, slots=True)
class Happening:
    """One row: a session, an order or an event, and what a filter may name of it."""

    at: datetime
    kind: str
    what: str
    of: SessionView | IntentView | Event


class History(Panel):
    """``d`` shows one kind alone; enter opens the session, the order or the event."""

    place = "history"
    title = "History"
    filter_keys: ClassVar[type] = Happening

    def __init__(self, *, classes: str = "") -> None:
        super().__init__(classes=classes)
        self.happenings: dict[str, Happening] = {}
        self.link: list[Event] = []
        self.kind = ""

    @property
    def station(self) -> Station:
        return cast("Station", self.page)

    def compose(self) -> Iterable[Widget]:
        yield Lines(id="uptime")
        yield Lines(id="historyline")
        table = LiveTable(COLUMNS, self._cells, id="history")
        table.empty = "nothing is in the record yet"
        yield table

    @property
    def past(self) -> LiveTable:
        return self.query_one("#history", LiveTable)

    def begin(self) -> None:
        self.page.fetch(self, "past", self._read)

    async def _read(self, ask: Any) -> Any:
        key = self.station.station
        sessions = await ask(ListSessions(station=key, limit=SESSIONS))
        orders = await ask(ListIntents(station=key, limit=ORDERS))
        told = await ask(ListEvents(station=key, limit=EVENTS))
        link = [await ask(ListEvents(station=key, type=word, limit=LINK)) for word in TELLING]
        return sessions, orders, told, [event for part in link for event in part]

    def take(self, what: str, found: Any) -> None:
        sessions, orders, told, self.link = found
        rows = [self._of_session(session) for session in sessions]
        rows += [self._of_order(order) for order in orders]
        rows += [_of_event(event) for event in told if not event.type.startswith(_TOLD_OTHERWISE)]
        rows.sort(key=lambda row: row.at, reverse=True)
        self.happenings = {f"{row.kind} {key_of(row)}": row for row in rows}
        self.draw(None)

    def _of_session(self, session: SessionView) -> Happening:
        lasted = words.lasting(session.started_at, session.ended_at or self.console.now())
        cost = f"{cost_of(session)} {session.cost['currency']}" if session.cost else ""
        where = f"c{words.plug(session.evse, session.connector)}"
        flags = ", ".join(session.flags)
        parts = [where, payer_of(self.mirror, session), f"{lasted} h", words.energy(session.energy_wh)]
        parts += [cost, session.stop_reason or ("" if session.ended_at else "runs"), flags]
        return Happening(session.started_at, "session", " · ".join(filter(None, parts)), session)

    def _of_order(self, order: IntentView) -> Happening:
        told = f"{order.order} by {order.requested_by}: {order.status}"
        because = f" ({order.reason})" if order.reason else ""
        detail = f" · {order.detail}" if order.detail else ""
        return Happening(order.created_at, "order", told + because + detail, order)

    def draw(self, changed: set[Ref] | None) -> None:
        if changed is None:
            self.query_one("#uptime", Lines).show(self._uptime())
            self.chosen()
        elif any(self._tells(ref) for ref in changed):
            self.begin()

    def _tells(self, ref: Ref) -> bool:
        event = self.mirror.events.get(ref[1]) if ref[0] == "event" else None
        return event is not None and event.station == self.station.station and event.type != "session.metered"

    def _uptime(self) -> list[Line]:
        """A day of its link in a strip, and what it comes to."""
        view = self.station.view
        now = self.console.now()
        head = " 24 h link "
        width = max(10, self.app.size.width - len(head) - 26)
        since = now - SPAN
        if view is not None and view.enrolled_at is not None and view.enrolled_at > since:
            width = max(1, round(width * ((now - view.enrolled_at) / SPAN)))
            since = view.enrolled_at
            head = f"{words.ago(since, now):>5} link "
        known = uptime(self.link, since, now, width, view.online if view else None)
        share = "" if known.share is None else f" {100 * known.share:.1f} %"
        breaks = f" · {known.breaks} lost" if known.breaks else ""
        return [((head, "dim"), *strip_of(known), f"{share}{breaks}")]

    def chosen(self) -> None:
        matches = self.predicate
        keys = [
            key
            for key, row in self.happenings.items()
            if self.kind in ("", row.kind) and (matches is None or matches(row))
        ]
        table = self.past
        if table.ids != keys:
            table.set_ids(keys)
        table.repaint_changed()
        right = f"{len(keys):,} of {len(self.happenings):,} · {SHOWN[self.kind]} "
        self.query_one("#historyline", Lines).show([self.line_above(right)])

    def turn_direction(self) -> None:
        """The next kind alone."""
        self.kind = KINDS[(KINDS.index(self.kind) + 1) % len(KINDS)]
        self.chosen()

    def _cells(self, key: str) -> Sequence[Span]:
        row = self.happenings.get(key)
        if row is None:
            return [""] * len(COLUMNS)
        mark, tone = _sign_of(row)
        return (
            words.minute(row.at),
            (mark, tone),
            (row.kind, "dim"),
            (row.what, tone if tone == "bad" else ""),
        )

    def target(self) -> Target | None:
        return self.station.station_target()

    def on_resize(self, event: events.Resize) -> None:
        if not self.has_class("-hidden") and self.is_attached:
            self.query_one("#uptime", Lines).show(self._uptime())

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        event.stop()
        row = self.happenings.get(event.key)
        match row.of if row is not None else None:
            case SessionView() as session:
                self.console.travel.open_session(session.id)
            case IntentView() as order:
                self.console.travel.open_paper(f"{order.order} {order.id}", as_json(asdict(order)))
            case Event() as told:
                self.console.travel.open_paper(told.type, as_json(asdict(told)))


def key_of(row: Happening) -> str:
    """What the row is called by in the record."""
    return row.of.cursor if isinstance(row.of, Event) else row.of.id


def _of_event(event: Event) -> Happening:
    return Happening(event.at, "event", f"{event.type} {words.told(event)}".strip(), event)


def _sign_of(row: Happening) -> tuple[str, str]:
    match row.of:
        case SessionView() as session:
            sign = signs.of_session(session.status)
        case IntentView() as order:
            sign = signs.of_intent(order)
        case Event() as event:
            return ("▲" if words.tone_of(event) else " ", words.tone_of(event))
    return (sign.mark, sign.tone)
