"""What needs a person, first; then how much of everything there is."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from textual import events
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widget import Widget

from tui import signs, words
from tui.attention import Concern, concern
from tui.mirror import Ref
from tui.orders import Target
from tui.screens.alert import open_alert
from tui.screens.place import WIDE, Place, ago, target_of_session, target_of_station, titled
from tui.widgets.chart import power_chart, sampled
from tui.widgets.lines import Lines
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.paint import Line, Span, width_of
from tui.widgets.sparkline import bar, spark

STATES = (
    "available",
    "charging",
    "preparing",
    "suspended-ev",
    "suspended-evse",
    "finishing",
    "occupied",
    "reserved",
    "unavailable",
    "faulted",
    "offline",
    "unknown",
)
ROWS = 9
FEED_KEPT = 100
QUIET = frozenset({"session.metered", "alert.raised", "alert.changed", "alert.ended"})
"""Events that come all the time and are seen in their figures, or in the list of what needs a person."""
RUNNING_KEPT = 200
CHART_S = 3.0
"""A picture of power is drawn anew no sooner than this."""
SPARK = 16
FEED = (Column("Time", 8), Column("Station", 12), Column("What", 8, grow=True))
ATTENTION = (
    Column("", 1),
    Column("What", 18),
    Column("Where", 14, drop=2),
    Column("For", 4, right=True),
    Column("Why", 26, grow=True),
    Column("By", 7, drop=1),
)
RUNNING = (
    Column("", 1),
    Column("Where", 12, most=18),
    Column("kW", 6, right=True),
    Column("Power", SPARK),
    Column("kWh", 6, right=True),
    Column("Time", 5, right=True, drop=2),
    Column("SoC", 4, right=True, drop=3),
    Column("Token", 8, grow=True, drop=4),
)


class Overview(Place):
    """What needs a person, connectors by state and the latest events; where there is room also power over
    time and the sessions that run.
    """

    place = "overview"
    title_words = "Overview"
    AUTO_FOCUS = "#attention"

    def __init__(self) -> None:
        super().__init__()
        self._charted_at = 0.0
        self._chart_timer: Timer | None = None

    def body(self) -> Iterable[Widget]:
        yield Lines(id="line", classes="values")
        with Horizontal(id="top"):
            yield Lines(id="states", classes="values")
            with Vertical(id="powerpane"):
                yield Lines(id="powertitle")
                yield Lines(id="power", classes="values")
            with Vertical(id="feedpane"):
                yield from self._feed("feed")
        with Horizontal(id="rest"):
            with Vertical(id="left"):
                with Vertical(id="attentionpane"):
                    yield Lines(id="attentiontitle")
                    table = LiveTable(ATTENTION, self._attention_cells, id="attention", header=False)
                    table.empty = "nothing needs you"
                    yield table
                with Vertical(id="runningpane"):
                    yield Lines(id="runningtitle")
                    yield LiveTable(RUNNING, self._running_cells, id="running")
            with Vertical(id="besidepane"):
                yield from self._feed("beside")

    def _feed(self, name: str) -> Iterable[Widget]:
        yield Lines(id=f"{name}title")
        yield LiveTable(FEED, self._feed_cells, id=name, classes="feed", tail=True, header=False)

    @property
    def wide(self) -> bool:
        """Whether there is room for power over time and for the sessions."""
        return self.app.size.width >= WIDE

    def near(self) -> set[Ref]:
        return set()

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self.call_after_refresh(self.draw, None)

    def draw(self, changed: set[Ref] | None) -> None:
        self.query_one("#line", Lines).show([self._counts()])
        self.query_one("#states", Lines).show(self._states())
        kinds = {kind for kind, _ in changed} if changed is not None else None
        if kinds is None or "event" in kinds:
            self._draw_feed()
        if kinds is None or "alert" in kinds:
            self._draw_attention()
        if not self.wide:
            return
        if kinds is None or "session" in kinds:
            self._draw_running(changed)
        self._draw_power(at_once=changed is None)

    def _draw_feed(self) -> None:
        name = "beside" if self.wide else "feed"
        self.query_one(f"#{name}title", Lines).show([titled("Latest events")])
        told = [key for key, event in self.mirror.events.items() if event.type not in QUIET]
        self.query_one(f"#{name}", LiveTable).set_ids(told[-FEED_KEPT:])

    def _draw_running(self, changed: set[Ref] | None) -> None:
        table = self.query_one("#running", LiveTable)
        table.empty = "no session is running"
        keys = [session.id for session in self.mirror.latest_sessions(RUNNING_KEPT)]
        if table.ids != keys:
            table.set_ids(keys)
            if not table.has_focus:
                table.action_edge(False)
        if changed is None:
            table.repaint_changed()
        else:
            table.rows_changed(key for kind, key in changed if kind == "session")
        self.query_one("#runningtitle", Lines).show(
            [titled(f"Running sessions · {len(self.mirror.active):,}, the latest first")]
        )

    def _draw_power(self, *, at_once: bool = False) -> None:
        """Draw power over time unless that was just done: then a little later."""
        wait_s = self._charted_at + CHART_S - time.monotonic()
        if not at_once and wait_s > 0:
            if self._chart_timer is None:
                self._chart_timer = self.set_timer(wait_s, lambda: self._draw_power(at_once=True))
            return
        if self._chart_timer is not None:
            self._chart_timer.stop()
            self._chart_timer = None
        if not self.is_current or self.console.painting.paused:
            return
        self._charted_at = time.monotonic()
        picture = self.query_one("#power", Lines)
        width, height = picture.size
        samples, now = self.mirror.trend.samples, self.console.now()
        self.query_one("#powertitle", Lines).show([titled("Power of all sessions")])
        picture.show(power_chart(samples, now, width, height))

    def _draw_attention(self) -> None:
        """The rows stay where they are while somebody moves among them; what is new comes in its place."""
        keys = [one.id for one in self.mirror.attention()]
        table = self.query_one("#attention", LiveTable)
        if table.ids != keys:
            table.set_ids(keys)
        table.repaint_changed()
        count, away = len(keys), self.mirror.away.line()
        parts = ["Needs attention", *([f"{count:,}"] if count else []), *([away] if away else [])]
        self.query_one("#attentiontitle", Lines).show([titled(" · ".join(parts))])
        # What needs a person takes what it needs, up to half of what there is.
        room = self.query_one("#rest").size.height // 2
        pane = self.query_one("#attentionpane")
        pane.styles.height = min(count + 2, max(4, room)) if self.wide and room else None

    def _counts(self) -> Line:
        mirror = self.mirror
        total = len(mirror.stations)
        spans: list[Span] = [f" Stations {total:,} ", (f"●{mirror.online:,} ", "good")]
        if total > mirror.online:
            spans.append((f"⊘{total - mirror.online:,} ", "bad"))
        spans.append(f" Sessions {len(mirror.active):,}  Power ")
        spans.append((words.power(mirror.power_w), "strong"))
        spans.append(f"  Today {words.energy(mirror.energy_today_wh)}")
        if mirror.strangers:
            spans.append((f"  Unknown {len(mirror.strangers):,}", "warn"))
        if mirror.quarantined:
            spans.append((f"  Quarantined {mirror.quarantined:,}", "warn"))
        if orders := len(mirror.pending_intents()):
            spans.append((f"  Orders {orders:,}", "busy"))
        room = min(SPARK, self.app.size.width - width_of(spans) - 4)
        if not self.wide and room >= 8 and mirror.trend.samples:
            values, _, _ = sampled(mirror.trend.samples, self.console.now(), room)
            spans.append(("   " + spark(values)[0], "busy"))
        return tuple(spans)

    def _states(self) -> list[Line]:
        """Connectors by state with bars; when there are more states than rows the smallest are summed."""
        counts = {state: self.mirror.connectors.get(state, 0) for state in STATES}
        unknown = sum(n for state, n in self.mirror.connectors.items() if state not in counts)
        counts["unknown"] += unknown
        total = sum(counts.values())
        always = ("available", "charging", "faulted", "offline")
        lines: list[Line] = [titled(f"Connectors {total:,}")]
        room = max(4, min(40, self.app.size.width) - 28)
        for state in STATES:
            if not counts[state] and state not in always:
                continue
            sign = signs.CONNECTOR[state]
            drawn = bar(counts[state], total, room)
            lines.append(
                (
                    (f" {sign.mark} ", sign.tone),
                    f"{sign.word[:15]:<15}{counts[state]:>6} ",
                    (drawn, sign.tone),
                )
            )
        lines = lines[: ROWS + 1]
        return lines + [()] * (ROWS + 1 - len(lines))

    def _feed_cells(self, key: str) -> Sequence[Span]:
        event = self.mirror.events.get(key)
        if event is None:
            return ("", "", "")
        said = (words.happening(event), words.tone_of(event))
        return (words.clock(event.at), event.station or event.actor or "", said)

    def _running_cells(self, key: str) -> Sequence[Span]:
        session = self.mirror.sessions.get(key)
        if session is None:
            return [""] * len(RUNNING)
        sign = signs.of_session(session.status)
        drawn = [watts for _, watts in self.mirror.power.get(key, ())][-SPARK:]
        return (
            (sign.mark, sign.tone),
            f"{session.station}/{words.plug(session.evse, session.connector)}",
            words.kilowatts(session.power_w),
            (spark(drawn, spaced=True)[0], "busy"),
            words.kilowatt_hours(session.energy_wh),
            words.lasting(session.started_at, self.console.now()),
            words.percent(session.soc_percent),
            session.token or words.NONE,
        )

    def _attention_cells(self, key: str) -> Sequence[Span]:
        one = self.mirror.alerts.get(key)
        if one is None:
            return [""] * len(ATTENTION)
        line = concern(one)
        return (
            (line.mark, line.tone),
            one.what,
            line.where,
            ago(self, one.since),
            (one.why, line.tone),
            (line.minder, "busy"),
        )

    def _concern(self) -> Concern | None:
        key = self.query_one("#attention", LiveTable).cursor_id
        one = self.mirror.alerts.get(key) if key else None
        return concern(one) if one is not None else None

    def alert_here(self) -> str | None:
        """The alert under the cursor."""
        table = self.query_one("#attention", LiveTable)
        return None if self.focused is not None and self.focused is not table else table.cursor_id

    def target(self) -> Target | None:
        if self.focused is not None and self.focused.id == "running":
            key = self.query_one("#running", LiveTable).cursor_id
            return target_of_session(self.mirror, key) if key else None
        line = self._concern()
        if line is None:
            return None
        if line.stranger is not None:
            return Target(line.stranger, kind="stranger")
        if line.alert.session is not None:
            return target_of_session(self.mirror, line.alert.session)
        return target_of_station(self.mirror, line.alert.station) if line.alert.station else None

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        if event.table.id == "running":
            self.console.travel.open_session(event.key)
            return
        if event.table.id in ("feed", "beside"):
            told = self.mirror.events.get(event.key)
            if told is not None and told.station in self.mirror.stations:
                self.console.travel.open_station(told.station)
            return
        if (one := self.mirror.alerts.get(event.key)) is not None:
            open_alert(self.console, one)
