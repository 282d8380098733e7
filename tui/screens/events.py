"""Everything that happens, as it happens."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from textual.binding import Binding
from textual.widget import Widget

from cms.contract import filters
from cms.contract.events import Event
from cms.contract.refusals import Invalid
from tui import words
from tui.mirror import Ref
from tui.orders import Target
from tui.screens.place import Place, target_of_station
from tui.widgets.lines import Lines
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.paint import Span, width_of

COLUMNS = (
    Column("Time", 8),
    Column("Event", 20),
    Column("Station", 14, drop=2),
    Column("What", 12, grow=True),
    Column("Who", 12, drop=4),
    Column("Session", 14, drop=5),
)


def cells_of(event: Event) -> Sequence[Span]:
    tone = words.tone_of(event)
    return (
        words.clock(event.at),
        (event.type, tone or "dim"),
        event.station or "",
        (words.told(event), tone),
        event.actor or "",
        event.session or "",
    )


class Events(Place):
    """The event stream; it follows the latest while the cursor stands on the last row. ``tab`` shows the alerts."""

    place = "events"
    BINDINGS = [  # noqa: RUF012  # Textual reads it as a class attribute; its own tab would go to the next widget
        Binding("tab", "app.turn_over", show=False)
    ]

    title_words = "Events"

    def __init__(self) -> None:
        super().__init__()
        self._expression = ""
        self._predicate: filters.Predicate | None = None

    def crumbs(self) -> list[str]:
        return ["Alerts & events", "events"]

    def body(self) -> Iterable[Widget]:
        yield Lines(id="line")
        table = LiveTable(COLUMNS, self.cells, id="list", tail=True)
        table.empty = "nothing has happened yet"
        yield table

    def cells(self, key: str) -> Sequence[Span]:
        event = self.mirror.events.get(key)
        return cells_of(event) if event is not None else [""] * len(COLUMNS)

    def draw(self, changed: set[Ref] | None) -> None:
        if changed is not None and not any(kind == "event" for kind, _ in changed):
            return
        table = self.query_one("#list", LiveTable)
        matches = self._predicate
        table.set_ids([k for k, event in self.mirror.events.items() if matches is None or matches(event)])
        self.draw_line()

    def draw_line(self) -> None:
        table = self.query_one("#list", LiveTable)
        left: Span = (f" / {self._expression}", "busy") if self._expression else (" / filter", "dim")
        follows = table.cursor >= len(table.ids) - 1
        right = f"{len(table.ids):,} kept · {'following' if follows else 'G follows'} · tab alerts "
        blank = self.app.size.width - width_of([left, right])
        self.query_one("#line", Lines).show([(left, " " * max(1, blank), right)])

    def on_live_table_moved(self, event: LiveTable.Moved) -> None:
        self.draw_line()

    def filter_text(self) -> str:
        return self._expression

    def apply_filter(self, text: str, *, final: bool) -> None:
        try:
            predicate = filters.parse(text) if text.strip() else None
        except Invalid as refusal:
            if final:
                self.console.say(refusal.message, "bad")
            return
        self._expression, self._predicate = text.strip(), predicate
        self.draw(None)

    def target(self) -> Target | None:
        key = self.query_one("#list", LiveTable).cursor_id
        event = self.mirror.events.get(key) if key else None
        return target_of_station(self.mirror, event.station) if event and event.station else None

    def near(self) -> set[Ref]:
        return set()

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        told = self.mirror.events.get(event.key)
        if told is not None:
            self.console.travel.open_paper(f"{told.type} {told.station or ''}".strip(), as_json(asdict(told)))


def _plain(value: object) -> str:
    """A time as everywhere else in our JSON, RFC 3339 in UTC."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


def as_json(value: object) -> list[str]:
    """Indented JSON, line by line."""
    return json.dumps(value, indent=2, default=_plain, ensure_ascii=False).splitlines()
