"""Going places: the five screens, what is opened on top of them, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.books import BOOKS
from tui.screens.book import BookPlace, Shelf
from tui.screens.configuration import Configuration
from tui.screens.paper import Paper, help_lines
from tui.screens.place import Place
from tui.screens.session import Session
from tui.screens.station import Station
from tui.widgets.entry import Entry

if TYPE_CHECKING:
    from tui.app import CmsApp


ABOUT_A_STATION = ("station", "configuration", "book", "shelf")
STATIONS_LISTED = ("overview", "stations", "sessions", "session", "events")


class Travel:
    """The ways from place to place; the stack of Textual's screens is the way back."""

    def __init__(self, app: CmsApp) -> None:
        self._app = app

    def go(self, mode: str) -> None:
        """To one of the five screens; to its ground when it is the present one."""
        app = self._app
        app.hush()
        if mode == app.current_mode:
            while len(app.screen_stack) > 1:
                app.pop_screen()
        else:
            app.switch_mode(mode)

    def back(self) -> None:
        """One thing back: what is being typed, then the place on top, or the filter of the ground."""
        app = self._app
        place = app.screen
        if place.query_one(Entry).is_open:
            app.typed.close()
        elif app.acting.stop_batch():
            return
        elif isinstance(place, Place) and place.filter_text() and len(app.screen_stack) == 1:
            place.apply_filter("", final=True)
        elif len(app.screen_stack) > 1:
            app.hush()
            app.pop_screen()
        else:
            app.say("^Q quits")

    def open_row(self) -> None:
        """What the cursor stands on."""
        if (place := self._app.here) is not None and (table := place.table()) is not None:
            table.action_open()

    def open_station(self, key: str) -> None:
        self._app.hush()
        self._app.push_screen(Station(key))

    def open_session(self, key: str) -> None:
        self._app.hush()
        self._app.push_screen(Session(key))

    def open_configuration(self) -> None:
        """That of the station under the cursor."""
        place = self._app.here
        target = place.target() if place else None
        if target is None or target.kind != "station":
            self._app.say("put the cursor on a station first", "warn")
            return
        self._app.hush()
        self._app.push_screen(Configuration(target.station))

    def open_shelf(self) -> None:
        """The books of the station under the cursor, or all."""
        self._app.hush()
        self._app.push_screen(Shelf(self._station_here(ABOUT_A_STATION + STATIONS_LISTED[1:])))

    def open_book_called(self, word: str) -> None:
        """Of the station that the place is about; of all otherwise, where there is such a book."""
        places = ABOUT_A_STATION + (STATIONS_LISTED if BOOKS[word].of_station else ())
        self.open_book(word, self._station_here(places))

    def _station_here(self, places: tuple[str, ...]) -> str | None:
        """The station under the cursor in one of these places."""
        place = self._app.here
        target = place.target() if place and place.place in places else None
        return target.station or None if target else None

    def open_book(self, word: str, station: str | None) -> None:
        book = BOOKS[word]
        if book.of_station and not station:
            self._app.say(f"put the cursor on a station first: {word} are of one", "warn")
            return
        self._app.hush()
        self._app.push_screen(BookPlace(book, station))

    def open_paper(self, title: str, lines: list[str]) -> None:
        self._app.push_screen(Paper(title, lines))

    def open_help(self) -> None:
        """The keys that work here."""
        if not isinstance(self._app.screen, Paper):
            place = self._app.here
            self.open_paper("Keys", help_lines(place.place if place else ""))
