"""Tariffs in the console: the register, where they are used, and why a session costs what it costs."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from cms.contract.prices import ExplainedLine, ExplainPrice, Explanation
from cms.contract.tariffs import (
    Component,
    ListTariffs,
    ListTariffUses,
    Price,
    Tariff,
    TariffUseView,
    TariffView,
)
from tests.tui.fake import NOON, FakeDaemon, small_fleet
from tests.tui.seat import seated

D = Decimal
DAY = TariffView(
    id="DC-day",
    currency="EUR",
    summary="0.49 EUR/kWh",
    time_zone="Europe/Berlin",
    default=False,
    stations=("CP-0018",),
    tokens=(),
    added_at=NOON,
    tariff=Tariff("DC-day.2", "EUR", energy=Component((Price(D("0.49")),))),
    version=2,
    versions=3,
    places=("site North",),
)
OLD = replace(DAY, id="OLD", stations=(), places=(), holds=False, valid_to=NOON)
USED = TariffUseView("site/north", "site", "site North", "DC-day", "DC-day.2", NOON)


def with_tariffs() -> FakeDaemon:
    daemon = small_fleet()
    daemon.shelf[ListTariffs] = [DAY, OLD]
    daemon.shelf[ListTariffUses] = [USED]
    return daemon


async def test_the_book_of_tariffs_tells_versions_validity_and_use() -> None:
    async with seated(with_tariffs(), size=(160, 48)) as seat:
        seat.app.travel.open_book("tariffs", None)
        await seat.sees("DC-day", "1 st 1 pl", "0.49 EUR/kWh", "2 of 3")
        await seat.sees("OLD", "nowhere", "none now", "to 2026")
        seat.app.travel.open_book("tariff-uses", None)
        await seat.sees("site North", "DC-day.2")


async def test_a_price_is_explained_with_a_key() -> None:
    daemon = with_tariffs()
    line = ExplainedLine(
        "energy", "DC-day.2", NOON, NOON, D("5.000000"), "kWh", D("0.49"), D(19), D("2.06"), D("0.39"), D("2.45"),
        "its only price; with VAT",
    )  # fmt: skip
    session = next(iter(daemon.sessions))
    daemon.shown[ExplainPrice] = Explanation(
        session=session, station="CP-0018", final=False, source="central", currency="EUR", net=D("2.06"),
        vat=D("0.39"), gross=D("2.45"), energy_wh=5000, charging_s=3600, idle_s=0, time_zone="UTC",
        tariffs=("DC-day.2",), lines=(line,), reasons=("DC-day.2: assigned by site",),
    )  # fmt: skip
    async with seated(daemon, size=(160, 48)) as seat:
        seat.app.travel.open_session(session)
        await seat.press("x")
        await seat.sees("€2.45 so far", "5 kWh x €0.49", "its only price", "assigned by site")
