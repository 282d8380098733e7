import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from cms.contract.apps import (
    ListDriverSessions,
    ShowDriverStart,
    ShowPlace,
    StartForDriver,
    StopForDriver,
)
from cms.contract.drivers import AddDriver, EraseDriver, SuspendDriver
from cms.contract.evses import SetEvse
from cms.contract.refusals import Conflict, Invalid, NotFound, Rejected, Unreachable
from cms.contract.sites import AddSite
from cms.contract.stations import SetStation
from cms.contract.tokens import AddToken, BlockToken, RemoveToken
from cms.core import Actor
from cms.domain.observations import ConnectorReported
from cms.domain.orders import OrderAnswer, RemoteStart
from cms.domain.roles import permissions_of
from cms.operations import OPERATIONS, apps, drivers, evses, privacy, sessions, sites, stations, tokens
from tests.domain.build import start as began
from tests.domain.build import stop as ended
from tests.operations.small import ANA, Small

APP = Actor("app", "app", frozenset({"sessions.behalf"}))
#: At the EVSE beside it, which has no id.
NEXT = StartForDriver(driver="D-1", key="tap-9", evse_id="CP1*2")
TAP = StartForDriver(driver="D-1", key="tap-1", evse_id="DE*ABC*E1")


@pytest.fixture
async def town(small: Small) -> AsyncIterator[Small]:
    """CP1 with EVSE 1, which has an id, at a site; drivers D-1 and D-2."""
    await sites.add(small.core, AddSite(site="garage", city="Berlin", hours="24/7"), ANA)
    await stations.set_(small.core, SetStation("CP1", site="garage"), ANA)
    for evse in (1, 2):
        await small.hear("CP1", ConnectorReported(evse, 1, "available", small.clock.now()))
    await evses.set_(small.core, SetEvse(station="CP1", evse=1, evse_id="DE*ABC*E1"), ANA)
    for driver in ("D-1", "D-2"):
        await drivers.add(small.core, AddDriver(driver, name="somebody"), ANA)
    yield small


def told(small: Small) -> list[RemoteStart]:
    return [order for _, order in small.stations.given if isinstance(order, RemoteStart)]


def test_the_back_end_of_an_app_can_do_nothing_but_this() -> None:
    mine = permissions_of(["app"])
    asked = {kind.__name__ for kind, operation in OPERATIONS.items() if operation.permission in mine}
    behalf = {
        "StartForDriver",
        "ShowDriverStart",
        "ListDriverSessions",
        "StopForDriver",
        "ShowPlace",
        "ShowDriverAccount",
    }
    assert behalf <= asked
    assert all(
        OPERATIONS[kind].permission == "self.read" for kind in OPERATIONS if kind.__name__ in asked - behalf
    )


async def test_a_double_tap_asks_the_station_once(town: Small) -> None:
    first, second = await asyncio.gather(apps.start(town.core, TAP, APP), apps.start(town.core, TAP, APP))
    assert first == second
    [order] = told(town)
    assert (first.station, first.evse, first.status, order.evse) == ("CP1", 1, "accepted", 1)
    again = replace(TAP, key="tap-2")  # an app that makes a key for each tap
    assert (await apps.start(town.core, again, APP)).id == first.id
    assert len(told(town)) == 1


async def test_who_charges_already_at_this_place_is_told_of_that_session(town: Small) -> None:
    first = await apps.start(town.core, TAP, APP)
    [order] = told(town)
    await town.hear("CP1", began(order.token, at=town.clock.now()))
    again = await apps.start(town.core, replace(TAP, key="tap-2"), APP)
    assert (again.id, again.status) == (first.id, "confirmed")
    [session] = await apps.list_(town.core, ListDriverSessions("D-1", active=True), APP)
    assert again.session == session.id
    assert len(told(town)) == 1


async def test_a_start_is_remembered_over_a_restart(town: Small) -> None:
    first = await apps.start(town.core, TAP, APP)
    await town.restart()
    shown = await apps.show_start(town.core, ShowDriverStart("D-1", "tap-1"), APP)
    assert (shown.id, shown.key) == (first.id, "tap-1")
    assert (await apps.start(town.core, TAP, APP)).id == first.id
    assert len(told(town)) == 1


async def test_a_station_that_did_not_answer_is_not_asked_again_under_the_same_key(town: Small) -> None:
    town.stations.answer = Unreachable("CP1 did not answer")
    with pytest.raises(Unreachable):
        await apps.start(town.core, TAP, APP)
    assert (await apps.start(town.core, TAP, APP)).status == "failed"
    assert len(told(town)) == 1


