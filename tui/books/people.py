"""Who charges: drivers, and cards that were presented and nobody has registered."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

from cms.contract import drivers, tokens
from cms.contract.intents import Preview
from tui import words
from tui.books.shape import Book, Cell, field, moment, order
from tui.orders import Draft, Target
from tui.widgets.paint import Span

#: A second far away, so that what is later has the lower key.
_LAST = 10**10
_STATUSES = {"active": "good", "unverified": "warn", "suspended": "bad", "closed": "dim"}


def _status(row: Any) -> Span:
    return (row.status, _STATUSES.get(row.status, ""))


def _latest_first(row: Any) -> str:
    """Books stand in the order of their keys."""
    return f"{_LAST - row.last_seen.timestamp():015.3f} {row.id}"


def _company(row: Any) -> Span:
    return "company" if row.company else ""


def _foretold(verb: str, level: int, does: str, option: str = "") -> Callable[[Draft], Preview]:
    """What becomes of the driver or card under the cursor."""

    def foretell(draft: Draft) -> Preview:
        subject, text = draft.target.row.id, draft.text.strip()
        said = f" {option} {shlex.quote(text)}".replace("  ", " ") if text else ""
        line = f"cms {verb} {shlex.quote(subject)}{said}"
        return Preview(draft.act.name, "", level, does.format(id=subject, text=text), line)

    return foretell


def _learn_foretold(draft: Draft) -> Preview:
    station = draft.target.station
    does = "the next unknown card that is held to it within two minutes is registered"
    line = f"cms tokens learn --station {shlex.quote(station)} --yes"
    return Preview(draft.act.name, station, 1, does, line)


def _enrol(target: Target, driver: str) -> tokens.EnrolCard:
    return tokens.EnrolCard(target.row.id, driver=driver.strip() or None)


DRIVERS = Book(
    "drivers",
    "Drivers",
    "the people and companies who charge",
    drivers.DriverView,
    lambda station: drivers.ListDrivers(),
    lambda row: row.id,
    (
        Cell("Driver", 16, field("id")),
        Cell("State", 10, _status),
        Cell("Name", 18, field("name"), grow=True),
        Cell("E-mail", 22, field("email"), drop=2),
        Cell("Groups", 14, lambda row: ", ".join(row.groups), drop=1),
        Cell("Tokens", 6, lambda row: str(len(row.tokens)) if row.tokens else "", right=True),
        Cell("Kind", 7, _company, drop=3),
        Cell("Why", 12, field("status_reason", "dim"), drop=4),
    ),
    "nobody is registered: cms drivers add, or cms drivers import",
    ("driver.", "token.added", "token.removed"),
    (
        order("S", "suspend", "block the tokens of the driver under the cursor for now", "Suspend the driver",
              lambda target, why: drivers.SuspendDriver(target.row.id, why.strip() or None), "why:", at_row=True,
              foretell=_foretold("drivers suspend", 2, "the tokens of {id} are refused until he is resumed",
                                 "--reason")),
        order("R", "resume", "let the driver under the cursor charge again", "Resume the driver",
              lambda target, _: drivers.ResumeDriver(target.row.id), at_row=True,
              foretell=_foretold("drivers resume", 1, "the tokens of {id} are accepted again")),
        order("N", "note", "write something about the driver under the cursor", "Write about the driver",
              lambda target, text: drivers.AddDriverNote(target.row.id, text), "note:", at_row=True,
              foretell=_foretold("drivers note", 0, "it is kept with your name, and not changed afterwards")),
    ),
    opened=lambda row: drivers.ShowDriver(row.id),
)  # fmt: skip

UNKNOWN = Book(
    "unknown-cards",
    "Unknown cards",
    "presented lately, and registered by nobody",
    tokens.UnknownCardView,
    tokens.ListUnknownCards,
    _latest_first,
    (
        Cell("Card", 20, field("id")),
        Cell("Kind", 6, field("kind")),
        Cell("Station", 14, field("station")),
        Cell("EVSE", 4, field("evse"), right=True, drop=2),
        Cell("Last", 16, moment("last_seen")),
        Cell("Times", 5, field("count"), right=True),
        Cell("First", 16, lambda row: words.minute(row.first_seen), grow=True, drop=1),
    ),
    "no unknown card was presented lately: L has a station wait for one",
    ("token.",),
    (
        order("E", "enrol", "register the card under the cursor for a driver", "Register the card",
              _enrol, "driver (empty: nobody's):", at_row=True,
              foretell=_foretold("tokens enrol", 1, "{id} may charge from now on", "--driver")),
        order("L", "learn", "have the station register the next unknown card", "Learn a card at",
              lambda target, _: tokens.LearnToken(target.station, enrol=True), foretell=_learn_foretold),
        order("D", "forget", "take the card under the cursor off this list", "Forget the card",
              lambda target, _: tokens.ForgetUnknownCard(target.row.id), at_row=True,
              foretell=_foretold("tokens forget", 0, "{id} is off this list until it is presented again")),
    ),
    called=lambda row: str(row.id),
)  # fmt: skip

BOOKS = (DRIVERS, UNKNOWN)
