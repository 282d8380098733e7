"""Who pays a session, by the way that its driver pays; and who may charge at all."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cms.contract.apps import ShowDriverAccount
from cms.contract.balances import TopUpBalance
from cms.contract.billingprofiles import SetBillingProfile
from cms.contract.drivers import AddDriver
from cms.contract.tariffs import AddTariff, Component, Money, Price, Tariff, UseTariff
from cms.contract.tokens import AddToken
from cms.domain.cdrs import Cdr
from cms.domain.observations import TokenPresented, TokenRef
from cms.operations import balances, billingprofiles, driveraccounts, drivers, tariffs, tokens
from tests.domain.build import after, start, stop
from tests.operations.small import ANA, Small

D = Decimal


@pytest.fixture(autouse=True)
async def ada(small: Small) -> None:
    await drivers.add(small.core, AddDriver("ada"), ANA)
    await tokens.add(small.core, AddToken("CARD9", driver="ada"), ANA)
    await tokens.add(small.core, AddToken("STRAY"), ANA)


async def sell(small: Small, price: str = "0.50") -> None:
    await tariffs.add(small.core, AddTariff(Tariff("T1", "EUR", energy=Component((Price(D(price)),)))), ANA)
    await tariffs.use(small.core, UseTariff("T1"), ANA)


async def pays(small: Small, way: str) -> None:
    await billingprofiles.set_(small.core, SetBillingProfile("ada", way=way), ANA)


async def tops_up(small: Small, amount: str = "10.00") -> None:
    await balances.top_up(small.core, TopUpBalance("ada", D(amount)), ANA)


async def charges(small: Small, token: str = "CARD9") -> Cdr:
    """The record of 5 kWh."""
    small.clock.time = after(70)
    told = await small.hear("CP1", start(token=token), "1.6")
    [session] = small.core.lane("CP1").state.sessions
    await small.hear("CP1", stop(told.transaction_id, at=after(60)), "1.6")
    [cdr] = await small.core.store.accounting.revisions(session)
    return cdr


async def presented(small: Small, version: str = "2.0.1") -> str:
    return str((await small.hear("CP1", TokenPresented(TokenRef("CARD9")), version)).status)


@pytest.mark.parametrize(
    ("way", "balance", "paid_by", "account"),
    [
        ("", False, "invoice", "receivable/ada"),
        ("", True, "prepaid", "prepaid/ada"),
        ("invoice", True, "invoice", "receivable/ada"),
        ("card", True, "card", "receivable/ada"),
        ("prepaid", True, "prepaid", "prepaid/ada"),
        ("free", True, "free", "waived"),
        ("free", False, "free", "waived"),
    ],
)
async def test_a_driver_pays_in_the_way_that_was_said(
    small: Small, way: str, balance: bool, paid_by: str, account: str
) -> None:
    await sell(small)
    if balance:
        await tops_up(small)
    if way:
        await pays(small, way)
    cdr = await charges(small)
    assert (cdr.payer.way, cdr.payer.account, cdr.payer.driver) == (paid_by, account, "ada")
    assert (await small.core.store.accounting.balances())[account, "EUR"] == 250 - 1000 * (
        paid_by == "prepaid"
    )


async def test_a_token_without_a_driver_is_billed_itself(small: Small) -> None:
    await sell(small)
    assert (await charges(small, "STRAY")).payer.account == "receivable/token/STRAY"


async def test_at_a_tariff_of_nothing_there_is_a_record_and_nobody_owes_anything(small: Small) -> None:
    await sell(small, "0.00")
    cdr = await charges(small)
    assert (cdr.energy_wh, cdr.gross) == (5000, D(0))
    assert await small.core.store.accounting.entries() == []


async def test_who_is_to_pay_before_charges_nothing_without_a_balance(small: Small) -> None:
    await sell(small)
    await pays(small, "prepaid")
    assert await presented(small) == "no-credit"
    told = await small.hear("CP1", start(token="CARD9"), "1.6")
    assert told.token.status == "no-credit"
    await tops_up(small)
    assert await presented(small) == "accepted"


async def test_who_pays_by_invoice_charges_although_his_balance_is_used_up(small: Small) -> None:
    await sell(small)
    await tops_up(small, "0.01")
    await charges(small)
    assert await presented(small) == "no-credit"
    await pays(small, "invoice")
    assert await presented(small) == "accepted"


async def test_a_driver_sees_what_he_has_owes_and_was_billed(small: Small) -> None:
    await sell(small)
    await tops_up(small)
    await charges(small)
    seen = await driveraccounts.show(small.core, ShowDriverAccount("ada"), ANA)
    assert (seen.balance, seen.open) == (Money(D("7.50"), "EUR"), ())
    assert [(bill.energy_wh, bill.total.amount, bill.way) for bill in seen.bills] == [
        (5000, D("2.50"), "prepaid")
    ]
