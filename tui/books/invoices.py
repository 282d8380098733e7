"""Invoices and credit notes, and how they stand."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

from cms.contract import invoices
from cms.contract.intents import Preview
from cms.contract.money import money
from tui import words
from tui.books.shape import Book, Cell, field, order
from tui.orders import Draft, Target
from tui.widgets.paint import Span

_STATUSES = {
    "open": "",
    "issued": "",
    "sent": "busy",
    "overdue": "bad",
    "part-paid": "warn",
    "paid": "good",
    "credited": "dim",
    "disputed": "bad",
}
#: A day far away, so that what was issued later has the lower key.
_LAST = 4_000_000


def _newest_first(row: Any) -> str:
    return f"{_LAST - row.issued_on.toordinal()} {row.invoice}"


def _amount(name: str) -> Callable[[Any], Span]:
    return lambda row: money(getattr(row, name), row.currency) if getattr(row, name) else ""


def _foretold(verb: str, level: int, does: str, option: str = "") -> Callable[[Draft], Preview]:
    """What becomes of the invoice under the cursor."""

    def foretell(draft: Draft) -> Preview:
        number, text = draft.target.row.invoice, draft.text.strip()
        said = f" {option} {shlex.quote(text)}" if option and text else ""
        return Preview(draft.act.name, "", level, does, f"cms invoices {verb} {shlex.quote(number)}{said}")

    return foretell


def _credit(target: Target, text: str) -> invoices.CreditInvoice:
    return invoices.CreditInvoice(target.row.invoice, text.strip())


INVOICES = Book(
    "invoices",
    "Invoices",
    "what buyers were billed, and what of it is open",
    invoices.InvoiceView,
    lambda station: invoices.ListInvoices(limit=1_000),
    _newest_first,
    (
        Cell("Invoice", 11, field("invoice")),
        Cell("State", 9, lambda row: (row.status, _STATUSES.get(row.status, ""))),
        Cell("Buyer", 8, field("buyer"), grow=True),
        Cell("Issued", 10, lambda row: words.day(row.issued_on), drop=3),
        Cell("Due", 10, lambda row: words.day(row.due_on), drop=2),
        Cell("kWh", 9, lambda row: f"{row.energy_wh / 1000:.1f}", right=True, drop=4),
        Cell("To pay", 12, _amount("payable"), right=True, drop=1),
        Cell("Open", 11, _amount("open"), right=True),
        Cell("Days", 4, lambda row: (str(row.overdue_days), "bad") if row.overdue_days else "", right=True, drop=5),
        Cell("Corrects", 12, field("corrects"), drop=6),
    ),
    "there is no invoice yet: cms billing run",
    ("invoice.", "payment.", "charge.", "ledger."),
    (
        order("S", "send", "send the invoice under the cursor to its buyer by e-mail", "Send the invoice",
              lambda target, _: invoices.SendInvoice(target.row.invoice), at_row=True,
              foretell=_foretold("send", 1, "its buyer gets it by e-mail")),
        order("M", "sent", "say that the invoice under the cursor was sent in another way", "Mark as sent the invoice",
              lambda target, text: invoices.MarkInvoiceSent(target.row.invoice, text.strip() or None), "how:",
              at_row=True, foretell=_foretold("mark-sent", 0, "it counts as sent", "--how")),
        order("R", "remind", "remind the buyer of the invoice under the cursor that it is overdue",
              "Remind of the invoice", lambda target, _: invoices.RemindInvoices((target.row.invoice,)), at_row=True,
              foretell=_foretold("remind", 1, "its buyer gets the next reminder, with its fee, where one is due")),
        order("C", "credit", "take all of the invoice under the cursor back with a credit note",
              "Credit the invoice", _credit, "why:", at_row=True,
              foretell=_foretold("void", 2, "a credit note takes all of it back, for good", "--reason")),
        order("P", "paid", "enter a transfer that paid the invoice under the cursor", "Enter a payment of the invoice",
              lambda target, text: invoices.PayInvoice(target.row.invoice, text.strip()), "reference of the payment:",
              at_row=True, foretell=_foretold("paid", 2, "all that is open of it counts as paid", "--reference")),
        order("D", "dispute", "its buyer does not accept the invoice under the cursor", "Dispute the invoice",
              lambda target, text: invoices.DisputeInvoice(target.row.invoice, text.strip()), "why:", at_row=True,
              foretell=_foretold("dispute", 1, "it is not reminded of until that is resolved", "--reason")),
    ),
    called=lambda row: str(row.invoice),
    opened=lambda row: invoices.ShowInvoice(row.invoice),
)  # fmt: skip

BOOKS = (INVOICES,)
