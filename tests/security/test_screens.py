"""Whatever a daemon tells, no screen hands the terminal anything that it obeys, and none falls over (T13).

The screens, books and acts are those of the tables (keys.KEYS, books.BOOKS); the terminal is real.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.security.consoles import Console, console, naive_console
from tests.security.hosts import hostile
from tests.security.strings import MARK
from tui.app import CmsApp
from tui.books import BOOKS

__all__ = ["hostile"]

#: The screens by their keys, with what they are called.
SCREENS = {
    "1": "Overview",
    "2": "Stations",
    "3": "Sessions",
    "4": "Drivers",
    "5": "Usage",
    "6": "Billing",
    "7": "Alerts",
    "8": "Orders",
    "9": "Sites",
    "0": "Cluster",
}
#: Those that are a page of facts: no row of them opens anything.
FACTS = "0"
#: Where the list stands behind the bar that no book shows, or none that is about this station: groups, the queue.
BEHIND = {"4": 2, "8": 2}
#: Books in so many consoles: each is walked by whichever worker is free.
SHARES = 2
#: What the console holds itself is shown for the station that it belongs to: it is seen behind the bars.
TOLD = [word for word, book in BOOKS.items() if book.live is None or word in CmsApp.MODES]


def opened(seat: Console) -> None:
    """The console has read everything."""
    seat.sees("● live", MARK)


def at_a_station(seat: Console) -> None:
    opened(seat)
    seat.goes("2", "Stations")
    seat.sees(MARK)
    seat.leaves("\r")
    seat.sees("Frames")


@pytest.mark.parametrize("stock", [False, pytest.param(True, marks=pytest.mark.long)])
def test_no_screen_obeys_what_it_shows(hostile: Path, stock: bool) -> None:
    with console(str(hostile / "answers"), stock=stock) as seat:
        opened(seat)
        for key, name in SCREENS.items():
            seat.goes(key, name)
            look_around(seat, key not in FACTS)
            for _ in range(BEHIND.get(key, 0)):
                seat.leaves("l")
            if key in BEHIND:
                look_around(seat, opens=False)


def look_around(seat: Console, opens: bool = True) -> None:
    """The place itself, its help, and what its second row opens."""
    seat.sees(MARK)
    ground = seat.place
    seat.press("?")
    seat.sees("SCREENS")
    seat.goes_back(ground)
    if opens:
        seat.press("j")
        seat.leaves("\r")
        seat.sees(MARK)
        seat.goes_back(ground)


def test_no_page_of_a_station_obeys_what_it_shows(hostile: Path) -> None:
    with console(str(hostile / "answers")) as seat:
        at_a_station(seat)
        station = seat.place
        seat.goes("C", "configuration")
        seat.sees(MARK, "▌")
        seat.press("W")
        seat.sees(" = ")
        seat.escapes(" = ")
        for tab in ("firmware", "history", "notes"):
            seat.goes("\t", tab)
            seat.sees(MARK)
        seat.press("\t")
        seat.until(lambda: seat.place == station, "the first tab")
        seat.goes("\t", "messages")
        messages = seat.place
        seat.leaves("\r")
        seat.sees(MARK)
        seat.goes_back(messages)


def test_no_question_obeys_what_it_asks(hostile: Path) -> None:
    with console(str(hostile / "answers")) as seat:
        at_a_station(seat)
        for key in "RAT":
            seat.press(key)
            seat.sees("[y]es", MARK)
            seat.press("n")
            seat.until(lambda: "[y]es" not in seat.text, "the end of the question")
        seat.press("R")
        seat.sees("[y]es", "cli:")
        seat.press("r")
        seat.sees("reason:")
        seat.press(f"{MARK}[/]\r")
        seat.sees(f"reason: {MARK}[/]  [c]opy", "cli:")
        seat.press("y")
        seat.until(lambda: "[y]es" not in seat.text, "what became of the order")


@pytest.mark.parametrize("share", range(SHARES))
def test_no_book_obeys_what_it_shows(hostile: Path, share: int) -> None:
    with console(str(hostile / "answers")) as seat:
        at_a_station(seat)
        station = seat.place
        for word in TOLD[share::SHARES]:
            book = BOOKS[word]
            seat.commands(word, book.title)
            seat.until(lambda: "reading …" not in seat.text, "the book")
            seat.sees(MARK)
            here = seat.place
            seat.leaves("\r")
            seat.sees(MARK)
            seat.goes_back(here)
            for act in book.acts:
                consider(seat, act.key)
            if word in CmsApp.MODES:
                seat.goes("2", station)
            else:
                seat.goes_back(station)


def consider(seat: Console, key: str) -> None:
    """Press the key of an act and leave its question, if it asks one: some are done, or refused, at once."""
    before = seat.lines[-1]
    seat.press(key)
    seat.until(lambda: asks(seat) or seat.lines[-1] not in ("", before), f"what {key} does")
    if asks(seat):
        seat.press("\x1b")
        seat.until(lambda: not asks(seat), "the end of the question")


def asks(seat: Console) -> bool:
    """Whether a question or a line to type into is open."""
    return any(sign in seat.text for sign in ("◂ default", "── ")) or seat.lines[-3:-1][0].endswith(":")


def test_a_daemon_that_only_refuses_in_hostile_words_is_shown_harmlessly(hostile: Path) -> None:
    with console(str(hostile / "refuses"), code=5) as seat:
        seat.until(lambda: seat.ended or MARK in seat.text, "the refusal")


def test_the_harness_catches_a_widget_that_shows_what_it_is_told() -> None:
    """The naive console: a Static without markup, painted as Textual paints it."""
    with naive_console() as seat:
        found = seat.screening.findings
        wanted = ("CSI 02J", "CSI 06n", "OSC '0;", "OSC '52;", "U+009B", "U+202E")
        seat.until(lambda: all(any(sign in finding for finding in found) for sign in wanted), "what it sends")
