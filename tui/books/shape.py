"""Lists that are read when somebody looks, one row each: what is asked, what is shown, what one may do there.

The live screens are kept true by events. What is here is looked at now and then: it is read when its place opens,
and again when an event tells that it is old.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cms.contract.refusals import Invalid
from tui import words
from tui.mirror import Mirror
from tui.orders import Act, Draft, Target, own
from tui.widgets.paint import Span


@dataclass(frozen=True, slots=True)
class Cell:
    """One column: heading, width, what it shows of a row. ``drop`` and ``grow`` as in live_table.Column."""

    title: str
    width: int
    show: Callable[[Any], Span]
    right: bool = False
    drop: int = 0
    grow: bool = False


@dataclass(frozen=True, slots=True)
class BookAct:
    """What a key does in the book; ``at_row``: it is about the row under the cursor."""

    key: str
    label: str
    help: str
    act: Act
    at_row: bool = False


@dataclass(frozen=True, slots=True)
class Book:
    """``ask`` makes the request for a station (None: for all; where ``of_station`` there must be one).

    ``key`` names a row. ``stale`` are beginnings of event types after which the book is read again. ``rows``
    makes rows of an answer that is no list. ``called`` is what people call a row, where its key is for sorting;
    ``opened`` asks for more than its list tells of a row. ``admits`` says which rows belong here.

    ``live``: its rows are those of the mirror, kept true by events, their changes called ``kind``; nothing is asked.
    ``rank`` puts them in order.
    """

    word: str
    title: str
    about: str
    view_type: type[Any]
    ask: Callable[[str | None], Any]
    key: Callable[[Any], str]
    cells: tuple[Cell, ...]
    empty: str
    stale: tuple[str, ...] = ()
    acts: tuple[BookAct, ...] = ()
    of_station: bool = False
    rows: Callable[[Any], list[Any]] = list
    called: Callable[[Any], str] | None = None
    opened: Callable[[Any], Any] | None = None
    admits: Callable[[Any], bool] = lambda row: True
    live: Callable[[Mirror], Mapping[str, Any]] | None = None
    kind: str = "book"
    rank: Callable[[Any], Any] = lambda row: 0


def field(name: str, tone: str = "") -> Callable[[Any], Span]:
    """A field as text; nothing for None."""

    def show(row: Any) -> Span:
        value = getattr(row, name)
        text = "" if value is None else str(value)
        return (text, tone) if tone else text

    return show


def moment(name: str) -> Callable[[Any], Span]:
    """An instant in local time, 16 characters; when opened, a row tells it to the second."""
    return lambda row: words.minute(getattr(row, name)) if getattr(row, name) else ""


def order(
    key: str,
    label: str,
    help: str,
    title: str,
    build: Callable[[Target, str], Any],
    prompt: str = "",
    *,
    at_row: bool = False,
    foretell: Callable[[Draft], Any] | None = None,
) -> BookAct:
    """An act of a book; with a ``prompt`` a line is typed first.

    It is told of by its title: a label (new, read, clear) says nothing away from its book.
    """
    name = title[:1].lower() + title[1:]
    act = Act(name, title, build, needs="value" if prompt else "", prompt=prompt, foretell=foretell)
    return BookAct(key, label, help, act, at_row)


def count(text: str, what: str) -> int:
    """A whole number that was typed."""
    if not text.strip().isdecimal():
        raise Invalid(f"{what} is a whole number, not {text.strip()!r}")
    return int(text)


def split(text: str, least: int, pattern: str) -> list[str]:
    """The words that were typed; there must be some."""
    words_ = text.split()
    if len(words_) < least:
        raise Invalid(f"type it like this: {pattern}")
    return words_


def pairs(text: str) -> dict[str, str]:
    """``NAME=VALUE NAME=VALUE``."""
    parts = [word.partition("=") for word in split(text, 1, "NAME=VALUE")]
    if any(not name or not equals for name, equals, _ in parts):
        raise Invalid("type it like this: NAME=VALUE")
    return {name: value for name, _, value in parts}


__all__ = [
    "Book",
    "BookAct",
    "Cell",
    "count",
    "field",
    "moment",
    "order",
    "own",
    "pairs",
    "split",
]
