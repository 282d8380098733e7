"""What is taken from cards, and what a person does about it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from cms.contract import charges
from cms.contract.intents import Preview
from cms.contract.money import money
from cms.contract.refusals import Invalid
from tui.books.shape import Book, Cell, field, moment, order
from tui.orders import Draft
from tui.widgets.paint import Span

#: A second far away, so that what is later has the lower key.
_LAST = 10**10
_STATUSES = {
    "captured": "good",
    "authorizing": "busy",
    "taking": "busy",
    "capturing": "busy",
    "voiding": "busy",
    "refunding": "busy",
    "action-needed": "busy",
    "authorized": "busy",
    "waiting": "warn",
    "unpaid": "bad",
    "failed": "bad",
    "expired": "bad",
    "disputed": "bad",
    "lost": "bad",
}


def _later_first(row: charges.ChargeView) -> str:
    """Books stand in the order of their keys."""
    return f"{_LAST - row.changed_at.timestamp():015.3f} {row.id}"


def _asked(row: charges.ChargeView) -> Span:
    return money(row.amount.amount, row.amount.currency)


def _amount(text: str) -> Decimal:
    """What was typed, more than nothing."""
    try:
        amount = Decimal(text.strip())
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount <= 0:
        raise Invalid(f"{text.strip()!r} is no amount", "e.g. 12.34")
    return amount


def _some(name: str) -> Callable[[Any], Span]:
    """An amount; nothing for none."""

    def show(row: Any) -> Span:
        amount: Decimal = getattr(row, name)
        return str(amount) if amount else ""

    return show


def _foretold(verb: str, level: int, does: str, option: str = "--reason") -> Callable[[Draft], Preview]:
    def foretell(draft: Draft) -> Preview:
        charge, text = draft.target.row.id, draft.text.strip()
        said = f" {option} {shlex.quote(text)}" if text else ""
        line = f"cms payments charges {verb} {shlex.quote(charge)}{said}"
        return Preview(draft.act.name, draft.target.station, level, does, line)

    return foretell


CHARGES = Book(
    "charges",
    "Charges",
    "what is taken from cards, and what a person must look at",
    charges.ChargeView,
    lambda station: charges.ListCharges(),
    _later_first,
    (
        Cell("Charge", 14, field("id")),
        Cell("For", 8, field("purpose"), drop=2),
        Cell("State", 13, lambda row: (row.status, _STATUSES.get(row.status, ""))),
        Cell("", 1, lambda row: ("▲", "bad") if row.person else ""),
        Cell("Amount", 11, _asked, right=True),
        Cell("Taken", 9, _some("captured"), right=True, drop=1),
        Cell("Back", 9, _some("refunded"), right=True, drop=5),
        Cell("Driver", 12, field("driver"), drop=4),
        Cell("Session", 15, field("session"), drop=7),
        Cell("Changed", 16, moment("changed_at"), drop=6),
        Cell("Why", 12, lambda row: row.detail or row.code or "", grow=True, drop=3),
    ),
    "nothing was taken from a card yet",
    ("charge.",),
    (
        order("R", "refund", "give back what is left of the charge under the cursor", "Refund the charge",
              lambda target, text: charges.RefundCharge(target.row.id, text.strip()), "why:", at_row=True,
              foretell=_foretold("refund", 2, "all that is left of it goes back to the card")),
        order("T", "try again", "ask the provider once more, with the driver's present card", "Try again the charge",
              lambda target, _: charges.RetryCharge(target.row.id), at_row=True,
              foretell=_foretold("retry", 1, "the provider is asked once more")),
        order("C", "capture", "take what is held of the charge under the cursor", "Capture the charge",
              lambda target, text: charges.CaptureCharge(target.row.id, _amount(text)), "amount:",
              at_row=True, foretell=_foretold("capture", 2, "so much is taken, the rest is given back", "--amount")),
        order("D", "void", "take nothing of the charge under the cursor", "Void the charge",
              lambda target, text: charges.VoidCharge(target.row.id, text.strip()), "why:", at_row=True,
              foretell=_foretold("void", 2, "what is held is given back, and nothing is taken")),
    ),
    called=lambda row: str(row.id),
    opened=lambda row: charges.ShowCharge(row.id),
)  # fmt: skip

BOOKS = (CHARGES,)
