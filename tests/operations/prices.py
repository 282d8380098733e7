"""Selling at every place, for tests that need a price."""

from __future__ import annotations

from decimal import Decimal

from cms.contract.tariffs import AddTariff, Component, Price, Tariff, Tax, UseTariff
from cms.operations import assigning, tariffs
from tests.operations.small import ANA, Small

#: 0.50 EUR/kWh, taxes included.
FIFTY = Tariff(
    "FIFTY", "EUR", energy=Component((Price(Decimal("0.5")),), (Tax("VAT", Decimal(19)),)), tax_included=True
)


async def sell(small: Small, tariff: Tariff) -> None:
    await tariffs.add(small.core, AddTariff(tariff), ANA)
    await assigning.use(small.core, UseTariff(tariff.id), ANA)
