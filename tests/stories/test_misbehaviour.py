"""Hours with stations that misbehave as real ones do, on simulated time: the daemon serves them all the same.

Several misbehaviours share a daemon, each with stations of its own; ``test_alone_and_longer`` gives each its own.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from cms.contract.sessions import ListSessions
from cms.contract.status import ShowStatus
from cms.simulator.drivers import GOOD
from cms.simulator.faults import FAULTS, UNTOLD
from cms.simulator.fleet import VERSIONS, Fleet, Plan
from cms.simulator.pace import Pace
from tests.fleet import client_of, ended, enrol, running
from tests.stories.test_day import QUIET
from tests.virtual import VirtualClock, play

TOLD = [fault for fault in FAULTS if fault not in UNTOLD]
TOGETHER = 10
BATCHES = [TOLD[at : at + TOGETHER] for at in range(0, len(TOLD), TOGETHER)]


def plan_of(url: str, number: int, fault: str, stations: int) -> Plan:
    return Plan(
        url,
        stations,
        versions=VERSIONS,
        seed=11,
        prefix=f"{fault}-",
        tokens=[f"CARD{number:03d}{card:02d}" for card in range(2 * stations)],
        luck=GOOD,
        sample_s=900,
        strangers=(),
        visits_a_day=20.0,
        busy_at_start=0.9,
        faults=frozenset({fault}),
    )


async def hours_with(folder: Path, faults: Sequence[str], hours: float, stations: int) -> None:
    clock = VirtualClock()
    async with running(folder, clock, **QUIET) as daemon, client_of(daemon) as client:
        plans = [plan_of(daemon.endpoint.url, n, fault, stations) for n, fault in enumerate(faults)]
        names = [name for plan in plans for name in plan.identities()]
        passwords = await enrol(client, names, [token for plan in plans for token in plan.tokens])
        fleets = [
            Fleet(replace(plan, password=passwords.__getitem__), Pace(1.0, clock.now)) for plan in plans
        ]
        lives = [asyncio.create_task(fleet.run()) for fleet in fleets]
        try:
            await asyncio.sleep(hours * 3600)
            sessions = await client.ask(ListSessions(limit=100_000))
            status = await client.ask(ShowStatus())
        finally:
            for life in lives:
                await ended(life)
    known = {
        (station.id, str(transaction.id)): transaction
        for fleet in fleets
        for station in fleet.stations
        for transaction in station.transactions
    }
    assert sorted((session.station, str(session.transaction_id)) for session in sessions) == sorted(known)
    for session in sessions:
        if session.ended_at is not None:
            transaction = known[session.station, str(session.transaction_id)]
            assert (session.station, session.energy_wh) == (session.station, transaction.energy_wh)
    assert (status.stations.total, status.health) == (len(names), "ok")
    flags = Counter(flag for session in sessions for flag in session.flags)
    print(f"{faults}: {len(known)} sessions, flags {dict(flags)}, {status.quarantined} in quarantine")


@pytest.mark.parametrize("faults", BATCHES, ids=lambda faults: f"{faults[0]}-to-{faults[-1]}")
def test_misbehaving_stations_are_served_and_their_sessions_kept(faults: list[str], tmp_path: Path) -> None:
    play(hours_with(tmp_path, faults, hours=4, stations=3))


@pytest.mark.long
@pytest.mark.parametrize("fault", TOLD)
def test_alone_and_longer(fault: str, tmp_path: Path) -> None:
    play(hours_with(tmp_path, [fault], hours=12, stations=6))
