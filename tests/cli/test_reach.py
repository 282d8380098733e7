"""Every operation is reached: by a command of its own, and so from the console too."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from cms.contract.routes import ROUTES
from cms.operations import OPERATIONS
from tui import keys
from tui.books import BOOKS
from tui.commanding import NOT_HERE

_ROOT = Path(__file__).parents[2]

#: Permissions of those who are no operators and have faces of their own, and why no command asks what they ask.
OTHERS = {
    "payments.adhoc": "the pay page asks it for who stands at a station (docs/paypage.md)",
    "sessions.behalf": "an app asks it for its driver, with a token of its own (docs/sites.md)",
}

#: Lists that no screen reads, and where what they tell is seen in the console instead (``:cms`` tells them whole).
LISTED_ELSEWHERE = {
    "ListCredits": "a driver's balance counts his credit; single ones are for the books: cms payments credits list",
    "ListEnergyTransferRights": "who may give energy back is set for a fleet at once: cms profiles rights",
    "ListHandshakes": "the page of the daemon tells who cannot connect, and why, as cms doctor does",
    "ListMeterKeys": "public keys are long, and given once for a meter: cms meters keys",
    "ListMutes": "an alert that is muted says so itself, and until when",
    "ListQuarantine": "the overview and the page of the daemon count it; what is in it is long",
    "ListStationSamples": "the page of a session reads its own; those of a station are for a file",
    "ListStreamSamples": "the book of streams tells which there are; their samples are for a file",
    "ListTariffVersions": "the book of tariffs tells the version that holds; the older are for a comparison",
}


@cache
def named_in(folder: str) -> frozenset[str]:
    """Every name that the files of a folder use."""
    files = (_ROOT / folder).rglob("*.py")
    return frozenset[str]().union(*(named_by(str(file.relative_to(_ROOT))) for file in files))


@cache
def named_by(file: str) -> frozenset[str]:
    """Every name that a file uses."""
    found = set()
    for node in ast.walk(ast.parse((_ROOT / file).read_text("utf-8"))):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
                found.add(name)
    return frozenset(found)


def test_every_operation_has_a_command() -> None:
    left = {
        request.__name__: operation.permission
        for request, operation in OPERATIONS.items()
        if request.__name__ not in named_in("cli")
    }
    assert {name: may for name, may in left.items() if may not in OTHERS} == {}
    assert set(left.values()) == set(OTHERS)


def of_operators() -> set[str]:
    """The operations that are for operators, by the names of their requests."""
    return {
        request.__name__ for request, operation in OPERATIONS.items() if operation.permission not in OTHERS
    }


def test_every_operation_is_reached_from_the_console() -> None:
    """By a key, a book or a screen that asks it; the rest by ``:cms``, which runs any command but those of NOT_HERE."""
    here = {file.stem for file in (_ROOT / "cli").glob("*.py")} - NOT_HERE
    by_command = frozenset[str]().union(*(named_by(f"cli/{noun}.py") for noun in here))
    assert of_operators() - named_in("tui") - by_command == set()


def test_whoever_has_a_book_of_something_reads_it_and_acts_on_it_by_operations() -> None:
    """Lists are what one looks at most: none is by ``:cms`` alone but those that are part of another page."""
    listed = {name for name in of_operators() if name.startswith("List")} - named_in("tui")
    assert listed == set(LISTED_ELSEWHERE)
    asked = {key.request for key in keys.KEYS if key.request is not None}
    assert asked <= set(OPERATIONS)
    assert all(act.key and act.label for book in BOOKS.values() for act in book.acts)


def test_requests_are_called_by_one_name_alone() -> None:
    names = [request.__name__ for request in ROUTES]
    assert len(set(names)) == len(names)
