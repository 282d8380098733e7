"""Billing that nobody asks for."""

from __future__ import annotations

from datetime import date

from cms.contract.billingprofiles import SetBillingProfile
from cms.contract.invoices import SetSeller
from cms.operations import billingdays, billingprofiles, sellers
from tests.operations.small import ANA, Small
from tests.operations.test_invoices import cdr, rated, shop

__all__ = ["shop"]


async def numbers(small: Small) -> list[str]:
    return sorted(invoice.id for invoice in await small.core.store.accounting.invoices())


async def test_last_month_is_billed_from_its_day_on_and_once(shop: Small) -> None:
    await rated(shop, cdr("S1", "10.00"))
    done: dict[str, date] = {}
    await billingdays.bill(shop.core, date(2026, 12, 1), 2, done)
    assert await numbers(shop) == []
    for day in (2, 3):
        await billingdays.bill(shop.core, date(2026, 12, day), 2, done)
        assert await numbers(shop) == ["2026-0001"]
    await billingdays.bill(shop.core, date(2026, 12, 4), 2, {})
    assert await numbers(shop) == ["2026-0001"], "a daemon that was started anew bills nothing twice"


async def test_who_wants_an_invoice_for_each_session_gets_it_without_a_day(shop: Small) -> None:
    await rated(shop, cdr("S1", "10.00"), cdr("S2", "3.00", driver=None))
    await billingdays.bill(shop.core, date(2026, 12, 1), 0, {})
    assert await numbers(shop) == []
    await billingprofiles.set_(shop.core, SetBillingProfile("ana", way="invoice", every="session"), ANA)
    await billingdays.bill(shop.core, date(2026, 12, 1), 0, {})
    assert await numbers(shop) == ["2026-0001"]


async def test_a_seller_who_is_not_complete_bills_nobody(shop: Small) -> None:
    await rated(shop, cdr("S1", "10.00"))
    await sellers.set_(shop.core, SetSeller(iban=""), ANA)
    await billingdays.bill(shop.core, date(2026, 12, 3), 1, {})
    assert await numbers(shop) == []
