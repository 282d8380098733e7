"""What people wrote about a station, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

from textual.widget import Widget

from cms.contract.stationnotes import ListStationNotes, StationNote
from tui import words
from tui.mirror import Ref
from tui.orders import Target
from tui.screens.page import Panel
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.paint import Span

if TYPE_CHECKING:
    from tui.screens.station import Station

COLUMNS = (Column("When", 16), Column("By", 12, drop=1), Column("Note", 20, grow=True))


class StationNotes(Panel):
    """``N`` writes one; enter shows the whole of it."""

    place = "notes"
    title = "Notes"

    def __init__(self, *, classes: str = "") -> None:
        super().__init__(classes=classes)
        self.notes: dict[str, StationNote] = {}

    @property
    def station(self) -> Station:
        return cast("Station", self.page)

    def compose(self) -> Iterable[Widget]:
        table = LiveTable(COLUMNS, self._cells, id="notes")
        table.empty = "nobody wrote anything yet: N writes a note"
        yield table

    def begin(self) -> None:
        self.read()

    def read(self) -> None:
        self.page.fetch(self, "notes", lambda ask: ask(ListStationNotes(self.station.station)))

    def take(self, what: str, found: Any) -> None:
        self.notes = {str(number): note for number, note in enumerate(found)}
        self.draw(None)

    def draw(self, changed: set[Ref] | None) -> None:
        table = self.query_one("#notes", LiveTable)
        if changed is None:
            if table.ids != list(self.notes):
                table.set_ids(list(self.notes))
            table.forget()
        elif any(self._tells(ref) for ref in changed):
            self.read()

    def _tells(self, ref: Ref) -> bool:
        event = self.mirror.events.get(ref[1]) if ref[0] == "event" else None
        return event is not None and (event.type, event.station) == ("station.noted", self.station.station)

    def _cells(self, key: str) -> Sequence[Span]:
        note = self.notes.get(key)
        if note is None:
            return [""] * len(COLUMNS)
        return (words.minute(note.at), (note.by, "dim"), " ".join(note.text.split()))

    def target(self) -> Target | None:
        return self.station.station_target()

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        event.stop()
        note = self.notes.get(event.key)
        if note is not None:
            head = f"{words.moment(note.at)}, {note.by}"
            self.console.travel.open_paper(
                f"{self.station.station} note", [head, "", *note.text.splitlines()]
            )
