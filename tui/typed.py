"""The line that is typed into: filters, commands, and what an act needs to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.timer import Timer

from tui import keys
from tui.books import BOOKS
from tui.screens.place import Place
from tui.widgets.entry import Entry
from tui.widgets.question import Question

if TYPE_CHECKING:
    from tui.app import CmsApp

FILTER_PAUSE_S = 0.15


class Typed:
    """Opens the line for a filter or a command, and brings what was typed where it belongs."""

    def __init__(self, app: CmsApp) -> None:
        self._app = app
        self._filter_timer: Timer | None = None

    def open_filter(self) -> None:
        if (place := self._app.here) is not None:
            place.query_one(Entry).open("filter", "/", place.filter_text())

    def open_command(self) -> None:
        self._app.screen.query_one(Entry).open("command", ":", choices=self._commands)

    def _commands(self) -> list[str]:
        mirror = self._app.mirror
        return [*keys.words(), *BOOKS, *mirror.stations, *mirror.active]

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
        elif purpose == "command":
            entry = self._app.screen.query_one(Entry)
            self._app.say("  ".join(entry.matches()[:8]), "dim")

    def take(self, purpose: str, text: str) -> None:
        """The line was finished."""
        self._stop_filter_timer()
        self.close()
        match purpose:
            case "filter":
                if (place := self._app.here) is not None:
                    place.apply_filter(text, final=True)
            case "command":
                self._command(text)
            case "token" | "stranger" | "value" | "names":
                self._app.acting.take_needed(purpose, text)
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

    def _command(self, text: str) -> None:
        """A word of the key table, or the id of a station or a session."""
        app = self._app
        app.hush()
        if not text:
            return
        if (key := keys.words().get(text)) is not None:
            self._call(key)
        elif text in BOOKS:
            app.travel.open_book_called(text)
        elif (station := self._station_called(text)) is not None:
            app.travel.open_station(station)
        elif text in app.mirror.sessions:
            app.travel.open_session(text)
        else:
            app.say(f"no command, station or session is called {text}", "warn")

    def _call(self, key: keys.Key) -> None:
        app = self._app
        if app.here is not None and keys.works(key.action, app.here.place):
            app.call_later(app.run_action, key.action)
        else:
            app.say(f"{key.word} does not work here", "warn")

    def _station_called(self, text: str) -> str | None:
        wanted = text.casefold()
        return next((key for key in self._app.mirror.stations if key.casefold() == wanted), None)
