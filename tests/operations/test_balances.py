"""A prepaid balance is an account of the ledger, shared by all tokens of a driver."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from cms.contract.balances import (
    BalanceView,
    CloseBalance,
    CorrectBalance,
    ListBalances,
    RefundBalance,
    SetBalance,
    ShowBalance,
    TopUpBalance,
)
from cms.contract.drivers import AddDriver
from cms.contract.ledger import CorrectLedger, ExportLedger, ListEntries, VerifyLedger
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.contract.tokens import AddToken, SetToken
from cms.domain import payments
from cms.domain.balances import Prepaid
from cms.domain.changes import Keep
from cms.domain.ledger import Entry
from cms.domain.observations import TokenPresented, TokenRef
from cms.domain.payments import Credit, Debit
from cms.domain.verification import Mail
from cms.operations import balances, drivers, ledger, ledgercheck, tokens
from tests.domain.build import NOON, after
from tests.operations.small import ANA, Small
from tests.operations.test_accounts import begin, end, kwh, sell, tell


async def ada(small: Small, *cards: str) -> None:
    await drivers.add(small.core, AddDriver("ada", email="ada@example.org", language="de"), ANA)
    for card in cards:
        if card.casefold() in small.core.tokens:
            await tokens.set_(small.core, SetToken(card, driver="ada"), ANA)
        else:
            await tokens.add(small.core, AddToken(card, driver="ada"), ANA)


async def top_up(small: Small, amount: str, **more: Any) -> BalanceView:
    return await balances.top_up(small.core, TopUpBalance("ada", D(amount), "EUR", **more), ANA)


async def held(small: Small, account: str = "prepaid/ada") -> int:
    """What the ledger says that we owe, in cents."""
    return -(await small.core.store.accounting.balances(account)).get((account, "EUR"), 0)


async def agreed(small: Small) -> None:
    check = await ledgercheck.verify(small.core, VerifyLedger(), ANA)
    assert check.differences == ()


async def test_all_cards_of_a_driver_share_his_balance(small: Small) -> None:
    await ada(small, "CARD1", "CARD2")
    await top_up(small, "20")
    for card in ("CARD1", "CARD2"):
        assert (await small.hear("CP1", TokenPresented(TokenRef(card)), "2.1")).status == "accepted"
        shown = await balances.show(small.core, ShowBalance(f"token:{card}"), ANA)
        assert (shown.holder, shown.balance.amount, shown.tokens) == ("ada", D("20.00"), ("CARD1", "CARD2"))


async def test_a_session_is_paid_from_the_balance_in_the_commit_that_ends_it(small: Small) -> None:
    await sell(small, kwh("T", "1"))
    await ada(small, "CARD1")
    await top_up(small, "20")
    await tell(small, begin(), "2.1")
    await tell(small, end(), "2.1")
    shown = await balances.show(small.core, ShowBalance("ada"), ANA)
    assert (shown.balance.amount, shown.available.amount, await held(small)) == (D("15.00"), D("15.00"), 1500)
    await agreed(small)
    await small.restart()
    assert (await balances.show(small.core, ShowBalance("ada"), ANA)).balance.amount == D("15.00")
    await agreed(small)


async def test_two_sessions_of_a_driver_share_what_he_has(small: Small) -> None:
    await sell(small, kwh("T", "1"))
    await ada(small, "CARD1", "CARD2")
    await top_up(small, "20")
    await tell(small, begin(), "2.1")
    shown = await balances.show(small.core, ShowBalance("ada"), ANA)
    assert (shown.balance.amount, shown.available.amount) == (D("20.00"), D("0.00"))
    second = await small.hear("CP1", TokenPresented(TokenRef("CARD2")), "1.6")
    assert second.status == "accepted", "a station knows its own drivers: one of them may be about to stop"
    with pytest.raises(Conflict, match="can be given back"):
        await balances.refund(small.core, RefundBalance("ada", D("0.01")), ANA)
    await tell(small, end(), "2.1")
    assert (await balances.show(small.core, ShowBalance("ada"), ANA)).available.amount == D("15.00")


def test_what_a_session_may_take_is_held_before_it_is_committed_and_not_for_ever() -> None:
    prepaid = Prepaid()
    prepaid.enter([Entry("k", NOON, "bank", "prepaid/ada", 2000, "EUR", "top-up", "r")])
    prepaid.reserve("s1", "prepaid/ada", D(15), NOON)
    assert prepaid.reserved("prepaid/ada", NOON) == 15
    assert prepaid.reserved("prepaid/ada", NOON, but=["s1"]) == 0
    assert prepaid.reserved("prepaid/ada", after(1)) == 0
    prepaid.reserve("s1", "prepaid/ada", D(15))
    assert prepaid.reserved("prepaid/ada", after(1)) == 15
    prepaid.reserve("s1", None, D(0))
    assert prepaid.reserved("prepaid/ada", after(1)) == 0


async def test_a_top_up_with_a_reference_is_made_once(small: Small) -> None:
    await ada(small, "CARD1")
    for _ in range(2):
        assert (await top_up(small, "20", reference="T1")).balance.amount == D("20.00")
    with pytest.raises(Conflict, match="entered already"):
        await top_up(small, "21", reference="T1")
    assert await held(small) == 2000


async def test_money_is_given_back_once_by_reference_and_never_more_than_there_is(small: Small) -> None:
    await ada(small, "CARD1")
    await top_up(small, "20")
    for _ in range(2):
        shown = await balances.refund(small.core, RefundBalance("ada", D("5"), reference="R1"), ANA)
        assert shown.balance.amount == D("15.00")
    with pytest.raises(Conflict, match=r"15\.00 EUR"):
        await balances.refund(small.core, RefundBalance("ada", D("15.01")), ANA)
    assert (await balances.refund(small.core, RefundBalance("ada"), ANA)).balance.amount == 0
    assert await small.core.store.accounting.balances("bank") == {("bank", "EUR"): 0}


async def test_what_is_no_amount_is_not_topped_up(small: Small) -> None:
    await ada(small, "CARD1")
    for amount in ("0", "-1", "0.001", "NaN", "1e12"):
        with pytest.raises(Invalid):
            await top_up(small, amount)
    with pytest.raises(NotFound, match="not prepaid"):
        await balances.show(small.core, ShowBalance("ada"), ANA)


async def test_a_correction_needs_a_reason_and_stands_in_the_ledger(small: Small) -> None:
    await ada(small, "CARD1")
    await top_up(small, "20")
    with pytest.raises(Invalid, match="reason"):
        await balances.correct(small.core, CorrectBalance("ada", D("-3"), " "), ANA)
    await balances.correct(small.core, CorrectBalance("ada", D("-3"), "paid twice"), ANA)
    (entry,) = await ledger.list_(small.core, ListEntries(account="corrections"), ANA)
    assert (entry.debit, entry.amount.amount, entry.reason, entry.actor) == (
        "prepaid/ada",
        D("3.00"),
        "paid twice",
        "ana",
    )


async def test_a_correction_of_the_ledger_moves_the_balance_too(small: Small) -> None:
    await ada(small, "CARD1")
    await top_up(small, "20")
    request = CorrectLedger("prepaid/ada", "written-off", D("20"), "EUR", "fraud")
    await ledger.correct(small.core, request, ANA)
    assert (await small.hear("CP1", TokenPresented(TokenRef("CARD1")), "2.1")).status == "no-credit"
    await agreed(small)


async def test_a_low_balance_is_told_once_until_it_is_not_low_any_more(small: Small) -> None:
    sent: list[Mail] = []

    async def post(mail: Mail) -> None:
        sent.append(mail)

    small.core.mail = post
    await ada(small, "CARD1")
    await top_up(small, "20")
    await balances.set_(small.core, SetBalance("ada", warn_below=D("10")), ANA)
    for amount in ("-12", "-1", "+20", "-20"):
        await balances.correct(small.core, CorrectBalance("ada", D(amount), "test"), ANA)
        await small.settled()
    told = [e for e in await small.core.store.events_after("0", 1000) if e.type == "balance.low"]
    assert [event.data["balance"]["amount"] for event in told] == ["8.00", "7.00"]
    assert [mail.to for mail in sent] == ["ada@example.org"] * 2
    assert "8,00 €" in sent[0].text


async def test_who_pays_afterwards_again_takes_what_is_left_along(small: Small) -> None:
    await ada(small, "CARD1")
    await top_up(small, "20")
    await balances.close(small.core, CloseBalance("ada"), ANA)
    assert await balances.list_(small.core, ListBalances(), ANA) == []
    assert (await held(small), await held(small, "receivable/ada")) == (0, 2000)
    assert (await small.hear("CP1", TokenPresented(TokenRef("CARD1")), "2.1")).status == "accepted"


async def test_balances_that_were_kept_by_token_are_taken_over_once(small: Small) -> None:
    await ada(small, "CARD1", "CARD2")
    await tokens.add(small.core, AddToken("CARD3"), ANA)
    old = {
        "card1": Credit("CARD1", D("10"), "EUR", NOON),
        "card2": Credit("CARD2", D("2.50"), "EUR", NOON),
        "card3": Credit("CARD3", D("-1"), "EUR", NOON),
    }
    debit = Debit("CARD1", "S1", D("4"), "EUR")
    kept = [Keep("", payments.CREDIT, key, credit, NOON) for key, credit in old.items()]
    await small.core.store.commit((*kept, Keep("", payments.DEBIT, "S1", debit, NOON)), ())
    for _ in range(2):
        await small.restart()
        shown = await balances.list_(small.core, ListBalances(), ANA)
        assert [(b.holder, b.kind, b.balance.amount) for b in shown] == [
            ("ada", "driver", D("8.50")),
            ("CARD3", "token", D("-1.00")),
        ]
        assert payments.CREDIT not in small.core.kept or not small.core.kept[payments.CREDIT]
    await agreed(small)


async def test_a_card_that_is_given_to_a_driver_brings_its_own_balance_until_he_has_one(small: Small) -> None:
    await balances.top_up(small.core, TopUpBalance("CARD1", D(5), "EUR"), ANA)
    await ada(small, "CARD1")
    assert (await balances.show(small.core, ShowBalance("CARD1"), ANA)).kind == "token"
    await top_up(small, "20")
    assert (await balances.show(small.core, ShowBalance("CARD1"), ANA)).holder == "ada"


async def test_the_books_of_a_month_have_the_numbers_of_the_chart(small: Small) -> None:
    await ada(small, "CARD1")
    await top_up(small, "20", reason="=HYPERLINK(1)")
    chart = ("bank=1800", "prepaid/=3272", "prepaid/x=1")
    (booking,) = await ledger.export(small.core, ExportLedger(NOON, after(1), chart), ANA)
    assert (booking.debit, booking.credit, booking.amount) == ("1800", "3272", D("20.00"))
