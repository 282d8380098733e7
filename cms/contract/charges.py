"""What is taken from cards through the payment provider, and what a person does about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from cms.contract.record import record
from cms.contract.tariffs import Money


@record
class ChargeView:
    """One charge. ``amount`` is what was asked for (ad hoc: what is held), ``captured`` what was taken of it.

    ``purpose``: ad-hoc, session, invoice, top-up. ``status``: authorizing, taking, capturing, voiding, refunding (the
    provider is being asked), action-needed (the bank wants to see the driver), authorized (held), waiting (declined,
    tried again at ``next``), captured, refunded, declined, canceled, lost (a dispute), and those that a person must
    look at: unpaid, expired, failed, disputed. ``person`` says that it is one of these. ``account`` is the account
    in the ledger that the money settles; ``provider_ref`` and ``dispute`` are the provider's names, ``code`` and
    ``detail`` his words.
    """

    id: str
    purpose: str
    status: str
    person: bool
    amount: Money
    captured: Decimal
    refunded: Decimal
    account: str
    driver: str | None
    session: str | None
    invoice: str | None
    station: str | None
    evse: int | None
    card: str | None
    provider: str
    provider_ref: str | None
    attempts: int
    next: datetime | None
    code: str | None
    detail: str | None
    dispute: str | None
    created_at: datetime
    changed_at: datetime


@record
class CardLink:
    """Where a driver saves his card himself: send it to him alone. It is good until ``until``."""

    driver: str
    url: str
    until: datetime


@record
class CardView:
    """A driver's saved card as people call it; ``method`` null: he has none."""

    driver: str
    card: str | None
    method: str | None


@dataclass(frozen=True, slots=True)
class ListCharges:
    """Newest first. ``status``: one status, or ``person`` for all that a person must look at."""

    status: str | None = None
    purpose: str | None = None
    driver: str | None = None
    session: str | None = None
    limit: int = 200


@dataclass(frozen=True, slots=True)
class ShowCharge:
    charge: str


@dataclass(frozen=True, slots=True)
class CaptureCharge:
    """Take what is held, or less of it (``amount``); the rest is given back."""

    charge: str
    amount: Decimal | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class VoidCharge:
    """Give back what is held, or give up what was not paid."""

    charge: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RefundCharge:
    """Give money back, all that is left or ``amount`` of it. It needs a reason."""

    charge: str
    reason: str
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class RetryCharge:
    """Ask the provider once more: what was not paid, or what failed."""

    charge: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class SaveCard:
    """Keep a card for what a driver will owe: ``method`` is the provider's name for it (pm_...)."""

    driver: str
    method: str


@dataclass(frozen=True, slots=True)
class ForgetCard:
    """The driver's card is charged no more."""

    driver: str


@dataclass(frozen=True, slots=True)
class LinkCard:
    """A page on which the driver saves a card himself."""

    driver: str


@record
class CardWish:
    """What the page needs on which a driver saves his card; ``client_secret`` is for his browser alone."""

    id: str
    operator: str | None
    provider: str
    key: str | None
    script: str | None
    client_secret: str


@dataclass(frozen=True, slots=True)
class ShowCardLink:
    """What the page behind a CardLink shows."""

    id: str


@dataclass(frozen=True, slots=True)
class FinishCardLink:
    """The driver gave his card to the provider: keep it."""

    id: str
