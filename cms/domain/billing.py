"""How a driver pays: his billing profile, and what decisions about money ask of it.

``way`` is what somebody chose for him; without it he pays as his tokens do (from a balance where there is one, else
by invoice). What is personal (company, VAT number, address of his invoices) is kept apart, encrypted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cms.domain import plans
from cms.domain.plans import Subscription
from cms.domain.record import record

KIND = "billing-profile"
CONTACT = "billing-contact"
WAYS = ("invoice", "card", "prepaid", "free")
EVERY = ("session", "month")

Kept = Mapping[str, Mapping[str, Any]]


@record
class BillingProfile:
    """One driver's, as decisions need it. ``every``: whether he is billed for each session, or once a month.

    ``customer`` and ``method`` are the payment provider's names for him and his saved card, ``method_text`` what
    people call it (``visa 4242 12/28``).
    """

    driver: str
    way: str | None = None
    every: str = "month"
    language: str | None = None
    customer: str | None = None
    method: str | None = None
    method_text: str | None = None
    vat_checked: bool | None = None
    """What was said of his VAT number by whoever is asked about them; None: nobody was."""
    changed_at: datetime | None = None


@record
class Contact:
    """What is personal about it: on his invoices it stands before what is known of the driver."""

    company: str | None = None
    vat_id: str | None = None
    purchase_reference: str | None = None
    invoice_email: str | None = None


def profile(kept: Kept, driver_id: str | None) -> BillingProfile | None:
    """His profile; None where nobody made one."""
    if driver_id is None:
        return None
    found: BillingProfile | None = kept.get(KIND, {}).get(driver_id)
    return found


def way_of(kept: Kept, driver_id: str | None) -> str | None:
    """How somebody said that he pays: invoice, card, prepaid or free; None: nobody said."""
    known = profile(kept, driver_id)
    return known.way if known is not None else None


def plan_of(kept: Kept, driver_id: str | None, at: datetime) -> str | None:
    """The plan that he has on the day of an instant."""
    if driver_id is None:
        return None
    found: Subscription | None = kept.get(plans.SUBSCRIPTION, {}).get(driver_id)
    return found.plan_on(plans.day_of(kept, at)) if found is not None else None
