"""What needs a person, as a list: who looks after it, how often, since when; below or beside it, more of the one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from cms.contract.alerts import AlertView
from tui import attention, words
from tui.attention import concern
from tui.mirror import Ref
from tui.orders import Target
from tui.screens.alert import facts
from tui.screens.listed import Listed
from tui.screens.place import ago, target_of_session, target_of_station, titled
from tui.widgets.lines import Lines
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.paint import Span

STATES = ("new", "claimed", "acknowledged", "muted")


class Alerts(Listed):
    """All alerts, the muted ones too; ``tab`` shows the events."""

    place = "alerts"
    BINDINGS = [  # noqa: RUF012  # Textual reads it as a class attribute; its own tab would go to the next widget
        Binding("tab", "app.turn_over", show=False)
    ]

    title_words = "Alerts"
    kind = "alert"
    view_type = AlertView
    columns = (
        Column("", 1),
        Column("Since", 5, sort="since"),
        Column("What", 15, sort="what", most=24),
        Column("Site", 12, drop=4, sort="site"),
        Column("Why", 32, grow=True),
        Column("n", 3, right=True, drop=2, sort="count"),
        Column("State", 13, sort="state", drop=1, most=20),
        Column("For", 4, right=True, drop=3),
    )
    sorts: ClassVar[dict[str, Callable[[Any], Any]]] = {
        "severity": attention.rank,
        "since": lambda one: one.since,
        "what": lambda one: one.what.casefold(),
        "site": lambda one: (one.site or "").casefold(),
        "count": lambda one: one.count,
        "state": lambda one: STATES.index(one.state) if one.state in STATES else len(STATES),
    }
    sort_name = "severity"

    def body(self) -> Iterable[Widget]:
        line, table = super().body()
        yield line
        with Horizontal(id="split"):
            with Vertical(id="listpane"):
                yield table
            with Vertical(id="preview"):
                yield Lines(id="previewtitle")
                yield Lines(id="previewlines", classes="values")

    def views(self) -> Mapping[str, AlertView]:
        return self.mirror.alerts

    def big_first(self) -> frozenset[str]:
        return frozenset({"since", "count"})

    def crumbs(self) -> list[str]:
        return ["Alerts & events", "alerts"]

    def summary(self) -> str:
        muted = sum(one.state == "muted" for one in self.mirror.alerts.values())
        away = self.mirror.away.line()
        parts = [*([f"{muted} muted"] if muted else []), *([away] if away else []), "tab events"]
        return "· " + " · ".join(parts)

    def draw(self, changed: set[Ref] | None) -> None:
        super().draw(changed)
        self.list_table().empty = "nothing needs you"
        self._draw_preview()

    def draw_line(self) -> None:
        super().draw_line()
        self._draw_preview()

    def _draw_preview(self) -> None:
        """The one under the cursor, in words; its first members."""
        key = self.alert_here()
        one = self.mirror.alerts.get(key) if key else None
        width = self.query_one("#previewlines", Lines).size.width
        lines = facts(one, one, width) if one is not None else []
        if one is not None and len(one.members) > 1:
            lines += [
                (f"   {member.what:<14} ", (words.clock(member.since), "dim"), f"  {member.why}")
                for member in one.members
            ]
            if one.count > len(one.members):
                lines.append(((f"   … {one.count - len(one.members)} more: enter shows all", "dim"),))
        self.query_one("#previewtitle", Lines).show([titled(one.what if one else "")])
        self.query_one("#previewlines", Lines).show(lines)

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self.call_after_refresh(self._draw_preview)

    def on_live_table_moved(self, event: LiveTable.Moved) -> None:
        super().on_live_table_moved(event)
        self._draw_preview()

    def on_screen_suspend(self) -> None:
        super().on_screen_suspend()
        self.mirror.away.read()

    def cells(self, key: str) -> Sequence[Span]:
        one = self.mirror.alerts.get(key)
        if one is None:
            return [""] * len(self.columns)
        line = concern(one)
        quiet = one.state == "muted"
        return (
            (line.mark, "dim" if quiet else line.tone),
            words.day_or_clock(one.since, self.console.now()),
            (one.what, "dim" if quiet else ""),
            one.site or "",
            (one.why, "dim" if quiet else line.tone),
            f"{one.count:,}",
            (line.state, "dim" if one.state in ("new", "muted") else "busy"),
            ago(self, one.since),
        )

    def alert_here(self) -> str | None:
        return self.list_table().cursor_id

    def target_at(self, key: str) -> Target | None:
        """The alert itself, for what is done to alerts; with the station or session it is about."""
        one = self.mirror.alerts.get(key)
        if one is None:
            return None
        about = target_of_session(self.mirror, one.session) if one.session else None
        about = about or (target_of_station(self.mirror, one.station) if one.station else None)
        return Target(about.station if about else "", kind="alert", row=one)

    def target(self) -> Target | None:
        key = self.alert_here()
        one = self.mirror.alerts.get(key) if key else None
        if one is None:
            return None
        line = concern(one)
        if line.stranger is not None:
            return Target(line.stranger, kind="stranger")
        if one.session is not None:
            return target_of_session(self.mirror, one.session)
        return target_of_station(self.mirror, one.station) if one.station else None

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        if (one := self.mirror.alerts.get(event.key)) is not None:
            self.console.hush()
            self.console.travel.open_alert(one)
