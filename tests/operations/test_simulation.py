"""What sessions would have cost otherwise, and why they cost what they cost."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cms.contract.prices import ExplainPrice, SimulateTariff
from cms.contract.refusals import Invalid, NotFound
from cms.contract.tariffs import AddTariff, UseTariff
from cms.domain.observations import Metered
from cms.domain.sessions import Session
from cms.operations import assigning, explaining, simulation, tariffs
from tests.domain.build import NOON, after, register, start, stop
from tests.operations.small import ANA, Small

D = Decimal
DAY = "id: DAY\ncurrency: EUR\nvat: 19\nenergy: 0.50\n"


async def sell(small: Small, text: str = DAY, id: str = "DAY") -> None:
    await tariffs.add(small.core, AddTariff(text=text), ANA)
    await assigning.use(small.core, UseTariff(id, since=NOON - timedelta(days=1)), ANA)


async def charged(small: Small, begin: float = 0, wh: int = 10_000, readings: Any = ()) -> Session:
    """A session of an hour that takes so much; readings: (minute, Wh of the session)."""
    small.clock.time = after(begin)
    await small.hear("CP1", start(at=after(begin), meter=0), "1.6")
    [session] = small.core.lane("CP1").state.sessions.values()
    for minute, reached in readings:
        small.clock.time = after(begin + minute)
        said = Metered(1, (register(reached, after(begin + minute)),), session.transaction_id)
        await small.hear("CP1", said, "1.6")
    small.clock.time = after(begin + 60)
    await small.hear("CP1", stop(session.transaction_id, at=after(begin + 60), meter=wh), "1.6")
    return session


def over(**more: Any) -> SimulateTariff:
    return SimulateTariff(since=NOON - timedelta(hours=1), until=after(6000), **more)


async def test_sessions_are_priced_anew_by_their_own_readings(small: Small) -> None:
    await sell(small)
    await charged(small, readings=[(30, 9_000)])
    await charged(small, begin=120)
    new = "id: NEW\ncurrency: EUR\nenergy: [{price: 0.10, max-time: 30 min}, 1.00]\n"
    told = await simulation.simulate(small.core, over(text=new), ANA)
    # 9 kWh in the first half hour of the one, and 5 of the other, of which nobody knows more.
    assert told.before.amount == D("11.90")
    assert told.after.amount == D("0.90") + D(1) + D("0.50") + D(5)
    assert told.change.amount == told.after.amount - told.before.amount
    [station] = told.stations
    assert (station.id, station.sessions, station.energy_wh, station.unpriced) == ("CP1", 2, 20_000, 0)
    assert station.change_percent == D("-37.8")


async def test_sessions_without_a_price_count_as_nothing_before(small: Small) -> None:
    await charged(small)
    told = await simulation.simulate(small.core, over(text=DAY), ANA)
    assert (told.before.amount, told.after.amount, told.change_percent) == (D(0), D("5.95"), None)
    assert told.stations[0].unpriced == 1


async def test_other_currencies_and_places_are_left_out(small: Small) -> None:
    await sell(small)
    await charged(small)
    swiss = "id: CH\ncurrency: CHF\nenergy: 0.50\n"
    told = await simulation.simulate(small.core, over(text=swiss), ANA)
    assert (told.sessions, told.skipped) == (0, 1)
    with pytest.raises(NotFound):
        await simulation.simulate(small.core, over(tariff="DAY", station="CP9"), ANA)
    with pytest.raises(NotFound):
        await simulation.simulate(small.core, over(tariff="DAY", site="Mars"), ANA)
    with pytest.raises(Invalid, match="end before it begins"):
        await simulation.simulate(small.core, SimulateTariff(since=after(1), until=NOON, text=DAY), ANA)


async def test_a_price_by_the_same_tariff_changes_nothing(small: Small) -> None:
    odd = """
id: ODD
currency: EUR
vat: 19
energy: [{price: 0.33, min-kwh: 3}, {price: 0.37, step: 700 Wh}]
charging: {price: 0.07, after: 17 min}
min: 0.5
"""
    await sell(small, odd, "ODD")
    for begin in range(0, 400, 80):
        await charged(small, begin, 3_333 + begin, [(7, 1_234), (31, 2_345)])
    told = await simulation.simulate(small.core, over(tariff="ODD"), ANA)
    assert told.sessions == 5
    assert told.change.amount == 0


LONG = """
id: LONG
currency: EUR
vat: 19
prices: include-vat
energy: [{price: 0.40, from: 12:30, to: 23:59}, 0.50]
idle: {price: 0.10, after: 20 min}
max: 4
"""


async def test_every_line_and_every_reason_is_told(small: Small) -> None:
    await sell(small, LONG, "LONG")
    session = await charged(small, readings=[(30, 5_000)])
    told = await explaining.explain(small.core, ExplainPrice(session.id), ANA)
    assert told.gross == D(4) == sum(line.gross for line in told.lines)
    assert told.gross == told.net + told.vat
    first, second, most = told.lines
    assert (first.what, first.quantity, first.price, first.vat_percent) == ("energy", D(5), D("0.50"), D(19))
    assert first.why == "price 2 of 2, the first that held; with VAT"
    assert (first.since, first.until) == (NOON, after(30))
    assert second.why == "price 1 of 2, the first that held: 12:30–23:59; with VAT"
    assert most.why == "the most that LONG lets a session cost"
    assert told.reasons[0] == "LONG: assigned by default"
    assert "the most a session costs is €4.00: it decided" in told.reasons
    assert "times of day and days are those of UTC" in told.reasons
    assert told.reasons[-1].startswith("rounded once, at the end, to 0.01 EUR")


async def test_a_running_session_is_explained_so_far(small: Small) -> None:
    await sell(small)
    await tariffs.add(small.core, AddTariff(text=DAY.replace("0.50", "0.90"), revise=True), ANA)
    await small.hear("CP1", start(meter=0), "1.6")
    [session] = small.core.lane("CP1").state.sessions.values()
    small.clock.time = after(10)
    await small.hear("CP1", Metered(1, (register(2_000, after(10)),), session.transaction_id), "1.6")
    told = await explaining.explain(small.core, ExplainPrice(session.id), ANA)
    assert (told.final, told.gross, told.revision) == (False, D("2.14"), None)
    assert told.tariffs == ("DAY.2",)
    assert told.reasons[0] == "DAY.2: assigned by default, the version of DAY that was valid then"


async def test_a_session_without_a_price_says_so(small: Small) -> None:
    session = await charged(small)
    with pytest.raises(NotFound, match="no tariff held when it began"):
        await explaining.explain(small.core, ExplainPrice(session.id), ANA)
