"""What sessions came to, and those that have no price."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import datetime
from typing import Any

from cms.contract import cdrs
from cms.contract.intents import Preview
from cms.contract.money import money
from tui.books.shape import Book, Cell, field, moment, order
from tui.orders import Draft
from tui.widgets.paint import Span

#: A second far away, so that what is later has the lower key.
_LAST = 10**10
_STATUSES = {"open": "", "invoiced": "good", "held": "warn", "disputed": "bad"}
_SIGNED = {"valid": ("✔", "good"), "invalid": ("✖", "bad"), "unverified": ("?", "warn"), "none": ("", "dim")}


def _later_first(at: datetime | None, session: str) -> str:
    """Books stand in the order of their keys."""
    return f"{_LAST - (at.timestamp() if at else 0):015.3f} {session}"


def _kwh(row: Any) -> Span:
    return f"{row.energy_wh / 1000:.2f}"


def _gross(row: Any) -> Span:
    return money(row.gross, row.currency)


def _why(row: Any) -> Span:
    """Why it is held; else what was remarked."""
    return (", ".join(row.holds), "warn") if row.holds else (", ".join(row.remarks), "dim")


def _foretold(verb: str, level: int, does: str, option: str) -> Callable[[Draft], Preview]:
    """What becomes of the bill of the session under the cursor."""

    def foretell(draft: Draft) -> Preview:
        session, text = draft.target.row.session, draft.text.strip()
        line = f"cms bills {verb} {shlex.quote(session)} {option} {shlex.quote(text)}"
        return Preview(draft.act.name, "", level, does, line)

    return foretell


BILLS = Book(
    "bills",
    "Bills",
    "what sessions came to",
    cdrs.CdrView,
    lambda station: cdrs.ListCdrs(station=station),
    lambda row: _later_first(row.ended_at, row.session),
    (
        Cell("Session", 14, field("session")),
        Cell("State", 8, lambda row: (row.status, _STATUSES.get(row.status, ""))),
        Cell("Station", 12, field("station"), drop=2),
        Cell("Who pays", 8, lambda row: row.driver or row.way, grow=True),
        Cell("Ended", 16, moment("ended_at"), drop=4),
        Cell("kWh", 8, _kwh, right=True, drop=1),
        Cell("To pay", 9, _gross, right=True),
        Cell("Rev", 3, field("revision"), right=True, drop=5),
        Cell("Sig", 3, lambda row: _SIGNED.get(row.signature, ("?", "warn")), drop=6),
        Cell("Invoice", 10, field("invoice"), drop=7),
        Cell("Held for", 12, _why, grow=True, drop=3),
    ),
    "no session had a price yet: cms tariffs add, then cms tariffs assign",
    ("cdr.",),
    (
        order("R", "release", "say that the held bill under the cursor is right", "Release the bill of",
              lambda target, text: cdrs.ReleaseCdr(target.row.session, text.strip()), "why:", at_row=True,
              foretell=_foretold("release", 2, "it is owed from now on", "--reason")),
        order("D", "dispute", "put the bill under the cursor aside: somebody says it is wrong", "Dispute the bill of",
              lambda target, text: cdrs.DisputeCdr(target.row.session, text.strip()), "why:", at_row=True,
              foretell=_foretold("dispute", 1, "nobody is asked for it until it is resolved", "--reason")),
        order("S", "settle", "end the dispute under the cursor: the bill stands", "Resolve the dispute of",
              lambda target, text: cdrs.ResolveDispute(target.row.session, text.strip()), "why:", at_row=True,
              foretell=_foretold("resolve", 2, "it is owed again as it is", "--reason")),
        order("T", "rate", "rate the session under the cursor again", "Rate again the session",
              lambda target, text: cdrs.RerateSessions(text.strip(), (target.row.session,)), "why:", at_row=True,
              foretell=_foretold("rerate", 2, "a new revision, by the tariffs that hold for it now", "--reason")),
    ),
    called=lambda row: str(row.session),
    opened=lambda row: cdrs.ShowCdr(row.session),
)  # fmt: skip

UNPRICED = Book(
    "unpriced",
    "Without a price",
    "sessions that ended without a price, and why",
    cdrs.UnpricedView,
    lambda station: cdrs.ListUnpriced(station=station),
    lambda row: _later_first(row.ended_at, row.session),
    (
        Cell("Session", 15, field("session")),
        Cell("Station", 14, field("station"), drop=1),
        Cell("Token", 14, field("token"), drop=3),
        Cell("Ended", 16, moment("ended_at"), drop=2),
        Cell("kWh", 8, _kwh, right=True),
        Cell("Why", 14, field("why", "warn"), grow=True),
    ),
    "every session that ended has a price",
    ("session.ended", "cdr.", "tariff."),
    (
        order("T", "rate", "rate the session under the cursor", "Rate the session",
              lambda target, text: cdrs.RerateSessions(text.strip(), (target.row.session,)), "why:", at_row=True,
              foretell=_foretold("rerate", 2, "its first bill, by the tariff that holds for it now", "--reason")),
    ),
    called=lambda row: str(row.session),
)  # fmt: skip

BOOKS = (BILLS, UNPRICED)
