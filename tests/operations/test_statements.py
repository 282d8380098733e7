"""A bank statement is booked once, whatever it says and however often it comes."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from cms.contract.balances import RefundBalance, ShowBalance
from cms.contract.drivers import AddDriver
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.contract.statements import AssignStatementLine, ImportStatement, ListStatementLines, StatementLine
from cms.domain.invoices import AddInvoice
from cms.domain.ledger import BANK
from cms.operations import balances, drivers, statements
from cms.operations.ledger import open_amount, settle
from tests.domain.build import NOON
from tests.domain.test_statements import entry, statement
from tests.operations.small import ANA, Small
from tests.operations.test_balances import agreed, top_up
from tests.operations.test_ledger import invoice


async def owing(small: Small) -> Any:
    """Ada owes 2026-0042 (19.99) and 2026-0043 (5.00)."""
    await drivers.add(small.core, AddDriver("ada"), ANA)
    first, second = (
        invoice(number, payable, account="receivable/ada")
        for number, payable in ((42, "19.99"), (43, "5.00"))
    )
    await small.core.store.commit((AddInvoice(first), AddInvoice(second)), ())
    return first, second


async def book(small: Small, *entries: str, **more: Any) -> list[StatementLine]:
    return await statements.import_(small.core, ImportStatement(statement(*entries), **more), ANA)


async def bank(small: Small) -> int:
    return (await small.core.store.accounting.balances("bank")).get(("bank", "EUR"), 0)


async def test_a_statement_pays_invoices_once_however_often_it_is_imported(small: Small) -> None:
    first, second = await owing(small)
    entries = (
        entry("19.99", "Invoice 2026-0042", ref="B1"),
        entry("6.00", "2026-0043", ref="B2"),
        entry("7.77", "hello", ref="B3", iban="XX"),
    )
    dry = await book(small, *entries, dry_run=True)
    assert ([line.status for line in dry], await bank(small)) == (["matched", "matched", "unmatched"], 0)
    for wanted in (["matched", "matched", "unmatched"], ["known"] * 3):
        done = await book(small, *entries)
        assert [line.status for line in done] == wanted
        assert [await open_amount(small.core, each) for each in (first, second)] == [0, 0]
        assert await bank(small) == 3376
    assert [(line.fit, line.invoices) for line in dry[:2]] == [
        ("exact", ("2026-0042",)),
        ("over-paid", ("2026-0043",)),
    ]
    assert dry[1].detail == "1.00 EUR are more than was owed, and stay as credit"
    held = await small.core.store.accounting.balances()
    assert (held["receivable/ada", "EUR"], held["unassigned", "EUR"]) == (-2599, -777)
    await agreed_but_invoices(small)


async def agreed_but_invoices(small: Small) -> None:
    """These invoices have no lines; everything else agrees."""
    from cms.contract.ledger import VerifyLedger
    from cms.operations import ledgercheck

    check = await ledgercheck.verify(small.core, VerifyLedger(), ANA)
    assert {found.what.partition("/")[0] for found in check.differences} <= {"invoice"}


async def test_one_transfer_pays_several_invoices_and_too_little_pays_in_their_order(small: Small) -> None:
    first, second = await owing(small)
    (line,) = await book(small, entry("24.99", "2026-0042 and 2026-0043", ref="B1"))
    assert (line.fit, line.invoices) == ("exact", ("2026-0042", "2026-0043"))
    assert [await open_amount(small.core, each) for each in (first, second)] == [0, 0]
    (again,) = await book(small, entry("24.99", "2026-0042 and 2026-0043", ref="B1"))
    assert again.status == "known"


async def test_a_payment_that_was_returned_opens_its_invoice_again(small: Small) -> None:
    first, _ = await owing(small)
    back = entry("19.99", "Return 2026-0042", sign="DBIT", ref="B2")
    (early,) = await book(small, back, dry_run=True)
    assert early.status == "unmatched", "what was never paid cannot come back"
    await book(small, entry("19.99", "2026-0042", ref="B1"))
    (line,) = await book(small, back)
    assert (line.status, line.fit) == ("matched", "returned")
    assert (await open_amount(small.core, first), await bank(small)) == (D("19.99"), 0)


async def test_who_paid_before_is_known_by_his_account_and_the_exact_amount(small: Small) -> None:
    _, second = await owing(small)
    await book(small, entry("19.99", "2026-0042", ref="B1"))
    guessed = await book(small, entry("4.99", "thanks", ref="B2"), entry("5.00", "thanks", ref="B3"))
    assert [(line.status, line.invoices) for line in guessed] == [
        ("unmatched", ()),
        ("matched", ("2026-0043",)),
    ]
    assert await open_amount(small.core, second) == 0
    assert "NL91" not in repr(await small.core.store.kept_everywhere("pays-from"))


async def test_a_transfer_tops_a_balance_up_and_its_return_takes_it_back(small: Small) -> None:
    await drivers.add(small.core, AddDriver("ada"), ANA)
    (line,) = await book(small, entry("30.00", "TOPUP-Ada", ref="B1"))
    assert (line.status, line.fit, line.driver) == ("matched", "top-up", "ada")
    await book(small, entry("30.00", "TOPUP-Ada", ref="B1"))
    assert (await balances.show(small.core, ShowBalance("ada"), ANA)).balance.amount == D("30.00")
    await book(small, entry("30.00", "returned TOPUP-Ada", ref="B2", sign="DBIT"))
    assert (await balances.show(small.core, ShowBalance("ada"), ANA)).balance.amount == 0
    await agreed(small)


async def test_what_was_entered_by_hand_with_its_reference_is_not_booked_again(small: Small) -> None:
    await drivers.add(small.core, AddDriver("ada"), ANA)
    await top_up(small, "30", reference="X77")
    await balances.refund(small.core, RefundBalance("ada", D(5), reference="R9"), ANA)
    lines = await book(
        small, entry("30.00", "for X77", ref="B1"), entry("5.00", "back R9", sign="DBIT", ref="B2")
    )
    assert [line.status for line in lines] == ["known", "known"]
    assert await bank(small) == 2500


async def test_an_invoice_that_was_paid_by_hand_is_the_first_such_line_and_no_other(small: Small) -> None:
    first, _ = await owing(small)
    hand = settle(first, 1999, BANK, "paid/bank/cash desk", NOON)
    await small.core.store.commit(hand, ())
    for _ in range(2):
        (line,) = await book(small, entry("19.99", "2026-0042", ref="B1"))
        assert (line.status, line.detail) == ("known", "entered by hand: paid/bank/cash desk")
    (twice,) = await book(small, entry("19.99", "2026-0042", ref="B2"))
    assert (twice.status, twice.fit) == ("matched", "over-paid")
    assert await bank(small) == 3998


async def test_a_person_says_what_a_line_is_for_and_it_is_said_once(small: Small) -> None:
    first, _ = await owing(small)
    await book(
        small,
        entry("19.99", "typo 2062-42", ref="B1"),
        entry("10.00", "for charging", ref="B2"),
        entry("8.00", "old debt", ref="B3"),
        entry("3.50", "fees", ref="B4", sign="DBIT"),
    )
    waiting = await statements.list_(small.core, ListStatementLines(), ANA)
    assert sorted(line.amount.amount for line in waiting) == [D("-3.50"), D("8.00"), D("10.00"), D("19.99")]
    by_amount = {str(line.amount.amount): line.line for line in waiting}

    async def say(amount: str, **what: Any) -> StatementLine:
        return await statements.assign(small.core, AssignStatementLine(by_amount[amount], **what), ANA)

    for wrong in ({}, {"invoice": "2026-0042", "driver": "ada"}, {"account": "fees/bank"}, {"account": "?"}):
        with pytest.raises(Invalid):
            await say("19.99", **wrong)
    with pytest.raises(NotFound):
        await say("19.99", invoice="2026-0099")
    assert (await say("19.99", invoice="2026-0042")).fit == "exact"
    await say("10.00", driver="ada", top_up=True)
    await say("8.00", driver="ada")
    await say("-3.50", account="fees/bank", reason="account of November")
    with pytest.raises(NotFound, match="waits to be assigned"):
        await say("8.00", driver="ada")
    assert await statements.list_(small.core, ListStatementLines(), ANA) == []
    held = await small.core.store.accounting.balances()
    assert {name: held[name, "EUR"] for name in ("unassigned", "bank", "fees/bank", "prepaid/ada")} == {
        "unassigned": 0,
        "bank": 3449,
        "fees/bank": 350,
        "prepaid/ada": -1000,
    }
    assert await open_amount(small.core, first) == 0


async def test_another_currency_pays_nothing_by_itself(small: Small) -> None:
    await owing(small)
    dollars = entry("19.99", "2026-0042 TOPUP-ada", ref="B1").replace('"EUR"', '"USD"')
    await top_up(small, "1")
    (line,) = await book(small, dollars)
    assert line.status == "unmatched"
    with pytest.raises(Conflict, match="is in EUR"):
        await statements.assign(small.core, AssignStatementLine(line.line, invoice="2026-0042"), ANA)
