"""Screens of several lists under one bar: each list is a book, and a key goes from one to the next.

Every list is a place of its own that stays as it was left: its cursor, its filter, its rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from textual.binding import Binding
from textual.widget import Widget

from cms.contract.refusals import Refusal
from tui import words
from tui.books.shape import Book
from tui.screens.book import BookPlace
from tui.widgets.lines import Lines
from tui.widgets.paint import Line, Span, width_of


class Tabbed(BookPlace):
    """One list of several; ``contents`` are all of them by their word in the bar."""

    contents: ClassVar[Mapping[str, Book]] = {}
    BINDINGS = [  # noqa: RUF012  # Textual reads it as a class attribute; its own tab would go to the next widget
        Binding("tab", "app.turn_tab(1)", show=False),
        Binding("shift+tab", "app.turn_tab(-1)", show=False),
    ]

    def __init__(self, tab: str = "") -> None:
        self.tab = tab or next(iter(self.contents))
        super().__init__(self.contents[self.tab], None)

    def body(self) -> Iterable[Widget]:
        yield Lines(id="lists")
        yield from super().body()

    def on_mount(self) -> None:
        if not self._result_callbacks:
            # Textual gives the first screen of a mode no callback, and takes one off when it is switched.
            self._push_result_callback(self, None)
        if not self.app.is_screen_installed(self._name_of(self.tab)):
            self.app.install_screen(self, self._name_of(self.tab))

    def crumbs(self) -> list[str]:
        return [self.title_words, self.tab]

    # ---- the bar

    def summary_line(self) -> Line:
        """What the whole screen tells in a line, whichever list is shown; empty: nothing."""
        return ()

    def draw_frame(self) -> None:
        super().draw_frame()
        summary = self.summary_line()
        bar = tab_bar(list(self.contents), self.tab, self.app.size.width)
        self.query_one("#lists", Lines).show([bar, summary] if summary else [bar])

    def turn_tab(self, by: int) -> None:
        """The list so many places further in the bar."""
        names = list(self.contents)
        self.open_tab(names[(names.index(self.tab) + by) % len(names)])

    def open_tab(self, tab: str, filtered: str | None = None) -> None:
        """Another list of this screen, as it was left or with this filter."""
        if tab == self.tab:
            if filtered is not None:
                self.apply_filter(filtered, final=True)
            return
        name = self._name_of(tab)
        if not self.app.is_screen_installed(name):
            self.app.install_screen(type(self)(tab), name)
        other = self.app.get_screen(name)
        assert isinstance(other, Tabbed)
        self.console.hush()
        self.app.switch_screen(name)
        if filtered is not None:
            other.call_after_refresh(other.apply_filter, filtered, final=True)

    def sibling(self, tab: str) -> Tabbed | None:
        """Another list of this screen, if somebody has looked at it."""
        name = self._name_of(tab)
        if tab == self.tab:
            return self
        other = self.app.get_screen(name) if self.app.is_screen_installed(name) else None
        return other if isinstance(other, Tabbed) else None

    def _name_of(self, tab: str) -> str:
        return f"{self.place}/{tab}"

    # ---- what was fetched beside the rows

    def take(self, what: str, found: Any | Refusal) -> None:
        """What ``reading.fetch`` brought, or why not."""
        if isinstance(found, Refusal):
            self.console.say(words.sentence(found), "warn")


def tab_bar(names: list[str], chosen: str, width: int) -> Line:
    """All names where they fit; else as many beside the chosen one as there is room for."""
    first, last = 0, len(names)
    at = names.index(chosen)
    while (
        width_of(_bar(names[first:last], chosen, first > 0, last < len(names))) > width and last - first > 1
    ):
        if at - first >= last - 1 - at:
            first += 1
        else:
            last -= 1
    return _bar(names[first:last], chosen, first > 0, last < len(names))


def _bar(names: list[str], chosen: str, more_before: bool, more_behind: bool) -> Line:
    spans: list[Span] = [(" ‹ " if more_before else " ", "dim")]
    for name in names:
        spans.append((f"[{name}]", "strong") if name == chosen else (name, "dim"))
        spans.append(" ")
    if more_behind:
        spans.append(("›", "dim"))
    return tuple(spans)
