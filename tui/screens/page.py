"""A place of several tabs: what is said of the whole stands above, below it the tab that was chosen.

Each tab is a panel with its own name in the key table, so that footer, help and acts follow the tab.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.binding import Binding
from textual.containers import Vertical
from textual.widget import Widget

from cms.contract import filters
from cms.contract.refusals import Invalid, Refusal
from tui import words
from tui.mirror import Mirror, Ref
from tui.orders import Target
from tui.screens.place import Place
from tui.screens.tabbed import tab_bar
from tui.widgets.lines import Lines
from tui.widgets.live_table import LiveTable
from tui.widgets.paint import Line

if TYPE_CHECKING:
    from tui.app import CmsApp


class Panel(Vertical):
    """One tab. ``place`` is its name in the key table, ``title`` its word in the bar."""

    place: ClassVar[str] = ""
    title: ClassVar[str] = ""
    DEFAULT_CSS = "Panel { height: 1fr; } Panel.-hidden { display: none; }"

    expression = ""
    """The filter as it was typed."""
    predicate: filters.Predicate | None = None
    filter_keys: ClassVar[type[Any] | None] = None
    """The view whose fields a filter may name; None: whatever the rows have."""

    @property
    def page(self) -> Page:
        return cast("Page", self.screen)

    @property
    def console(self) -> CmsApp:
        return self.page.console

    @property
    def mirror(self) -> Mirror:
        return self.page.mirror

    def begin(self) -> None:
        """It is shown for the first time: read what only this tab needs."""

    def draw(self, changed: set[Ref] | None) -> None:
        """Bring it up to date: what changed, or (None) everything."""
        raise NotImplementedError

    def take(self, what: str, found: Any) -> None:
        """What ``reading.fetch`` brought."""

    def target(self) -> Target | None:
        return None

    def near(self) -> set[Ref]:
        return set()

    def copied(self) -> tuple[str, str] | None:
        """What ``y`` takes here and what to call it; None: what it takes everywhere."""
        return None

    def table(self) -> LiveTable | None:
        focused = self.screen.focused
        if isinstance(focused, LiveTable) and self in focused.ancestors:
            return focused
        tables = self.query(LiveTable)
        return tables.first() if tables else None

    # ---- filter

    def chosen(self) -> None:
        """The filter changed: show what it admits."""

    def apply_filter(self, text: str, *, final: bool) -> None:
        text = text.strip()
        try:
            keys = filters.keys_of(self.filter_keys) if self.filter_keys is not None else None
            predicate = filters.parse(text, keys) if text else None
        except Invalid as refusal:
            if final:
                self.console.say(words.sentence(refusal), "bad")
            return
        self.expression, self.predicate = text, predicate
        self.chosen()

    def line_above(self, right: str) -> Line:
        """The filter at the left, what the tab says of itself at the right."""
        left = (f" / {self.expression}", "busy") if self.expression else (" / filter", "dim")
        blank = self.app.size.width - len(left[0]) - len(right) - 1
        return (left, " " * max(1, blank), right)


class Page(Place):
    """``contents`` are its panels in the order of the bar; the first is shown when none is named."""

    contents: ClassVar[Sequence[type[Panel]]] = ()
    BINDINGS = [  # noqa: RUF012  # Textual reads it as a class attribute
        Binding("tab,right", "turn_tab(1)", show=False),
        Binding("shift+tab,left", "turn_tab(-1)", show=False),
    ]

    def __init__(self, tab: str = "") -> None:
        super().__init__()
        self.tab = tab or self.contents[0].place
        self._begun: set[str] = set()

    @property
    def place(self) -> str:  # type: ignore[override]  # of the tab that is shown
        return self.tab

    @property
    def panel(self) -> Panel:
        return self.panel_of(self.tab)

    def panel_of(self, place: str) -> Panel:
        return next(panel for panel in self.query(Panel) if panel.place == place)

    def body(self) -> Iterable[Widget]:
        yield from self.above()
        yield Lines(id="tabs")
        for panel in self.contents:
            yield panel(classes="" if panel.place == self.tab else "-hidden")

    def above(self) -> Iterable[Widget]:
        """What stands above the tabs, whichever is shown."""
        return ()

    def draw_above(self) -> None:
        """Bring it up to date."""

    # ---- tabs

    def on_mount(self) -> None:
        # Textual calls Place's own handler after this one.
        self._begin()
        self._focus()

    def turn_tab(self, by: int) -> None:
        """The tab so many places further in the bar."""
        places = [panel.place for panel in self.contents]
        self.open_tab(places[(places.index(self.tab) + by) % len(places)])

    def action_turn_tab(self, by: int) -> None:
        self.turn_tab(by)

    def open_tab(self, place: str) -> None:
        self.console.hush()
        self.tab = place
        for panel in self.query(Panel):
            panel.set_class(panel.place != place, "-hidden")
        self._begin()
        self.draw_frame()
        self.call_after_refresh(self._drawn_anew)

    def _drawn_anew(self) -> None:
        """After the layout: a panel that was not seen has no size to draw for."""
        if self.is_attached:
            self.panel.draw(None)
            self._focus()

    def _begin(self) -> None:
        if self.tab not in self._begun:
            self._begun.add(self.tab)
            self.panel.begin()

    def _focus(self) -> None:
        if (table := self.panel.table()) is not None:
            table.focus()

    # ---- what a place says of itself

    def draw(self, changed: set[Ref] | None) -> None:
        self.draw_above()
        self.panel.draw(changed)

    def draw_frame(self) -> None:
        super().draw_frame()
        titles = [panel.title for panel in self.contents]
        shown = next(panel.title for panel in self.contents if panel.place == self.tab)
        self.query_one("#tabs", Lines).show([tab_bar(titles, shown, self.app.size.width)])

    def take(self, what: str, found: Any | Refusal) -> None:
        """What was fetched for the panel ``what`` begins with, or why it was not."""
        place, _, rest = what.partition(" ")
        if isinstance(found, Refusal):
            self.console.say(words.sentence(found), "warn")
        else:
            self.panel_of(place).take(rest, found)

    def fetch(self, panel: Panel, what: str, ask: Callable[[Any], Any]) -> None:
        """Ask the daemon for a panel, as long as the page exists."""
        self.console.reading.fetch(self, f"{panel.place} {what}", ask)

    def table(self) -> LiveTable | None:
        return self.panel.table()

    def target(self) -> Target | None:
        return self.panel.target()

    def near(self) -> set[Ref]:
        return self.panel.near()

    def filter_text(self) -> str:
        return self.panel.expression

    def apply_filter(self, text: str, *, final: bool) -> None:
        self.panel.apply_filter(text, final=final)

    def copied(self) -> tuple[str, str] | None:
        return self.panel.copied()
