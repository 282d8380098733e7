"""Invoices and credit notes: who sells, billing runs, documents, reminders. Money is exact decimal text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from cms.contract.record import record
from cms.contract.tariffs import VatPart


@record
class SellerView:
    """Who sells, as invoices say it. ``missing``: what an invoice cannot do without and is not told yet.

    ``series`` numbers invoices, with ``{year}`` and ``{month}``. ``reminder_days``: so long after it was due an
    invoice is reminded of, so long after that again ...; ``reminder_fees`` are what each reminder costs.
    ``exemption``: why nothing is taxed, where that is so.
    """

    name: str
    street: str | None
    postcode: str | None
    city: str | None
    country: str | None
    vat_id: str | None
    tax_number: str | None
    email: str | None
    phone: str | None
    iban: str | None
    bic: str | None
    series: str
    due_days: int
    locale: str
    reminder_days: tuple[int, ...]
    reminder_fees: tuple[Decimal, ...]
    exemption: str | None
    missing: tuple[str, ...]


@record
class ItemView:
    """One line: ``quantity`` of ``unit`` at ``price`` before taxes. ``number`` names it in credit notes.

    ``since`` and ``until`` are those of the whole ``session``; ``credited_by`` is the credit note that took it back.
    """

    number: int
    source: str
    kind: str
    text: str
    quantity: Decimal
    unit: str
    price: Decimal
    vat_percent: Decimal
    net: Decimal
    vat: Decimal
    gross: Decimal
    since: datetime | None
    until: datetime | None
    session: str | None
    energy_wh: int | None
    place: str | None
    credited_by: str | None


@record
class MarkView:
    """What became of an invoice. ``what``: sent, reminded/1, credited/2026-0043, disputed, resolved ..."""

    what: str
    at: datetime
    detail: str | None
    actor: str | None


@record
class InvoiceView:
    """An invoice, or a credit note that ``corrects`` one. ``status``: open, sent, overdue, part-paid, paid,
    credited, disputed.

    ``open`` is what is still owed (below 0: we owe it), fees of reminders with it. ``overdue_days`` since it was due.
    ``items`` and ``marks`` only where one invoice is shown.
    """

    invoice: str
    kind: str
    status: str
    driver: str | None
    buyer: str
    issued_on: date
    due_on: date
    period_from: date
    period_to: date
    sessions: int
    energy_wh: int
    currency: str
    net: Decimal
    gross: Decimal
    rounding: Decimal
    payable: Decimal
    open: Decimal
    overdue_days: int
    reminders: int
    sent_at: datetime | None
    corrects: str | None
    note: str | None
    vat: tuple[VatPart, ...]
    items: tuple[ItemView, ...] = ()
    marks: tuple[MarkView, ...] = ()


@record
class BilledView:
    """An invoice that a billing run made, or would make (``invoice`` is null)."""

    invoice: str | None
    kind: str
    driver: str | None
    account: str
    sessions: int
    currency: str
    net: Decimal
    payable: Decimal
    corrects: str | None = None


@record
class LeftOutView:
    """A session that is not billed, and why."""

    session: str
    account: str
    currency: str
    gross: Decimal
    why: str


@record
class BillingRunView:
    """What a billing run made. ``next``: who comes then; null: nobody is left."""

    dry_run: bool
    since: date
    until: date
    invoices: tuple[BilledView, ...]
    left_out: tuple[LeftOutView, ...]
    next: str | None


@record
class InvoiceFile:
    """A document. ``content`` in Base64; the same invoice always gives the same."""

    name: str
    media_type: str
    content: str


@record
class ReminderView:
    """An invoice that is reminded of, or would be (``done``: whether it was; ``why``: what kept it)."""

    invoice: str
    driver: str | None
    level: int
    fee: Decimal
    open: Decimal
    currency: str
    overdue_days: int
    done: bool
    mailed: bool
    why: str | None = None


@record
class SentView:
    """An invoice that was sent, or not (``why``)."""

    invoice: str
    done: bool
    why: str | None = None


@dataclass(frozen=True, slots=True)
class ShowSeller:
    """Who sells, as far as it is known."""


@dataclass(frozen=True, slots=True)
class SetSeller:
    """Say who sells; what is null stays, an empty text is taken away."""

    name: str | None = None
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
    series: str | None = None
    due_days: int | None = None
    locale: str | None = None
    reminder_days: tuple[int, ...] | None = None
    reminder_fees: tuple[Decimal, ...] | None = None
    exemption: str | None = None


@dataclass(frozen=True, slots=True)
class RunBilling:
    """Bill what is owed of sessions that ended between two days (both included), driver by driver.

    Without days: last month. ``after`` and ``limit``: so many accounts after this one, to go on where a run ended;
    whatever was interrupted may be asked again, nothing is billed twice.
    """

    since: date | None = None
    until: date | None = None
    drivers: tuple[str, ...] = ()
    dry_run: bool = False
    after: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class ListInvoices:
    """Newest first. ``status`` as in InvoiceView; ``driver``'s alone; issued in these days (both included)."""

    status: str | None = None
    driver: str | None = None
    since: date | None = None
    until: date | None = None
    limit: int = 200


@dataclass(frozen=True, slots=True)
class ShowInvoice:
    invoice: str


@dataclass(frozen=True, slots=True)
class ExportInvoice:
    """An invoice as a document. ``format``: pdf (with the XML in it: ZUGFeRD), xml (EN 16931 CII)."""

    invoice: str
    format: str = "pdf"


@dataclass(frozen=True, slots=True)
class CreditInvoice:
    """Take an invoice back, or (``items``, by their numbers) a part of it, with a credit note."""

    invoice: str
    reason: str
    items: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PayInvoice:
    """Enter money that came in for an invoice; all that is open unless an amount is said.

    A ``reference`` is entered once. ``source``: bank, cash or terminal. What exceeds what was open stays as credit.
    """

    invoice: str
    reference: str
    amount: Decimal | None = None
    source: str = "bank"
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class SendInvoice:
    """Send an invoice to its buyer by e-mail."""

    invoice: str


@dataclass(frozen=True, slots=True)
class MarkInvoiceSent:
    """Say that an invoice was sent in another way."""

    invoice: str
    how: str | None = None


@dataclass(frozen=True, slots=True)
class DisputeInvoice:
    """Its buyer does not accept it: it is not reminded of until the dispute is resolved."""

    invoice: str
    reason: str
    resolved: bool = False


@dataclass(frozen=True, slots=True)
class RemindInvoices:
    """Remind of what is overdue: those invoices, or all. ``dry_run`` says which would be."""

    invoices: tuple[str, ...] = ()
    dry_run: bool = False
