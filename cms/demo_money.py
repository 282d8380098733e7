"""What a demonstration charges: tariffs, a plan, a seller, and drivers who pay in different ways."""

from __future__ import annotations

import contextlib
from decimal import Decimal

from cms.client import AsyncClient
from cms.contract.balances import TopUpBalance
from cms.contract.billingprofiles import SetBillingProfile
from cms.contract.invoices import SetSeller
from cms.contract.plans import AddPlan, Plan, SignUp
from cms.contract.refusals import Conflict
from cms.contract.tariffs import AddTariff, UseTariff

PUBLIC = """
id: public
currency: EUR
prices: include-vat
vat: 24
energy:
  - {price: 0.39, from: "22:00", to: "06:00"}
  - 0.49
idle: {price: 0.10, after: 20 min, from: "08:00", to: "22:00"}
"""
CITY = """
id: city
currency: EUR
prices: include-vat
vat: 24
energy: 0.59
idle: {price: 0.15, after: 10 min}
max: 60
"""
MEMBERS = """
id: members
currency: EUR
prices: include-vat
vat: 24
energy: 0.35
"""
PLAN = Plan(
    "commuter",
    "Commuter",
    Decimal("9.90"),
    "EUR",
    vat_percent=Decimal(24),
    included_wh=20_000,
    tariff="members",
)
SUBSCRIBERS = ("D-0003", "D-0004", "D-0005")
PREPAID = ("D-0006", "D-0007", "D-0008")
FREE = ("D-0009",)


async def sell(client: AsyncClient) -> None:
    """Say who sells at which price, before the first driver comes; harmless where it was said before."""
    seller = SetSeller(
        name="Demo Charging OÜ",
        street="Narva maantee 1",
        postcode="10111",
        city="Tallinn",
        country="EE",
        vat_id="EE100000000",
        email="billing@charging.example",
        iban="EE382200221020145685",
        locale="en_IE",
    )
    await client.ask(seller)
    for tariff in (PUBLIC, CITY, MEMBERS):
        with contextlib.suppress(Conflict):
            await client.ask(AddTariff(text=tariff))
    await client.ask(UseTariff("public"))
    await client.ask(UseTariff("city", site="City Hall"))
    with contextlib.suppress(Conflict):
        await client.ask(AddPlan(PLAN))


async def bill(client: AsyncClient) -> None:
    """How some of the drivers pay; the others do by invoice."""
    for driver in SUBSCRIBERS:
        with contextlib.suppress(Conflict):
            await client.ask(SignUp(driver, PLAN.id))
    for driver in PREPAID:
        await client.ask(SetBillingProfile(driver, way="prepaid"))
        await client.ask(
            TopUpBalance(driver, Decimal(40), "EUR", by="cash", reference=f"demonstration-{driver}")
        )
    for driver in FREE:
        await client.ask(SetBillingProfile(driver, way="free"))
