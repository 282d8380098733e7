"""Ad hoc payment and limits: what was authorised, what was charged for it, what was settled (2.1 C17 to C25, E16).

The payment service provider is not ours: amounts and references are recorded, whoever takes the money tells us.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from cms.contract.record import record
from cms.contract.stations import OrderTerms
from cms.contract.tariffs import Money


@record
class Limit:
    """Where a session ends by itself (2.1 E16): cost with taxes, energy in Wh, seconds, state of charge in per cent."""

    max_cost: Decimal | None = None
    max_energy_wh: Decimal | None = None
    max_time_s: int | None = None
    max_soc: int | None = None


@record
class PaymentView:
    """One ad hoc payment by its provider's reference.

    ``status``: authorized, charging, ended (``amount`` is to be settled), settled, canceled, rejected, failed.
    ``settled`` is what was settled, ``detail`` what the station or the provider said of it.
    """

    psp_ref: str
    station: str | None
    evse: int | None
    status: str
    session: str | None
    limit: Limit | None
    amount: Money | None
    settled: Decimal | None
    settled_at: datetime | None
    receipt_id: str | None
    receipt_url: str | None
    vat_number: str | None
    detail: str | None
    changed_at: datetime


@record
class WebPaymentCode:
    """What a station's dynamic QR code holds at an instant (2.1 C25)."""

    station: str
    evse: int
    version: int
    totp: str
    valid_from: datetime
    valid_to: datetime
    url: str | None


@dataclass(frozen=True, slots=True)
class ListPayments:
    """Newest first."""

    status: str | None = None
    station: str | None = None
    limit: int = 200


@dataclass(frozen=True, slots=True)
class ShowPayment:
    psp_ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUpWebPayment(OrderTerms):
    """Give a station its secret and terms for dynamic QR codes (WebPaymentsCtrlr); nobody else sees the secret.

    ``url`` is where they lead, with {chargingstationid}, {evse}, {totp} and {version}; null: to our own pay page.
    """

    station: str
    validity_s: int = 60
    length: int = 8
    url: str | None = None


@dataclass(frozen=True, slots=True)
class ShowWebPaymentCode:
    """What the station's display should show now, or at an instant: to compare, or where it has no display."""

    station: str
    evse: int
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginWebPayment(OrderTerms):
    """A driver scanned the code: check it, and tell the station that a payment is under way (C25.FR.07 to 21)."""

    station: str
    evse: int
    totp: str
    version: str = "1"
    wait_s: int = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizePayment(OrderTerms):
    """A provider authorised a payment: record it and start the session with it (C24, C25.FR.23)."""

    psp_ref: str
    station: str
    evse: int | None = None
    max_cost: Decimal | None = None
    max_energy_wh: Decimal | None = None
    max_time_s: int | None = None
    max_soc: int | None = None


@dataclass(frozen=True, slots=True)
class SettlePayment:
    """A provider settled, cancelled or refused a payment. ``status``: settled, canceled, rejected, failed."""

    psp_ref: str
    status: str
    amount: Decimal | None = None
    receipt_id: str | None = None
    receipt_url: str | None = None
    detail: str | None = None
