"""What needs a person, first; then how much of everything there is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from tui import signs, words
from tui.attention import Concern
from tui.mirror import Ref
from tui.orders import Target
from tui.screens.place import Place, ago, target_of_session, target_of_station
from tui.widgets.lines import Lines
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.paint import Line, Span
from tui.widgets.sparkline import bar

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
QUIET = frozenset({"session.metered"})
"""Events that come all the time and are seen in their figures."""
FEED = (Column("Time", 8), Column("Station", 12), Column("What", 8, grow=True))
ATTENTION = (
    Column("", 1),
    Column("What", 18),
    Column("Where", 14, drop=2),
    Column("For", 4, right=True),
    Column("Why", 12, grow=True),
)


class Overview(Place):
    """Counts, connectors by state, the latest events, and the needs-attention list."""

    place = "overview"
    title_words = "Overview"
    AUTO_FOCUS = "#attention"

    def __init__(self) -> None:
        super().__init__()
        self._concerns: dict[str, Concern] = {}

    def body(self) -> Iterable[Widget]:
        yield Lines(id="line", classes="values")
        with Horizontal(id="top"):
            yield Lines(id="states", classes="values")
            with Vertical(id="feedpane"):
                yield Lines(id="feedtitle")
                yield LiveTable(FEED, self._feed_cells, id="feed", tail=True, header=False)
        yield Lines(id="attentiontitle")
        table = LiveTable(ATTENTION, self._attention_cells, id="attention", header=False)
        table.empty = "nothing needs you"
        yield table

    def near(self) -> set[Ref]:
        return set()

    def draw(self, changed: set[Ref] | None) -> None:
        self.query_one("#line", Lines).show([self._counts()])
        self.query_one("#states", Lines).show(self._states())
        self.query_one("#feedtitle", Lines).show([((" Latest events".ljust(400), "title"),)])
        if changed is None or any(kind == "event" for kind, _ in changed):
            told = [k for k, event in self.mirror.events.items() if event.type not in QUIET]
            self.query_one("#feed", LiveTable).set_ids(told[-FEED_KEPT:])
        self._draw_attention()

    def _draw_attention(self) -> None:
        concerns = self.mirror.attention()
        keys = [f"{c.what}\0{c.weight}" for c in concerns]
        self._concerns = dict(zip(keys, concerns, strict=True))
        table = self.query_one("#attention", LiveTable)
        if table.ids != keys:
            table.set_ids(keys)
        table.repaint_changed()
        title = f" Needs attention · {len(concerns)}" if concerns else " Needs attention"
        self.query_one("#attentiontitle", Lines).show([((title.ljust(400), "title"),)])

    def _counts(self) -> Line:
        mirror = self.mirror
        total = len(mirror.stations)
        spans: list[Span] = [f" Stations {total:,} ", (f"●{mirror.online:,} ", "good")]
        if total > mirror.online:
            spans.append((f"⊘{total - mirror.online:,} ", "bad"))
        spans.append(f"  Sessions {len(mirror.active):,}   Power ")
        spans.append((words.power(mirror.power_w), "strong"))
        spans.append(f"   Today {words.energy(mirror.energy_today_wh)}")
        if mirror.strangers:
            spans.append((f"   Unknown {len(mirror.strangers):,}", "warn"))
        if mirror.quarantined:
            spans.append((f"   Quarantined {mirror.quarantined:,}", "warn"))
        return tuple(spans)

    def _states(self) -> list[Line]:
        """Connectors by state with bars; when there are more states than rows the smallest are summed."""
        counts = {state: self.mirror.connectors.get(state, 0) for state in STATES}
        unknown = sum(n for state, n in self.mirror.connectors.items() if state not in counts)
        counts["unknown"] += unknown
        total = sum(counts.values())
        always = ("available", "charging", "faulted", "offline")
        lines: list[Line] = [((f" Connectors {total:,}".ljust(400), "title"),)]
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
        told = f"{event.type.partition('.')[2]} {words.told(event)}"
        return (words.clock(event.at), event.station or event.actor or "", (told, words.tone_of(event)))

    def _attention_cells(self, key: str) -> Sequence[Span]:
        concern = self._concerns.get(key)
        if concern is None:
            return ("", "", "", "", "")
        return (
            (concern.mark, concern.tone),
            concern.what,
            concern.where,
            ago(self, concern.since),
            (concern.why, concern.tone),
        )

    def _concern(self) -> Concern | None:
        key = self.query_one("#attention", LiveTable).cursor_id
        return self._concerns.get(key) if key else None

    def target(self) -> Target | None:
        concern = self._concern()
        if concern is None or concern.station is None:
            return None
        if concern.session is not None:
            return target_of_session(self.mirror, concern.session)
        return target_of_station(self.mirror, concern.station)

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        if event.table.id == "feed":
            told = self.mirror.events.get(event.key)
            if told is not None and told.station in self.mirror.stations:
                self.console.open_station(told.station)
            return
        concern = self._concerns.get(event.key)
        if concern is None:
            return
        if concern.session is not None:
            self.console.open_session(concern.session)
        elif concern.station is not None:
            self.console.open_station(concern.station)
        else:
            self.console.say(f"enrol it with: cms stations enrol {concern.what}", "warn")
