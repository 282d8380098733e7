"""Charging by card without a contract, against localstripe: what is held, taken, given back, whatever goes wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal

import pytest

from cms.contract.adhoc import AdHocView, BeginAdHoc, ContinueAdHoc, Offer, ShowAdHoc, ShowOffer, StopAdHoc
from cms.contract.cdrs import ReleaseCdr
from cms.contract.payments import PaymentView, ShowPayment
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.core import Core
from cms.domain.charges import Charge
from cms.domain.connectors import ConnectorStatus
from cms.domain.observations import ConnectorReported, Metered, TokenRef
from cms.domain.orders import OrderAnswer, RemoteStart, RemoteStop
from cms.operations import adhoc, cdrs, charges, payments
from tests.domain.build import NOON, after, event, register, start, stop
from tests.operations.prices import FIFTY, sell
from tests.operations.small import ANA, Small
from tests.stripes import AUTHENTICATING, DECLINING, Line, LocalStripe, provider

PLACE = "CP1*1"


@dataclass
class Shop:
    """A station that sells, and a line to somebody who takes cards."""

    small: Small
    stripe: LocalStripe
    line: Line
    number: str = ""

    @property
    def core(self) -> Core:
        return self.small.core

    async def offer(self) -> Offer:
        return await adhoc.offer(self.core, ShowOffer(PLACE), ANA)

    async def begin(self, card: str | None = None, key: str = "wish-0001") -> AdHocView:
        request = BeginAdHoc(place=PLACE, method=card or self.stripe.card(), key=key)
        return await adhoc.begin(self.core, request, ANA)

    async def shown(self, id: str) -> AdHocView:
        return await adhoc.show(self.core, ShowAdHoc(id), ANA)

    async def charge(self, id: str) -> Charge:
        found = await self.core.store.accounting.charge(id)
        assert found is not None
        return found

    async def payment(self, token: str) -> PaymentView:
        return await payments.show(self.core, ShowPayment(token), ANA)

    @property
    def token(self) -> str:
        """Which token the station was asked to start with."""
        order = next(
            order for _, order in reversed(self.small.stations.given) if isinstance(order, RemoteStart)
        )
        return order.token

    async def plug_in(self) -> None:
        """A 1.6 station begins what it was asked to."""
        self.number = (await self.small.hear("CP1", start(token=self.token, meter=0))).transaction_id
        await charges.recover(self.core)

    async def unplug(self, kwh: float) -> None:
        self.small.clock.time = after(60)
        await self.small.hear("CP1", stop(self.number, round(kwh * 1000), after(60)))

    async def again(self, **later: float) -> None:
        """Time passes, and the daemon looks after what waits."""
        self.small.clock.pass_(**(later or {"seconds": 5}))
        await charges.recover(self.core)

    async def restart(self) -> None:
        """The daemon is killed and comes back."""
        provider_ = self.core.provider
        await self.small.restart()
        self.core.provider = provider_
        self.small.stations.connect("CP1")
        await charges.recover(self.core)

    async def balances(self) -> dict[str, int]:
        """Accounts that are not even, but revenue and taxes."""
        every = await self.core.store.accounting.balances()
        assert sum(every.values()) == 0
        return {
            name: amount
            for (name, _), amount in every.items()
            if amount and not name.startswith(("revenue", "tax"))
        }


@pytest.fixture
async def shop(small: Small, local_stripe: LocalStripe) -> AsyncIterator[Shop]:
    local_stripe.forget()
    async with Line(local_stripe.url).open() as line:
        small.core.provider = taker = provider(line.url)
        await small.hear("CP1", ConnectorReported(1, 1, ConnectorStatus.AVAILABLE, NOON))
        await sell(small, FIFTY)
        yield Shop(small, local_stripe, line)
        await taker.close()


async def test_a_session_is_held_for_started_charged_what_it_cost_and_receipted(shop: Shop) -> None:
    offer = await shop.offer()
    assert (offer.payable, offer.reserved, offer.currency) == (True, Decimal(50), "EUR")
    view = await shop.begin()
    assert view.status == "starting"
    assert len(shop.token) <= 20  # OCPP 1.6 IdToken
    assert not (await shop.offer()).payable
    await shop.plug_in()
    assert (await shop.shown(view.id)).status == "charging"
    await shop.unplug(12.5)
    await shop.again()
    view = await shop.shown(view.id)
    assert view.status == "paid"
    assert view.paid is not None and view.paid.amount == Decimal("6.25")
    assert view.bill is not None and view.bill.gross == Decimal("6.25")
    assert shop.stripe.taken(view.id) == 625
    assert await shop.balances() == {"provider/stripe": 625}
    assert shop.token.casefold() not in shop.core.tokens
    settled = await shop.payment(shop.token)
    assert (settled.status, settled.settled) == ("settled", Decimal("6.25"))


async def test_the_same_wish_is_one_payment_however_often_it_is_asked(shop: Shop) -> None:
    card = shop.stripe.card()
    first, second = await shop.begin(card), await shop.begin(card)
    assert first.id == second.id
    assert len(shop.stripe.payments(first.id)) == 1
    assert len(shop.small.stations.given) == 1


async def test_a_card_that_is_declined_starts_nothing(shop: Shop) -> None:
    view = await shop.begin(shop.stripe.card(DECLINING))
    assert (view.status, view.detail) == ("declined", "Your card was declined.")
    assert shop.small.stations.given == []
    assert (await shop.offer()).payable
    assert await shop.balances() == {}


async def test_a_bank_that_wants_to_see_the_driver_is_waited_for(shop: Shop) -> None:
    view = await shop.begin(shop.stripe.card(AUTHENTICATING))
    assert view.status == "action-needed"
    assert view.client_secret is not None
    assert (await adhoc.continue_(shop.core, ContinueAdHoc(view.id), ANA)).status == "action-needed"
    ref = (await shop.charge(view.id)).provider_ref
    path = f"payment_intents/{ref}/_authenticate"
    shop.stripe.ask("POST", path, client_secret=view.client_secret, success="true")
    assert (await adhoc.continue_(shop.core, ContinueAdHoc(view.id), ANA)).status == "starting"
    assert view.client_secret not in str(await shop.charge(view.id))


async def test_a_driver_who_never_proves_who_he_is_holds_the_place_for_a_while(shop: Shop) -> None:
    view = await shop.begin(shop.stripe.card(AUTHENTICATING))
    await shop.again(minutes=16)
    assert (await shop.shown(view.id)).status == "canceled"
    assert shop.stripe.payments(view.id)[0]["status"] == "canceled"
    assert (await shop.offer()).payable


async def test_a_station_that_refuses_gets_the_amount_given_back(shop: Shop) -> None:
    shop.small.stations.answer = OrderAnswer("rejected", "Rejected", {"status": "Rejected"})
    view = await shop.begin()
    assert view.status == "canceled"
    assert shop.stripe.payments(view.id)[0]["status"] == "canceled"
    assert (await shop.payment(shop.token)).status == "canceled"


async def test_a_session_that_does_not_begin_in_time_gets_the_amount_given_back(shop: Shop) -> None:
    view = await shop.begin()
    await shop.again(minutes=2)
    assert (await shop.shown(view.id)).status == "starting"
    await shop.again(minutes=2)
    assert (await shop.shown(view.id)).status == "canceled"
    assert shop.stripe.payments(view.id)[0]["status"] == "canceled"
    # Whoever plugs in now is not served on this payment.
    answer = await shop.small.hear("CP1", start(token=shop.token, meter=0))
    assert answer.token.status == "unknown"


async def test_a_session_without_energy_costs_nothing(shop: Shop) -> None:
    view = await shop.begin()
    await shop.plug_in()
    await shop.unplug(0)
    await shop.again()
    assert (await shop.shown(view.id)).status == "canceled"
    assert shop.stripe.taken(view.id) == 0


async def test_its_driver_stops_it(shop: Shop) -> None:
    view = await shop.begin()
    await shop.plug_in()
    await adhoc.stop(shop.core, StopAdHoc(view.id), ANA)
    assert isinstance(shop.small.stations.given[-1][1], RemoteStop)
    other = await shop.shown(view.id)
    assert other.status == "charging"


async def test_its_driver_gives_up_before_it_began(shop: Shop) -> None:
    view = await shop.begin()
    assert (await adhoc.stop(shop.core, StopAdHoc(view.id), ANA)).status == "canceled"


async def test_it_ends_by_itself_when_it_costs_what_is_held(shop: Shop) -> None:
    view = await shop.begin()
    await shop.plug_in()
    shop.small.clock.time = after(40)
    reading = register(100_001, after(40))
    await shop.small.hear("CP1", Metered(1, (reading,), shop.number))
    assert isinstance(shop.small.stations.given[-1][1], RemoteStop)
    await shop.unplug(100.2)
    await shop.again()
    assert shop.stripe.taken(view.id) == 5000
    left = await shop.balances()
    assert left == {"provider/stripe": 5000, f"payment/{shop.token}": 10}


async def test_a_provider_that_is_down_is_asked_again_and_captures_once(shop: Shop) -> None:
    view = await shop.begin()
    await shop.plug_in()
    shop.line.down = True
    await shop.unplug(10)
    await shop.again()
    charge = await shop.charge(view.id)
    assert (charge.status, charge.wanted) == ("capturing", 500)
    assert charge.detail is not None and "did not answer" in charge.detail
    assert (await shop.shown(view.id)).status == "ended"
    shop.line.down = False
    await shop.again(seconds=60)
    assert (await shop.shown(view.id)).status == "paid"
    assert shop.stripe.taken(view.id) == 500
    assert await shop.balances() == {"provider/stripe": 500}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "step", ["POST .*/payment_intents$", "POST .*/confirm$", "POST .*/capture$", "GET .*/refunds$"]
)
async def test_a_line_that_breaks_at_any_step_takes_the_amount_once(shop: Shop, step: str, when: str) -> None:
    shop.line.cut(step, when)
    view = await shop.begin()
    await shop.again(seconds=60)
    await shop.plug_in()
    await shop.unplug(10)
    await shop.again()
    await shop.again(seconds=60)
    assert (await shop.shown(view.id)).status == "paid"
    assert shop.stripe.taken(view.id) == 500
    assert await shop.balances() == {"provider/stripe": 500}


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_line_that_breaks_while_the_amount_is_given_back_gives_it_back(shop: Shop, when: str) -> None:
    shop.line.cut("POST .*/cancel$", when)
    view = await shop.begin()
    await adhoc.stop(shop.core, StopAdHoc(view.id), ANA)
    await shop.again(seconds=60)
    assert (await shop.shown(view.id)).status == "canceled"
    assert shop.stripe.payments(view.id)[0]["status"] == "canceled"


async def test_a_daemon_that_comes_back_goes_on_where_it_was(shop: Shop) -> None:
    view = await shop.begin()
    await shop.restart()
    await shop.plug_in()
    await shop.restart()
    assert (await shop.shown(view.id)).status == "charging"
    await shop.unplug(10)
    await shop.restart()
    assert (await shop.shown(view.id)).status == "paid"
    assert shop.stripe.taken(view.id) == 500


async def test_what_the_provider_no_longer_holds_is_shown_to_a_person(shop: Shop) -> None:
    view = await shop.begin()
    await shop.plug_in()
    ref = (await shop.charge(view.id)).provider_ref
    shop.stripe.ask("POST", f"payment_intents/{ref}/cancel")
    await shop.unplug(10)
    await shop.again()
    assert (await shop.charge(view.id)).status == "expired"
    assert (await shop.shown(view.id)).status == "failed"


async def test_a_bill_that_is_held_is_taken_when_somebody_has_released_it(shop: Shop) -> None:
    view = await shop.begin()
    await shop.plug_in()
    shop.small.clock.time = after(1)
    await shop.small.hear("CP1", stop(shop.number, 90_000, after(1)))  # 90 kWh in a minute
    await shop.again()
    assert (await shop.shown(view.id)).status == "ended"
    charge = await shop.charge(view.id)
    assert charge.detail is not None and "held" in charge.detail
    await cdrs.release(shop.core, ReleaseCdr(str(charge.session), "a fast charger"), ANA)
    await shop.again()
    assert shop.stripe.taken(view.id) == 4500


async def test_a_2_1_station_gets_the_reference_of_the_payment(shop: Shop) -> None:
    shop.small.stations.connect("CP1", "2.1")
    view = await shop.begin()
    order = shop.small.stations.given[-1][1]
    assert isinstance(order, RemoteStart) and order.token_kind == "direct-payment"
    token = TokenRef(order.token, "direct-payment")
    begun = event("started", 0, NOON, evse=1, token=token, remote_start_id=order.remote_start_id)
    answer = await shop.small.hear("CP1", begun, "2.1")
    assert answer.account.limit.max_cost == Decimal(50)
    readings = (register(0, NOON, "Transaction.Begin"), register(5000, after(10), "Transaction.End"))
    await shop.small.hear("CP1", event("ended", 1, after(10), readings=readings), "2.1")
    await shop.again()
    assert (await shop.shown(view.id)).status == "paid"
    assert shop.stripe.taken(view.id) == 250


async def test_a_2_0_1_station_gets_a_central_token_that_is_in_no_list(shop: Shop) -> None:
    shop.small.stations.connect("CP1", "2.0.1")
    view = await shop.begin()
    order = shop.small.stations.given[-1][1]
    assert isinstance(order, RemoteStart) and order.token_kind == "central"
    assert shop.core.tokens[order.token.casefold()].kind == "direct-payment"  # domain.lists has none of these
    token = TokenRef(order.token, "central")
    begun = event("started", 0, NOON, evse=1, token=token, remote_start_id=order.remote_start_id)
    assert (await shop.small.hear("CP1", begun, "2.0.1")).token.status == "accepted"
    readings = (register(0, NOON, "Transaction.Begin"), register(5000, after(10), "Transaction.End"))
    await shop.small.hear("CP1", event("ended", 1, after(10), readings=readings), "2.0.1")
    await shop.again()
    assert shop.stripe.taken(view.id) == 250


async def test_a_stranger_says_nothing_harmful(shop: Shop) -> None:
    for request in (
        BeginAdHoc(place=PLACE, method="pm_card_visa", key="short"),
        BeginAdHoc(place=PLACE, method="pm_1/../../refunds", key="wish-0001"),
        BeginAdHoc(place=PLACE, method="pm_card_visa", key="wish-0001", email="a@b.de\nBcc: c@d.de"),
    ):
        with pytest.raises(Invalid):
            await adhoc.begin(shop.core, request, ANA)
    with pytest.raises(NotFound):
        await shop.shown("ah_nothing")
    shop.core.provider = None
    with pytest.raises(Conflict, match="no payment provider"):
        await shop.begin("pm_card_visa")
