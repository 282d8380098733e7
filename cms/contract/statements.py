"""Bank statements: which payment is for what, and what a person must say."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from cms.contract.record import record
from cms.contract.tariffs import Money


@record
class StatementLine:
    """A line of a statement and what it is for. ``amount`` is below nothing where money went out.

    ``status``: matched, known (it was imported before, or entered by hand), unmatched (somebody must say).
    ``fit``: exact, under-paid, over-paid, returned, top-up. ``invoices`` are those that it pays.
    """

    line: str
    booked_on: date
    amount: Money
    status: str
    fit: str | None
    invoices: tuple[str, ...]
    driver: str | None
    name: str
    iban: str
    text: str
    detail: str | None


@dataclass(frozen=True, slots=True)
class ImportStatement:
    """Book the lines of a statement: CAMT.053 or CSV, as its first character says. A line is booked once.

    ``columns``: our fields and a bank's headings in CSV (``amount``: ``Betrag``); ``dates``: how it writes dates
    (``%d.%m.%Y``); ``currency``: where it names none.
    """

    text: str
    dry_run: bool = False
    columns: dict[str, str] = field(default_factory=dict)
    dates: str | None = None
    currency: str = "EUR"


@dataclass(frozen=True, slots=True)
class ListStatementLines:
    """Lines of which nobody has said yet what they are for, oldest first."""


@dataclass(frozen=True, slots=True)
class AssignStatementLine:
    """Say what a line is for: an invoice, what a driver owes, a driver's balance (``top_up``), or another account."""

    line: str
    invoice: str | None = None
    driver: str | None = None
    top_up: bool = False
    account: str | None = None
    reason: str | None = None
