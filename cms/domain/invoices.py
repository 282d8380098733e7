"""Invoices and credit notes (EN 16931), numbered without gaps in each series, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from cms.contract.tariffs import VatPart
from cms.domain.changes import Change
from cms.domain.record import record


@record
class Party:
    """Seller or buyer as an invoice names them (BG-4, BG-7). ``country`` is ISO 3166-1 alpha-2."""

    name: str
    street: str | None = None
    postcode: str | None = None
    city: str | None = None
    country: str | None = None
    vat_id: str | None = None
    tax_number: str | None = None
    email: str | None = None
    phone: str | None = None
    iban: str | None = None
    bic: str | None = None
    language: str | None = None
    contact: str | None = None
    """Whom a company's invoice is for the attention of."""
    reference: str | None = None
    """What the buyer wants his invoices to name (BT-10)."""


_LONGEST_NUMBER = 12
#: Kinds of invoices.
INVOICE, CREDIT_NOTE = "invoice", "credit-note"
#: Why something is not taxed, as EN 16931 says it (UNTDID 5305): reverse charge, exempt, a rate of zero.
REVERSE_CHARGE, EXEMPT, ZERO_RATED = "AE", "E", "Z"


@record
class Item:
    """One line (BG-25). ``source`` is what it bills (``cdr/S1.1``, ``fee/ana/flat/2026-11``); an invoice may have
    several lines of one source, and no other invoice has any.

    ``price`` is per ``unit`` before taxes and never below 0: what is taken off has a negative ``quantity``. ``since``
    and ``until`` are those of the whole session, told in its ``time_zone``, and ``energy_wh`` is all of its energy.
    ``kind``: energy, charging-time ... (contract.tariffs.CostLine), or plan, correction, fee.
    """

    source: str
    text: str
    quantity: Decimal
    unit: str
    price: Decimal
    vat_percent: Decimal
    net: Decimal
    vat: Decimal
    gross: Decimal
    since: datetime | None = None
    until: datetime | None = None
    session: str | None = None
    energy_wh: int | None = None
    kind: str = "fee"
    place: str | None = None
    time_zone: str = "UTC"


@record
class Invoice:
    """``kind``: invoice or credit-note (of ``corrects``). ``rounding`` (BT-114) bridges what the taxes of the sums
    differ from the sums of the taxes: ``payable`` is the sum of what the sessions cost.

    ``untaxed``: the category of what is taxed at 0 per cent (AE, E, Z), and ``untaxed_why`` the law's words for it.
    """

    series: str
    number: int
    kind: str
    issued_on: date
    due_on: date
    period_from: date
    period_to: date
    driver: str | None
    account: str
    seller: Party
    buyer: Party
    currency: str
    items: tuple[Item, ...]
    vat: tuple[VatPart, ...]
    net: Decimal
    gross: Decimal
    rounding: Decimal
    payable: Decimal
    made_at: datetime
    corrects: str | None = None
    note: str | None = None
    card: str | None = None
    """The card that is charged with it (``visa 4242``); None: the buyer pays by transfer."""
    untaxed: str = ZERO_RATED
    untaxed_why: str | None = None

    @property
    def id(self) -> str:
        return Invoice.name(self.series, self.number)

    @staticmethod
    def name(series: str, number: int) -> str:
        """As it is written: ``2026-0042`` of the series 2026."""
        return f"{series}-{number:04d}"

    @property
    def credits(self) -> bool:
        return self.kind == CREDIT_NOTE


def split_id(id: str) -> tuple[str, int] | None:
    """``2026-0042`` -> 2026, 42; None for what is no number of an invoice."""
    series, dash, number = id.strip().rpartition("-")
    plain = dash and number.isascii() and number.isdecimal() and len(number) <= _LONGEST_NUMBER
    return (series, int(number)) if plain else None


@record
class Mark:
    """What became of an invoice: sent, reminded, corrected, disputed; ``key`` makes it unique (``reminded/1``)."""

    series: str
    number: int
    key: str
    at: datetime
    detail: str | None = None
    actor: str | None = None


#: How an invoice stands. A credit note is issued or sent, and owes nothing by itself.
OPEN, SENT, OVERDUE, PART_PAID, PAID = "open", "sent", "overdue", "part-paid", "paid"
CREDITED, DISPUTED, ISSUED = "credited", "disputed", "issued"
STATUSES = (OPEN, SENT, OVERDUE, PART_PAID, PAID, CREDITED, DISPUTED, ISSUED)


def status(invoice: Invoice, owed: Decimal, marks: Sequence[Mark], today: date) -> str:
    """From what is still owed, what became of it and when it was due; never written down."""
    sent = any(mark.key == "sent" for mark in marks)
    if invoice.credits:
        return SENT if sent else ISSUED
    if disputed(marks):
        return DISPUTED
    if owed <= 0:
        corrected = any(mark.key.startswith("corrected/") for mark in marks)
        return CREDITED if corrected else PAID
    if today > invoice.due_on:
        return OVERDUE
    if owed < invoice.payable:
        return PART_PAID
    return SENT if sent else OPEN


def disputed(marks: Sequence[Mark]) -> bool:
    """Whether its buyer does not accept it, and nobody said since that this is settled."""
    said = [mark.key.partition("/")[0] for mark in marks]
    last = next((word for word in reversed(said) if word in (DISPUTED, "resolved")), None)
    return last == DISPUTED


def reminders(marks: Sequence[Mark]) -> int:
    """How often it was reminded of."""
    return sum(mark.key.startswith("reminded/") for mark in marks)


@record
class AddInvoice(Change):
    """Write an invoice and what it bills; a number or a source that is taken is a Clash."""

    invoice: Invoice


@record
class AddMark(Change):
    """Write a mark; one that is there already is a Clash."""

    mark: Mark
