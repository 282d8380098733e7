"""A small real shop behind the pay page: one EVSE, a price, a provider that says yes, sessions that are moved on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from cms.clock import RandomMint, SystemClock
from cms.contract.adhoc import (
    AdHocView,
    BeginAdHoc,
    ContinueAdHoc,
    Offer,
    ShowAdHoc,
    ShowOffer,
    StopAdHoc,
)
from cms.contract.apps import Place, ShowPlace
from cms.contract.charges import CardView, CardWish, FinishCardLink, ShowCardLink
from cms.contract.evses import Outlet
from cms.contract.invoices import SellerView, ShowSeller
from cms.contract.payments import BeginWebPayment
from cms.contract.prices import PriceTag, ShowPriceTag
from cms.contract.refusals import Denied, NotFound
from cms.contract.tariffs import Bill, BillLine, Money, VatPart
from cms.core import Actor, Core
from cms.operations import Operation
from cms.payweb.gate import Limits

NOON = datetime(2026, 6, 21, 10, 0, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=y>\u202egnp\x1b]0;"

OFFER = Offer(
    place="DE*ABC*E1001",
    station="CP-1",
    evse=1,
    evse_id="DE*ABC*E1001",
    reference="Stand 4",
    status="available",
    online=True,
    site_name="Old Town Garage",
    street="Uus 25",
    postcode="10111",
    city="Tallinn",
    country="DE",
    time_zone="Europe/Berlin",
    open=True,
    operator="Volt GmbH",
    tariff="day-1",
    price=("0.49 € per kWh",),
    currency="EUR",
    reserved=Decimal(50),
    payable=True,
    provider="stripe",
    key="pk_test_1",
    script="https://js.stripe.com/v3/",
)
TAG = PriceTag(
    station="CP-1",
    evse=1,
    tariff="day-1",
    currency="EUR",
    language="en",
    at=NOON,
    text="Green power from the roof.",
    lines=("0.49 € per kWh", "0.10 € per minute connected without charging, after 15 min"),
    vat="incl. 19% VAT",
)
PLACE = Place(
    station="CP-1",
    evse=1,
    evse_id="DE*ABC*E1001",
    reference="Stand 4",
    status="available",
    online=True,
    connectors=(Outlet(1, "IEC_62196_T2_COMBO", power_w=150_000), Outlet(2, "IEC_62196_T2", power_w=22_000)),
    floor=None,
    directions=None,
    site="garage",
    site_name="Old Town Garage",
    street=None,
    postcode=None,
    city=None,
    country=None,
    latitude=None,
    longitude=None,
    time_zone=None,
    hours=None,
    open=True,
    operator=None,
)
SELLER = SellerView(
    name="Volt Energie GmbH",
    street="Werkstr. 1",
    postcode="89073",
    city="Ulm",
    country="DE",
    vat_id="DE123456789",
    tax_number=None,
    email=None,
    phone=None,
    iban=None,
    bic=None,
    series="R",
    due_days=14,
    locale="de_DE",
    reminder_days=(),
    reminder_fees=(),
    exemption=None,
    missing=(),
)
WISH = CardWish("w-1", "Volt GmbH", "stripe", "pk_test_1", "https://js.stripe.com/v3/", "seti_1_secret_2")
VIEW = AdHocView(
    id="",
    status="starting",
    station="CP-1",
    evse=1,
    evse_id="DE*ABC*E1001",
    site_name="Old Town Garage",
    operator="Volt GmbH",
    time_zone="Europe/Berlin",
    created_at=NOON,
    reserved=Money(Decimal(50), "EUR"),
)
BILL = Bill(
    "EUR",
    (
        BillLine(
            "energy",
            "day-1",
            None,
            None,
            Decimal("24.31"),
            "kWh",
            Decimal("0.411765"),
            Decimal(19),
            Decimal("10.01"),
            Decimal("1.90"),
            Decimal("11.91"),
        ),
    ),
    (VatPart(Decimal(19), Decimal("10.01"), Decimal("1.90"), Decimal("11.91")),),
    Decimal("10.01"),
    Decimal("1.90") + Decimal("10.01"),
)


class SmallShop:
    """What the pages ask, answered from memory."""

    def __init__(self, offer: Offer = OFFER) -> None:
        self.core = Core(
            store=None,  # type: ignore[arg-type]
            stations=None,  # type: ignore[arg-type]
            bus=None,  # type: ignore[arg-type]
            clock=SystemClock(),
            mint=RandomMint(),
            secret=bytes(32),
            trust=None,  # type: ignore[arg-type]
        )
        self.offer = offer
        self.tag = TAG
        self.place = PLACE
        self.wish = WISH
        self.sessions: dict[str, AdHocView] = {}
        self.proved: set[str] = set()
        self.begun: list[BeginAdHoc] = []
        self.actors: list[Actor] = []
        self.fails: Exception | None = None
        self.limits = Limits()

    def operations(self) -> Mapping[type, Operation]:
        answers: dict[type, Any] = {
            ShowOffer: self._offer,
            BeginAdHoc: self._begin,
            ContinueAdHoc: self._continue,
            ShowAdHoc: self._session,
            ShowPriceTag: lambda asked: replace(self.tag, language=asked.language),
            ShowPlace: lambda asked: self.place,
            ShowSeller: lambda asked: SELLER,
            ShowCardLink: self._wished,
            FinishCardLink: lambda asked: CardView("D-1", "Visa 4242", self._wished(asked).id),
            StopAdHoc: lambda asked: self.move(asked.id, status="ended"),
            BeginWebPayment: self._scanned,
        }

        def operation(answer: Any) -> Operation:
            async def operate(core: Core, asked: Any, actor: Actor) -> Any:
                self.actors.append(actor)
                if self.fails is not None:
                    raise self.fails
                return answer(asked)

            return Operation(operate, "payments.adhoc")

        return {kind: operation(answer) for kind, answer in answers.items()}

    def _offer(self, asked: ShowOffer) -> Offer:
        if asked.place.casefold() not in (self.offer.place.casefold(), "cp-1*1"):
            raise NotFound(f"there is no EVSE {asked.place}")
        return self.offer

    def _begin(self, asked: BeginAdHoc) -> AdHocView:
        self.begun.append(asked)
        id = f"s-{asked.key}"
        return self.sessions.setdefault(id, replace(VIEW, id=id))

    def _session(self, asked: ShowAdHoc) -> AdHocView:
        if asked.id not in self.sessions:
            raise NotFound(f"there is no session {asked.id}")
        return self.sessions[asked.id]

    def _continue(self, asked: ContinueAdHoc) -> AdHocView:
        """The bank says nothing yet, until ``proved``."""
        view = self._session(ShowAdHoc(asked.id))
        if view.status != "action-needed":
            return view
        if asked.id in self.proved:
            return self.move(asked.id, status="starting")
        return replace(view, client_secret="pi_1_secret_2")

    def _wished(self, asked: ShowCardLink | FinishCardLink) -> CardWish:
        if asked.id != self.wish.id:
            raise NotFound("this link is not good (any more)")
        return self.wish

    def _scanned(self, asked: BeginWebPayment) -> None:
        if asked.totp != "right":
            raise Denied("the code is not one that CP-1 shows now")

    def put(self, status: str, **more: Any) -> AdHocView:
        """A session that stands so."""
        view = replace(VIEW, id=f"id-{status}", status=status, **more)
        self.sessions[view.id] = view
        return view

    def move(self, id: str, **more: Any) -> AdHocView:
        self.sessions[id] = replace(self._session(ShowAdHoc(id)), **more)
        return self.sessions[id]

    def charging(self) -> AdHocView:
        """One that has charged for a while."""
        return self.put(
            "charging",
            started_at=SystemClock().now() - timedelta(minutes=72),
            energy_wh=24_310,
            power_w=11_040,
            cost=Money(Decimal("11.91"), "EUR"),
        )

    def paid(self) -> AdHocView:
        """One that is over and paid."""
        return self.put(
            "paid",
            started_at=NOON,
            ended_at=NOON + timedelta(minutes=72),
            energy_wh=24_310,
            cost=Money(Decimal("11.91"), "EUR"),
            paid=Money(Decimal("11.91"), "EUR"),
            bill=BILL,
        )
