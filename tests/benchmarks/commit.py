"""What a durable commit costs: ``python -m tests.benchmarks.commit [--database URL] [--inline]``.

An item is what one 2.x TransactionEvent with a meter value writes: the session's new state, a reading of
eight samples, the delivery, and an event. CPU is that of the whole process, both threads, clients included.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from cms.contract.events import Event
from cms.domain.changes import AddReading, Deliver, Happened, OpenSession, UpdateSession
from cms.domain.observations import Reading, Sample, TransactionAnswer
from cms.domain.sessions import Session
from cms.store.engine import SqlStore, open_store

_START = datetime(2026, 3, 1, tzinfo=UTC)
_MEASURANDS = (
    ("Energy.Active.Import.Register", "Wh", None),
    ("Power.Active.Import", "W", None),
    ("Current.Import", "A", "L1"),
    ("Current.Import", "A", "L2"),
    ("Current.Import", "A", "L3"),
    ("Voltage", "V", "L1-N"),
    ("Temperature", "Celsius", None),
    ("SoC", "Percent", None),
)


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def _samples(count: int) -> tuple[Sample, ...]:
    return tuple(Sample(m, Decimal(f"{count}.5"), unit, phase=phase) for m, unit, phase in _MEASURANDS)


async def _station(store: SqlStore, number: int, commits: int, latencies: list[float]) -> None:
    """One station in a session, which sends its next message when the last one is acknowledged."""
    station, transaction = f"CP-{number:05}", f"tx-{number:05}-{time.monotonic_ns()}"
    session = Session(
        id=f"s-{transaction}",
        station=station,
        ocpp_version="2.0.1",
        transaction_id=transaction,
        number=None,
        status="charging",
        started_at=_START,
        started_received_at=_START,
        evse=1,
        connector=1,
        token=f"TAG{number:05}",
        token_kind="rfid",
    )
    await store.commit([OpenSession(session)], [])
    for count in range(commits):
        at = _START + timedelta(seconds=count)
        session = replace(
            session, energy_wh=count, register_wh=count, register_at=at, seq_last=count, last_sample_at=at
        )
        began = time.perf_counter()
        await store.commit(
            [
                UpdateSession(session),
                AddReading(station, 1, transaction, session.id, at, Reading(at, _samples(count))),
                Deliver(
                    station, "transaction", f"{transaction}/{count}", b"12345678", TransactionAnswer(), at
                ),
            ],
            [
                Happened(
                    "session.metered", at, station, session.id, data={"energy_wh": count, "power_w": 7400}
                )
            ],
        )
        latencies.append(time.perf_counter() - began)


async def _measure(store: SqlStore, stations: int, total: int) -> None:
    batches: list[int] = []
    store.on_batch = lambda items, seconds: batches.append(items)
    latencies: list[float] = []
    commits = total // stations
    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(_station(store, number, commits, latencies) for number in range(stations)))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    latencies.sort()
    items = sum(batches)
    print(
        f"{stations:>8} {items / wall:>10.0f} {1e6 * cpu / items:>10.1f} {items / len(batches):>10.1f}"
        f" {1e3 * latencies[len(latencies) // 2]:>9.2f} {1e3 * latencies[len(latencies) * 99 // 100]:>9.2f}"
    )


def _published(events: Sequence[Event]) -> None:
    """Nobody listens."""


async def _main(url: str, threaded: bool, total: int) -> None:
    store = await open_store(url, WallClock(), _published, threaded=threaded)
    kind = url.partition(":")[0]
    print(f"{kind}, SQLite library {sqlite3.sqlite_version}, {'thread' if threaded else 'inline'}")
    print(f"{'writers':>8} {'items/s':>10} {'CPU us':>10} {'batch':>10} {'p50 ms':>9} {'p99 ms':>9}")
    for stations in (1, 10, 100, 500):
        await _measure(store, stations, min(total, stations * 1000))
    await store.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database")
    parser.add_argument("--inline", action="store_true", help="commit within the loop's thread")
    parser.add_argument("--items", type=int, default=20_000, help="how many for each row of the table")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = given.database or f"sqlite+aiosqlite:///{Path(folder) / 'cms.db'}"
        asyncio.run(_main(url, not given.inline, given.items))
