"""Saved cards, refunds, disputes and webhooks, against localstripe."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from cms.contract.charges import (
    ChargeView,
    FinishCardLink,
    LinkCard,
    ListCharges,
    RefundCharge,
    RetryCharge,
    SaveCard,
    ShowCardLink,
    VoidCharge,
)
from cms.contract.drivers import AddDriver
from cms.contract.events import ListEvents
from cms.contract.refusals import Conflict, Denied, Invalid, NotFound, Unreachable
from cms.contract.tokens import AddToken
from cms.core import Core
from cms.domain import balances, billing
from cms.domain.balances import Balance
from cms.domain.charges import AddCharge, Charge
from cms.domain.evolve import evolve
from cms.operations import charges, drivers, events, savedcards, tokens
from cms.operations.deciding import keep
from tests.domain.build import NOON, after, start, stop
from tests.operations.prices import FIFTY, sell
from tests.operations.small import ANA, Small
from tests.stripes import AUTHENTICATING, DECLINING, Line, LocalStripe, provider, signed


@dataclass
class Desk:
    small: Small
    stripe: LocalStripe
    line: Line

    @property
    def core(self) -> Core:
        return self.small.core

    async def save(self, number: str | None = None) -> None:
        card = self.stripe.card(number) if number else self.stripe.card()
        await savedcards.save(self.core, SaveCard("bea", card), ANA)

    async def take(self, amount: int = 1234, **more: Any) -> Charge:
        fields = {"purpose": "invoice", "owed_to": "receivable/bea", "invoice": "2026-1", **more}
        return await charges.take(self.core, driver="bea", amount=amount, currency="EUR", **fields)

    async def charge(self, id: str = "invoice-2026-1") -> Charge:
        found = await self.core.store.accounting.charge(id)
        assert found is not None
        return found

    async def again(self, **later: float) -> Charge:
        self.small.clock.pass_(**(later or {"minutes": 1}))
        await charges.recover(self.core)
        return await self.charge()

    async def refund(self, amount: str | None, reason: str = "a broken plug") -> ChargeView:
        wanted = Decimal(amount) if amount else None
        return await charges.refund_(self.core, RefundCharge("invoice-2026-1", reason, wanted), ANA)

    async def told(self, type: str, about: str = "payment_intent", event: str = "evt_1", **more: Any) -> None:
        """The provider tells us of it."""
        charge = await self.charge()
        payment = {"object": about, "id": charge.provider_ref, "payment_intent": charge.provider_ref}
        body, signature = signed({"id": event, "type": type, "data": {"object": {**payment, **more}}})
        await charges.webhook(self.core, body, signature)

    async def balances(self) -> dict[str, int]:
        every = await self.core.store.accounting.balances()
        return {name: amount for (name, _), amount in every.items() if amount}


@pytest.fixture
async def desk(small: Small, local_stripe: LocalStripe) -> AsyncIterator[Desk]:
    local_stripe.forget()
    async with Line(local_stripe.url).open() as line:
        small.core.provider = taker = provider(line.url)
        await drivers.add(small.core, AddDriver("bea"), ANA)
        yield Desk(small, local_stripe, line)
        await taker.close()


async def test_a_saved_card_pays_what_its_driver_owes_once(desk: Desk) -> None:
    await desk.save()
    charge = await desk.take()
    assert (charge.status, charge.captured) == ("captured", 1234)
    assert (await desk.take()).provider_ref == charge.provider_ref
    assert desk.stripe.taken(charge.id) == 1234
    assert await desk.balances() == {"provider/stripe": 1234, "receivable/bea": -1234}


async def test_two_who_ask_at_once_take_it_once(desk: Desk) -> None:
    await desk.save()
    await asyncio.gather(desk.take(), desk.take(), desk.take())
    assert len(desk.stripe.payments("invoice-2026-1")) == 1


async def test_a_driver_without_a_card_cannot_be_charged(desk: Desk) -> None:
    with pytest.raises(Conflict, match="no saved card"):
        await desk.take()


async def test_a_declined_card_is_tried_three_times_over_days_and_then_shown_to_a_person(desk: Desk) -> None:
    await desk.save(DECLINING)
    charge = await desk.take()
    assert (charge.status, charge.code) == ("waiting", "card_declined")
    assert (await desk.again(hours=1)).attempts == 1
    assert (await desk.again(days=1)).attempts == 2
    charge = await desk.again(days=3)
    assert (charge.status, charge.attempts) == ("unpaid", 3)
    (shown,) = await charges.list_(desk.core, ListCharges("person"), ANA)
    assert shown.id == charge.id
    told = await events.list_(desk.core, ListEvents(type="charge.changed"), ANA)
    assert told[-1].data["person"]
    await desk.save()
    assert (await charges.retry(desk.core, RetryCharge(charge.id), ANA)).status == "captured"
    assert desk.stripe.taken(charge.id) == 1234


async def test_a_bank_that_wants_to_see_the_driver_is_a_persons_business_and_nothing_stays_open(
    desk: Desk,
) -> None:
    await desk.save(AUTHENTICATING)
    charge = await desk.take()
    assert (charge.status, charge.code) == ("unpaid", "authentication_required")
    assert [one["status"] for one in desk.stripe.payments(charge.id)] == ["canceled"]
    view = await charges.void_(desk.core, VoidCharge(charge.id, "paid in cash"), ANA)
    assert view.status == "canceled"


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_line_that_breaks_takes_it_once_all_the_same(desk: Desk, when: str) -> None:
    await desk.save()
    desk.line.cut("POST .*/payment_intents$", when)
    assert (await desk.take()).status == "taking"
    assert (await desk.again()).status == "captured"
    assert len(desk.stripe.payments("invoice-2026-1")) == 1
    assert await desk.balances() == {"provider/stripe": 1234, "receivable/bea": -1234}


async def test_a_driver_who_pays_by_card_is_charged_after_each_session_once(desk: Desk) -> None:
    await desk.save()
    async with desk.core.books:
        profile = evolve(desk.core.kept[billing.KIND]["bea"], way="card", every="session")
        await keep(desk.core, billing.KIND, "bea", profile)
    await tokens.add(desk.core, AddToken("BEA1", driver="bea"), ANA)
    await sell(desk.small, FIFTY)
    begun = await desk.small.hear("CP1", start(token="BEA1", meter=0))
    desk.small.clock.time = after(60)
    await desk.small.hear("CP1", stop(begun.transaction_id, 8000, after(60)))
    (charge,) = await desk.core.store.accounting.charges()
    assert (charge.status, charge.purpose) == ("taking", "session")
    await desk.core.store.commit(
        (AddCharge(evolve(charge, amount=1)),), ()
    )  # whoever writes it again is late
    await charges.recover(desk.core)
    charge = await desk.charge(charge.id)
    assert (charge.status, charge.captured) == ("captured", 400)
    assert desk.stripe.taken(charge.id) == 400
    assert (await desk.balances())["provider/stripe"] == 400
    assert "receivable/bea" not in await desk.balances()


async def test_a_balance_of_which_little_is_left_is_filled_from_the_card_once(desk: Desk) -> None:
    await desk.save()
    balance = Balance("bea", "EUR", NOON, Decimal(5), warned=True, top_up=Decimal(20))
    async with desk.core.books:
        await keep(desk.core, balances.KIND, balance.key, balance)
    for _ in range(3):
        await charges.recover(desk.core)
    (charge,) = await desk.core.store.accounting.charges(owed_to="prepaid/bea")
    assert (charge.status, charge.captured) == ("captured", 2000)
    assert await desk.balances() == {"provider/stripe": 2000, "prepaid/bea": -2000}
    assert desk.core.prepaid.left("prepaid/bea", "EUR") == Decimal(20)


async def test_a_provider_that_stays_silent_is_asked_less_and_less(desk: Desk) -> None:
    await desk.save()
    desk.line.down = True
    charge = await desk.take()
    waits = []
    for _ in range(10):
        assert charge.next is not None
        waits.append((charge.next - desk.small.clock.now()).total_seconds())
        desk.small.clock.time = charge.next
        charge = await desk.again(seconds=0.001)
    assert waits[:4] == [5, 10, 20, 40]
    assert waits[-1] == 900
    desk.line.down = False
    assert (await desk.again(minutes=15)).status == "captured"
    assert len(desk.stripe.payments(charge.id)) == 1


async def test_money_is_given_back_in_parts_with_a_reason(desk: Desk) -> None:
    await desk.save()
    await desk.take()
    view = await desk.refund("2.34")
    assert (view.status, view.refunded) == ("captured", Decimal("2.34"))
    with pytest.raises(Invalid, match="are left to give back"):
        await desk.refund("10.01")
    with pytest.raises(Invalid, match="reason"):
        await desk.refund("1.00", " ")
    assert (await desk.refund(None)).status == "refunded"
    assert desk.stripe.taken("invoice-2026-1") == 0
    assert await desk.balances() == {}
    entries = await desk.core.store.accounting.entries(account="receivable/bea")
    assert [entry.reason for entry in entries if entry.kind == "card-refund"] == ["a broken plug"] * 2


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_line_that_breaks_gives_money_back_once(desk: Desk, when: str) -> None:
    await desk.save()
    await desk.take()
    desk.line.cut("POST .*/refunds$", when)
    assert (await desk.refund("2.34")).status == "refunding"
    assert (await desk.again()).status == "captured"
    assert desk.stripe.taken("invoice-2026-1") == 1000
    assert await desk.balances() == {"provider/stripe": 1000, "receivable/bea": -1000}


async def test_what_somebody_gives_back_in_the_dashboard_is_noticed_once(desk: Desk) -> None:
    await desk.save()
    charge = await desk.take()
    desk.stripe.ask("POST", "refunds", payment_intent=str(charge.provider_ref), amount="200")
    for id in ("evt_1", "evt_1", "evt_2"):
        await desk.told("charge.refunded", about="charge", event=id)
    assert (await desk.charge()).refunded == 200
    assert await desk.balances() == {"provider/stripe": 1034, "receivable/bea": -1034}


async def test_events_in_any_order_and_again_change_nothing_that_is_not_so(desk: Desk) -> None:
    await desk.save()
    await desk.take()
    before = await desk.charge()
    for number, type in enumerate(("payment_intent.payment_failed", "payment_intent.created", "x.y")):
        await desk.told(type, event=f"evt_{number}", status="canceled", amount=1)
    after = await desk.charge()
    assert (after.status, after.captured) == (before.status, before.captured)
    assert await desk.balances() == {"provider/stripe": 1234, "receivable/bea": -1234}


async def test_an_event_whose_answer_was_lost_brings_the_charge_to_its_end(desk: Desk) -> None:
    await desk.save()
    desk.line.cut("POST .*/payment_intents$", "after")
    charge = await desk.take()
    (payment,) = desk.stripe.payments(charge.id)
    # We do not know the payment's name yet: the event is nobody's, and the next look finds it.
    body = {"id": "evt_1", "type": "payment_intent.succeeded", "data": {"object": payment}}
    await charges.webhook(desk.core, *signed(body))
    assert (await desk.again()).status == "captured"


async def test_an_event_of_somebody_else_is_refused(desk: Desk) -> None:
    event = {"id": "evt_1", "type": "x", "data": {"object": {"object": "payment_intent", "id": "pi_1"}}}
    body, good = signed(event)
    old = signed(event, at=time.time() - 3600)
    for forged in (
        (body, ""),
        (body, "t=1,v1=00"),
        signed(event, secret="whsec_other"),
        (body + b" ", good),
        old,
    ):
        with pytest.raises(Denied):
            await charges.webhook(desk.core, *forged)
    with pytest.raises(Invalid):
        await charges.webhook(desk.core, *signed({"id": 1}))
    await charges.webhook(desk.core, body, good)


async def test_an_event_while_the_provider_is_down_is_to_come_again(desk: Desk) -> None:
    await desk.save()
    await desk.take()
    desk.line.down = True
    with pytest.raises(Unreachable):
        await desk.told("charge.refunded", about="charge")
    desk.line.down = False
    await desk.told("charge.refunded", about="charge")


@pytest.mark.parametrize(
    ("end", "status", "left"),
    [
        ("won", "captured", {"provider/stripe": 1234, "receivable/bea": -1234}),
        ("lost", "lost", {"written-off": 1234, "receivable/bea": -1234}),
    ],
)
async def test_a_dispute_takes_the_money_until_it_is_decided(
    desk: Desk, end: str, status: str, left: dict[str, int]
) -> None:
    await desk.save()
    charge = await desk.take()
    dispute = desk.stripe.ask("POST", "disputes", payment_intent=str(charge.provider_ref))
    for id in ("evt_1", "evt_1", "evt_2"):
        await desk.told("charge.dispute.created", about="dispute", event=id, id=dispute["id"])
    assert (await desk.charge()).status == "disputed"
    assert await desk.balances() == {"disputed": 1234, "receivable/bea": -1234}
    desk.stripe.ask("POST", f"disputes/{dispute['id']}", status=end)
    for id in ("evt_3", "evt_4"):
        await desk.told("charge.dispute.closed", about="dispute", event=id, id=dispute["id"])
    assert (await desk.charge()).status == status
    assert await desk.balances() == left


async def test_a_driver_saves_a_card_himself_by_a_link_that_is_good_once(desk: Desk) -> None:
    with pytest.raises(Conflict, match="no pay page"):
        await savedcards.link(desk.core, LinkCard("bea"), ANA)
    desk.core.terms = replace(desk.core.terms, pay_url="https://pay.example")
    link = await savedcards.link(desk.core, LinkCard("bea"), ANA)
    id = link.url.rpartition("/")[2]
    assert id not in str(desk.core.kept)
    wish = await savedcards.show_link(desk.core, ShowCardLink(id), ANA)
    with pytest.raises(Conflict, match="no card yet"):
        await savedcards.finish_link(desk.core, FinishCardLink(id), ANA)
    seti, _, _ = wish.client_secret.partition("_secret_")
    path = f"setup_intents/{seti}/confirm"
    desk.stripe.ask("POST", path, client_secret=wish.client_secret, payment_method=desk.stripe.card())
    view = await savedcards.finish_link(desk.core, FinishCardLink(id), ANA)
    assert view.card == "visa 4242 12/30"
    assert (await desk.take()).status == "captured"
    with pytest.raises(NotFound):
        await savedcards.show_link(desk.core, ShowCardLink(id), ANA)
