"""The console as an application: it wires its parts, and holds what Textual calls: keys, notes, answers.

Workers fetch, notes tell, handlers draw.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, cast

from rich.text import Text
from textual import events
from textual.binding import BindingsMap
from textual.theme import Theme

from cms.client import Address, AsyncClient
from cms.contract.refusals import Refusal
from cms.contract.safe import safe
from cms.contract.status import ShowStatus
from tui import clipboard, exporting, habits, keys, notes, theme
from tui import keymap as keymaps
from tui.acting import Acting
from tui.books import MODULES
from tui.calling import Calling, Wishes
from tui.commanding import Commanding, told_of
from tui.driver import CellsDriver, LeanApp, still_there, wants_stock_driver
from tui.following import Following
from tui.keymap import Keymap, config_folder
from tui.later import fetch_in_advance, later
from tui.link import Daemon
from tui.menus import Menus
from tui.mirror import Mirror
from tui.painting import COLLECT_S, Painting
from tui.palette import Palette
from tui.pricing import sheet
from tui.progress import Progress
from tui.reading import Reading
from tui.samples import power_samples
from tui.screens.alerts import Alerts
from tui.screens.events import Events
from tui.screens.frames import Frames
from tui.screens.history import History
from tui.screens.listed import Listed
from tui.screens.overview import Overview
from tui.screens.page import Page
from tui.screens.place import Place
from tui.screens.session import Session
from tui.screens.sessions import Sessions
from tui.screens.stations import Stations
from tui.tending import Tending
from tui.travel import Travel
from tui.typeahead import Landed, Typeahead
from tui.typed import Typed
from tui.views import Kept, state_file
from tui.widgets.entry import Entry
from tui.widgets.live_table import LiveTable
from tui.widgets.menu import Menu
from tui.widgets.question import Question
from tui.words import sentence

#: How often it is looked whether there still is a terminal.
TERMINAL_S = 5.0
#: The exit code of whoever loses his terminal: as of SIGHUP.
HUNG_UP = 129
#: So long after the start the first picture stands, also on a slow machine.
IDLE_S = 3.0
#: Modules of screens that are opened now and then.
SCREENS = (
    "tui.screens.tokens",
    "tui.screens.drivers",
    "tui.screens.sites",
    "tui.screens.orders",
    "tui.screens.usage",
    "tui.screens.billing",
    "tui.screens.support",
    "tui.screens.cluster",
)
#: After this long without a key a person rests, and rows may take their new places.
REST_S = 2.0


class CmsApp(LeanApp):
    """The console on one daemon."""

    CSS_PATH = str(theme.STYLE_SHEET)
    TITLE = "cms"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS = keys.bindings()
    MODES: ClassVar[dict[str, Any]] = {
        "overview": Overview,
        "stations": Stations,
        "sessions": Sessions,
        "billing": later("tui.screens.billing", "Billing"),
        "alerts": Alerts,
        "events": Events,
        "orders": later("tui.screens.orders", "Orders"),
        "sites": later("tui.screens.sites", "Sites"),
        "drivers": later("tui.screens.drivers", "Drivers"),
        "tokens": later("tui.screens.tokens", "Tokens"),
        "usage": later("tui.screens.usage", "Usage"),
    }
    DEFAULT_MODE = "overview"

    def __init__(
        self,
        daemon: Daemon,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        collect_s: float = COLLECT_S,
        rest_s: float = REST_S,
        stock_driver: bool | None = None,
        ctrl_c_ends: bool = False,
        kept: Kept | None = None,
        keymap: Keymap | None = None,
        colours: Theme | None = None,
        read_only: bool = False,
        wishes: Wishes | None = None,
        view: str = "",
    ) -> None:
        stock = wants_stock_driver() if stock_driver is None else stock_driver
        super().__init__(driver_class=None if stock or sys.platform == "win32" else CellsDriver)
        for each in theme.THEMES:
            self.register_theme(each)
        if colours is not None:
            self.register_theme(colours)
        self.theme = (colours or theme.fitting(os.environ)).name
        self.animation_level = "none"
        self._clock = now
        self._ctrl_c_ends = ctrl_c_ends
        self.rest_s = rest_s
        self._last_key_at = 0.0
        self.kept = kept or Kept()
        self.keymap = keymap or Keymap()
        self.rows = self.keymap.rows
        """The key table as it holds now: a user's own keys, without the acts where nothing may be done."""
        self.read_only = self.locked = read_only
        """Whether nothing may be done now; and whether it can not be allowed."""
        self._first_view = view
        self.told_at_start: list[str] = list(self.keymap.faults)
        self.flash: tuple[str, str] = ("", "")
        """The message line: text and tone."""
        self.mirror = Mirror()
        self.progress = Progress(self.mirror)
        self.painting = Painting(self, collect_s)
        self.following = Following(self, daemon)
        self.reading = Reading(self, daemon)
        self.acting = Acting(self, daemon)
        self.typed = Typed(self)
        self.typeahead = Typeahead(self, super().on_event)
        self.menus = Menus(self)
        self.palette = Palette(self, daemon)
        self.commanding = Commanding(self, daemon)
        self.calling = Calling(self, wishes or Wishes())
        self._bind_rows()
        self.tending = Tending(self, daemon)
        self.travel = Travel(self)

    def now(self) -> datetime:
        """Our time, or the daemon's where its clock is ahead (a simulated one is)."""
        now, heard = self._clock(), self.mirror.latest_at
        return now if heard is None else max(now, heard)

    @property
    def here(self) -> Place | None:
        """The place that is shown; none while the console opens and closes."""
        stack = self.screen_stack
        return stack[-1] if stack and isinstance(stack[-1], Place) else None

    def on_mount(self) -> None:
        self.following.begin()
        self.painting.begin()
        self.calling.begin()
        self.set_timer(IDLE_S, self._fetch_the_rest)
        if not self.is_headless:
            self.set_interval(TERMINAL_S, self._end_without_a_terminal)
        if self._first_view:
            self.call_after_refresh(self.menus.show, self._first_view)
        if self.told_at_start:
            self.say(" · ".join(self.told_at_start), "warn")

    def _end_without_a_terminal(self) -> None:
        """Whoever looked is gone with his terminal and no signal told us: its end would be read for ever."""
        if not still_there(sys.__stdin__):
            self.exit(return_code=HUNG_UP)

    def _fetch_the_rest(self) -> None:
        """What the other screens are made of, while nothing else is to be done."""
        self.run_worker(
            fetch_in_advance([*SCREENS, *(f"tui.books.{name}" for name in MODULES)]), group="rest"
        )

    # ---- the key table

    def bind_table(self, bindings: BindingsMap, place: str) -> None:
        """Put the present table's keys in place of those that the class came with."""
        mine = {key.action for key in keys.KEYS}
        left = [
            (name, binding)
            for name, found in bindings.key_to_bindings.items()
            for binding in found
            if binding.action not in mine
        ]
        fresh = list(BindingsMap(keys.bindings(place, self.rows)))
        bindings.key_to_bindings.clear()
        for name, binding in [*fresh, *left]:
            bindings.key_to_bindings.setdefault(name, []).append(binding)

    def _bind_rows(self) -> None:
        rows = self.keymap.rows
        self.rows = tuple(key for key in rows if not key.acts) if self.read_only else rows
        self.bind_table(self._bindings, keys.ANYWHERE)

    def turn_read_only(self, *, on: bool, locked: bool = False) -> None:
        """Nothing can be done, or all again that one may."""
        self.read_only, self.locked = on, self.locked or locked
        self._bind_rows()
        for place in self.painting.places:
            if place.is_mounted:
                place.draw_frame()

    # ---- the person

    def say(self, text: str, tone: str = "") -> None:
        """One sentence in the bottom line; it stays until there is another."""
        self.flash = (text, tone)
        if (place := self.here) is not None and place.is_mounted:
            place.draw_frame()

    def hush(self) -> None:
        """Take the message away, unless it tells of an order that is still under way."""
        if not self.progress.is_under_way:
            self.say("")

    def notify(self, message: str, **_: Any) -> None:
        """Textual's own messages go to the bottom line too: a toast would repaint the screen."""
        self.say(message)

    def _fatal_error(self) -> None:
        """Where a bug of ours happened, in plain lines: Textual would show what stations and drivers supplied."""
        told = traceback.format_exc().splitlines()
        self.panic(Text("\n".join(safe(line) for line in told)))

    def rests(self) -> bool:
        """Whether the person has not pressed a key lately."""
        return time.monotonic() - self._last_key_at >= self.rest_s

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key):
            self._last_key_at = time.monotonic()
            self.mirror.away.key(self.now())
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            await self.typeahead.take(event)
        else:
            await super().on_event(event)

    def on_key(self, event: events.Key) -> None:
        """A key that nobody wanted: nothing happens, and it is said that nothing does."""
        place = self.here
        if place is None or not isinstance(self.focused, LiveTable) or event.key in place.active_bindings:
            return
        shown = event.character if event.is_printable and event.character else event.key
        working = [key.shown.split()[0] for key in keys.here(place.place, self.rows)]
        self.say(habits.answer_to_key(event.key, shown, working), "dim")

    async def on_landed(self, note: Landed) -> None:
        await self.typeahead.landed(note)

    def copy(self, text: str) -> None:
        """Into the terminal's clipboard (OSC 52); tmux is asked to pass it on.

        It will be pasted into another terminal: what that would obey, or take for the end of the paste, goes not.
        """
        text = "\n".join(safe(line) for line in text.split("\n"))
        self.copy_to_clipboard(text)
        if self._driver is not None and ("TMUX" in os.environ or "STY" in os.environ):
            self._driver.write(clipboard.sequence(text, os.environ))

    # ---- keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key works where the key table says so."""
        name = f"{action}({parameters[0]!r})" if parameters else action
        place = self.here
        return place is None or keys.works(name, place.place, self.rows)

    def action_go(self, mode: str) -> None:
        self.travel.go(mode)

    async def action_back(self) -> None:
        self.travel.back()

    def action_open(self) -> None:
        self.travel.open_row()

    def action_configuration(self) -> None:
        self.travel.open_configuration()

    def action_messages(self) -> None:
        self.travel.open_tab("frames")

    def action_books(self) -> None:
        self.travel.open_shelf()

    def action_help(self) -> None:
        self.travel.open_help()

    def action_help_quit(self) -> None:
        """Ctrl-C: the end of a demonstration; a console to live in is not left by a slip."""
        if self.acting.stop_batch():
            return
        if self._ctrl_c_ends:
            self.exit()
        else:
            self.say("^Q quits")

    def action_next_pane(self) -> None:
        self.screen.focus_next(LiveTable)

    def action_repaint(self) -> None:
        self.repaint_all()
        self.screen.refresh(layout=True)

    def action_pause(self) -> None:
        self.painting.pause()

    def action_copy(self) -> None:
        if self._ask_place("fetch_cli"):
            return
        text, what = clipboard.worth_copying(self.screen, self.acting.last_cli)
        if text:
            self.copy(text)
            self.say(f"copied: {what}", "good")

    def action_sort(self) -> None:
        self.menus.open_sort()

    def action_turn(self) -> None:
        if isinstance(self.screen, Listed):
            self.screen.turn()

    def action_columns(self) -> None:
        self.menus.open_columns()

    def action_views(self) -> None:
        self.menus.open_views()

    def action_actions(self) -> None:
        self.menus.open_actions()

    def action_palette(self) -> None:
        self.palette.open()

    def action_jump(self) -> None:
        self.typed.open_jump()

    def action_step(self, by: int) -> None:
        self.travel.step(by)

    def action_last(self) -> None:
        self.travel.last()

    def action_read_only(self) -> None:
        if self.locked:
            self.say("read-only: the console was opened so, or your role may only look", "warn")
            return
        self.turn_read_only(on=not self.read_only)
        self.say(
            "read-only: no act works; ! allows them again" if self.read_only else "acts are allowed again"
        )

    def action_alarm(self) -> None:
        self.kept.ring(not self.kept.bell)
        self.say("the bell rings when something new is wrong" if self.kept.bell else "the bell is silent")

    def action_picture(self) -> None:
        exporting.write_picture(self)

    def action_reread(self) -> None:
        """Read again what is shown; what the mirror holds is kept true by events."""
        if (place := self.here) is not None:
            place.reread()
            self.say("read again")

    def action_reconnect(self) -> None:
        """Where the link is well nothing is to be reached for: what is shown is read again."""
        if self.following.live:
            self.action_reread()
        else:
            self.following.reach_now()

    def close_menu(self) -> None:
        """The rows have the keys again."""
        self.screen.query_one(Menu).close()
        if (place := self.here) is not None and (table := place.table()) is not None:
            table.focus()

    async def action_quit(self) -> None:
        """Leave; how the lists were left is remembered."""
        self.remember()
        self.exit()

    def remember(self) -> None:
        """How the lists are looked at now."""
        for place in self.painting.places:
            if isinstance(place, Listed) and place.is_attached:
                place.leave()
        self.kept.save()

    def action_past(self) -> None:
        if isinstance(self.screen, Sessions):
            self.screen.turn_to_past()

    def action_support(self) -> None:
        """Of the driver of the row under the cursor; who it is is typed where no row says it."""
        who = self._caller()
        if who is None:
            self.screen.query_one(Entry).open("caller", "who (name, card, e-mail, telephone):")
        else:
            self.travel.open_support(who)

    def _caller(self) -> str | None:
        """Whom the row under the cursor is about, sessions that are over among them."""
        place = self.here
        key = None
        if isinstance(place, Session):
            key = place.session
        elif isinstance(place, Sessions):
            key = place.list_table().cursor_id
        session = self.mirror.sessions.get(key or "")
        if session is not None:
            return session.token
        from tui.screens.support import caller_at

        return caller_at(self.mirror, place.target()) if place is not None else None

    def action_to_driver(self) -> None:
        who = self._caller()
        if who is None:
            self.say("nobody is known to charge here", "warn")
        else:
            self.travel.open_support(who)

    def action_to_station(self) -> None:
        target = self.here.target() if self.here is not None else None
        if target is None or not target.station:
            self.say("put the cursor on a session first", "warn")
        else:
            self.travel.open_station(target.station)

    def action_direction(self) -> None:
        """Frames of one way, or happenings of one kind, alone."""
        if isinstance(self.screen, Page) and isinstance(panel := self.screen.panel, Frames | History):
            panel.turn_direction()

    def action_follow(self) -> None:
        if isinstance(self.screen, Page) and isinstance(panel := self.screen.panel, Frames):
            panel.follow()

    def action_turn_over(self) -> None:
        """From what needs a person to what happens, and back."""
        self.travel.go("events" if self.current_mode == "alerts" else "alerts")

    def action_tend(self, word: str) -> None:
        self.tending.begin(word)

    def action_explain(self) -> None:
        """Why the session that is looked at costs what it costs."""
        place = self.here
        if isinstance(place, Session):
            self.reading.read_price(place, place.session)
        elif isinstance(place, Page) and isinstance(panel := place.panel, Frames):
            panel.explain()
        elif isinstance(place, Sessions) and (key := place.list_table().cursor_id) is not None:
            self.reading.read_price(place, key)
        elif place is not None and (session := self._ask_place("session_here")) is not None:
            self.reading.read_price(place, session)

    def action_turn_tab(self, by: int) -> None:
        self._ask_place("turn_tab", by)

    def action_cluster(self) -> None:
        self.travel.open_cluster()

    def action_unfold(self, opens: bool) -> None:
        self._ask_place("unfold", opens)

    def action_order_sites(self) -> None:
        self._ask_place("sort_next")

    def action_what_if(self) -> None:
        self._ask_place("what_if")

    def action_document(self) -> None:
        self._ask_place("export_document")

    def action_mark(self) -> None:
        if isinstance(self.screen, Listed):
            self.screen.mark()

    def action_mark_range(self) -> None:
        if isinstance(self.screen, Listed):
            self.screen.mark_range()

    def action_mark_all(self) -> None:
        if isinstance(self.screen, Listed):
            self.screen.mark_all()

    def action_mark_none(self) -> None:
        if isinstance(self.screen, Listed):
            self.screen.mark_these(())

    def action_only_marked(self) -> None:
        if isinstance(self.screen, Listed):
            self.screen.show_only_marked()

    def action_refusals(self) -> None:
        self.acting.tell_refusals()

    def action_usage(self, name: str) -> None:
        """Look at usage otherwise."""
        self._ask_place("turn", name)

    def action_export(self) -> None:
        """What the place shows as a file; those that have the key can."""
        self._ask_place("export")

    def _ask_place(self, what: str, *about: Any) -> Any:
        """Have the place do what a key of its own says: the key table knows which places have it."""
        do = getattr(self.screen, what, None)
        return do(*about) if do is not None else None

    def action_figures(self) -> None:
        """The picture of the place as figures."""
        self._ask_place("figures")

    def action_filter(self) -> None:
        self.typed.open_filter()

    def action_command(self) -> None:
        self.typed.open_command()

    def action_act(self, name: str) -> None:
        self.acting.begin(name)

    # ---- what widgets tell

    def on_entry_said(self, event: Entry.Said) -> None:
        if event.final:
            self.typed.take(event.purpose, event.text.strip())
        else:
            self.typed.hear(event.purpose, event.text)

    def on_identity_known(self, note: notes.IdentityKnown) -> None:
        """Who may only look has no act in the footer."""
        if note.permissions and all(may.endswith(".read") for may in note.permissions):
            self.turn_read_only(on=True, locked=True)

    def on_menu_picked(self, event: Menu.Picked) -> None:
        menu = self.screen.query_one(Menu)
        if event.purpose == "palette":
            self.palette.take(event.choice, event.how, menu.typed)
        else:
            self.menus.take(event.purpose, event.choice, event.how)

    def on_menu_looked(self, event: Menu.Looked) -> None:
        if event.purpose == "palette":
            self.palette.look(event.choice)

    def on_menu_left(self) -> None:
        self.close_menu()

    def on_question_altered(self, event: Question.Altered) -> None:
        self.acting.consider(event.draft)

    def on_question_answered(self, event: Question.Answered) -> None:
        self.acting.answer(event.word, event.draft)

    # ---- what workers and the link tell

    def on_collected(self) -> None:
        self.painting.plan()

    def on_link_turned(self, note: notes.LinkTurned) -> None:
        self.following.turn(note.state)

    def on_considered(self, note: notes.Considered) -> None:
        self.acting.tell_preview(note.draft, note.verdict)

    def on_command_ended(self, note: notes.CommandEnded) -> None:
        self.hush()
        self.travel.open_paper(note.command, told_of(note))

    def on_foretold(self, note: notes.Foretold) -> None:
        self.palette.tell(note.name, note.verdict)

    def on_batch_moved(self, note: notes.BatchMoved) -> None:
        self.acting.tell_batch(note.batch, note.target, note.verdict)

    def on_given(self, note: notes.Given) -> None:
        self.acting.tell_answer(note.draft, note.verdict)

    def on_frames_heard(self, note: notes.FramesHeard) -> None:
        if note.place.is_attached:
            note.place.hear(note.frames)

    def on_power_read(self, note: notes.PowerRead) -> None:
        self.mirror.seed_power(note.session, power_samples(note.samples))
        if note.place.is_attached:
            note.place.draw_session()

    def on_surroundings_read(self, note: notes.SurroundingsRead) -> None:
        if note.place.is_attached:
            note.place.hear_surroundings(note.site, note.evses)

    def on_presented_read(self, note: notes.PresentedRead) -> None:
        if note.place.is_attached:
            note.place.hear(note.presented)

    def on_book_read(self, note: notes.BookRead) -> None:
        if not note.place.is_attached:
            return
        if isinstance(note.rows, Refusal):
            note.place.fail(sentence(note.rows))
        else:
            note.place.hear(note.rows)

    def on_price_read(self, note: notes.PriceRead) -> None:
        self.travel.open_paper(f"Price of {note.price.session}", sheet(note.price))

    def on_tended(self, note: notes.Tended) -> None:
        self.tending.tell(note)

    def on_fetched(self, note: notes.Fetched) -> None:
        if note.place.is_attached:
            note.place.take(note.what, note.found)

    def on_row_read(self, note: notes.RowRead) -> None:
        if note.place.is_current:
            note.place.open_row(note.called, note.row)

    def on_variables_read(self, note: notes.VariablesRead) -> None:
        if note.place.is_attached:
            note.place.hear(note.variables)


