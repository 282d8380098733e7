"""T19: the price that a driver was told is the one that is billed, whatever becomes of the tariff meanwhile."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from typing import Any

import pytest

from cms.contract.refusals import Conflict, Invalid
from cms.contract.sessions import StartSession
from cms.contract.tariffs import (
    AddTariff,
    Component,
    Price,
    SetStationTariff,
    ShowCost,
    Tariff,
    UseTariff,
)
from cms.domain.roles import permissions_of, proposals_of
from cms.operations import OPERATIONS, tariffs
from tests.domain.build import after, register, start, stop
from tests.operations.small import ANA, Small

D = Decimal


def kwh(id: str, amount: str | Decimal) -> Tariff:
    return Tariff(id, "EUR", energy=Component((Price(D(amount)),)))


async def sell(small: Small, id: str, amount: str) -> None:
    await tariffs.add(small.core, AddTariff(kwh(id, amount)), ANA)
    await tariffs.use(small.core, UseTariff(id), ANA)


async def ended(small: Small, number: str, meter: int, minute: int) -> Any:
    small.clock.time = after(minute)
    await small.hear("CP1", stop(number, meter, after(minute)))


async def begun(small: Small, meter: int, minute: int) -> str:
    small.clock.time = after(minute)
    said = await small.hear("CP1", start(meter=meter, at=after(minute)))
    return str(said.transaction_id)


async def bills(small: Small) -> list[tuple[Any, ...]]:
    """What each session cost, and by which tariff; oldest first."""
    from cms.contract.sessions import ListSessions

    found = []
    for session in (await small.core.store.sessions(ListSessions()))[::-1]:
        cost = await tariffs.cost(small.core, ShowCost(session.id), ANA)
        found.append((cost.total.amount, *cost.tariffs))
    return found


async def test_a_price_that_rises_during_a_session_is_the_next_sessions(small: Small) -> None:
    """Also where the daemon is started anew in between."""
    await sell(small, "CHEAP", "0.30")
    number = await begun(small, 1000, 0)
    await sell(small, "DEAR", "9.00")
    await small.restart()
    small.stations.connect("CP1")
    await ended(small, number, 11_000, 60)
    number = await begun(small, 11_000, 70)
    await ended(small, number, 12_000, 90)
    assert await bills(small) == [(D("3.00"), "CHEAP"), (D("9.00"), "DEAR")]


async def test_no_tariff_changes_under_its_id(small: Small) -> None:
    await sell(small, "T", "0.30")
    for other in ("0.31", "0", "-0.30"):
        with pytest.raises(Conflict, match="never changes"):
            await tariffs.add(small.core, AddTariff(kwh("T", other)), ANA)


async def test_an_absurd_price_is_refused(small: Small) -> None:
    for amount in ("NaN", "sNaN", "Infinity", "-Infinity", "1e10", "-1e10", "1e999999"):
        with pytest.raises(Invalid, match="no price"):
            await tariffs.add(small.core, AddTariff(kwh("T", amount)), ANA)


async def test_the_dearest_price_and_the_wildest_meter_still_make_a_bill(small: Small) -> None:
    await sell(small, "T", "1000000000")
    number = await begun(small, 0, 0)
    await small.hear("CP1", _sample(number, 999_999_999_999))
    await ended(small, number, 999_999_999_999, 60)
    ((payable, _),) = await bills(small)
    assert payable == D("999999999999000000.00")


def _sample(number: str, wh: int) -> Any:
    from cms.domain.observations import Metered

    return Metered(1, (register(wh, after(30)),), number)


def test_no_request_brings_a_price_of_its_own_along() -> None:
    """Who starts a session names a tariff's limits at most; prices come from the register of tariffs."""
    for request in (StartSession, UseTariff, SetStationTariff):
        assert {field.name for field in fields(request)}.isdisjoint({"price", "prices", "cost", "amount"})


def test_who_makes_prices_does_not_put_them_into_force_alone() -> None:
    operation = OPERATIONS[UseTariff]
    assert operation.permission not in permissions_of(("finance",))
    assert operation.permission in proposals_of(("finance",))
