"""Places that are one long list with a filter and an order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from textual.widget import Widget

from cms.contract import filters
from cms.contract.refusals import Invalid
from tui import words
from tui.exporting import open_export
from tui.listing import Listing
from tui.marks import Marks
from tui.mirror import Mirror, Ref
from tui.orders import Target
from tui.screens.place import Place, target_of_session, target_of_station
from tui.views import MARKS, Position, View
from tui.widgets.lines import Lines
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.menu import Choice
from tui.widgets.paint import Line, Span, width_of

#: Changes of one burst settle together.
SOON_S = 0.05
#: Up to this many rows the filter works while it is typed.
LIVE_FILTER_ROWS = 2000

#: What an act is about at a row, by the kind of the list.
TARGETS: dict[str, Callable[[Mirror, str], Target | None]] = {
    "station": target_of_station,
    "session": target_of_session,
    "token": lambda mirror, key: Target("", kind="token", token=key) if key in mirror.tokens else None,
}


class Listed(Place):
    """A table of views of one kind, filtered by the filter language; the order settles when a person rests."""

    kind: ClassVar[str] = ""
    view_type: ClassVar[type[Any]]
    columns: ClassVar[Sequence[Column]] = ()
    sorts: ClassVar[dict[str, Callable[[Any], Any]]] = {}
    sort_name: ClassVar[str] = ""
    sort_down: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self._expression = ""
        self._predicate: filters.Predicate | None = None
        self._sort = self.sort_name
        self._down = self.sort_down
        self._listing: Listing | None = None
        self._settling = False
        self._missed: set[Ref] = set()
        self.marks = Marks()
        self._only_marked = False
        self._taken_up = False
        self._cursor_wanted: str | None = None
        """The row on which the cursor was left, until it is here again."""

    # ---- what a list says of itself

    def views(self) -> Mapping[str, Any]:
        raise NotImplementedError

    def cells(self, key: str) -> Sequence[Span]:
        raise NotImplementedError

    def admits(self, view: Any) -> bool:
        """Whether the view belongs here at all, filter or not."""
        return True

    def summary(self) -> str:
        """What the line above the table says beside the filter."""
        return ""

    def key_of(self, view: Any) -> str:
        """The id of a row."""
        return str(view.id)

    def target_at(self, key: str) -> Target | None:
        """What an act would act on at a row."""
        make = TARGETS.get(self.kind)
        return make(self.mirror, key) if make else None

    # ---- body

    def body(self) -> Iterable[Widget]:
        yield Lines(id="line")
        table = LiveTable(self.columns, self.cells, id="list")
        table.marks = self.marks
        yield table

    @property
    def listing(self) -> Listing:
        if self._listing is None:
            self._listing = Listing(self.views(), self.sorts[self._sort])
            self.choose()
        return self._listing

    def choose(self) -> None:
        """Judge every row by the present filter and order."""
        predicate = self._predicate
        admits = self.admits

        def both(view: Any) -> bool:
            return (
                admits(view)
                and (predicate is None or predicate(view))
                and (not self._only_marked or self.key_of(view) in self.marks)
            )

        self.listing.choose(predicate=both, sort=self.sorts[self._sort], down=self._down)

    def list_table(self) -> LiveTable:
        return self.query_one("#list", LiveTable)

    def draw(self, changed: set[Ref] | None) -> None:
        table = self.list_table()
        if changed is None:
            self.listing.rebuild()
            table.show_sort(self._sort, self._down)
            table.set_ids(self.listing.shown)
            table.repaint_changed()
            self._seek_cursor()
        else:
            keys = [key for kind, key in changed if kind == self.kind]
            self.listing.touch(keys)
            table.rows_changed(keys)
            if self.listing.unsettled:
                self.settle_soon()
        self.draw_line()

    def miss(self, changed: set[Ref]) -> None:
        self._missed.update(ref for ref in changed if ref[0] == self.kind)

    def come_back(self) -> None:
        """Judge only what changed: with thousands of rows and a filter, all of them would be felt."""
        missed, self._missed = self._missed, set()
        self.draw(missed)
        self.settle()
        self.list_table().repaint_changed()

    def settle_soon(self) -> None:
        """Order the rows anew when the person rests; at once while there is nothing to disturb."""
        if not self.list_table().ids:
            self.settle()
        elif not self._settling:
            self._settling = True
            self.set_timer(max(self.console.rest_s, SOON_S), self._rested)

    def _rested(self) -> None:
        self._settling = False
        if not self.listing.unsettled:
            return
        if self.console.rests():
            self.settle()
        else:
            self.settle_soon()

    def settle(self) -> None:
        if self.listing.settle():
            self.list_table().set_ids(self.listing.shown)
        self.draw_line()

    def draw_line(self) -> None:
        shown, total = len(self.listing.shown), sum(1 for view in self.views().values() if self.admits(view))
        filtered = f"{shown:,} of {total:,}" if self._expression else f"{total:,}"
        right = f"{filtered} {self.summary()}".rstrip() + f" · sort {self._sort}{'↓' if self._down else '↑'} "
        left: Span = (f" / {self._expression}", "busy") if self._expression else (" / filter", "dim")
        marked = self.marks.told(self.listing.positions)
        if marked:
            marked = (
                f"  {'only the ' if self._only_marked else ''}{marked}{' …V' if self.marks.ranging else ''}"
            )
        if marked and width_of([left, marked, right]) >= self.app.size.width:
            right = f"{filtered} "
        blank = self.app.size.width - width_of([left, marked, right])
        line: Line = (left, (marked, "strong"), " " * max(1, blank), right)
        self.query_one("#line", Lines).show([line])

    # ---- filter and order

    def filter_text(self) -> str:
        return self._expression

    @property
    def sorted_by(self) -> tuple[str, bool]:
        """The name of the order, and whether the greatest is first."""
        return self._sort, self._down

    def apply_filter(self, text: str, *, final: bool) -> None:
        """Show what matches; while it is being typed a half expression changes nothing."""
        text = text.strip()
        if not final and len(self.views()) > LIVE_FILTER_ROWS:
            return
        try:
            predicate = filters.parse(text, filters.keys_of(self.view_type)) if text else None
        except Invalid as refusal:
            if final:
                self.console.say(words.sentence(refusal), "bad")
            return
        self._expression, self._predicate = text, predicate
        self._reorder()

    def big_first(self) -> frozenset[str]:
        """Orders that begin with the greatest."""
        return frozenset()

    def turn(self) -> None:
        self._down = not self._down
        self._reorder()

    def _reorder(self) -> None:
        self.choose()
        table = self.list_table()
        table.show_sort(self._sort, self._down)
        table.set_ids(self.listing.shown)
        self.draw_line()

    # ---- how it is looked at, and how it is left

    @property
    def kept_name(self) -> str:
        """Under which name its position is remembered."""
        return self.place

    def view_now(self) -> View:
        chosen = self.list_table().chosen
        return View(
            self.kept_name,
            self._expression,
            self._sort,
            self._down,
            None if chosen is None else tuple(sorted(chosen)),
        )

    def look(self, view: View) -> None:
        """Filter, order and columns of a view; what this list does not know of it stays as it is."""
        if view.sort in self.sorts:
            self._sort, self._down = view.sort, view.down
        self.choose_columns(frozenset(view.columns) if view.columns is not None else None)
        self.apply_filter(view.filter, final=True)

    def choose_columns(self, titles: frozenset[str] | None) -> None:
        """Show these columns; all that fit when there are none."""
        self.list_table().choose_columns(titles or None)

    def leave(self) -> None:
        """Remember how it was left."""
        if not self.query("#list"):
            return
        cursor = self._cursor_wanted or self.list_table().cursor_id
        marks = tuple(sorted(self.marks.ids)[:MARKS])
        self.console.kept.leave(self.kept_name, Position(self.view_now(), cursor, marks))

    def take_up(self) -> None:
        """Go on where it was left, this time or the last."""
        position = self.console.kept.positions.get(self.kept_name)
        # Textual calls the handler of every base, and those call theirs.
        if position is not None and not self._taken_up:
            self._taken_up = True
            self.marks.put(position.marks)
            self._cursor_wanted = position.cursor
            self.look(position.view)
            self._seek_cursor()

    def show_row(self, key: str) -> None:
        """Put the cursor on a row; the filter goes when it hides the row."""
        if not self.list_table().select(key) and key in self.views():
            self._only_marked = False
            self.apply_filter("", final=True)
            self.list_table().select(key)

    def _seek_cursor(self) -> None:
        """Put the cursor where it was left, as soon as the row is here; not once it was moved."""
        table, wanted = self.list_table(), self._cursor_wanted
        if wanted is not None and table.ids:
            self._cursor_wanted = None
            table.select(wanted)

    def on_mount(self) -> None:
        super().on_mount()
        self.take_up()

    def on_screen_suspend(self) -> None:
        self.leave()

    def on_unmount(self) -> None:
        self.leave()

    def export(self) -> None:
        """The rows that are shown, as a file."""
        open_export(self.console, self)

    def more_exports(self) -> list[Choice]:
        """What else than its rows can be taken away."""
        return []

    # ---- marks

    def marked_targets(self) -> list[Target]:
        """What an act goes to when rows are marked; a marked row that is gone is left out."""
        keys = self.marks.in_order(self.listing.shown)
        return [target for key in keys if (target := self.target_at(key)) is not None]

    def mark(self) -> None:
        """Mark the row under the cursor or take its mark off, and go to the next."""
        table = self.list_table()
        if (key := table.cursor_id) is not None:
            self.marks.flip(key)
            self._marks_changed()
            table.action_move(1)

    def mark_range(self) -> None:
        """Begin a range at the cursor, or end it there."""
        if self.marks.ranging:
            self.marks.end_range()
        elif (key := self.list_table().cursor_id) is not None:
            self.marks.begin_range(key)
        self._marks_changed()

    def mark_all(self) -> None:
        """Mark all that the filter shows; when all of it is, none of it."""
        shown = self.listing.shown
        if all(key in self.marks for key in shown):
            self.marks.put(self.marks.ids.difference(shown))
        else:
            self.marks.add(shown)
        self._marks_changed()

    def mark_these(self, keys: Iterable[str]) -> None:
        """Mark these and no others."""
        self.marks.put(keys)
        if not self.marks:
            self._only_marked = False
        self._marks_changed()

    def keep_marked(self, holds: Callable[[Target], bool]) -> None:
        """Take the marks off all rows but those whose target is such."""
        targets = ((key, self.target_at(key)) for key in self.marks.ids)
        self.mark_these([key for key, target in targets if target is not None and holds(target)])

    def show_only_marked(self) -> None:
        """Leave out what is not marked, or show it again."""
        self._only_marked = bool(self.marks) and not self._only_marked
        self._reorder()

    def _marks_changed(self) -> None:
        if self._only_marked:
            self._only_marked = bool(self.marks)
            self._reorder()
        self.list_table().refresh()
        self.draw_line()

    def on_live_table_moved(self, event: LiveTable.Moved) -> None:
        if self.marks.ranging and event.table is self.list_table():
            self.marks.stretch(self.listing.shown, event.key)
            self._marks_changed()

    def on_live_table_header_clicked(self, event: LiveTable.HeaderClicked) -> None:
        if event.table is self.list_table() and event.key in self.sorts:
            self.sort_by(event.key)

    def sort_by(self, name: str) -> None:
        """Order by this; what is ordered by it already is turned round."""
        if name == self._sort:
            self._down = not self._down
        else:
            self._sort, self._down = name, name in self.big_first()
        self._reorder()
