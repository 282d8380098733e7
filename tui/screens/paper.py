"""A sheet of text to read: a frame, an event, the help."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from textwrap import wrap

from rich.cells import cell_len, chop_cells
from textual import events
from textual.widget import Widget

from tui import keys
from tui.books import BOOKS
from tui.mirror import Ref
from tui.screens.place import Place
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.paint import Span, clean

MARGIN = 3
"""Columns that a table takes for itself."""
_TEXT_BEGINS = re.compile(r"\s*(?:\S+\s{2,})?")
"""What stands before the text of a line: its indent, and a word with a gap after it."""


class Paper(Place):
    """Lines that one scrolls through, the long ones in several rows; ``y`` copies them all."""

    place = "paper"

    def __init__(self, title: str, lines: Sequence[str], about: str = "") -> None:
        super().__init__()
        self._about = about
        """The cursor stands on the first line that has this, until it is moved."""
        self.heading = title
        self.text = list(lines)
        self._rows: list[str] = []

    def body(self) -> Iterable[Widget]:
        yield LiveTable((Column("", 20, grow=True),), self._cells, id="list", header=False)

    def _cells(self, key: str) -> Sequence[Span]:
        return (self._rows[int(key)],)

    def apply_filter(self, text: str, *, final: bool) -> None:
        """To the next line that has this; the sheet stays whole."""
        if not text or not final:
            return
        table = self.query_one("#list", LiveTable)
        wanted = text.casefold()
        after = [*range(table.cursor + 1, len(self._rows)), *range(table.cursor + 1)]
        found = next((n for n in after if wanted in self._rows[n].casefold()), None)
        if found is None:
            self.console.say(f"nothing here says {text}", "warn")
        else:
            table.select(str(found))
            self.console.say(f"/{text}")

    def draw(self, changed: set[Ref] | None) -> None:
        if changed is not None:
            return
        width = max(10, self.app.size.width - MARGIN)
        self._rows = [row for line in self.text for row in broken(clean(line, None), width)]
        table = self.query_one("#list", LiveTable)
        table.set_ids([str(number) for number in range(len(self._rows))])
        table.forget()
        if self._about:
            table.select(next((str(n) for n, row in enumerate(self._rows) if self._about in row), "0"))
            self._about = ""

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self.draw(None)

    def crumbs(self) -> list[str]:
        return [self.heading]


def broken(line: str, width: int) -> list[str]:
    """A line as rows of at most so many cells, broken at words, the further ones under where its text begins."""
    if cell_len(line) <= width:
        return [line]
    hang = _TEXT_BEGINS.match(line)
    indent = " " * min(hang.end() if hang else 0, width // 2)
    rows = wrap(line, width, subsequent_indent=indent, break_on_hyphens=False)
    return [part for row in rows for part in chop_cells(row, width)] or [""]


def help_lines(place: str, rows_of: Sequence[keys.Key] = keys.KEYS) -> list[str]:
    """The keys of a place, those that work everywhere, and how filters read; made from the key table."""
    lines: list[str] = []
    known = [key for key in rows_of if key in keys.here(place, rows_of) or "table" in key.where]
    groups = dict.fromkeys(key.group for key in known)
    for group in groups:
        rows = [key for key in known if key.group == group]
        lines += ["", group, *(f"  {row.shown:<8} {row.help}" for row in rows)]
    lines += [
        "",
        "FILTER (the same in the CLI)",
        "  site~berlin and (status=faulted or power_w>50000) and not model=terra*",
        "  bare words search everywhere; and may be left out",
        "",
        "COMMAND LINE",
        "  :stations site~berlin   :sessions   :CP-0042   :reset CP-0042   :view faulted   :quit",
        "  :cms drivers add ada --name Ada    any command of the command line; its answer is a sheet to read",
        "  tab completes, again the next; up brings back what was typed; an id opens what it names",
        "",
        "BOOKS (b; at a station its own)",
        *(f"  :{word:<14} {book.about}" for word, book in BOOKS.items()),
        "",
        "SIGNS",
        "  ○ available  ● charging  ◔ preparing  ◐ suspended  ◑ finishing  ◇ reserved",
        "  – unavailable  ✖ faulted  ⊘ offline  ▲ warning  ■ ended  ✔ confirmed",
    ]
    return lines[1:]
