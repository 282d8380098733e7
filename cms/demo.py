"""A daemon and a simulated fleet in one process, on one fast clock: ``python -m cms.demo --dir DIR``.

The second composition root. Prints one JSON line {"socket", "ocpp_url"} when stations may be looked at; SIGINT
or SIGTERM ends it cleanly.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cms import demo_money
from cms.client import Address, AsyncClient
from cms.contract.drivers import AddDriver
from cms.contract.events import ListEvents
from cms.contract.evses import SetEvse
from cms.contract.refusals import Conflict, Refusal
from cms.contract.sites import AddSite
from cms.contract.stations import AddStation, SetStation
from cms.contract.tokens import AddToken, BlockToken
from cms.daemon import Daemon
from cms.logs import set_up
from cms.settings import Settings
from cms.simulator.drivers import Luck
from cms.simulator.fleet import Fleet, Plan
from cms.simulator.pace import Pace

#: Name, street, postcode and where it is; all in one city, which Tallinn lent us.
SITES = {
    "North Station": ("Toompuiestee 37", "10133", "59.4403,24.7369", "24/7"),
    "Old Town Garage": ("Uus 25", "10111", "59.4405,24.7497", "mon-sat 06:00-23:00, sun 08:00-22:00"),
    "Harbour": ("Sadama 25", "10111", "59.4430,24.7600", "24/7"),
    "City Hall": ("Vabaduse valjak 7", "15199", "59.4335,24.7446", "mon-fri 07:00-19:00"),
    "University": ("Narva maantee 25", "10120", "59.4386,24.7716", "mon-sat 07:00-22:00"),
}
FIRST_NAMES = ("Ada", "Ben", "Chiara", "Diego", "Elif", "Finn", "Greta", "Hugo", "Ines", "Jonas")
LAST_NAMES = ("Aydin", "Berger", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Horvat")
BLOCKED = ("DEMO0040",)
#: Who looks for five minutes shall see something go wrong.
LUCK = Luck(breakdowns=2.0, outages=2.0, power_failures=0.5)


class FastClock:
    """The world's wall clock: starts now, runs ``speed`` times as fast, and never before what is recorded."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._start, self._zero_s = datetime.now(UTC), time.monotonic()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=(time.monotonic() - self._zero_s) * self._speed)

    def not_before(self, at: datetime) -> None:
        """A kept directory may hold a fast past that lies in our future."""
        if at > self.now():
            self._start, self._zero_s = at, time.monotonic()


class Demo:
    """``ready`` is told the control socket and the stations' URL."""

    def __init__(self, directory: Path, *, stations: int = 20, speed: float = 10.0, seed: int = 1) -> None:
        self.clock = FastClock(speed)
        self.pace = Pace(speed, self.clock.now)
        # A fast station says in a second what another says in many; told as a table, which pydantic checks.
        terms: dict[str, Any] = {
            "data_dir": directory,
            "ocpp_host": "127.0.0.1",
            "ocpp_port": 0,
            "upload_host": "127.0.0.1",
            "upload_port": 0,
            "inventory_after_boot": "2.x",
            "burst": 1000,
            "rate_per_s": 20.0 * max(1.0, speed),
        }
        self.settings = Settings(**terms)
        self._stations = stations
        self._seed = seed

    async def run(self, ready: Callable[[str, str], None], stop: asyncio.Event) -> None:
        """Live until ``stop`` is set. Raises a Refusal that says what is in the way."""
        daemon = Daemon(self.settings, clock=self.clock)
        await daemon.start()
        try:
            plan = await self._enrolled(daemon.endpoint.url)
            fleet = asyncio.create_task(Fleet(plan, self.pace).run(), name="fleet")
            ready(str(self.settings.socket), daemon.endpoint.url)
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait((fleet, stopped), return_when=asyncio.FIRST_COMPLETED)
            await _end(fleet, stopped)
        finally:
            await daemon.stop()

    async def _enrolled(self, url: str) -> Plan:
        """Register stations and drivers, as an operator would."""
        passwords: dict[str, str | None] = {}
        plan = Plan(
            url,
            self._stations,
            seed=self._seed,
            password=passwords.__getitem__,
            visits_a_day=8.0,
            busy_at_start=0.6,
            luck=LUCK,
        )
        async with AsyncClient(Address(socket=str(self.settings.socket))) as client:
            for event in await client.ask(ListEvents(limit=1)):
                self.clock.not_before(event.at)
            await _place(client)
            await demo_money.sell(client)
            for number, identity in enumerate(plan.identities()):
                passwords[identity] = await _enrol(client, identity, list(SITES)[number % len(SITES)])
            await _register(client, plan.tokens)
            await demo_money.bill(client)
        return plan


async def _place(client: AsyncClient) -> None:
    """Register the sites."""
    for name, (street, postcode, coordinates, hours) in SITES.items():
        site = AddSite(
            site=name,
            name=name,
            street=street,
            postcode=postcode,
            city="Tallinn",
            country="EE",
            time_zone="Europe/Tallinn",
            coordinates=coordinates,
            hours=hours,
            party="EE*DEM",
            grid_limit_w=300_000,
        )
        with contextlib.suppress(Conflict):
            await client.ask(site)


async def _enrol(client: AsyncClient, identity: str, site: str) -> str | None:
    """Register a station; one of an earlier demonstration gets a new password."""
    try:
        credential = await client.ask(AddStation(identity, site=site))
    except Conflict:
        credential = await client.ask(SetStation(identity, new_password=True))
    else:
        number = identity.rpartition("-")[2]
        with contextlib.suppress(Refusal):
            await client.ask(SetEvse(station=identity, evse=1, evse_id=f"EE*DEM*E{number}*1"))
    password: str | None = credential.password
    return password


async def _register(client: AsyncClient, cards: Sequence[str]) -> None:
    for number, card in enumerate(cards):
        name = f"{FIRST_NAMES[number % len(FIRST_NAMES)]} {LAST_NAMES[number % len(LAST_NAMES)]}"
        driver = f"D-{number + 1:04d}"
        with contextlib.suppress(Conflict):
            await client.ask(AddDriver(driver, name=name))
        with contextlib.suppress(Conflict):
            await client.ask(AddToken(card, driver=driver, visual_number=f"C-{number + 1:04d}"))
            if card in BLOCKED:
                await client.ask(BlockToken(card, reason="lost"))


async def _end(*tasks: asyncio.Task[None] | asyncio.Task[bool]) -> None:
    """Cancel what still runs; raise what went wrong in what does not."""
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(ended, BaseException) and not isinstance(ended, asyncio.CancelledError):
            raise ended


def _tell(socket: str, ocpp_url: str) -> None:
    print(json.dumps({"socket": socket, "ocpp_url": ocpp_url}), flush=True)  # noqa: T201


async def _until_signal(demo: Demo) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await demo.run(_tell, stop)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m cms.demo", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="where the daemon keeps its data")
    parser.add_argument("--stations", type=int, default=20)
    parser.add_argument("--speed", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args(arguments)
    set_up("error", "auto")
    try:
        asyncio.run(_until_signal(Demo(told.dir, stations=told.stations, speed=told.speed, seed=told.seed)))
    except Refusal as refused:
        print(f"cms: {refused.message}", file=sys.stderr)  # noqa: T201
        return refused.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
