"""Sessions: those that run, and those that are over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from cms.contract.sessions import SessionView
from tui import signs, words
from tui.orders import Target
from tui.screens.listed import Listed
from tui.screens.place import target_of_session
from tui.sessionlines import cost_of, payer_of
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.paint import Span
from tui.widgets.sparkline import spark


class Sessions(Listed):
    """The live table of sessions; ``H`` shows the past ones."""

    place = "sessions"
    title_words = "Sessions"
    kind = "session"
    view_type = SessionView
    columns = (
        Column("", 1),
        Column("Session", 14, sort="started"),
        Column("Station", 11, sort="station", most=18),
        Column("Driver", 9, drop=4, most=18),
        Column("Time", 5, right=True, drop=3),
        Column("kW", 5, right=True, sort="power"),
        Column("kWh", 6, right=True, sort="energy"),
        Column("SoC", 4, right=True, drop=6),
        Column("Cost", 6, right=True, sort="cost", drop=5),
        Column("Power", 12, drop=7),
        Column("State", 14, drop=8, most=24),
        Column("Token", 10, sort="token", drop=9, most=20),
        Column("Started", 19, drop=10),
        Column("Flags", 6, grow=True, drop=2),
    )
    sorts: ClassVar[dict[str, Callable[[Any], Any]]] = {
        "started": lambda s: s.started_at,
        "power": lambda s: s.power_w or 0,
        "energy": lambda s: s.energy_wh,
        "station": lambda s: (s.station.casefold(), s.evse or 0),
        "cost": lambda s: Decimal(s.cost["amount"]) if s.cost else Decimal(0),
        "token": lambda s: (s.token or "").casefold(),
    }
    sort_name = "started"
    sort_down = True

    def __init__(self) -> None:
        super().__init__()
        self.past = False

    def views(self) -> Mapping[str, SessionView]:
        return self.mirror.sessions

    def admits(self, view: Any) -> bool:
        return (view.ended_at is not None) == self.past

    def big_first(self) -> frozenset[str]:
        return frozenset({"started", "power", "energy", "cost"})

    def crumbs(self) -> list[str]:
        return ["Sessions", "past" if self.past else "running"]

    def summary(self) -> str:
        return "past" if self.past else f"· {words.power(self.mirror.power_w)}"

    def turn_to_past(self) -> None:
        self.past = not self.past
        self.choose()
        self.list_table().set_ids(self.listing.shown)
        self.draw_frame()
        self.draw_line()

    def cells(self, key: str) -> Sequence[Span]:
        session = self.mirror.sessions.get(key)
        if session is None:
            return (("–", "dim"), (key, "dim"), *[""] * 11)
        sign = signs.of_session(session.status)
        power = [watts for _, watts in self.mirror.power.get(key, ())]
        return (
            (sign.mark, sign.tone),
            session.id,
            f"{session.station}/{words.plug(session.evse, session.connector)}",
            payer_of(self.mirror, session) or words.NONE,
            words.lasting(session.started_at, session.ended_at or self.console.now()),
            words.kilowatts(session.power_w),
            words.kilowatt_hours(session.energy_wh),
            words.percent(session.soc_percent),
            cost_of(session) or words.NONE,
            spark(power[-12:], spaced=True)[0],
            (sign.word + (f", {session.stop_reason}" if session.stop_reason else ""), sign.tone),
            session.token or words.NONE,
            words.moment(session.started_at),
            (", ".join(session.flags), "warn"),
        )

    def target(self) -> Target | None:
        key = self.list_table().cursor_id
        return target_of_session(self.mirror, key) if key else None

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        self.console.travel.open_session(event.key)
