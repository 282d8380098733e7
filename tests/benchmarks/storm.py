"""What it costs when a fleet comes back at once with Basic authentication: ``python -m tests.benchmarks.storm``.

The daemon is a process of its own; the stations are sockets of this one, so the figures hold for a machine that
carries both. Three figures: CPU of checking the passwords alone (the same function the door calls, in this process),
CPU of the daemon for the whole storm, and what happens to a fleet that comes back while somebody guesses passwords
from the same address.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from cms.client import Address, AsyncClient
from cms.contract.stations import AddStation
from cms.domain.stations import Station, StationState
from cms.keys import single
from cms.operations import credentials
from tests.fleet import serving

AT_ONCE = 200
AIM_S = 1.0


def verification(stations: int) -> float:
    """CPU seconds of checking one right password for each of these stations."""
    keys = single(os.urandom(32))
    fleet = []
    for number in range(stations):
        name, password = f"CP-{number:05}", credentials.generate().encode()
        digest = credentials.digest_of(keys, name, password)
        fleet.append((StationState(Station(name, password_digest=digest)), name, password))
    began = time.process_time()
    right = sum(credentials.check(keys, state, name, password) is not None for state, name, password in fleet)
    spent = time.process_time() - began
    assert right == stations
    return spent


@dataclass(frozen=True, slots=True)
class Door:
    """Where stations knock."""

    host: str
    port: int
    path: str

    async def knock(self, identity: str, password: str) -> tuple[int, asyncio.StreamWriter | None]:
        """The HTTP status, and the open connection when it is 101."""
        try:
            reader, writer = await asyncio.open_connection(self.host, self.port)
            key = base64.b64encode(os.urandom(16)).decode()
            proof = base64.b64encode(f"{identity}:{password}".encode()).decode()
            writer.write(
                f"GET {self.path}/{identity} HTTP/1.1\r\nHost: storm\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ocpp1.6\r\n"
                f"Authorization: Basic {proof}\r\n\r\n".encode()
            )
            status = int((await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1])
        except (OSError, asyncio.IncompleteReadError):
            return 0, None
        if status == 101:
            return status, writer
        writer.close()
        return status, None


async def storm(
    door: Door, tries: Iterable[tuple[str, str]]
) -> tuple[Counter[int], list[asyncio.StreamWriter]]:
    """Everybody knocks, so many at a time; how they were answered, and who is in."""
    room, told, inside = asyncio.Semaphore(AT_ONCE), Counter[int](), list[asyncio.StreamWriter]()

    async def one(identity: str, password: str) -> None:
        async with room:
            status, writer = await door.knock(identity, password)
        told[status] += 1
        if writer is not None:
            inside.append(writer)

    await asyncio.gather(*(one(*each) for each in tries))
    return told, inside


def close(inside: Iterable[asyncio.StreamWriter]) -> None:
    for writer in inside:
        writer.transport.abort()


async def enrolled(socket: str, stations: int) -> Mapping[str, str]:
    """Each station's password."""
    async with AsyncClient(Address(socket=socket)) as client:
        passwords = {}
        for number in range(stations):
            name = f"CP-{number:05}"
            passwords[name] = (await client.ask(AddStation(name))).password
        return passwords


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def measured(stations: int, wrong: int, good: int) -> None:
    with tempfile.TemporaryDirectory(prefix="cms-storm-") as folder:
        limits = {"CMS_PING_INTERVAL_S": "600", "CMS_BOOT_TRIGGER_S": "0", "CMS_LOG_LEVEL": "error"}
        with serving(Path(folder), environ=limits) as (child, status):
            place = urlsplit(status["ocpp_url"])
            door = Door(place.hostname or "", place.port or 0, place.path)
            process = psutil.Process(child.pid)
            passwords = await enrolled(status["socket"], stations)
            await _all_of_them(door, process, passwords)
            await _under_attack(door, process, dict(list(passwords.items())[:good]), wrong)


async def _all_of_them(door: Door, process: psutil.Process, passwords: Mapping[str, str]) -> None:
    began, cpu = time.perf_counter(), cpu_s(process)
    told, inside = await storm(door, passwords.items())
    seconds, spent = time.perf_counter() - began, cpu_s(process) - cpu
    print(
        f"{len(passwords)} stations come back: {seconds:.1f} s, daemon {spent:.2f} CPU-s, answers {dict(told)}"
    )
    close(inside)


async def _under_attack(door: Door, process: psutil.Process, good: Mapping[str, str], wrong: int) -> None:
    """The guesser and the good stations come from one address."""
    identities = list(good)
    guesses = ((identities[number % len(identities)], f"guess-{number}") for number in range(wrong))
    cpu = cpu_s(process)
    attack = asyncio.create_task(storm(door, guesses))
    told, inside = await storm(door, good.items())
    refused, _ = await attack
    print(
        f"{wrong} wrong passwords meanwhile: {dict(refused)}; daemon {cpu_s(process) - cpu:.2f} CPU-s in all"
    )
    print(f"good stations refused: {sum(told.values()) - told[101]} of {len(good)} (aim: 0)")
    close(inside)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, default=10_000)
    parser.add_argument("--wrong", type=int, default=10_000)
    parser.add_argument("--good", type=int, default=500)
    told = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    spent = verification(told.stations)
    print(f"checking {told.stations} passwords: {spent:.3f} CPU-s (aim: under {AIM_S:g})")
    asyncio.run(measured(told.stations, told.wrong, told.good))


if __name__ == "__main__":
    main()
