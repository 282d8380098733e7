"""The daemon is killed with -9 at random moments, again and again, under load; the stations keep the ledger.

Lost: something was acknowledged and is not told afterwards. Duplicated: a transaction has two sessions, or a
sample is there twice. The same story against a daemon that answers too early must find something lost.
``STORY_CRASHES`` and ``STORY_SEED`` make it longer, or another one.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cms.client import Address, AsyncClient
from cms.simulator.cars import Car
from cms.simulator.evse import Evse
from cms.simulator.pace import Pace
from cms.simulator.station import Place, Station
from tests.fleet import CMS, ended, enrol, started
from tests.stories.accounts import Facts, Ledger, settle

CRASHES = int(os.environ.get("STORY_CRASHES", "5"))
SEED = int(os.environ.get("STORY_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
VERSIONS = ("1.6", "2.0.1")
STATIONS = 12
CARDS = [f"CARD{number}" for number in range(5)]
#: World seconds in a second: a session takes about one, with a sample every tenth.
SPEED = 60.0
SAMPLE_S = 6

SERVE = (*CMS, "serve")
HASTY = (sys.executable, "-m", "tests.stories.hasty")


class Past:
    """A world that lies in the past and comes closer to the present: its stamps are never in the future."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._zero = datetime.now(UTC)
        self._start = self._zero - timedelta(hours=8)

    def now(self) -> datetime:
        return self._start + (datetime.now(UTC) - self._zero) * self._speed


class CountingLedger(Ledger):
    """Knows when the next acknowledgement but so many has come: the moment to kill."""

    def __init__(self) -> None:
        super().__init__()
        self._left = 0
        self.reached = asyncio.Event()

    def count_down(self, acknowledgements: int) -> None:
        self._left = acknowledgements
        self.reached.clear()

    def acknowledged(self, station: Station, action: str, payload: Facts, answer: Facts) -> None:
        super().acknowledged(station, action, payload, answer)
        self._left -= 1
        if self._left == 0:
            self.reached.set()


async def drive(station: Station, evse: Evse, rng: random.Random) -> None:
    """One driver after the other, without a pause."""
    while True:
        station.plug_in(evse, Car(80_000, 0.1, 1.0, 22_000, 150_000))
        await station.present(evse, rng.choice(CARDS))
        await station.pace.sleep(rng.uniform(20, 90))
        station.unplug(evse)
        await station.pace.sleep(rng.uniform(1, 5))


def a_station(url: str, number: int, password: str | None, pace: Pace, ledger: Ledger) -> Station:
    evses = [Evse(id, 22_000, register_wh=1000.0 * number) for id in (1, 2)]
    place = Place(url, identity(number), password)
    station = Station(place, VERSIONS[number % 2], evses, pace, random.Random(number), back_off_s=2.0)
    station.boots_always = number % 3 == 0
    station.acknowledged = ledger.acknowledged
    station.configuration.turn("sample_s", str(SAMPLE_S))
    return station


def identity(number: int) -> str:
    return f"CRASH-{number}"


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def a_daemon(folder: Path, port: int, command: Sequence[str], environ: Mapping[str, str]) -> Any:
    """Started and, at the end, killed with -9, off the loop: the stations go on meanwhile."""
    limits = {"CMS_RATE_PER_S": "10000", "CMS_BURST": "10000", "CMS_LOG_LEVEL": "error"}
    process = started(folder, "--ocpp-port", str(port), command=command, environ={**limits, **environ})
    await asyncio.to_thread(process.__enter__)
    try:
        yield AsyncClient(Address(socket=str(folder / "cms.sock")))
    finally:
        await asyncio.to_thread(process.__exit__, None, None, None)


async def crash_again_and_again(
    folder: Path, crashes: int, seed: int, command: Sequence[str] = SERVE, **environ: str
) -> str:
    """The story; what it saw, as one line. AssertionError when something is lost or duplicated."""
    rng, ledger, port = random.Random(seed), CountingLedger(), a_free_port()
    pace = Pace(SPEED, Past(SPEED).now)
    async with a_daemon(folder, port, SERVE, {}) as client, client:
        passwords = await enrol(client, [identity(number) for number in range(STATIONS)], CARDS)
    url = f"ws://127.0.0.1:{port}/ocpp"
    stations = [a_station(url, n, passwords[identity(n)], pace, ledger) for n in range(STATIONS)]
    lives = [asyncio.create_task(station.run()) for station in stations]
    drivers: list[asyncio.Task[None]] = []
    async with AsyncExitStack() as undo:
        for life in lives:
            undo.push_async_callback(ended, life)
        await asyncio.gather(*(station.powered.wait() for station in stations))
        drivers = [
            asyncio.create_task(drive(station, evse, random.Random(rng.getrandbits(32))))
            for station in stations
            for evse in station.evses
        ]
        for _ in range(crashes):
            async with a_daemon(folder, port, command, environ) as client:
                await client.close()
                ledger.count_down(rng.randint(1, 250))
                async with asyncio.timeout(30):
                    await ledger.reached.wait()
                await asyncio.sleep(rng.uniform(0, 0.02))  # not always right after an answer
        async with a_daemon(folder, port, command, environ) as client, client:
            for driver in drivers:
                await ended(driver)
            for station in stations:
                for evse in station.evses:
                    station.unplug(evse)
            await all_delivered(stations)
            sessions = await settle(client, stations, ledger)
    messages = sum(ledger.messages.values())
    return f"{crashes} kills, {len(sessions)} sessions, {messages:,} acknowledged messages"


async def all_delivered(stations: Sequence[Station]) -> None:
    """Until no station has anything left to tell, which the ledger's next entry cannot say: it may be none."""
    async with asyncio.timeout(60):
        while any(len(station.queue) or not station.online for station in stations):
            await asyncio.sleep(0.05)


@pytest.mark.timeout(600)
def test_nothing_acknowledged_is_lost_or_doubled_by_kills(tmp_path: Path) -> None:
    print(f"STORY_CRASHES={CRASHES} STORY_SEED={SEED}")
    print(asyncio.run(crash_again_and_again(tmp_path, CRASHES, SEED)))


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_nor_by_many_more(tmp_path: Path) -> None:
    print(f"STORY_SEED={SEED + 1}")
    print(asyncio.run(crash_again_and_again(tmp_path, 50, SEED + 1)))


@pytest.mark.timeout(300)
def test_an_answer_before_the_commit_would_be_found_out(tmp_path: Path) -> None:
    print(f"STORY_SEED={SEED}")
    with pytest.raises(AssertionError, match="lost"):
        asyncio.run(crash_again_and_again(tmp_path, 6, SEED, HASTY, STORY_EARLY_ACK="1"))
