"""What we take through a payment provider: one row a charge, whose status says what is certain.

Before the provider is asked for anything, the row says that it will be; what it answered is written in the commit that
enters it in the ledger. Whoever comes back after a crash asks the provider what became of it, and goes on.
"""

from __future__ import annotations

from datetime import datetime

from cms.domain.changes import Change
from cms.domain.record import record

#: status -> what it may become. The ones in ``-ing`` ask the provider, and are asked again after a crash.
STATUSES: dict[str, tuple[str, ...]] = {
    "new": ("authorizing", "canceled"),
    "authorizing": ("authorized", "action-needed", "declined", "captured", "failed"),
    "action-needed": ("authorizing", "authorized", "captured", "declined", "canceled"),
    "authorized": ("capturing", "voiding", "expired"),
    "capturing": ("captured", "authorized", "failed", "expired"),
    "captured": ("refunding", "disputed"),
    "refunding": ("captured", "refunded", "failed"),
    "voiding": ("canceled", "authorized", "failed"),
    "disputed": ("captured", "lost"),
    "refunded": (),
    "declined": (),
    "canceled": (),
    "expired": (),
    "failed": ("authorizing", "capturing", "voiding", "refunding"),
    "lost": (),
}
PURPOSES = ("ad-hoc", "session", "invoice", "top-up")


@record
class Charge:
    """Amounts in minor units. ``provider_ref`` is the provider's name for it (Stripe: the PaymentIntent).

    ``owed_to`` is the ledger account that the money settles (``receivable/ana``, ``prepaid/ana``,
    ``payment/REFERENCE``); ``next`` is when it is looked at again.
    """

    id: str
    purpose: str
    status: str
    amount: int
    currency: str
    owed_to: str
    created_at: datetime
    changed_at: datetime
    provider: str = "stripe"
    provider_ref: str | None = None
    customer: str | None = None
    method: str | None = None
    captured: int = 0
    refunded: int = 0
    driver: str | None = None
    session: str | None = None
    station: str | None = None
    evse: int | None = None
    invoice: str | None = None
    attempts: int = 0
    next: datetime | None = None
    detail: str | None = None
    wanted: int | None = None
    """What is to be captured or refunded, while that is being asked."""


@record
class SaveCharge(Change):
    charge: Charge
