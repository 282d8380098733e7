"""A station's frames as they cross its link: each call with its answer; followed, filtered, explained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.widget import Widget

from cms.contract.stations import Message
from tui.exchanges import Exchange, explained, paired, sheet, summary
from tui.mirror import Ref
from tui.orders import Target
from tui.screens.page import Panel
from tui.widgets.lines import Lines
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.paint import Line, Span

if TYPE_CHECKING:
    from tui.screens.session import Session
    from tui.screens.station import Station

COLUMNS = (
    Column("Time", 8),
    Column("", 4, drop=9),
    Column("", 1),
    Column("Action", 26, most=34),
    Column("ms", 6, right=True, drop=2),
    Column("", 1),
    Column("What", 20, grow=True),
)
ARROWS = {"in": ("→", "good"), "out": ("←", "busy")}
DIRECTIONS = ("", "in", "out")
SHOWN = {"": "both ways", "in": "from the station", "out": "to the station"}
DETAIL_LINES = 14
DETAIL_FROM = 40
"""Rows of a screen that has room for the frame under the cursor."""


class Frames(Panel):
    """``d`` chooses a direction, ``f`` follows; scrolled up, what came since is counted."""

    place = "frames"
    title = "Messages"
    filter_keys: ClassVar[type] = Message

    def __init__(self, *, classes: str = "") -> None:
        super().__init__(classes=classes)
        self.exchanges: dict[str, Exchange] = {}
        self.direction = ""
        self.unread = 0

    @property
    def source(self) -> Station | Session:
        """The page whose frames these are."""
        return cast("Station | Session", self.page)

    def begin(self) -> None:
        self.source.begin_frames()

    def compose(self) -> Iterable[Widget]:
        yield Lines(id="framesline")
        table = LiveTable(COLUMNS, self._cells, id="frames", tail=True, header=False)
        table.empty = "no frame yet: they are kept while the station is connected"
        yield table
        yield Lines(id="framedetail")

    @property
    def frames(self) -> LiveTable:
        return self.query_one("#frames", LiveTable)

    @property
    def follows(self) -> bool:
        table = self.frames
        return table.cursor >= len(table.ids) - 1

    def draw(self, changed: set[Ref] | None) -> None:
        if changed is None:
            self.hear(list(self.source.frames.values()))

    def hear(self, frames: Sequence[Message]) -> None:
        """All frames that are kept, in time order."""
        known = self.exchanges.keys()
        exchanges = {exchange.key: exchange for exchange in paired(frames)}
        followed = self.follows
        if not followed:
            self.unread += len(exchanges.keys() - known)
        before, self.exchanges = self.exchanges, exchanges
        self.chosen()
        self.frames.rows_changed([key for key, exchange in exchanges.items() if before.get(key) != exchange])
        if followed:
            self.unread = 0
        self.draw_rest()

    def chosen(self) -> None:
        table = self.frames
        keys = [key for key, exchange in self.exchanges.items() if self._admits(exchange)]
        if table.ids != keys:
            table.set_ids(keys)
        self.draw_rest()

    def _admits(self, exchange: Exchange) -> bool:
        first = exchange.first
        direction = first.direction if exchange.call else {"in": "out"}.get(first.direction, "in")
        if self.direction not in ("", direction):
            return False
        if self.predicate is None:
            return True
        return any(self.predicate(f) for f in (exchange.call, exchange.answer) if f is not None)

    def draw_rest(self) -> None:
        """The line above, and the frame under the cursor where there is room."""
        follow = "following" if self.follows else f"{self.unread:,} unread: f follows"
        right = f"{len(self.frames.ids):,} of {len(self.exchanges):,} · {SHOWN[self.direction]} · {follow} "
        self.query_one("#framesline", Lines).show([self.line_above(right)])
        self.query_one("#framedetail", Lines).show(self._detail())

    def _detail(self) -> list[Line]:
        if self.app.size.height < DETAIL_FROM:
            return []
        exchange = self.exchanges.get(self.frames.cursor_id or "")
        others = list(self.exchanges.values())
        told = [] if exchange is None else sheet(exchange, others)[: DETAIL_LINES - 1]
        title: Line = ((" Under the cursor · enter shows all".ljust(400), "title"),)
        return [title, *((f" {line}",) for line in told), *[()] * (DETAIL_LINES - 1 - len(told))]

    def _cells(self, key: str) -> Sequence[Span]:
        exchange = self.exchanges.get(key)
        if exchange is None:
            return [""] * len(COLUMNS)
        return row_of(exchange)

    # ---- keys

    def turn_direction(self) -> None:
        self.direction = DIRECTIONS[(DIRECTIONS.index(self.direction) + 1) % len(DIRECTIONS)]
        self.chosen()

    def follow(self) -> None:
        """To the end, and stay there."""
        self.frames.action_edge(True)
        self.unread = 0
        self.draw_rest()

    def target(self) -> Target | None:
        return self.source.station_target()

    def copied(self) -> tuple[str, str] | None:
        exchange = self.exchanges.get(self.frames.cursor_id or "")
        if exchange is None:
            return None
        frames = [frame.payload for frame in (exchange.call, exchange.answer) if frame is not None]
        return "\n".join(frames), f"{exchange.first.action} as JSON"

    def explain(self) -> None:
        """How usual it is, in the bottom line."""
        exchange = self.exchanges.get(self.frames.cursor_id or "")
        if exchange is not None:
            self.console.say(" · ".join(explained(exchange, list(self.exchanges.values()))))

    def on_live_table_moved(self, event: LiveTable.Moved) -> None:
        if self.follows:
            self.unread = 0
        self.draw_rest()

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        event.stop()
        exchange = self.exchanges.get(event.key)
        if exchange is not None:
            title = f"{self.page.crumbs()[-1]} {exchange.first.action}"
            self.console.travel.open_paper(title, sheet(exchange, list(self.exchanges.values())))


def row_of(exchange: Exchange) -> Sequence[Span]:
    """One exchange in the columns of the table."""
    first = exchange.first
    mark, tone = ARROWS.get(first.direction, ("?", ""))
    trouble = "bad" if exchange.failed or exchange.wrong else ""
    state = " ERROR" if exchange.failed else "" if exchange.call is not None else f" {first.kind}"
    at = first.at.astimezone()
    latency = exchange.latency_ms
    return (
        f"{at:%H:%M:%S}",
        f".{at.microsecond // 1000:03d}",
        (mark, tone),
        (first.action + state, trouble),
        f"{latency:.0f}" if latency is not None else "…" if exchange.answer is None else "",
        ("!", "bad") if exchange.wrong else "",
        (exchange.wrong or summary(exchange), trouble or "dim"),
    )
