"""Invoices and credit notes (EN 16931), numbered without gaps in each series, never changed."""

from __future__ import annotations

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


@record
class Item:
    """One line (BG-25). ``source`` is what it bills (``cdr/S1.1``, ``fee/ana/flat/2026-11``) and is billed once."""

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


@record
class Invoice:
    """``kind``: invoice or credit-note (of ``corrects``). ``rounding`` (BT-114) bridges what the taxes of the sums
    differ from the sums of the taxes: ``payable`` is the sum of what the sessions cost."""

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

    @property
    def id(self) -> str:
        """As it is written: ``2026-0042`` of the series 2026."""
        return f"{self.series}-{self.number:04d}"


@record
class Mark:
    """What became of an invoice: sent, reminded, corrected, disputed; ``key`` makes it unique (``reminded/1``)."""

    series: str
    number: int
    key: str
    at: datetime
    detail: str | None = None
    actor: str | None = None


@record
class AddInvoice(Change):
    """Write an invoice and what it bills; a number or a source that is taken is a Clash."""

    invoice: Invoice


@record
class AddMark(Change):
    """Write a mark; one that is there already is a Clash."""

    mark: Mark
