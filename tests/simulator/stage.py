"""A station on a stage: running on virtual time, against a desk."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from cms.simulator.cars import Car
from cms.simulator.evse import Evse
from cms.simulator.pace import Pace
from cms.simulator.station import Place, Station
from tests.simulator.desk import Desk, a_desk
from tests.virtual import VirtualClock, play

VERSIONS = ["1.6", "2.0.1", "2.1"]
V2 = ["2.0.1", "2.1"]


def a_car(soc: float = 0.5) -> Car:
    return Car(battery_wh=60_000, soc=soc, wants_soc=1.0, ac_w=11_000, dc_w=100_000)


@asynccontextmanager
async def a_station(desk: Desk, version: str, *faults: str, **more: Any) -> Any:
    """A running station with two EVSEs."""
    station = Station(
        Place(desk.url, "CP-1", roots=more.pop("roots", None)),
        version,
        [Evse(1, 22_000, register_wh=1000.0), Evse(2, 22_000, register_wh=5000.0)],
        Pace(1.0, VirtualClock().now),
        Random(7),
        faults=frozenset(faults),
        **more,
    )
    life = asyncio.create_task(station.run())
    try:
        yield station
    finally:
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)


async def charging(desk: Desk, station: Station, evse: Evse, soc: float = 0.5) -> None:
    await online(desk)
    station.plug_in(evse, a_car(soc))
    assert await station.present(evse, "CARD1") == "started"


async def online(desk: Desk) -> None:
    await desk.next("BootNotification")
    await asyncio.sleep(1)


def story(tell: Any, version: str, *faults: str, **more: Any) -> None:
    """``tell(desk, station)`` on virtual time; stations with faults meet a lenient desk."""

    async def whole() -> None:
        async with a_desk() as desk, a_station(desk, version, *faults, **more) as station:
            desk.lenient = bool(faults)
            async with asyncio.timeout(90_000):
                await tell(desk, station)

    play(whole())


async def settle(seconds: float = 1.0) -> None:
    """Let the world go on for a while, on virtual time."""
    await asyncio.sleep(seconds)
