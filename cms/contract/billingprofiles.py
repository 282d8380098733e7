"""Billing profiles: how a driver pays, and what stands on his invoices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cms.contract.record import record


@record
class BillingProfileView:
    """How a driver pays. ``way`` is what somebody chose (invoice, card, prepaid, free); null: as his tokens do.

    ``every``: billed for each session, or once a month. ``card``: what people call his saved card; null: none is
    saved. ``vat_checked``: what the service that is asked about VAT numbers said; null: nobody was asked.
    """

    driver: str
    way: str | None
    every: str
    company: str | None
    vat_id: str | None
    vat_checked: bool | None
    purchase_reference: str | None
    invoice_email: str | None
    language: str | None
    card: str | None
    plan: str | None
    changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ListBillingProfiles:
    """Of all drivers for whom one was made."""

    filter: str | None = None


@dataclass(frozen=True, slots=True)
class ShowBillingProfile:
    driver: str


@dataclass(frozen=True, slots=True)
class SetBillingProfile:
    """Change how a driver pays; what is null stays, an empty text is taken away."""

    driver: str
    way: str | None = None
    every: str | None = None
    company: str | None = None
    vat_id: str | None = None
    purchase_reference: str | None = None
    invoice_email: str | None = None
    language: str | None = None
    reason: str | None = None
