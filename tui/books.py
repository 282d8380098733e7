"""Lists that are read when somebody looks, one row each: what is asked, what is shown, what one may do there.

The live screens are kept true by events. What is here is looked at now and then: it is read when its place opens,
and again when an event tells that it is old.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cms.contract import jobs
from tui import words
from tui.orders import Act, Target
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
    makes rows of an answer that is no list.
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


def field(name: str, tone: str = "") -> Callable[[Any], Span]:
    """A field as text; nothing for None."""

    def show(row: Any) -> Span:
        value = getattr(row, name)
        text = "" if value is None else str(value)
        return (text, tone) if tone else text

    return show


def moment(name: str) -> Callable[[Any], Span]:
    """An instant in local time."""
    return lambda row: words.moment(getattr(row, name)) if getattr(row, name) else ""


_OUTCOMES = {
    "running": ("… running", "busy"),
    "done": ("✔ done", "good"),
    "failed": ("✖ failed", "bad"),
    "refused": ("✖ refused", "bad"),
    "cancelled": ("– cancelled", "dim"),
}


def _outcome(row: Any) -> Span:
    return _OUTCOMES.get(str(row.outcome), str(row.outcome))


def _firmware(target: Target, text: str) -> jobs.UpdateFirmware:
    return jobs.UpdateFirmware(station=target.station, location=text.strip())


def _log(kind: str) -> Callable[[Target, str], jobs.GetLog]:
    return lambda target, text: jobs.GetLog(
        station=target.station, log_type=kind, location=text.strip() or None
    )


FIRMWARE = Book(
    "firmware",
    "Firmware",
    "updates that were ordered, and how far they are",
    jobs.JobView,
    lambda station: jobs.ListJobs(station, "firmware"),
    lambda row: f"{row.station} {row.request_id}",
    (
        Cell("Station", 14, field("station")),
        Cell("Outcome", 11, _outcome),
        Cell("Last word", 20, field("status")),
        Cell("From", 10, field("before"), drop=3),
        Cell("To", 10, field("after"), drop=3),
        Cell("Asked", 16, moment("requested_at"), drop=2),
        Cell("What", 20, lambda row: row.detail or row.location, grow=True, drop=1),
    ),
    "no update was ordered: F orders one",
    ("firmware.",),
    (
        BookAct("F", "update", "give the station another firmware",
                Act("firmware", "Update the firmware of", _firmware, needs="value",
                    prompt="address of the firmware (http, https, ftp, sftp):")),
    ),
)  # fmt: skip

LOGS = Book(
    "logs",
    "Logs",
    "logs that were asked for, and what came",
    jobs.JobView,
    lambda station: jobs.ListJobs(station, "log"),
    lambda row: f"{row.station} {row.request_id}",
    (
        Cell("Station", 14, field("station")),
        Cell("Outcome", 11, _outcome),
        Cell("Log", 12, field("log_type"), drop=3),
        Cell("Last word", 16, field("status")),
        Cell("Asked", 16, moment("requested_at"), drop=2),
        Cell("File", 20, lambda row: ", ".join(u.name for u in row.uploads) or row.file_name or row.detail or "",
             grow=True, drop=1),
    ),
    "no log was asked for: L asks for the diagnostics, K for the security log",
    ("log.",),
    (
        BookAct("L", "diagnostics", "let the station upload its diagnostics",
                Act("log", "Fetch the diagnostics of", _log("diagnostics"), needs="value",
                    prompt="address to put them at (empty: ours):")),
        BookAct("K", "security log", "let the station upload its security log",
                Act("log", "Fetch the security log of", _log("security"), needs="value",
                    prompt="address to put it at (empty: ours):")),
    ),
)  # fmt: skip

#: By the word of the ``:`` line.
BOOKS: dict[str, Book] = {book.word: book for book in (FIRMWARE, LOGS)}
