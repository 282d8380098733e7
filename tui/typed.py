"""The line that is typed into: filters, commands, a jump to an id, and what an act needs to know."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from textual.timer import Timer

from tui import habits, keys
from tui.books import BOOKS
from tui.orders import ACTS
from tui.screens.listed import Listed
from tui.screens.place import Place, target_of_session, target_of_station
from tui.views import View
from tui.widgets.entry import Entry
from tui.widgets.question import Question

if TYPE_CHECKING:
    from tui.app import CmsApp

FILTER_PAUSE_S = 0.15
_NOUGHTS = re.compile(r"(?<!\d)0+(?=\d)")
TOLD = 8
"""So many of the matches are shown while one types."""


class Typed:
    """Opens the line for a filter or a command, and brings what was typed where it belongs."""

    def __init__(self, app: CmsApp) -> None:
        self._app = app
        self._filter_timer: Timer | None = None

    def open_filter(self) -> None:
        """Of the place; of the stations where the place is no list to filter."""
        if (place := self._app.here) is not None and place.place == "overview":
            place.query_one(Entry).open("stations", "stations /")
        elif place is not None:
            place.query_one(Entry).open("filter", "/", place.filter_text())

    def open_command(self) -> None:
        entry = self._app.screen.query_one(Entry)
        entry.open("command", ":", choices=self._commands, past=self._app.kept.typed)

    def open_jump(self) -> None:
        """To an id, wherever it is shown."""
        self._app.screen.query_one(Entry).open("jump", "go to:", choices=self._ids)

    def _commands(self) -> list[str]:
        app = self._app
        views = (f"view {name}" for name in app.menus.known())
        return [*keys.words(app.rows), *BOOKS, *views, *app.mirror.stations, *app.mirror.active]

    def _ids(self) -> list[str]:
        mirror = self._app.mirror
        drivers = dict.fromkeys(token.driver for token in mirror.tokens.values() if token.driver)
        return [*mirror.stations, *mirror.sessions, *mirror.tokens, *drivers, *mirror.intents]

    def close(self) -> None:
        """Give the focus back to what was asked, or to the rows."""
        place = self._app.screen
        place.query_one(Entry).close()
        question = place.query_one(Question)
        if question.is_open:
            question.focus()
        elif isinstance(place, Place) and (table := place.table()) is not None:
            table.focus()

    def hear(self, purpose: str, text: str) -> None:
        """A letter was typed."""
        if purpose == "filter":
            self._filter_soon(text)
        elif purpose in ("command", "jump"):
            entry = self._app.screen.query_one(Entry)
            self._app.say("  ".join(entry.matches()[:TOLD]) if text else "", "dim")

    def take(self, purpose: str, text: str) -> None:
        """The line was finished."""
        self._stop_filter_timer()
        self.close()
        match purpose:
            case "filter":
                if (place := self._app.here) is not None:
                    place.apply_filter(text, final=True)
            case "stations" if text:
                self._app.travel.look(View("stations", text))
            case "command":
                self._command(text)
            case "jump":
                self._jump(text)
            case "view":
                self._app.menus.save(text)
            case "caller" if text:
                self._app.travel.open_support(text)
            case "token" | "stranger" | "value" | "names":
                self._app.acting.take_needed(purpose, text)
            case "alert-note":
                self._app.tending.take_note(text)
            case "reason" | "confirm" | "text":
                self._app.acting.take_asked(purpose, text)

    def _filter_soon(self, text: str) -> None:
        self._stop_filter_timer()
        if (place := self._app.here) is not None:
            self._filter_timer = self._app.set_timer(
                FILTER_PAUSE_S, lambda: place.apply_filter(text, final=False)
            )

    def _stop_filter_timer(self) -> None:
        if self._filter_timer is not None:
            self._filter_timer.stop()
            self._filter_timer = None

    # ---- commands

    def _command(self, text: str) -> None:
        """A word of the key table, with what it is about; or an id."""
        app = self._app
        app.hush()
        if not text:
            return
        app.kept.add_typed(text)
        word, _, rest = text.partition(" ")
        if word == "cms":
            app.commanding.run(rest.strip())
            return
        known = ["view", *keys.words(app.rows), *BOOKS]
        if word in habits.OPENING and (rest or word not in known):
            self._open(rest.strip())
        elif not self._word(habits.word_meant(word, known), rest.strip()) and not self._go_to(
            text, app.mirror.stations, app.mirror.sessions
        ):
            app.say(habits.answer_to_word(word, known, text), "warn")

    def _open(self, name: str) -> None:
        """What is named, or what the cursor stands on."""
        if name:
            self._jump(name)
        else:
            self._app.travel.open_row()

    def _word(self, word: str, rest: str) -> bool:
        """Do what the word says; answers whether there is such a word."""
        app = self._app
        key = keys.words(app.rows).get(word)
        if word == "view" and rest:
            app.menus.show(rest)
        elif key is not None and rest and key.group == "SCREENS" and rest not in ("list", "ls"):
            mode = key.action.removeprefix("go('").removesuffix("')")
            app.travel.look(View(mode, rest))
        elif key is not None and rest and key.group == "ACT":
            self._act_on(key, rest)
        elif key is not None:
            self.call(key)
        elif word in BOOKS:
            app.travel.open_book_called(word)
            if rest:
                app.call_after_refresh(self._filter_here, rest)
        else:
            return False
        return True

    def _filter_here(self, text: str) -> None:
        if isinstance(place := self._app.here, Listed):
            place.apply_filter(text, final=True)

    def _act_on(self, key: keys.Key, name: str) -> None:
        """``:reset CP-0042``: the act, on what is named."""
        app = self._app
        act = ACTS.get(key.action.removeprefix("act('").removesuffix("')"))
        station, session = self._called(name, app.mirror.stations), self._called(name, app.mirror.sessions)
        target = target_of_station(app.mirror, station) if station else None
        target = target or (target_of_session(app.mirror, session) if session else None)
        if act is None or target is None:
            app.say(f"no station or session is called {name}", "warn")
        else:
            app.acting.begin_with(act, target)

    def call(self, key: keys.Key) -> None:
        """Do what a key does, where it works."""
        app = self._app
        if app.here is not None and keys.works(key.action, app.here.place, app.rows):
            app.call_later(self._run, key.action)
        else:
            app.say(f"{key.word or key.help} does not work here", "warn")

    async def _run(self, action: str) -> None:
        """The rows' own keys act on the rows that have the focus."""
        table = self._app.here.table() if self._app.here is not None else None
        at_table = any(key.action == action and "table" in key.where for key in self._app.rows)
        await self._app.run_action(action, table if at_table else self._app)

    # ---- ids

    def _jump(self, text: str) -> None:
        mirror = self._app.mirror
        drivers = {token.driver: token.id for token in mirror.tokens.values() if token.driver}
        if text and not self._go_to(
            text, mirror.stations, mirror.sessions, mirror.tokens, drivers, mirror.intents
        ):
            self._app.say(f"nothing has an id that begins with {text}", "warn")

    def _go_to(self, text: str, *where: Iterable[str]) -> bool:
        """To the first that has this id, or whose id begins like it."""
        travel, mirror = self._app.travel, self._app.mirror
        opened: tuple[Callable[[str], None], ...] = (
            travel.open_station,
            travel.open_session,
            lambda key: travel.show_row("tokens", key),
            lambda driver: travel.show_row(
                "tokens", next(t.id for t in mirror.tokens.values() if t.driver == driver)
            ),
            travel.open_intent,
        )
        exact = len(where) < len(opened)
        for same in (str.__eq__, _like) if exact else (str.__eq__, _like, str.startswith):
            for known, open_ in zip(where, opened, strict=False):
                if (key := self._called(text, known, same)) is not None:
                    open_(key)
                    return True
        return False

    def _called(
        self, text: str, known: Iterable[str], same: Callable[[str, str], bool] = str.__eq__
    ) -> str | None:
        """The id meant, without case."""
        wanted = text.casefold()
        return next((key for key in known if same(key.casefold(), wanted)), None)


def _like(key: str, wanted: str) -> bool:
    """The same but for noughts before numbers: CP-1 is said for CP-0001."""
    return _NOUGHTS.sub("", key) == _NOUGHTS.sub("", wanted)
