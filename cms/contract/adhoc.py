"""Charging without a contract: what an EVSE costs, a card that is authorised before the start, a receipt at the end.

Permission ``payments.adhoc`` covers all of it, and nothing but it: the public pay page can do no more. Whoever knows
the id of a session sees it: it cannot be guessed, and says nothing of the person.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from cms.contract.record import record
from cms.contract.tariffs import Bill, Money

#: AdHocView.status -> what it means; those of OVER change no more, but for money that is given back.
STATUSES = {
    "authorizing": "the provider is asked to hold the amount",
    "action-needed": "the bank wants to see the driver: finish with client_secret, then ask ContinueAdHoc",
    "starting": "the amount is held, the station was asked to start: plug in",
    "charging": "the session runs",
    "ended": "the session is over, its price is being taken",
    "paid": "over and taken: here is the receipt",
    "declined": "the bank or the provider said no, nothing was held",
    "failed": "something a person of ours must look at; detail says what",
    "canceled": "nothing was charged, and the amount was given back",
}
OVER = ("paid", "declined", "failed", "canceled")


@record
class Offer:
    """An EVSE as somebody without a contract stands before it: what it costs, and how he may pay.

    ``place`` names it (its eMI3 id, or STATION*EVSE). ``price`` is the tariff in the driver's words, one line each;
    ``reserved`` what is held on the card before the start: the session ends by itself when it costs that. ``payable``:
    whether it can be paid by card now; ``detail`` says why not. ``key`` and ``script`` are the provider's publishable
    key and the address of its JavaScript.
    """

    place: str
    station: str
    evse: int
    evse_id: str | None
    reference: str | None
    status: str
    online: bool
    site_name: str | None
    street: str | None
    postcode: str | None
    city: str | None
    country: str | None
    time_zone: str | None
    open: bool
    operator: str | None
    tariff: str | None
    price: tuple[str, ...]
    currency: str | None
    reserved: Decimal | None
    payable: bool
    detail: str | None = None
    provider: str | None = None
    key: str | None = None
    script: str | None = None


@record
class AdHocView:
    """A session that is paid by card without a contract, as its driver may see it.

    ``status`` as in STATUSES. ``client_secret`` is there while the bank wants to see the driver. ``reserved`` is what
    is held, ``cost`` what it costs so far or in the end, ``paid`` what was taken and not given back. ``bill`` has the
    lines of the receipt when the session is over. ``detail``: a sentence for the driver where something went wrong.
    """

    id: str
    status: str
    station: str
    evse: int
    evse_id: str | None
    site_name: str | None
    operator: str | None
    time_zone: str
    created_at: datetime
    reserved: Money
    session: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    energy_wh: int = 0
    power_w: int | None = None
    cost: Money | None = None
    paid: Money | None = None
    bill: Bill | None = None
    client_secret: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class ShowOffer:
    """What charging costs at an EVSE, and whether it can be paid by card there now."""

    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginAdHoc:
    """Hold the offered amount on a card, then start a session that it pays for.

    ``method`` is the provider's name for the card (pm_...), made in the driver's browser: we never see the card.
    ``key`` is new for each wish of the driver, 8 to 64 characters, and the same for each attempt at it (a double tap,
    a repeat after a lost answer): the same key gets the same session. ``email`` is where the receipt goes.
    """

    place: str
    method: str
    key: str
    email: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class ContinueAdHoc:
    """The driver proved to his bank who he is (3-D Secure): see what became of it, and start."""

    id: str


@dataclass(frozen=True, slots=True)
class ShowAdHoc:
    """How it stands, and in the end the receipt."""

    id: str


@dataclass(frozen=True, slots=True)
class StopAdHoc:
    """End the session; or give up before it begins."""

    id: str
