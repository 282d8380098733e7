"""Ad hoc payments, prepaid balances, and the codes of dynamic QR codes (2.1 C17 to C25).

The money itself is somebody else's: a provider authorises and settles, we record amounts and references.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256

from cms.contract.payments import Limit, PaymentView
from cms.contract.tariffs import Money
from cms.domain.atrest import Sealed
from cms.domain.observations import Answer, Observation
from cms.domain.orders import Order
from cms.domain.record import record

CREDIT, DEBIT = "credit", "debit"
WEB = "web-payment"
DIRECT = "direct-payment"

STATUSES = ("authorized", "charging", "ended", "settled", "canceled", "rejected", "failed")
#: PaymentStatusEnumType -> ours.
SETTLEMENTS = ("settled", "canceled", "rejected", "failed")
#: Nothing will be taken for a session with the reference of one of these.
WORTHLESS = frozenset({"canceled", "rejected", "failed"})


@record
class Payment:
    """One ad hoc payment. ``amount`` is what the session cost, ``settled`` what was taken for it."""

    psp_ref: str
    status: str
    changed_at: datetime
    station: str | None = None
    evse: int | None = None
    session: str | None = None
    limit: Limit | None = None
    amount: Decimal | None = None
    currency: str | None = None
    settled: Decimal | None = None
    settled_at: datetime | None = None
    receipt_id: str | None = None
    receipt_url: str | None = None
    vat_number: str | None = None
    detail: str | None = None


@record
class Credit:
    """What a prepaid token had, before balances were those of the ledger (operations.openingbalances)."""

    token: str
    balance: Decimal
    currency: str
    changed_at: datetime
    taken: tuple[str, ...] = ()


@record
class WebPayment:
    """What a station makes the codes of its dynamic QR codes with."""

    secret: Sealed


@record
class Debit:
    """A session's cost that was still to be taken from such a balance."""

    token: str
    session: str
    amount: Decimal
    currency: str


@record
class SettlementNotified(Observation):
    """NotifySettlement (2.1 C21, C22): what a terminal at the station settled, or could not."""

    psp_ref: str
    status: str
    amount: Decimal
    at: datetime | None
    transaction_id: str | None = None
    detail: str | None = None
    receipt_id: str | None = None
    receipt_url: str | None = None
    vat_number: str | None = None


@record
class SettlementAnswer(Answer):
    receipt_url: str | None = None


@record
class VatNumberPresented(Observation):
    """VatNumberValidation (2.1 C18.FR.10). ``answer`` is what became of asking; None before that."""

    number: str
    evse: int | None = None
    answer: VatAnswer | None = None


@record
class Company:
    name: str
    address1: str
    city: str
    country: str
    address2: str | None = None
    postal_code: str | None = None


@record
class VatAnswer(Answer):
    """Number and EVSE as they were asked for; ``reason`` is why it is not accepted."""

    number: str
    evse: int | None
    accepted: bool
    company: Company | None = None
    reason: str | None = None


@record
class NotifyWebPaymentStarted(Order):
    """2.1 C25.FR.21: the station starts nothing else on this EVSE for ``timeout_s``."""

    evse: int
    timeout_s: int


# The algorithm of version 1 (2.1 C25). No station has confirmed the alphabet's order yet.
ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
VERSION = "1"
#: Codes of the interval before and the one after are good too: clocks differ (C25.FR.07).
_INTERVALS = (0, -1, 1)


def totp(secret: str, at: datetime, validity_s: int, length: int) -> str:
    """The code of the interval that holds this instant."""
    return _code(secret, int(at.timestamp()) // validity_s, length)


def _code(secret: str, interval: int, length: int) -> str:
    digest = hmac.new(secret.encode(), interval.to_bytes(8, "big"), sha256).digest()
    offset = digest[-1] & 0x0F
    return "".join(ALPHABET[digest[(offset + i) % len(digest)] % len(ALPHABET)] for i in range(length))


def totp_fits(secret: str, presented: str, at: datetime, validity_s: int, length: int) -> bool:
    """Whether a code is of this interval or one beside it; in constant time."""
    interval = int(at.timestamp()) // validity_s
    fits = [
        hmac.compare_digest(_code(secret, interval + step, length).encode(), presented.encode())
        for step in _INTERVALS
    ]
    return any(fits)


def interval_of(at: datetime, validity_s: int) -> tuple[datetime, datetime]:
    """From when to when the code of this instant is shown."""
    begin = datetime.fromtimestamp(int(at.timestamp()) // validity_s * validity_s, at.tzinfo)
    return begin, begin + timedelta(seconds=validity_s)


def view(payment: Payment) -> PaymentView:
    """The payment as clients see it."""
    amount = (
        None
        if payment.amount is None or payment.currency is None
        else Money(payment.amount, payment.currency)
    )
    return PaymentView(
        psp_ref=payment.psp_ref,
        station=payment.station,
        evse=payment.evse,
        status=payment.status,
        session=payment.session,
        limit=payment.limit,
        amount=amount,
        settled=payment.settled,
        settled_at=payment.settled_at,
        receipt_id=payment.receipt_id,
        receipt_url=payment.receipt_url,
        vat_number=payment.vat_number,
        detail=payment.detail,
        changed_at=payment.changed_at,
    )
