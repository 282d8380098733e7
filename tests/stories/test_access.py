"""Access rules from the command that makes them to a simulated station and its driver, on simulated time."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cms.client import AsyncClient
from cms.contract.access import AddRule, Budget, ExplainAccess, ListRules, Rule, ShowBudgets, Where
from cms.contract.events import ListEvents
from cms.contract.sessions import ListSessions
from cms.contract.stations import ListStations
from cms.simulator.cars import Car
from cms.simulator.evse import Evse
from cms.simulator.pace import Pace
from cms.simulator.station import Place, Station
from tests.fleet import client_of, ended, enrol, running
from tests.stories.test_organisations import AT, charged, connected, peopled, said
from tests.stories.test_organisations import client as client_in
from tests.test_authorizer import Service
from tests.virtual import VirtualClock, play

VERSIONS = ["1.6", "2.0.1", "2.1"]


@asynccontextmanager
async def a_charging_place(folder: Path, version: str) -> Any:
    """A daemon, its client, and a station with two EVSEs that is online; CARD1 is registered."""
    clock = VirtualClock()
    async with running(folder, clock) as daemon, client_of(daemon) as client:
        passwords = await enrol(client, ["CP1"], ["CARD1"])
        station = Station(
            Place(daemon.endpoint.url, "CP1", passwords["CP1"]),
            version,
            [Evse(1, 11_000, register_wh=1000.0), Evse(2, 11_000, register_wh=5000.0)],
            Pace(1.0, clock.now),
            Random(7),
        )
        life = asyncio.create_task(station.run())
        try:
            while not all(one.online for one in await client.ask(ListStations())):
                await asyncio.sleep(1)
            await asyncio.sleep(30)
            yield client, station
        finally:
            await ended(life)


async def comes_to_charge(station: Station, evse: int = 1) -> str:
    """What becomes of a driver who plugs in and presents the card."""
    place = station.evses[evse - 1]
    station.plug_in(place, Car(battery_wh=60_000, soc=0.2, wants_soc=1.0, ac_w=11_000, dc_w=0))
    became = await station.present(place, "CARD1")
    await asyncio.sleep(10)
    return became


async def goes(station: Station, evse: int = 1) -> None:
    station.unplug(station.evses[evse - 1])
    await asyncio.sleep(60)


async def only_session(client: AsyncClient) -> Any:
    (session,) = await client.ask(ListSessions(limit=1))
    return session


def rule(effect: str, **more: Any) -> AddRule:
    return AddRule(Rule(effect, effect, "token", "CARD1", **more))


async def budget_story(folder: Path, version: str) -> None:
    async with a_charging_place(folder, version) as (client, station):
        await client.ask(rule("budget", budget=Budget("day", energy_wh=5000)))
        assert await comes_to_charge(station) == "started"
        async with asyncio.timeout(7200):
            while (await only_session(client)).status != "ended":
                await asyncio.sleep(30)
        session = await only_session(client)
        assert 5000 <= session.energy_wh < 5500  # at 11 kW, a meter value a minute
        assert session.stop_reason in ("Remote", "EnergyLimitReached")
        (told,) = await client.ask(ListEvents(type="session.budget"))
        assert (told.session, told.data["rule"]) == (session.id, "budget")
        (used,) = await client.ask(ShowBudgets("token:CARD1"))
        assert (used.energy_wh, used.sessions, used.running) == (session.energy_wh, 1, 0)
        await goes(station)
        assert await comes_to_charge(station) == "refused"
        await goes(station)
        explained = await client.ask(ExplainAccess("CARD1", "CP1"))
        assert (explained.status, explained.rule) == ("no-credit", "budget")
        await asyncio.sleep(24 * 3600)
        assert await comes_to_charge(station) == "started"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_budget_ends_a_running_session_and_refuses_the_next_until_tomorrow(
    tmp_path: Path, version: str
) -> None:
    play(budget_story(tmp_path, version))


async def limit_story(folder: Path, version: str) -> None:
    async with a_charging_place(folder, version) as (client, station):
        budget = Budget("day", energy_wh=3000, then="limit", power_w=1400)
        await client.ask(rule("budget", budget=budget))
        assert await comes_to_charge(station) == "started"
        await asyncio.sleep(3600)
        session = await only_session(client)
        assert session.status == "charging"
        assert session.power_w <= 1400
        assert 3000 <= session.energy_wh < 5000


@pytest.mark.timeout(300)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_budget_may_leave_a_session_a_little_power(tmp_path: Path, version: str) -> None:
    play(limit_story(tmp_path, version))


async def place_story(folder: Path, version: str) -> None:
    async with a_charging_place(folder, version) as (client, station):
        await client.ask(rule("only", where=Where(evses=("CP1:2",))))
        first, second = await comes_to_charge(station, 1), await comes_to_charge(station, 2)
        await asyncio.sleep(120)
        found = {s.evse: s.authorization for s in await client.ask(ListSessions())}
        assert second == "started"
        assert found[2] == "accepted"
        assert first == "refused" or found[1] == "not-allowed-type-evse"
        assert station.evses[0].transaction is None or not station.evses[0].transaction.authorized


@pytest.mark.timeout(300)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_card_charges_where_it_may_and_nowhere_else(tmp_path: Path, version: str) -> None:
    play(place_story(tmp_path, version))


async def test_a_card_of_somebody_else_charges_by_his_word_and_our_own_without_it(tmp_path: Path) -> None:
    service = Service()
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0)
    service.port = server.sockets[0].getsockname()[1]
    async with running(tmp_path, authorize_url=service.url) as daemon, client_of(daemon) as client:
        passwords = await enrol(client, ["CP1"], ["CARD1"])
        place = Place(daemon.endpoint.url, "CP1", passwords["CP1"])
        station = Station(place, "2.0.1", [Evse(1, 11_000, register_wh=0.0)], Pace(1.0), Random(7))
        life = asyncio.create_task(station.run())
        try:
            async with asyncio.timeout(20):
                while not station.online:
                    await asyncio.sleep(0.05)
            for said, lets_in in (("accepted", True), ("blocked", False), ("nonsense", False)):
                service.says = {"status": said}
                assert await station.lets_in("ROAMER") is lets_in
            assert [question["token"] for _, question in service.heard] == ["ROAMER"] * 3
            assert await station.lets_in("CARD1")
            assert len(service.heard) == 3
        finally:
            await ended(life)
    server.close()


async def test_rules_and_what_is_used_are_an_organisations_own(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        passwords = await peopled(tmp_path)
        budget = AddRule(Rule("month", "budget", "token", "CARD", budget=Budget("month", energy_wh=10**6)))
        async with client_in(tmp_path, "acme") as acme, client_in(tmp_path, "beta") as beta:
            for own in (acme, beta):
                await own.ask(budget)
            await beta.ask(AddRule(Rule("closed", "deny", "token", "CARD")))
            async with (
                connected(daemon, "/acme/CP-1", passwords["acme"]) as one,
                connected(daemon, "/beta/CP-1", passwords["beta"]) as other,
            ):
                await charged(one, 2000)
                await charged(other, 5000)
                for socket, status in ((one, "Accepted"), (other, "Blocked")):
                    answer = await said(socket, "Authorize", {"idTag": "CARD"})
                    assert answer["idTagInfo"]["status"] == status
            then = ShowBudgets("token:CARD", datetime.fromisoformat(AT))
            for own, energy_wh in ((acme, 1000), (beta, 4000)):
                (used,) = await own.ask(then)
                assert (used.energy_wh, used.sessions) == (energy_wh, 1)
            assert [rule.id for rule in await acme.ask(ListRules())] == ["month"]
