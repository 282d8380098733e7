"""What charging costs before it begins: price tags, displays, and 1.6 stations that show costs."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from cms.contract.prices import DisplayTariff, ShowPriceTag
from cms.contract.quirks import SetQuirks
from cms.contract.refusals import NotFound, NotSupported
from cms.contract.tariffs import AddTariff, UseTariff
from cms.domain.datatransfer import SendData
from cms.domain.displays import SetDisplay
from cms.domain.observations import Metered, TokenPresented, TokenRef
from cms.domain.orders import Order
from cms.operations import assigning, pricetags, quirks, tariffs
from tests.domain.build import NOON, after, register, start, stop
from tests.operations.small import ANA, Small

D = Decimal
FILE = """
id: DAY
currency: EUR
vat: 19
prices: include-vat
energy: 0.50
idle: {price: 6.00, per: hour, after: 20 min}
"""


async def sell(small: Small) -> None:
    await tariffs.add(small.core, AddTariff(text=FILE), ANA)
    await assigning.use(small.core, UseTariff("DAY"), ANA)


async def shows(small: Small, word: str = "yes") -> None:
    await quirks.set_(small.core, SetQuirks("CP1", {"cost-messages": word}), ANA)


def told(small: Small) -> list[tuple[str | None, dict[str, object]]]:
    """The cost messages that were sent."""
    sent = [order for _, order in small.stations.given if isinstance(order, SendData)]
    assert all(order.vendor == "org.openchargealliance.costmsg" for order in sent)
    return [(order.message, json.loads(order.data or "")) for order in sent]


async def test_a_price_tag_says_what_charging_costs_at_a_place(small: Small) -> None:
    with pytest.raises(NotFound, match="no tariff holds at CP1"):
        await pricetags.show(small.core, ShowPriceTag("CP1"), ANA)
    await sell(small)
    tag = await pricetags.show(small.core, ShowPriceTag("CP1", 1, language="de"), ANA)
    assert (tag.tariff, tag.language, tag.vat) == ("DAY", "de", "inkl. 19 % MwSt.")
    assert tag.lines[0] == "0,50 € je kWh"
    same = pricetags.offer(small.core, "CP1", 1, NOON, "de")
    assert same == tag


async def test_a_display_shows_the_price_in_the_place_of_the_one_before(small: Small) -> None:
    await sell(small)
    small.stations.connect("CP1", "2.1")
    for _ in range(2):
        await pricetags.display(small.core, DisplayTariff(station="CP1"), ANA)
    shown: list[Order] = [order for _, order in small.stations.given]
    assert [type(order) for order in shown] == [SetDisplay, SetDisplay]
    first, second = (order.display for order in shown if isinstance(order, SetDisplay))
    assert first.id == second.id
    assert first.content.text.startswith("€0.50 per kWh\n")


async def test_a_1_6_station_that_shows_prices_is_given_its_default_price(small: Small) -> None:
    await sell(small)
    small.stations.connect("CP1")
    with pytest.raises(NotSupported, match="did not say that it shows prices"):
        await pricetags.display(small.core, DisplayTariff(station="CP1"), ANA)
    await shows(small)
    await pricetags.display(small.core, DisplayTariff(station="CP1"), ANA)
    [(_, order)] = small.stations.given
    said = json.loads(order.values["DefaultPrice"])  # type: ignore[attr-defined]
    assert said["chargingPrice"] == {"kWhPrice": 0.5}
    assert said["priceText"].startswith("€0.50 per kWh")


async def test_a_1_6_station_that_shows_costs_hears_of_them_before_during_and_after(small: Small) -> None:
    await sell(small)
    await shows(small)
    small.stations.connect("CP1")
    await small.hear("CP1", TokenPresented(TokenRef("CARD1")), "1.6")
    small.clock.time = after(1)
    await small.hear("CP1", start(), "1.6")
    [session] = small.core.lane("CP1").state.sessions.values()
    for minute, wh in ((10, 2000), (10.5, 2100), (20, 4000)):
        small.clock.time = after(minute)
        reading = register(wh, after(minute))
        await small.hear("CP1", Metered(1, (reading,), session.transaction_id), "1.6")
    small.clock.time = after(60)
    await small.hear("CP1", stop(session.transaction_id, at=after(60)), "1.6")

    heard = told(small)
    assert [name for name, _ in heard] == [
        "SetUserPrice",
        "RunningCost",
        "RunningCost",
        "RunningCost",
        "FinalCost",
    ]
    assert heard[0][1]["idToken"] == "CARD1"
    running = heard[2][1]
    assert (running["transactionId"], running["cost"]) == (int(session.transaction_id), 0.5)
    assert (running["meterValue"], running["timestamp"]) == (2000, "2026-05-04T12:10:00Z")
    assert running["chargingPrice"] == {"kWhPrice": 0.5}
    assert running["idlePrice"] == {"hourPrice": 6, "graceMinutes": 20}
    assert heard[-1][1] == {
        "transactionId": int(session.transaction_id),
        "cost": 2.5,
        "priceText": "€2.50",
    }


async def test_other_1_6_stations_hear_nothing_of_costs(small: Small) -> None:
    await sell(small)
    small.stations.connect("CP1")
    await small.hear("CP1", TokenPresented(TokenRef("CARD1")), "1.6")
    await small.hear("CP1", start(), "1.6")
    assert told(small) == []
