"""T25: orders that switch many stations are counted beforehand, agreed to by two, and end by themselves."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cms.contract.approvals import Approve, ListApprovals, Reject
from cms.contract.grants import AddGrant
from cms.contract.intents import CancelIntent
from cms.contract.jobs import UpdateFirmware
from cms.contract.refusals import Conflict, Denied, Invalid
from cms.contract.stations import AddStation, RemoveStation, ResetStation
from cms.core import Actor
from cms.domain.operators import Principal
from cms.operations import OPERATIONS, approvals, grants, intents, operators, remote, stations
from tests.domain.build import after, start
from tests.operations.small import ANA, Small
from tests.operations.test_operators import ADA, OTTO, TIM, held

FLEET = [f"CP{number}" for number in range(1, 13)]
FIRMWARE = UpdateFirmware(station="CP1", location="https://files.example/f.bin")


@pytest.fixture
async def fleet(small: Small) -> Small:
    """Twelve stations, the even ones with somebody charging, the last two away."""
    for nth, name in enumerate(FLEET, 1):
        if nth > 1:
            await stations.add(small.core, AddStation(name), ANA)
        small.stations.connect(name)
        if nth % 2 == 0:
            await small.hear(name, start(f"CARD-{nth}", at=after(nth)))
    for name in FLEET[-2:]:
        small.stations.disconnect(name, 1000, "away")
    return small


async def test_a_preview_of_all_counts_who_stops_charging_and_orders_nothing(fleet: Small) -> None:
    shown: list[Any] = [
        await remote.reset(fleet.core, ResetStation(station=name, kind="hard", dry_run=True, queue_s=60), ANA)
        for name in FLEET
    ]
    assert sum(len(preview.sessions) for preview in shown) == 6
    assert [preview.level for preview in shown] == [1, 2] * 6
    assert fleet.stations.given == []


async def test_what_may_break_stations_waits_for_a_second_person_station_by_station(fleet: Small) -> None:
    for name in FLEET[:10]:
        await ask(fleet, UpdateFirmware(station=name, location=FIRMWARE.location), TIM)
    waiting = await approvals.list_(fleet.core, ListApprovals(), ADA)
    assert len(waiting) == 10
    assert fleet.stations.given == []
    for mine in (TIM, Actor("tim", TIM.role, TIM.permissions, "elsewhere", TIM.key)):
        with pytest.raises(Denied):
            await approvals.approve(fleet.core, Approve(waiting[0].id), mine)
    await approvals.approve(fleet.core, Approve(waiting[0].id), OTTO)
    await approvals.reject(fleet.core, Reject(waiting[1].id, "the first one is a canary"), OTTO)
    await fleet.settled()
    assert {station for station, _ in fleet.stations.given} <= {waiting[0].request["station"]}


async def test_what_nobody_agreed_to_in_a_day_is_never_done(small: Small) -> None:
    id_ = await held(small, FIRMWARE, TIM)
    small.clock.pass_(hours=24)
    with pytest.raises(Conflict):
        await approvals.approve(small.core, Approve(id_), OTTO)
    assert small.stations.given == []


async def test_a_station_that_comes_back_is_not_given_what_has_ended(fleet: Small) -> None:
    """Orders that wait for stations stop by themselves: in time, or when somebody takes them back."""
    ids = []
    for name in FLEET[-2:]:
        told: Any = await remote.reset(fleet.core, ResetStation(station=name, queue_s=600), ANA)
        ids.append(told.id)
    await intents.cancel(fleet.core, CancelIntent(ids[0]), ANA)
    fleet.clock.pass_(seconds=601)
    for name in FLEET[-2:]:
        fleet.stations.connect(name)
        await intents.flush(fleet.core, name)
    await fleet.settled()
    assert fleet.stations.given == []


async def test_the_right_to_order_ends_in_the_midst_of_a_fleet(fleet: Small) -> None:
    """A grant is for one station, and for a while; no script goes on with it."""
    core, contractor = fleet.core, Principal("contractor", uid=65_534)
    await grants.add(core, AddGrant("uid:65534", "technician", "CP1", 3600, "twelve resets"), OTTO)
    may = [
        name
        for name in FLEET
        if operators.with_grant(core, contractor, name, "stations.command", fleet.clock.now())
    ]
    assert may == ["CP1"]
    fleet.clock.pass_(hours=1)
    assert operators.with_grant(core, contractor, "CP1", "stations.command", fleet.clock.now()) is None
    for forever in (8 * 86_400.0, float("inf"), float("nan")):
        with pytest.raises(Invalid):
            await grants.add(core, AddGrant("uid:65534", "technician", "CP1", forever, "x"), OTTO)


def test_every_order_that_may_break_a_station_for_good_needs_two() -> None:
    for grave in (UpdateFirmware, RemoveStation):
        assert OPERATIONS[grave].two


async def ask(small: Small, request: Any, actor: Actor) -> None:
    operation = OPERATIONS[type(request)]
    assert approvals.needs_two(small.core, request, actor, operation)
    with pytest.raises(Conflict, match="second person"):
        await approvals.hold(small.core, request, actor, operation)


async def test_two_who_agree_at_once_do_it_once(small: Small) -> None:
    id_ = await held(small, FIRMWARE, TIM)
    both = [approvals.approve(small.core, Approve(id_), actor) for actor in (OTTO, ADA)]
    done = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(isinstance(said, Conflict) for said in done) == [False, True]