async def test_a_station_that_said_no_may_be_asked_again(town: Small) -> None:
    town.stations.answer = OrderAnswer("rejected", "Rejected", {"status": "Rejected"})
    with pytest.raises(Rejected):
        await apps.start(town.core, TAP, APP)
    town.stations.answer = OrderAnswer("accepted", "Accepted", {"status": "Accepted"})
    assert (await apps.start(town.core, TAP, APP)).status == "accepted"
    assert len(told(town)) == 2


async def test_a_key_is_for_one_place(town: Small) -> None:
    await apps.start(town.core, TAP, APP)
    with pytest.raises(Conflict, match="was that of a start at CP1, EVSE 1"):
        await apps.start(town.core, replace(TAP, evse_id=None, station="CP1", evse=2), APP)


async def test_a_driver_has_one_app_token_which_nobody_can_guess(town: Small) -> None:
    await apps.start(town.core, TAP, APP)
    await apps.start(town.core, replace(TAP, key="other", driver="D-2"), APP)
    mine, theirs = (order.token for order in told(town))
    assert mine != theirs
    assert len(mine) == 19 and mine.startswith("APP")
    assert town.core.tokens[mine.casefold()].driver == "D-1"
    await tokens.remove(town.core, RemoveToken(mine), ANA)
    await apps.start(town.core, replace(NEXT, driver="D-1"), APP)
    assert told(town)[-1].token in {t.id for t in drivers.tokens_of(town.core, "D-1")}


async def test_a_driver_starts_with_his_own_rights_alone(town: Small) -> None:
    await drivers.suspend(town.core, SuspendDriver("D-1", "unpaid"), ANA)
    with pytest.raises(Conflict, match="driver D-1 is suspended"):
        await apps.start(town.core, TAP, APP)
    await apps.start(town.core, replace(TAP, driver="D-2"), APP)
    [order] = told(town)
    await tokens.block(town.core, BlockToken(order.token, "lost"), ANA)
    with pytest.raises(Conflict) as refused:
        await apps.start(town.core, replace(NEXT, driver="D-2"), APP)
    assert order.token not in refused.value.message
    assert refused.value.hint is None


async def test_a_place_that_nobody_has_is_not_found(town: Small) -> None:
    for nowhere in ("DE*ABC*E9", "CP9*1", "CP1*7", "CP1*x", ""):
        with pytest.raises(NotFound):
            await apps.start(town.core, replace(TAP, evse_id=nowhere), APP)
    with pytest.raises(Invalid):
        await apps.start(town.core, replace(TAP, evse_id=None), APP)
    with pytest.raises(NotFound):
        await apps.start(town.core, replace(TAP, driver="D-9"), APP)
    with pytest.raises(Invalid):
        await apps.start(town.core, replace(TAP, key=""), APP)


async def test_a_driver_who_is_erased_leaves_nothing_of_his_app(town: Small) -> None:
    await apps.start(town.core, TAP, APP)
    [order] = told(town)
    await town.hear("CP1", began(order.token, at=town.clock.now()))
    [session] = await apps.list_(town.core, ListDriverSessions("D-1"), APP)
    running = await sessions.find(town.core, session.id)
    await town.hear("CP1", ended(running.transaction_id, at=town.clock.now()))
    await privacy.erase(town.core, EraseDriver("D-1"), ANA)
    assert not town.core.kept.get("app")
    await town.restart()
    assert not town.core.kept.get("app")


async def test_a_scanned_code_says_where_one_stands(town: Small) -> None:
    seen = await apps.place(town.core, ShowPlace("de-abc-e1"), APP)
    assert (seen.station, seen.evse, seen.city, seen.open, seen.online) == ("CP1", 1, "Berlin", True, True)
    assert (await apps.place(town.core, ShowPlace("cp1*1"), APP)).evse_id == "DE*ABC*E1"


async def test_a_driver_sees_and_stops_his_own_sessions_alone(town: Small) -> None:
    await tokens.add(town.core, AddToken("CARD2", driver="D-2"), ANA)
    town.clock.pass_(seconds=5)
    await town.hear("CP1", began("CARD2", at=town.clock.now()))
    [mine] = await apps.list_(town.core, ListDriverSessions("D-2", active=True), APP)
    assert (mine.station, mine.evse_id, mine.site) == ("CP1", "DE*ABC*E1", "garage")
    assert await apps.list_(town.core, ListDriverSessions("D-1"), APP) == []
    with pytest.raises(NotFound, match="driver D-1 has no session"):
        await apps.stop(town.core, StopForDriver("D-1", mine.id), APP)
    stopped = await apps.stop(town.core, StopForDriver("D-2", mine.id), APP)
    assert (stopped.order, stopped.status) == ("stop", "accepted")
    since = town.clock.now() + timedelta(hours=1)
    assert await apps.list_(town.core, ListDriverSessions("D-2", since=since), APP) == []
