"""What every place has in common: crumbs above, a body, keys and one line for messages below."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widget import Widget

from tui import keys, words
from tui.mirror import Mirror, Ref
from tui.orders import Target
from tui.widgets.entry import Entry
from tui.widgets.lines import Lines
from tui.widgets.live_table import LiveTable
from tui.widgets.menu import Menu
from tui.widgets.paint import Line, Span, clean, width_of
from tui.widgets.question import Question, wrapped

if TYPE_CHECKING:
    from tui.app import CmsApp

NARROW = 60
WIDE = 100


@dataclass(frozen=True, slots=True)
class OwnAct:
    """An act of a place: its key, what it does in words, and how it begins."""

    key: str
    name: str
    run: Callable[[], None]


class Place(Screen[None]):
    """A screen that draws from the mirror. ``place`` is its name in the key table."""

    place: ClassVar[str] = ""
    title_words: ClassVar[str] = ""
    AUTO_FOCUS = "LiveTable"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW, "-normal"), (WIDE, "-wide")]  # noqa: RUF012  # Textual's

    VERTICAL_BREAKPOINTS = [(0, "-short"), (40, "-tall")]  # noqa: RUF012  # Textual's

    @property
    def console(self) -> CmsApp:
        return cast("CmsApp", self.app)

    @property
    def mirror(self) -> Mirror:
        return self.console.mirror

    def compose(self) -> ComposeResult:
        yield Lines(id="head")
        yield Lines(id="banner")
        yield from self.body()
        yield Question()
        yield Menu()
        yield Entry()
        yield Lines(id="keys")
        yield Lines(id="flash")

    # ---- what a place says of itself

    def body(self) -> Iterable[Widget]:
        """The widgets between the head and the keys."""
        raise NotImplementedError

    def draw(self, changed: set[Ref] | None) -> None:
        """Bring the body up to date: what changed, or (None) everything."""
        raise NotImplementedError

    def crumbs(self) -> list[str]:
        return [self.title_words]

    def target(self) -> Target | None:
        """What an act would act on: the row under the cursor, or what the place is about."""
        return None

    def own_acts(self) -> Sequence[OwnAct]:
        """Acts that are in no key table but its own."""
        return ()

    def marked_targets(self) -> list[Target]:
        """What an act goes to when rows are marked, instead of the row under the cursor."""
        return []

    def keep_marked(self, holds: Callable[[Target], bool]) -> None:
        """Take the marks off all rows but those whose target is such, where rows can be marked."""

    def near(self) -> set[Ref]:
        """What the eye rests on: its changes are painted at once."""
        target = self.target()
        if target is None:
            return set()
        return {("station", target.station), ("session", target.session or "")}

    def filter_text(self) -> str:
        return ""

    def apply_filter(self, text: str, *, final: bool) -> None:
        """Show only what matches."""

    # ---- frame

    def on_mount(self) -> None:
        self.console.painting.places.add(self)
        self.draw_frame()
        self.draw(None)

    def on_unmount(self) -> None:
        self.console.painting.places.discard(self)

    def on_screen_resume(self) -> None:
        self.console.travel.arrived(self)
        self.draw_frame()
        self.come_back()

    def come_back(self) -> None:
        """The place is shown again."""
        self.draw(None)

    def reread(self) -> None:
        """Ask again for what is shown."""
        self.draw(None)

    def miss(self, changed: set[Ref]) -> None:
        """This changed while another place is shown."""

    def on_resize(self, event: events.Resize) -> None:
        self.draw_frame()

    def draw_frame(self) -> None:
        """Head, banner, keys and message line; each repaints only when it reads otherwise."""
        console = self.console
        width = self.app.size.width
        self.query_one("#head", Lines).show([self._head(width)])
        # Not while it connects for the first time: nothing is old yet, and every widget would be styled anew.
        self.set_class(not console.following.live and bool(console.following.state.reason), "-lost")
        self.query_one("#banner", Lines).show([console.following.banner()])
        self.query_one("#keys", Lines).show([self._keys(width)])
        self.query_one("#flash", Lines).show(self._flash(width))

    def _head(self, width: int) -> Line:
        console = self.console
        bad, warn = (self.mirror.severities[severity] for severity in ("critical", "warning"))
        right: list[Span] = []
        if bad:
            right.append((f"✖{bad} ", "bad"))
        if warn:
            right.append((f"▲{warn} ", "warn"))
        if console.read_only:
            right.append(("RO ", "warn"))
        if console.painting.paused:
            right.append(("‖ paused ", "warn"))
        if console.following.live:
            right.append(("● live ", "good"))
        else:
            right.append(("○ link lost " if console.following.was_live else "○ connecting ", "bad"))
        right.append(f"{console.now().astimezone():%H:%M} ")
        room = width - width_of(right)
        crumbs = " ▸ ".join(["cms", *self.crumbs()] if width >= NARROW else self.crumbs()[-1:])
        left = clean(f" {crumbs}")
        while width_of([left]) > room - 1 and left:
            left = left[:-1]
        return ((left, "strong"), " " * (room - width_of([left])), *right)

    def _flash(self, width: int) -> list[Line]:
        """The message, in as many lines as it needs, up to three."""
        text, tone = self.console.flash
        return [((line, tone),) for line in wrapped(text, width - 2, 3)]

    def footer(self) -> list[tuple[str, str]]:
        """(Key, label), the most important first."""
        return keys.footer(self.place, self.console.rows)

    def _keys(self, width: int) -> Line:
        """As many keys as fit; ``?`` always does, and on a narrow terminal the way back where there is one."""
        told = [*self.footer(), ("1-9", "screens")]
        last: list[Span] = [(" ? ", "busy"), "help"]
        if width < NARROW and len(self.app.screen_stack) > 1:
            back = [(shown, label) for shown, label in told if label == "back"]
            told = [key for key in told if key not in back]
            last = [*(span for shown, label in back for span in ((f" {shown} ", "busy"), label)), *last]
        spans: list[Span] = []
        room = width - width_of(last)
        for shown, label in told:
            if shown == keys.LAST:
                continue
            more: list[Span] = [(f" {shown} ", "busy"), label]
            if width_of([*spans, *more]) > room:
                break
            spans += more
        return (*spans, *last)

    def table(self) -> LiveTable | None:
        """The table that has the focus, or the first."""
        focused = self.focused
        if isinstance(focused, LiveTable):
            return focused
        tables = self.query(LiveTable)
        return tables.first() if tables else None


def target_of_station(mirror: Mirror, key: str) -> Target | None:
    """The station with its connectors, and its session when exactly one runs."""
    station = mirror.stations.get(key)
    if station is None:
        return None
    running = mirror.sessions_of(key)
    return Target(
        station=key,
        session=running[0].id if len(running) == 1 else None,
        plugs=tuple((c.evse, c.connector) for c in station.connectors if c.evse > 0),
    )


def target_of_session(mirror: Mirror, key: str) -> Target | None:
    """The session with its station and connector; one that is over can not be acted on as a session."""
    session = mirror.sessions.get(key)
    if session is None:
        return None
    station = target_of_station(mirror, session.station)
    plug = None if session.evse is None else (session.evse, session.connector or 1)
    return Target(
        station=session.station,
        plug=plug,
        session=key if session.ended_at is None else None,
        plugs=station.plugs if station else (),
    )


def titled(text: str) -> Line:
    """A heading that fills its line."""
    return ((f" {text}".ljust(400), "title"),)


def ago(place: Place, then: object) -> str:
    """``words.ago`` by the console's clock."""
    from datetime import datetime

    return words.ago(then if isinstance(then, datetime) else None, place.console.now())