@dataclass(frozen=True, slots=True)
class Opening:
    """How the console is opened: what stands on the command line. ``view`` is shown first."""

    theme: str = ""
    view: str = ""
    read_only: bool = False
    wishes: Wishes | None = None
    ctrl_c_ends: bool = False


async def _run(address: Address, stock_driver: bool | None, opening: Opening) -> int:
    async with AsyncClient(address) as client:
        await client.ask(ShowStatus())
        own_theme = config_folder(os.environ) / "theme.toml"
        colours, faults = theme.chosen(opening.theme, own_theme, os.environ)
        app = CmsApp(
            cast("Daemon", client),
            stock_driver=stock_driver,
            ctrl_c_ends=opening.ctrl_c_ends,
            kept=Kept(state_file(os.environ), str(address)),
            keymap=keymaps.read(os.environ),
            colours=colours,
            read_only=opening.read_only,
            wishes=opening.wishes,
            view=opening.view,
        )
        app.told_at_start += faults
        try:
            await app.run_async(mouse="SSH_CONNECTION" not in os.environ)
        finally:
            app.kept.save()
        return app.return_code or 0


def run(address: Address, stock_driver: bool | None = None, opening: Opening | None = None) -> int:
    """Show the console until it is left; answers the exit code. Raises refusals when no daemon answers."""
    return asyncio.run(_run(address, stock_driver, opening or Opening()))
