"""A table of any length that formats only what is seen and repaints only the rows that changed."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from tui.keys import bindings
from tui.widgets.paint import Line, Painted, Span, fit, strip

Cells = Sequence[Span]
CACHED = 600
HERE: Span = ("▌", "busy")
MARKED: Span = ("*", "busy")
MARKED_HERE: Span = ("#", "busy")


@dataclass(frozen=True, slots=True)
class Column:
    """``drop``: 0 stays always; the others leave a narrow terminal, the highest first. ``grow`` takes the rest."""

    title: str
    width: int
    right: bool = False
    drop: int = 0
    grow: bool = False
    sort: str = ""
    """The name by which one sorts; the header marks it."""
    most: int = 0
    """Where there is room it widens to this, the most important first, before ``grow`` takes the rest."""


class LiveTable(Painted, can_focus=True):
    """Rows are ids; ``cells(id)`` formats one when it is seen. The cursor stays on its id, not on its number."""

    DEFAULT_CSS = "LiveTable { height: 1fr; width: 1fr; }"
    BINDINGS = bindings("table")

    class Opened(Message):
        """A row was opened by key or click."""

        def __init__(self, table: LiveTable, key: str) -> None:
            super().__init__()
            self.table = table
            self.key = key

        @property
        def control(self) -> LiveTable:
            return self.table

    class Moved(Opened):
        """The cursor stands on another row."""

    class HeaderClicked(Opened):
        """The heading of a column was clicked; ``key`` is the name by which one sorts."""

    def __init__(
        self,
        columns: Sequence[Column],
        cells: Callable[[str], Cells],
        *,
        id: str | None = None,
        classes: str | None = None,
        tail: bool = False,
        header: bool = True,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.columns = tuple(columns)
        self.cells = cells
        self.tail = tail
        """Follow the end while the cursor stands there."""
        self.header = int(header)
        self.empty = ""
        """What is said when there is no row."""
        self.sorted_by = ("", False)
        self.marks: Container[str] = frozenset()
        """The rows that are marked."""
        self.chosen: frozenset[str] | None = None
        """The headings of the columns that are shown; none: all that fit."""
        self.ids: list[str] = []
        self.top = 0
        self.cursor = 0
        self._positions: dict[str, int] = {}
        self._painted: dict[str, Line] = {}
        self._widths: tuple[int, ...] = ()

    # ---- rows

    @property
    def cursor_id(self) -> str | None:
        """The row under the cursor."""
        return self.ids[self.cursor] if self.cursor < len(self.ids) else None

    @property
    def rows_seen(self) -> int:
        return max(1, self.size.height - self.header)

    def set_ids(self, ids: Sequence[str]) -> None:
        """Another set or order of rows: the cursor stays on its id and, as far as it can, on its line."""
        before = self.cursor_id
        line = self.cursor - self.top
        following = self.tail and self.cursor >= len(self.ids) - 1
        self.ids = list(ids)
        self._positions = {key: index for index, key in enumerate(self.ids)}
        self._painted = {key: line for key, line in self._painted.items() if key in self._positions}
        place = self._positions.get(before) if before is not None else None
        last = max(0, len(self.ids) - 1)
        if following:
            self.cursor = last
        else:
            self.cursor = min(self.cursor, last) if place is None else place
        self.top = self._clamped(self.cursor - line)
        self._keep_cursor_in_sight()
        self.refresh()
        if self.cursor_id != before and self.cursor_id is not None:
            self.post_message(self.Moved(self, self.cursor_id))

    def rows_changed(self, changed: Iterable[str]) -> None:
        """Look at these rows again; those in sight whose text differs are painted."""
        for key in changed:
            place = self._positions.get(key)
            painted = self._painted.pop(key, None)
            if place is None or not self.top <= place < self.top + self.rows_seen:
                continue
            if painted is None or painted != self._line(key):
                self._refresh_row(place)

    def select(self, key: str) -> bool:
        """Put the cursor on this row; answers whether it is here."""
        place = self._positions.get(key)
        if place is None:
            return False
        self._move_to(place)
        return True

    def show_sort(self, name: str, down: bool) -> None:
        """Mark the column that the rows are sorted by."""
        if self.sorted_by != (name, down):
            self.sorted_by = (name, down)
            self.refresh(Region(0, 0, self.size.width, 1))

    @property
    def shown_columns(self) -> frozenset[str]:
        """The headings of the columns that are painted."""
        pairs = zip(self.columns, self._widths, strict=True) if self._widths else ()
        return frozenset(column.title for column, width in pairs if width and column.title)

    def fitting(self, titles: frozenset[str], wanted: str) -> frozenset[str]:
        """The headings with one that is wanted most: what is less important makes room for it."""
        keep = [c for c in self.columns if not c.title or c.title in titles]
        while sum(c.width + 1 for c in keep) + 1 > self.size.width:
            others = [c for c in keep if c.drop and c.title != wanted]
            if not others:
                break
            keep.remove(max(others, key=lambda c: c.drop))
        return frozenset(c.title for c in keep if c.title)

    def choose_columns(self, titles: frozenset[str] | None) -> None:
        """Show these columns alone (by their headings; those without one stay), or all that fit."""
        self.chosen = titles
        self._widths = self._layout(self.size.width)
        self.forget()

    def forget(self) -> None:
        """Everything is formatted anew (ages moved on, the theme changed)."""
        self._painted.clear()
        self.refresh()

    def repaint_changed(self) -> None:
        """Format the rows in sight again and paint those whose text differs."""
        self.rows_changed(self.ids[self.top : self.top + self.rows_seen])

    # ---- moving

    def action_move(self, by: int) -> None:
        self._move_to(self.cursor + by)

    def action_page(self, halves: int) -> None:
        self._move_to(self.cursor + halves * max(1, self.rows_seen // 2))

    def action_edge(self, end: bool) -> None:
        self._move_to(len(self.ids) - 1 if end else 0)

    def action_open(self) -> None:
        if self.cursor_id is not None:
            self.post_message(self.Opened(self, self.cursor_id))

    def _move_to(self, place: int) -> None:
        place = max(0, min(place, len(self.ids) - 1))
        if place == self.cursor:
            return
        before, self.cursor = self.cursor, place
        top = self.top
        self._keep_cursor_in_sight()
        if self.top != top:
            self.refresh()
        else:
            self._refresh_row(before)
            self._refresh_row(place)
        if self.cursor_id is not None:
            self.post_message(self.Moved(self, self.cursor_id))

    def _keep_cursor_in_sight(self) -> None:
        if self.cursor < self.top:
            self.top = self.cursor
        elif self.cursor >= self.top + self.rows_seen:
            self.top = self.cursor - self.rows_seen + 1

    def _clamped(self, top: int) -> int:
        return max(0, min(top, len(self.ids) - self.rows_seen))

    def _refresh_row(self, place: int) -> None:
        y = place - self.top + self.header
        if self.header <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    # ---- Textual

    def on_mount(self) -> None:
        if (bind := getattr(self.app, "bind_table", None)) is not None:
            bind(self._bindings, "table")

    def on_resize(self, event: events.Resize) -> None:
        self._widths = self._layout(event.size.width)
        self._painted.clear()
        self.top = self._clamped(self.top)
        self._keep_cursor_in_sight()
        self.refresh()

    def on_focus(self) -> None:
        self._refresh_row(self.cursor)

    def on_blur(self) -> None:
        self._refresh_row(self.cursor)

    def on_click(self, event: events.Click) -> None:
        place = self.top + event.y - self.header
        if event.y < self.header and (column := self._column_at(event.x)) is not None and column.sort:
            self.post_message(self.HeaderClicked(self, column.sort))
        if event.y < self.header or place >= len(self.ids):
            return
        if place == self.cursor and event.chain > 1:
            self.action_open()
        self._move_to(place)

    def _column_at(self, x: int) -> Column | None:
        """The column whose heading is painted there; the first cell is the gutter."""
        edge = 1
        for column, width in zip(self.columns, self._widths, strict=True):
            edge += width + 1 if width else 0
            if x < edge:
                return column
        return None

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._move_to(self.cursor + 3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._move_to(self.cursor - 3)

    # ---- painting

    def _layout(self, width: int) -> tuple[int, ...]:
        """The width of each column, 0 for one that does not fit; one cell between, one for the cursor mark."""
        keep = [c for c in self.columns if self.chosen is None or not c.title or c.title in self.chosen]
        while sum(c.width + 1 for c in keep) + 1 > width and any(c.drop for c in keep):
            keep.remove(max(keep, key=lambda c: c.drop))
        spare = max(0, width - 1 - sum(c.width + 1 for c in keep))
        widths = {c: c.width for c in keep}
        for column in sorted(keep, key=lambda c: c.drop):
            more = min(spare, max(0, column.most - column.width))
            widths[column] += more
            spare -= more
        growing = [c for c in keep if c.grow]
        for column in growing:
            widths[column] += spare // len(growing)
        return tuple(widths.get(c, 0) for c in self.columns)

    def _title(self, column: Column) -> str:
        name, down = self.sorted_by
        if not column.sort or column.sort != name:
            return column.title
        return column.title + ("↓" if down else "↑")

    def _line(self, key: str) -> Line:
        line: list[Span] = []
        for column, width, cell in zip(self.columns, self._widths, self.cells(key), strict=True):
            if not width:
                continue
            text, tone = (cell, "") if isinstance(cell, str) else cell
            line.append((fit(text, width, right=column.right) + " ", tone))
        if len(self._painted) > CACHED:
            self._painted.clear()
        self._painted[key] = tuple(line)
        return self._painted[key]

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if len(self._widths) != len(self.columns):
            self._widths = self._layout(width)
        if y < self.header:
            titles = [
                fit(self._title(c), w, right=c.right) + " "
                for c, w in zip(self.columns, self._widths, strict=True)
                if w
            ]
            return strip([" ", *titles], width, self.tone, "title")
        place = y - self.header + self.top
        if place >= len(self.ids):
            said = f"  {self.empty}" if not self.ids and y == self.header else ""
            return strip([(said, "dim")], width, self.tone)
        key = self.ids[place]
        line = self._painted.get(key) or self._line(key)
        if place != self.cursor:
            return strip([MARKED if key in self.marks else " ", *line], width, self.tone)
        mark = MARKED_HERE if key in self.marks else HERE
        return strip([mark, *line], width, self.tone, "cursor" if self.has_focus else "rest")
