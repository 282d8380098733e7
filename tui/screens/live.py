"""What happens at a station now: its connectors, the session on one of them as a curve, the last frames, its orders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

from textual import events
from textual.containers import Vertical
from textual.widget import Widget

from cms.contract.sessions import SessionView
from tui import signs, words
from tui.exchanges import paired
from tui.mirror import Ref
from tui.orders import Target
from tui.screens.frames import row_of
from tui.screens.page import Panel
from tui.screens.place import ago
from tui.sessionlines import figures, payer_of
from tui.widgets.chart import power_curve
from tui.widgets.lines import Lines
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.paint import Line, Span

if TYPE_CHECKING:
    from tui.screens.station import Station

PLUGS_SEEN = 5
ORDERS_SEEN = 2
FRAMES_SEEN = 60
CURVE_ROWS = (5, 18)
PLUGS = (
    Column("#", 3),
    Column("", 1),
    Column("State", 15, most=28),
    Column("kW", 6, right=True),
    Column("kWh", 7, right=True),
    Column("SoC", 4, right=True, drop=4),
    Column("For", 4, right=True, drop=3),
    Column("Driver", 10, drop=5, most=20),
    Column("Info", 8, grow=True, drop=1),
)


class Live(Panel):
    """The first tab of a station."""

    place = "station"
    title = "Live"

    @property
    def station(self) -> Station:
        return cast("Station", self.page)

    def compose(self) -> Iterable[Widget]:
        yield LiveTable(PLUGS, self._plug_cells, id="plugs")
        with Vertical(id="livebody"):
            yield Lines(id="session", classes="values")
            yield Lines(id="curve", classes="values")
            yield Lines(id="orders")
            yield Lines(id="framestitle")
            yield Lines(id="lastframes")

    @property
    def plugs(self) -> LiveTable:
        return self.query_one("#plugs", LiveTable)

    def draw(self, changed: set[Ref] | None) -> None:
        view = self.station.view
        plugs = self.plugs
        keys = [f"{c.evse}.{c.connector}" for c in view.connectors] if view else []
        plugs.empty = "no connector has been reported yet"
        if plugs.ids != keys:
            plugs.set_ids(keys)
            plugs.styles.height = min(max(1, len(keys)), PLUGS_SEEN) + 1
        plugs.repaint_changed()
        self.query_one("#orders", Lines).show(self._orders())
        self.draw_session()
        if changed is None:
            self.draw_frames()

    def draw_session(self) -> None:
        session = self.chosen_session()
        self.query_one("#session", Lines).show([] if session is None else [figures(self.page, session)])
        samples = list(self.mirror.power.get(session.id, ())) if session is not None else []
        curve = self.query_one("#curve", Lines)
        rows = self._curve_rows() if len(samples) > 1 else 0
        curve.styles.height = rows
        curve.show(power_curve(samples, self.app.size.width - 1, rows) if rows else [])

    def _curve_rows(self) -> int:
        """A part of what the screen has; none where only the figures fit."""
        least, most = CURVE_ROWS
        rows = min(most, (self.app.size.height - 12) // 2)
        return rows if rows >= least else 0

    def draw_frames(self) -> None:
        """The last exchanges, as many as there is room for."""
        kept = len(self.station.frames)
        title = f" Frames · {kept:,} kept · tab shows them all" if kept else " Frames · none yet"
        self.query_one("#framestitle", Lines).show([((title.ljust(400), "title"),)])
        lines = self.query_one("#lastframes", Lines)
        room = lines.size.height
        latest = paired(list(self.station.frames.values())[-FRAMES_SEEN:])
        lines.show([_line_of(row_of(exchange)) for exchange in latest[-room:]] if room else [])

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        if self.is_attached and not self.has_class("-hidden"):
            self.draw_session()
            self.draw_frames()

    def _plug_cells(self, key: str) -> Sequence[Span]:
        view = self.station.view
        found = [c for c in view.connectors if f"{c.evse}.{c.connector}" == key] if view else []
        if view is None or not found:
            return [""] * len(PLUGS)
        connector = found[0]
        sign = signs.of_connector(connector.status)
        session = self.mirror.sessions.get(connector.session or "")
        info = [connector.error_code, connector.vendor_error_code, connector.info]
        if connector.requested_availability == "inoperative":
            info.append("put out of operation")
        if session is not None:
            info.append(f"session {session.id}")
        return (
            words.plug_of(connector),
            (sign.mark, sign.tone),
            (sign.word if view.online else f"{sign.word} (last known)", sign.tone if view.online else "dim"),
            words.kilowatts(connector.power_w),
            words.kilowatt_hours(session.energy_wh) if session else words.NONE,
            words.percent(session.soc_percent if session else None),
            ago(self.page, connector.reported_at),
            payer_of(self.mirror, session) if session and session.token else words.NONE,
            " ".join(part for part in info if part),
        )

    def chosen_session(self) -> SessionView | None:
        """The session on the connector under the cursor, or the only one."""
        running = self.mirror.sessions_of(self.station.station)
        key = self.plugs.cursor_id
        for session in running:
            if key == f"{session.evse}.{session.connector or 1}":
                return session
        return running[0] if len(running) == 1 else None

    def _orders(self) -> list[Line]:
        lines: list[Line] = []
        for intent in self.mirror.intents_of(self.station.station)[:ORDERS_SEEN]:
            sign = signs.of_intent(intent)
            told = f"{words.clock(intent.created_at)} {intent.order} by {intent.requested_by}: {sign.word}"
            lines.append(((f" {sign.mark} {told}", sign.tone), (f"  {intent.detail or ''}", "dim")))
        return lines

    # ---- acting

    def target(self) -> Target | None:
        key = self.plugs.cursor_id
        base = self.station.station_target()
        if base is None or key is None:
            return base
        evse, _, connector = key.partition(".")
        chosen = self.chosen_session()
        plug = (int(evse), int(connector))
        return Target(
            station=base.station,
            plug=plug if plug in base.plugs else None,
            session=chosen.id if chosen else None,
            plugs=base.plugs,
        )

    def near(self) -> set[Ref]:
        running = {("session", session.id) for session in self.mirror.sessions_of(self.station.station)}
        return {("station", self.station.station), *running}

    def on_live_table_moved(self, event: LiveTable.Moved) -> None:
        self.draw_session()

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        event.stop()
        session = self.chosen_session()
        if session is not None:
            self.console.travel.open_session(session.id)


def _line_of(cells: Sequence[Span]) -> Line:
    """A row of the table of frames as a line that nobody stands on."""
    at, _, arrow, action, latency, wrong, what = cells
    action_text = action if isinstance(action, str) else action[0]
    tone = "" if isinstance(action, str) else action[1]
    return (f" {at} ", arrow, (f" {action_text:<26.26} ", tone), (f"{latency:>5} ", "dim"), wrong, " ", what)
