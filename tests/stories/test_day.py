"""A day of many stations on simulated time, through the real daemon and real websockets, in one process.

At its end every session, every Wh and every meter value that the stations know is what the daemon tells, and
nothing else. ``STORY_STATIONS``, ``STORY_HOURS`` and ``STORY_SEED`` ask for another day.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from cms.contract.stations import ListStations
from cms.simulator.drivers import Luck
from cms.simulator.evse import Transaction
from cms.simulator.fleet import Fleet, Plan
from cms.simulator.pace import Pace
from tests.fleet import client_of, ended, enrol, running
from tests.stories.accounts import Ledger, settle
from tests.virtual import VirtualClock, play

STATIONS = int(os.environ.get("STORY_STATIONS", "50"))
#: The longer runs.
MANY_STATIONS = int(os.environ.get("STORY_STATIONS", "200"))
HOURS = float(os.environ.get("STORY_HOURS", "24"))
SEED = int(os.environ.get("STORY_SEED", "20260302"))
#: Rougher than life: a day must hold some of everything.
LUCK = Luck(breakdowns=0.2, outages=1.0, power_failures=0.2)
#: How long stations may take after the day to deliver what waits in their queues.
EVENING_S = 12 * 3600.0
#: A meter value every quarter of an hour and session is enough; pings would be most of the day's traffic.
QUIET = {
    "heartbeat_interval_s": 3600,
    "ping_interval_s": 7200.0,
    "ping_timeout_s": 7200.0,
    "suspect_after_s": 10 * 86_400.0,
}


async def the_day(folder: Path, stations: int, hours: float, seed: int) -> None:
    clock, ledger = VirtualClock(), Ledger()
    async with running(folder, clock, **QUIET) as daemon, client_of(daemon) as client:
        plan = Plan(daemon.endpoint.url, stations, seed=seed, luck=LUCK, sample_s=900)
        passwords = await enrol(client, plan.identities(), plan.tokens)
        fleet = Fleet(
            replace(plan, password=passwords.__getitem__),
            Pace(1.0, clock.now),
            acknowledged=ledger.acknowledged,
        )
        life = asyncio.create_task(fleet.run())
        try:
            await asyncio.sleep(hours * 3600)
            await everything_delivered(fleet)
            sessions = await settle(client, fleet.stations, ledger)
            assert all(station.online for station in await client.ask(ListStations()))
        finally:
            await ended(life)
    tell(stations, sessions, ledger)


async def everything_delivered(fleet: Fleet) -> None:
    """Wait for an instant at which no message of any station waits. Drivers go on coming meanwhile."""
    async with asyncio.timeout(EVENING_S):
        while any(len(station.queue) or not station.online for station in fleet.stations):
            await asyncio.sleep(1)


def tell(stations: int, sessions: list[Transaction], ledger: Ledger) -> None:
    over = [session for session in sessions if session.ended_at]
    energy_wh = sum(session.energy_wh for session in over)
    print(
        f"\n{stations} stations, {len(sessions)} sessions ({len(sessions) - len(over)} still running), "
        f"{energy_wh:,} Wh, {sum(ledger.messages.values()):,} messages; "
        f"ended by {dict(Counter(session.end_reason for session in over))}"
    )
    assert len(over) > stations
    assert energy_wh > 0


@pytest.mark.timeout(600)
def test_a_day_of_many_stations_is_accounted_for_to_the_last_wh(tmp_path: Path) -> None:
    print(f"STORY_STATIONS={STATIONS} STORY_HOURS={HOURS:g} STORY_SEED={SEED}")
    play(the_day(tmp_path, STATIONS, HOURS, SEED))


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("seed", range(1, 8))
def test_other_days_are_accounted_for_too(tmp_path: Path, seed: int) -> None:
    play(the_day(tmp_path, MANY_STATIONS, HOURS, seed))
