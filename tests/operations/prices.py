"""Selling at every place, for tests that need a price."""

from __future__ import annotations

from cms.contract.tariffs import AddTariff, Tariff, UseTariff
from cms.operations import assigning, tariffs
from tests.operations.small import ANA, Small


async def sell(small: Small, tariff: Tariff) -> None:
    await tariffs.add(small.core, AddTariff(tariff), ANA)
    await assigning.use(small.core, UseTariff(tariff.id), ANA)
