"""A book: a list that is read when somebody looks (tui/books); and the shelf, the list of all books."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from textual import events
from textual.widget import Widget

from tui.books import BOOKS
from tui.books.shape import Book, BookAct
from tui.mirror import Ref
from tui.orders import Target
from tui.screens.events import as_json
from tui.screens.listed import Listed
from tui.screens.place import OwnAct, Place, target_of_station
from tui.widgets.entry import Entry
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.paint import Span
from tui.widgets.question import Question

#: Several events of one happening lead to one reading.
READ_AGAIN_S = 0.3
#: So many times as long as a reading takes, it is not read again: a long book, or a slow line, is read less often.
REST = 5


class Shelf(Place):
    """The books there are; opened at a station it opens those of the station."""

    place = "shelf"
    title_words = "Books"

    def __init__(self, station: str | None) -> None:
        super().__init__()
        self.station = station

    def body(self) -> Iterable[Widget]:
        columns = (Column("Book", 23), Column("", 30, grow=True))
        yield LiveTable(columns, self._cells, id="list")

    def crumbs(self) -> list[str]:
        return [*(["Stations", self.station] if self.station else []), "Books"]

    def _cells(self, key: str) -> Sequence[Span]:
        return (BOOKS[key].title, (BOOKS[key].about, "dim"))

    def draw(self, changed: set[Ref] | None) -> None:
        if changed is None:
            shown = [word for word, book in BOOKS.items() if self.station or not book.of_station]
            self.query_one("#list", LiveTable).set_ids(shown)

    def target(self) -> Target | None:
        return target_of_station(self.mirror, self.station) if self.station else None

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        self.console.travel.open_book(event.key, self.station)


class BookPlace(Listed):
    """One book, of one station or of all."""

    place = "book"
    sort_name = "as listed"

    def __init__(self, book: Book, station: str | None) -> None:
        super().__init__()
        self.book = book
        self.station = station
        self.rows: dict[str, Any] = {}
        self._due = False
        self._asked_at: float | None = None
        """When a reading that is under way began (monotonic)."""
        self._took_s = 0.0
        self._stale = False
        """Whether something happened while it was read."""

    @property
    def kind(self) -> str:  # type: ignore[override]
        return self.book.kind

    @property
    def sorts(self) -> dict[str, Callable[[Any], Any]]:  # type: ignore[override]
        return {"as listed": self.book.rank}

    # ---- what Listed wants to know

    @property
    def view_type(self) -> type[Any]:  # type: ignore[override]  # of the book, not of the class
        return self.book.view_type

    @property
    def columns(self) -> Sequence[Column]:  # type: ignore[override]
        return [
            Column(cell.title, cell.width, right=cell.right, drop=cell.drop, grow=cell.grow)
            for cell in self.book.cells
        ]

    def views(self) -> Mapping[str, Any]:
        return self.rows if self.book.live is None else self.book.live(self.mirror)

    def admits(self, view: Any) -> bool:
        of_here = self.station is None or self.book.live is None or view.station == self.station
        return of_here and self.book.admits(view)

    def cells(self, key: str) -> Sequence[Span]:
        row = self.views().get(key)
        return [""] * len(self.book.cells) if row is None else [cell.show(row) for cell in self.book.cells]

    def crumbs(self) -> list[str]:
        return [*(["Stations", self.station] if self.station else []), self.book.title]

    # ---- reading

    def on_mount(self) -> None:
        super().on_mount()
        self.list_table().empty = "reading …" if self.book.live is None else self.book.empty

    def read(self) -> None:
        """Ask for the rows; those of the mirror are here already."""
        if self.book.live is None:
            self._asked_at = time.monotonic()
            self.console.reading.read_book(self)

    def hear(self, rows: Sequence[Any]) -> None:
        """The book was read."""
        self.rows.clear()
        self.rows.update({self.book.key(row): row for row in rows})
        self.list_table().empty = self.book.empty
        self._answered()
        self.draw(None)

    def fail(self, sentence: str) -> None:
        """It could not be read; what was known stays."""
        self.list_table().empty = sentence
        self._answered()
        self.draw(None)

    def _answered(self) -> None:
        if self._asked_at is not None:
            self._took_s, self._asked_at = time.monotonic() - self._asked_at, None
        if self._stale:
            self._stale = False
            self._read_soon()

    def draw(self, changed: set[Ref] | None) -> None:
        if changed is None or self.book.live is not None:
            super().draw(changed)
        elif self._tells_of_me(changed):
            self._read_soon()

    def _read_soon(self) -> None:
        """Once for several events; a reading that is under way is not begun anew, or it would never end."""
        if self._asked_at is not None:
            self._stale = True
        elif not self._due:
            self._due = True
            self.set_timer(max(READ_AGAIN_S, REST * self._took_s), self._read_again)

    def _tells_of_me(self, changed: set[Ref]) -> bool:
        told = (self.mirror.events.get(key) for kind, key in changed if kind == "event")
        return any(
            event is not None
            and event.type.startswith(self.book.stale)
            and self.station in (None, event.station)
            for event in told
        )

    def _read_again(self) -> None:
        self._due = False
        self.read()

    def come_back(self) -> None:
        self.draw(None)
        self.read()

    # ---- acting

    def key_of(self, view: Any) -> str:
        return self.book.key(view)

    def target_at(self, key: str) -> Target | None:
        row = self.views().get(key)
        return None if row is None else self._target_of(row)

    def row(self) -> Any | None:
        """What the cursor stands on."""
        return self.views().get(self.list_table().cursor_id or "")

    def target(self) -> Target | None:
        """The station of the book, or of the row; with the row, and the time by the console's clock."""
        return self._target_of(self.row())

    def _target_of(self, row: Any | None) -> Target | None:
        now = self.console.now()
        station = self.station or getattr(row, "station", None)
        base = target_of_station(self.mirror, station) if station else None
        if base is None:
            return None if row is None else Target("", kind="row", row=row, now=now)
        return replace(base, row=row, now=now)

    def near(self) -> set[Ref]:
        return set()

    def footer(self) -> list[tuple[str, str]]:
        acts = [] if self.console.read_only else [(act.key, act.label) for act in self.book.acts]
        return [*super().footer()[:1], *acts, *super().footer()[1:]]

    def own_acts(self) -> Sequence[OwnAct]:
        return [OwnAct(act.key, act.help, partial(self._begin, act)) for act in self.book.acts]

    def reread(self) -> None:
        self.read()

    @property
    def kept_name(self) -> str:
        return f"book {self.book.word}"

    def on_key(self, event: events.Key) -> None:
        if self.query_one(Entry).is_open or self.query_one(Question).is_open:
            return
        act = next((act for act in self.book.acts if act.key == event.character), None)
        if act is not None:
            event.stop()
            self._begin(act)

    def _begin(self, act: BookAct) -> None:
        target = self.target()
        if act.at_row and self.row() is None and not self.marks:
            self.console.say("put the cursor on a row first", "warn")
        elif target is None and act.act.kind == "station":
            self.console.say(f"open the {self.book.word} of a station first: b at the station", "warn")
        else:
            # A row of no station (a driver, a rule) is all that its act is about.
            about = (
                replace(act.act, kind="row") if act.at_row and target and target.kind == "row" else act.act
            )
            marked = self.marked_targets() if act.at_row else []
            self.console.acting.begin_with(about, target or Target("", kind=act.act.kind), marked)

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        row = self.views().get(event.key)
        if row is None:
            return
        called = self.book.called(row) if self.book.called else event.key
        if self.book.opened is None:
            self.open_row(called, row)
        else:
            self.console.reading.read_row(self, called, self.book.opened(row))

    def open_row(self, called: str, row: Any) -> None:
        """All that is known of a row."""
        self.console.travel.open_paper(f"{self.book.title} {called}", as_json(asdict(row)))
