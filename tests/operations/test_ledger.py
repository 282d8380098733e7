from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from cms.core import Clash
from cms.domain import ledger
from cms.domain.invoices import Invoice, Party
from cms.operations.ledger import open_amount, settle
from tests.domain.build import NOON
from tests.operations.small import Small


def invoice(number: int = 42, payable: str = "19.99", account: str = "receivable/ana") -> Invoice:
    day = date(2026, 11, 30)
    gross = Decimal(payable)
    return Invoice(
        series="2026",
        number=number,
        kind="invoice",
        issued_on=day,
        due_on=day,
        period_from=day,
        period_to=day,
        driver="ana",
        account=account,
        seller=Party("Charging Ltd"),
        buyer=Party("Ana"),
        currency="EUR",
        items=(),
        vat=(),
        net=gross,
        gross=gross,
        rounding=Decimal(0),
        payable=gross,
        made_at=NOON,
    )


async def test_an_invoice_is_owed_what_was_not_paid_for_it(small: Small) -> None:
    store, bill = small.core.store, invoice()
    assert await open_amount(small.core, bill) == Decimal("19.99")
    await store.commit(settle(bill, 999, ledger.BANK, "bank/1", NOON), ())
    assert await open_amount(small.core, bill) == Decimal("10.00")
    await store.commit(settle(bill, -999, ledger.BANK, "bank/2", NOON), ())
    assert await open_amount(small.core, bill) == Decimal("19.99")


async def test_what_is_paid_too_much_stays_on_the_account(small: Small) -> None:
    bill = invoice()
    await small.core.store.commit(settle(bill, 2500, ledger.BANK, "bank/1", NOON, still_open=1999), ())
    assert await open_amount(small.core, bill) == 0
    assert await small.core.store.accounting.balances("receivable/ana") == {("receivable/ana", "EUR"): -2500}


async def test_a_payment_that_comes_twice_pays_once(small: Small) -> None:
    bill = invoice()
    await small.core.store.commit(settle(bill, 500, ledger.BANK, "bank/1", NOON), ())
    with pytest.raises(Clash):
        await small.core.store.commit(settle(bill, 500, ledger.BANK, "bank/1", NOON), ())
    assert await open_amount(small.core, bill) == Decimal("14.99")
