"""A day of two hundred stations on simulated time, through the real daemon and real websockets, in one process.

At its end every session, every Wh and every meter value that the stations know is what the daemon tells, and
nothing else. ``CMS_DAY_STATIONS``, ``CMS_DAY_HOURS`` and ``CMS_DAY_SEED`` ask for another day.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from cms.client import AsyncClient
from cms.contract.sessions import ListSamples, ListSessions, SessionView
from cms.contract.stations import ListStations
from cms.contract.status import ListQuarantine
from cms.simulator.drivers import Luck
from cms.simulator.evse import Transaction
from cms.simulator.fleet import Fleet, Plan
from cms.simulator.pace import Pace
from cms.simulator.station import Station
from tests.fleet import client_of, ended, enrol, running
from tests.virtual import VirtualClock, play

STATIONS = int(os.environ.get("CMS_DAY_STATIONS", "200"))
HOURS = float(os.environ.get("CMS_DAY_HOURS", "24"))
SEED = int(os.environ.get("CMS_DAY_SEED", "20260302"))
#: Rougher than life: a day must hold some of everything.
LUCK = Luck(breakdowns=0.2, outages=1.0, power_failures=0.2)
#: How long stations may take after the day to deliver what waits in their queues.
EVENING_S = 12 * 3600.0
#: A message every quarter of an hour and session; nothing that the daemon does on its own may matter.
QUIET = {
    "heartbeat_interval_s": 3600,
    "ping_interval_s": 7200.0,
    "ping_timeout_s": 7200.0,
    "suspect_after_s": 10 * 86_400.0,
}

Key = tuple[str, str]
Facts = dict[str, Any]


class Ledger:
    """The instants of all meter values that the daemon has acknowledged, by station and transaction."""

    def __init__(self) -> None:
        self.sampled: defaultdict[Key, set[datetime]] = defaultdict(set)
        self.messages: Counter[str] = Counter()

    def acknowledged(self, station: Station, action: str, payload: Facts, answer: Facts) -> None:
        self.messages[action] += 1
        transaction = payload.get("transactionId") or payload.get("transactionInfo", {}).get("transactionId")
        for value in payload.get("meterValue", payload.get("transactionData", ())):
            self.sampled[station.id, str(transaction)].add(datetime.fromisoformat(value["timestamp"]))


def as_the_station_knows(transaction: Transaction) -> Facts:
    over = transaction.ended_at is not None
    return {
        "evse": transaction.evse,
        "token": transaction.token,
        "started_at": as_sent(transaction.started_at),
        "ended_at": as_sent(transaction.ended_at) if transaction.ended_at else None,
        "meter_start_wh": transaction.meter_start_wh,
        "meter_stop_wh": transaction.meter_stop_wh,
        "energy_wh": transaction.energy_wh if over else None,
    }


def as_the_daemon_tells(session: SessionView) -> Facts:
    over = session.ended_at is not None
    return {
        "evse": session.evse,
        "token": session.token,
        "started_at": session.started_at,
        "ended_at": session.ended_at,
        "meter_start_wh": session.meter_start_wh,
        "meter_stop_wh": session.meter_stop_wh if over else None,
        "energy_wh": session.energy_wh if over else None,
    }


def as_sent(at: datetime) -> datetime:
    """Timestamps carry milliseconds."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


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
            await delivered(fleet)
            await check(client, fleet, ledger)
        finally:
            await ended(life)


async def delivered(fleet: Fleet) -> None:
    """Wait until no message of any station waits. Drivers go on coming meanwhile: it is an instant."""
    async with asyncio.timeout(EVENING_S):
        while any(len(station.queue) or not station.online for station in fleet.stations):
            await asyncio.sleep(1)


async def check(client: AsyncClient, fleet: Fleet, ledger: Ledger) -> None:
    known = {
        (station.id, str(transaction.id)): transaction
        for station in fleet.stations
        for transaction in station.transactions
    }
    sessions = await client.ask(ListSessions(limit=100_000))
    told = {(session.station, str(session.transaction_id)): session for session in sessions}
    assert len(told) == len(sessions), "there are two sessions for one transaction"
    assert {key: as_the_daemon_tells(session) for key, session in told.items()} == {
        key: as_the_station_knows(transaction) for key, transaction in known.items()
    }
    assert all(transaction.lost == 0 for transaction in known.values())
    for key, session in told.items():
        samples = await client.ask(ListSamples(session.id))
        missing = ledger.sampled[key] - {sample.at for sample in samples}
        assert not missing, f"{key}: the samples of {sorted(missing)} are not there"
    for station in await client.ask(ListStations()):
        assert station.online
    assert await client.ask(ListQuarantine()) == []
    tell(fleet, ledger, [*known.values()])


def tell(fleet: Fleet, ledger: Ledger, known: list[Transaction]) -> None:
    over = [transaction for transaction in known if transaction.ended_at]
    energy_wh = sum(transaction.energy_wh for transaction in over)
    ends = Counter(transaction.end_reason for transaction in over)
    print(
        f"\n{len(fleet.stations)} stations, {len(known)} sessions ({len(known) - len(over)} still running), "
        f"{energy_wh:,} Wh, {sum(ledger.messages.values()):,} messages; ended by {dict(ends)}"
    )
    assert len(over) > len(fleet.stations)
    assert energy_wh > 0


@pytest.mark.timeout(600)
def test_a_day_of_many_stations_is_accounted_for_to_the_last_wh(tmp_path: Path) -> None:
    print(f"CMS_DAY_STATIONS={STATIONS} CMS_DAY_HOURS={HOURS:g} CMS_DAY_SEED={SEED}")
    play(the_day(tmp_path, STATIONS, HOURS, SEED))


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("seed", range(1, 8))
def test_a_week_of_other_days_is_too(tmp_path: Path, seed: int) -> None:
    play(the_day(tmp_path, STATIONS, 24, seed))
