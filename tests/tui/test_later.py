"""The first picture waits for nothing that it does not show."""

from __future__ import annotations

import subprocess
import sys

from tui.app import SCREENS
from tui.books import BOOKS, MODULES
from tui.later import fetch_in_advance

#: What the first picture may not load: it is what most of the start would be spent on.
HEAVY = (
    "tui.books.money",
    "tui.books.invoices",
    "tui.screens.billing",
    "tui.screens.usage",
    "cms.contract.tariffs",
    "cms.contract.invoices",
    "plotext",
    "httpx",
)


def test_the_console_loads_at_first_what_the_first_picture_needs() -> None:
    asked = f"import sys, tui.app; print([name for name in {HEAVY!r} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_the_words_of_the_books_are_those_of_the_books() -> None:
    for module, words in MODULES.items():
        __import__(f"tui.books.{module}")
        assert [book.word for book in sys.modules[f"tui.books.{module}"].BOOKS] == words.split()
    assert all(BOOKS[word].word == word for word in BOOKS)


async def test_what_is_left_out_is_fetched_when_nothing_else_is_to_be_done() -> None:
    await fetch_in_advance([*SCREENS, *(f"tui.books.{name}" for name in MODULES)])
    assert all(name in sys.modules for name in SCREENS)
