"""A year of usage: counted from nothing, then reported by every grouping.

``python -m tests.benchmarks.usage [--stations 1000] [--days 365] [--data-dir DIR] [--at-once N]``. Sessions are
inserted straight into the record, without readings and without bills (so that what is measured is the counting), five
a day and station in two time zones. With ``--data-dir`` the record stays there, and a second run reports on it.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sqlite3
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cms.bus.local import LocalBus
from cms.clock import RandomMint
from cms.contract.usage import GROUPINGS, ShowUsage
from cms.core import Actor, Core, Lane
from cms.domain.changes import Keep, OpenSession, SaveConnector, SaveStation
from cms.domain.connectors import Connector
from cms.domain.sessions import Session
from cms.domain.sites import Site
from cms.domain.stations import Station, StationState
from cms.domain.tariffs import TARIFF
from cms.operations import usage, usagesums
from cms.operations.usagesums import catch_up
from cms.pki import Trust, TrustSources
from cms.store import sessions
from cms.store.engine import open_store
from cms.store.statements import names
from tests.operations.small import ToldStations

NOW = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
ANA = Actor("ana", "admin", frozenset({"billing.read", "drivers.read"}))
A_DAY = 5
PER_SITE = 20
DRIVERS = 20_000


class Standing:
    """A clock that stands."""

    def now(self) -> datetime:
        return NOW


async def opened(folder: Path) -> Core:
    bus, clock = LocalBus(), Standing()
    store = await open_store(f"sqlite+aiosqlite:///{folder / 'cms.db'}", clock, bus.publish)
    core = Core(
        store=store,
        stations=ToldStations(clock),  # type: ignore[arg-type]
        bus=bus,
        clock=clock,
        mint=RandomMint(random.Random(7)),
        secret=b"k" * 32,
        trust=Trust(TrustSources(folder / "pki")),
    )
    picture = await store.load()
    core.lanes = {state.station.id.casefold(): Lane(state) for state in picture.states}
    core.kept = picture.kept
    return core


def station_name(number: int) -> str:
    return f"CP{number:05}"


async def place(core: Core, stations: int, days: int) -> None:
    """Stations with two connectors each, at sites of two time zones."""
    begun = NOW - timedelta(days=days + 1)
    changes: list[object] = []
    for number in range(max(1, stations // PER_SITE)):
        zone = ("Europe/Berlin", "Europe/London")[number % 2]
        site = Site(f"site-{number}", time_zone=zone, added_at=begun)
        changes.append(Keep("", "site", site.id, site, begun))
        core.kept.setdefault("site", {})[site.id] = site
    for number in range(stations):
        station = Station(station_name(number), site=f"site-{number // PER_SITE}", enrolled_at=begun)
        places = {(evse, 1): Connector(evse, 1, "available") for evse in (1, 2)}
        changes.append(SaveStation(station))
        changes += (SaveConnector(station.id, connector) for connector in places.values())
        core.lanes[station.id.casefold()] = Lane(StationState(station, connectors=places))
    for start in range(0, len(changes), 200):
        await core.store.commit(changes[start : start + 200], ())  # type: ignore[arg-type]


def fill(path: Path, stations: int, days: int) -> int:
    """All sessions, and a mark for each; as their commits would have left them."""
    rng = random.Random(1)
    columns = names(sessions.SessionRow)
    quoted = ", ".join(f'"{column}"' for column in columns)
    insert = f"INSERT INTO sessions ({quoted}) VALUES ({', '.join('?' * len(columns))})"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    count = 0
    for day in range(days):
        rows = []
        midnight = NOW - timedelta(days=days - day, hours=NOW.hour)
        for number in range(stations):
            for _ in range(A_DAY):
                start = midnight + timedelta(seconds=rng.randrange(86_400))
                end = start + timedelta(seconds=rng.randrange(900, 6 * 3600))
                session = Session(
                    id=f"{count:010}",
                    station=station_name(number),
                    ocpp_version="1.6",
                    transaction_id=str(count),
                    number=count,
                    status="ended",
                    started_at=start,
                    started_received_at=start,
                    evse=rng.randrange(1, 3),
                    connector=1,
                    token=f"T{rng.randrange(DRIVERS)}",
                    ended_at=end,
                    energy_wh=rng.randrange(60_000) if rng.random() > 0.03 else 0,
                )
                (row,) = sessions.row(OpenSession(session), lambda: 0)
                rows.append(("main", *row))
                count += 1
        connection.execute("BEGIN")
        connection.executemany(insert, rows)
        connection.executemany("INSERT INTO usage_marks VALUES ('main', ?, 1)", [(row[1],) for row in rows])
        connection.execute("COMMIT")
    connection.close()
    return count


async def run(folder: Path, stations: int, days: int) -> None:
    core = await opened(folder)
    if not core.lanes:
        await place(core, stations, days)
        began = time.perf_counter()
        count = fill(folder / "cms.db", stations, days)
        print(
            f"{count} sessions of {stations} stations in {days} days inserted in {time.perf_counter() - began:.0f} s"
        )
    own_drivers(core)
    began, cpu = time.perf_counter(), time.process_time()
    left = await core.store.usage.count_marks()
    await catch_up(core)
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(
        f"counted {left} from nothing: {wall:.1f} s, {cpu:.1f} s of CPU ({left / max(wall, 1e-9):.0f} a second)"
    )
    print(f"{(folder / 'cms.db').stat().st_size / 2**20:.0f} MiB on disk\n\n{'':28}  seconds  rows")
    last = f"{days}d"
    for by in GROUPINGS:
        await report(core, f"by {by}", ShowUsage(by=by, last=last))
    station = next(iter(core.lanes.values())).state.station
    for what, narrowed in {"site": station.site, "station": station.id, "driver": "D1"}.items():
        await report(core, f"by day, one {what}", ShowUsage(by="day", last=last, **{what: narrowed}))
    await report(core, "by day, compared", ShowUsage(by="day", last=last, compare=True))
    await report(core, "by station, 30 days", ShowUsage(by="station", last="30d"))
    await report(core, "by driver, 30 days", ShowUsage(by="driver", last="30d"))
    await report(core, "by station, one site", ShowUsage(by="station", last=last, site=station.site))
    await core.store.close()


def own_drivers(core: Core) -> None:
    """Each token is of one driver; they are in memory alone, as after a start."""
    from cms.domain.drivers import KIND, Driver
    from cms.domain.tokens import Token

    core.kept[KIND] = {f"D{n}": Driver(f"D{n}") for n in range(DRIVERS)}
    core.tokens = {f"t{n}": Token(f"T{n}", driver=f"D{n}") for n in range(DRIVERS)}
    core.kept.setdefault(TARIFF, {})


async def report(core: Core, title: str, request: ShowUsage) -> None:
    began = time.perf_counter()
    told = await usage.show(core, request, ANA)
    print(
        f"{title:28}  {time.perf_counter() - began:7.3f}  {len(told.rows)}  ({told.total.sessions} sessions)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, default=1000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument(
        "--at-once", type=int, help="sessions in a commit; the daemon's are smaller, for stations"
    )
    asked = parser.parse_args()
    usagesums._AT_ONCE = asked.at_once or usagesums._AT_ONCE
    if asked.data_dir is not None:
        asked.data_dir.mkdir(parents=True, exist_ok=True)
        asyncio.run(run(asked.data_dir, asked.stations, asked.days))
        return
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder), asked.stations, asked.days))


if __name__ == "__main__":
    main()
