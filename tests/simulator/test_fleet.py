"""Fleets and drivers: a seed tells the same day again, and every session of it is told."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from cms.simulator import main
from cms.simulator.cars import Car, some_car
from cms.simulator.drivers import Luck
from cms.simulator.faults import FAULTS, named
from cms.simulator.fleet import Fleet, Plan, tokens
from cms.simulator.pace import Pace
from tests.simulator.desk import a_desk
from tests.virtual import VirtualClock, play

ROUGH = Luck(breakdowns=0.5, outages=2.0, power_failures=0.5)


async def a_day(seed: int, hours: float = 24.0) -> tuple[list[tuple[object, ...]], Counter[str]]:
    """The transactions of four stations in a day, and the messages that told of them."""
    async with a_desk() as desk:
        plan = Plan(desk.url, 4, seed=seed, luck=ROUGH, sample_s=900)
        fleet = Fleet(plan, Pace(1.0, VirtualClock().now))
        life = asyncio.create_task(fleet.run())
        await asyncio.sleep(hours * 3600)
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
        told = Counter(action for _, action, _ in desk.heard)
        return [
            (station.id, t.evse, t.token, t.started_at, t.ended_at, t.energy_wh if t.ended_at else None)
            for station in fleet.stations
            for t in station.transactions
        ], told


def test_a_seed_tells_the_same_day_again() -> None:
    first, told = play(a_day(3))
    again, _ = play(a_day(3))
    other, _ = play(a_day(4))
    assert first == again
    assert first != other
    assert len(first) > 10
    assert told["StartTransaction"] + told["TransactionEvent"] > len(first)


def test_a_car_takes_no_more_than_it_wants() -> None:
    car = Car(50_000, 0.2, 0.8, 11_000, 100_000)
    taken_wh = car.charge(22_000, False, 86_400)
    assert taken_wh == pytest.approx(30_000)
    assert car.satisfied
    assert car.power_w(22_000, False) == 0.0


def test_a_fast_charged_battery_takes_less_and_less() -> None:
    powers = [Car(60_000, soc, 1.0, 11_000, 150_000).power_w(300_000, True) for soc in (0.3, 0.7, 0.85, 0.95)]
    assert powers == sorted(powers, reverse=True)
    assert powers[0] == 150_000


def test_arriving_cars_are_plausible() -> None:
    from random import Random

    rng = Random(1)
    for _ in range(500):
        car = some_car(rng)
        assert 0.0 < car.soc < car.wants_soc <= 1.0
        assert car.satisfied_after_s(11_000, False) <= 172_800


def test_an_unknown_fault_is_refused_with_the_known_names() -> None:
    assert named("no-boot, deaf") == {"no-boot", "deaf"}
    with pytest.raises(ValueError, match=r"no fault is called 'nonsense'.*silent-reset"):
        named("nonsense")


def test_the_documentation_names_every_fault() -> None:
    page = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text("utf-8")
    for name, what in FAULTS.items():
        assert f"| `{name}` | {what} |" in page


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_stops_a_station_from_running(fault: str) -> None:
    async def story() -> Counter[str]:
        async with a_desk() as desk:
            desk.lenient = True
            fleet = Fleet(
                Plan(desk.url, 3, faults=frozenset({fault}), sample_s=900), Pace(1.0, VirtualClock().now)
            )
            life = asyncio.create_task(fleet.run())
            await asyncio.sleep(4 * 3600)
            assert not life.done()
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)
            return Counter(action for _, action, _ in desk.heard)

    assert play(story())["Heartbeat"] > 0


def test_simulate_prints_a_line_per_event_and_ends_in_time(capsys: pytest.CaptureFixture[str]) -> None:
    async def story() -> None:
        async with a_desk() as desk:
            await main.run(desk.url, stations=2, ocpp="1.6", duration_s=2000, prefix="X-")

    play(story())
    out = capsys.readouterr().out
    assert "X-001  connected  ocpp1.6" in out
    assert "X-002  session started" in out


def test_simulate_refuses_an_unknown_version() -> None:
    with pytest.raises(ValueError, match=r"'1\.5'"):
        asyncio.run(main.run("ws://127.0.0.1:1", ocpp="1.5"))


def test_there_are_enough_cards() -> None:
    assert tokens(3) == ["DEMO0001", "DEMO0002", "DEMO0003"]
