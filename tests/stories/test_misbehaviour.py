"""Five hours with stations that misbehave as real ones do, on simulated time: the daemon serves them all the same."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from cms.contract.sessions import ListSessions
from cms.contract.status import ShowStatus
from cms.simulator.drivers import GOOD
from cms.simulator.faults import FAULTS, UNTOLD
from cms.simulator.fleet import Fleet, Plan
from cms.simulator.pace import Pace
from tests.fleet import client_of, ended, enrol, running
from tests.stories.test_day import QUIET
from tests.virtual import VirtualClock, play


async def five_hours(folder: Path, fault: str) -> None:
    clock = VirtualClock()
    async with running(folder, clock, **QUIET) as daemon, client_of(daemon) as client:
        plan = Plan(
            daemon.endpoint.url, 6, seed=11, luck=GOOD, sample_s=900, strangers=(), faults=frozenset({fault})
        )
        passwords = await enrol(client, plan.identities(), plan.tokens)
        fleet = Fleet(replace(plan, password=passwords.__getitem__), Pace(1.0, clock.now))
        life = asyncio.create_task(fleet.run())
        try:
            await asyncio.sleep(5 * 3600)
            sessions = await client.ask(ListSessions(limit=100_000))
            status = await client.ask(ShowStatus())
        finally:
            await ended(life)
    known = {
        (station.id, str(transaction.id)): transaction
        for station in fleet.stations
        for transaction in station.transactions
    }
    assert sorted((session.station, str(session.transaction_id)) for session in sessions) == sorted(known)
    for session in sessions:
        if session.ended_at is not None:
            assert session.energy_wh == known[session.station, str(session.transaction_id)].energy_wh
    assert (status.stations.total, status.health) == (6, "ok")
    flags = Counter(flag for session in sessions for flag in session.flags)
    print(f"{fault}: {len(known)} sessions, flags {dict(flags)}, {status.quarantined} in quarantine")


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault not in UNTOLD])
def test_misbehaving_stations_are_served_and_their_sessions_kept(fault: str, tmp_path: Path) -> None:
    play(five_hours(tmp_path, fault))
