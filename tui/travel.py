"""Going places: the five screens, what is opened on top of them, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from cms.contract.alerts import AlertView
from cms.contract.sessions import ListSessions, SessionView
from tui.books import BOOKS
from tui.later import later
from tui.screens.book import BookPlace, Shelf
from tui.screens.events import as_json
from tui.screens.listed import Listed
from tui.screens.paper import Paper, help_lines
from tui.screens.place import Place
from tui.screens.session import Session
from tui.screens.station import Station
from tui.views import View
from tui.widgets.entry import Entry

if TYPE_CHECKING:
    from tui.app import CmsApp
    from tui.charts.looks import Look

# What is opened now and then.
Alert = later("tui.screens.alert", "Alert")
BillingRun = later("tui.screens.billingrun", "BillingRun")
ClusterPlace = later("tui.screens.cluster", "ClusterPlace")
Invoice = later("tui.screens.invoice", "Invoice")
Support = later("tui.screens.support", "Support")
Site = later("tui.screens.site", "Site")
Usage = later("tui.screens.usage", "Usage")
UsageSessions = later("tui.screens.usage_sessions", "UsageSessions")
WhatIf = later("tui.screens.whatif", "WhatIf")

ABOUT_A_STATION = ("station", "frames", "configuration", "jobs", "history", "notes", "book", "shelf")
STATIONS_LISTED = ("overview", "stations", "sessions", "session", "events")


#: Places that are remembered to go back to.
VISITS = 100


@dataclass(frozen=True, slots=True)
class Visit:
    """A place where one was: the ground of a screen (no ``make``), or what was opened on it."""

    mode: str
    make: Callable[[], Place] | None = None


class Travel:
    """The ways from place to place; the stack of Textual's screens is the way back."""

    def __init__(self, app: CmsApp) -> None:
        self._app = app
        self._visits: list[Visit] = []
        self._visit = -1
        self._last = -1
        self._made: WeakKeyDictionary[Place, Callable[[], Place]] = WeakKeyDictionary()

    # ---- where one was

    def _push(self, make: Callable[[], Place]) -> None:
        """Open a place on top; how it is made is kept, to come here again."""
        place = make()
        self._made[place] = make
        self._app.push_screen(place)

    def arrived(self, place: Place) -> None:
        """A place is shown: the visits that were gone back from are no longer ahead."""
        if place is not self._app.screen:
            return  # on the way to another one
        mode = self._app.current_mode
        if len(self._app.screen_stack) == 1:
            visit = Visit(mode)
        elif (make := self._made.get(place)) is not None:
            visit = Visit(mode, make)
        else:
            return
        if 0 <= self._visit < len(self._visits) and self._visits[self._visit] == visit:
            return
        self._last = self._visit
        self._visits[self._visit + 1 :] = [visit]
        del self._visits[:-VISITS]
        self._visit = len(self._visits) - 1
        self._last = min(self._last, self._visit - 1)

    def step(self, by: int) -> None:
        """To the place that was visited before this one, or after it."""
        to = self._visit + by
        if not 0 <= to < len(self._visits):
            self._app.say(
                "there is no place before this one" if by < 0 else "there is no place after this one"
            )
            return
        self._last, self._visit = self._visit, to
        self._revisit(self._visits[to])

    def last(self) -> None:
        """Where one was last, and from there back here."""
        if 0 <= self._last < len(self._visits) and self._last != self._visit:
            self.step(self._last - self._visit)
        else:
            self._app.say("there is no place before this one")

    def _revisit(self, visit: Visit) -> None:
        """The place itself where it is still open, a new one like it otherwise."""
        app = self._app
        app.hush()
        if app.current_mode != visit.mode:
            app.switch_mode(visit.mode)
        made = [self._made.get(place) if isinstance(place, Place) else None for place in app.screen_stack]
        depth = 0 if visit.make is None else made.index(visit.make) if visit.make in made else None
        if depth is None:
            assert visit.make is not None
            self._push(visit.make)
            return
        while len(app.screen_stack) > depth + 1:
            app.pop_screen()

    # ---- going

    def look(self, view: View) -> None:
        """To the list of a view, looked at like it says."""
        app = self._app
        word = view.place.removeprefix("book ")
        if word != view.place and word in BOOKS:
            self.open_book(word, None)
        elif view.place in app.MODES:
            self.go(view.place)
        app.call_after_refresh(self._look_there, view)

    def _look_there(self, view: View) -> None:
        place = self._app.here
        if isinstance(place, Listed) and place.kept_name == view.place:
            place.look(view)

    def show_row(self, mode: str, key: str) -> None:
        """To a screen, with the cursor on this row."""
        self.go(mode)
        self._app.call_after_refresh(self._select, key)

    def _select(self, key: str) -> None:
        place = self._app.here
        if isinstance(place, Listed):
            place.show_row(key)

    def open_intent(self, key: str) -> None:
        """All that is known of an order."""
        intent = self._app.mirror.intents.get(key)
        if intent is not None:
            self.open_paper(f"Order {key}", as_json(asdict(intent)))

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
        self._push(partial(Station, key))

    def open_session(self, key: str) -> None:
        self._app.hush()
        self._push(partial(Session, key))

    def open_support(self, who: str) -> None:
        """The support card of a driver, a token, or whom a piece of text means."""
        self._app.hush()
        self._push(partial(Support, who))

    def open_alert(self, one: AlertView) -> None:
        """The sheet of an alert."""
        self._push(partial(Alert, one))

    def open_usage(self, look: Look) -> None:
        """A step deeper into usage."""
        self._app.hush()
        self._push(partial(Usage, look))

    def open_sessions(self, request: ListSessions, title: str, counts: Callable[[SessionView], bool]) -> None:
        """The sessions that a row of usage is made of, those that count."""
        self._app.hush()
        self._push(partial(UsageSessions, request, title, counts))

    def open_configuration(self) -> None:
        """That of the station under the cursor."""
        self.open_tab("configuration")

    def open_tab(self, tab: str) -> None:
        """A tab of the page of the station under the cursor."""
        place = self._app.here
        target = place.target() if place else None
        if target is None or not target.station:
            self._app.say("put the cursor on a station first", "warn")
            return
        self._app.hush()
        if isinstance(place, Station):
            place.open_tab(tab)
        else:
            self._push(partial(Station, target.station, tab))

    def open_shelf(self) -> None:
        """The books of the station under the cursor, or all."""
        self._app.hush()
        self._push(partial(Shelf, self._station_here(ABOUT_A_STATION + STATIONS_LISTED[1:])))

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
        self._push(partial(BookPlace, book, station))

    def open_invoice(self, invoice: str) -> None:
        self._app.hush()
        self._push(partial(Invoice, invoice))

    def open_billing_run(self) -> None:
        self._app.hush()
        self._push(BillingRun)

    def open_what_if(self, *, session: str = "", tariff: str = "") -> None:
        self._app.hush()
        self._push(partial(WhatIf, session=session, tariff=tariff))

    def open_cluster(self) -> None:
        """The page about the daemon; not a second one on the first."""
        if self._app.here is None or self._app.here.place != "cluster":
            self._app.hush()
            self._push(ClusterPlace)

    def open_site(self, site: str) -> None:
        self._app.hush()
        self._push(partial(Site, site))

    def open_paper(self, title: str, lines: list[str], about: str = "") -> None:
        self._app.push_screen(Paper(title, lines, about))

    def open_help(self, about: str = "") -> None:
        """The keys that work here, with the cursor on the line about something."""
        app = self._app
        if not isinstance(app.screen, Paper):
            place = app.here
            self.open_paper("Keys", help_lines(place.place if place else "", app.rows), about)
