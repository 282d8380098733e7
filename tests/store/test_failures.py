"""Kills, full disks and lost connections: nothing that was acknowledged is lost, nothing lost is acknowledged."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from cms.contract.refusals import Conflict, Unreachable
from cms.core import MAIN, StoreDown
from cms.domain.changes import Quarantine, SaveToken
from cms.store.changes import Item, rows_of
from cms.store.engine import SqlStore, open_store
from cms.store.lock import lock
from cms.store.migrate import migrate
from cms.store.postgresql import PostgresPen, arguments
from cms.store.sqlite import SqlitePen
from cms.store.writer import Outcome, Poisoned, Writer
from tests.store.conftest import Opening
from tests.store.things import NOON, Heard, SetClock, delivery, happened, token


async def test_what_was_acknowledged_survives_kill_9(database: tuple[str, bool], opening: Opening) -> None:
    url, _ = database
    acknowledged: list[str] = []
    for round_ in range(3):
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.store.crashing", url, stdout=asyncio.subprocess.PIPE
        )
        assert child.stdout is not None
        for _ in range(200 + 77 * round_):
            acknowledged.append((await child.stdout.readline()).decode().strip())
        child.kill()
        rest = (await child.stdout.read()).decode().split("\n")
        acknowledged += [key for key in rest[:-1] if key]  # the last line may be cut
        await child.wait()
    store = await opening()
    events = await store.events_after("0", 1_000_000)
    assert [int(event.cursor) for event in events] == list(range(1, len(events) + 1))
    told = [event.data["key"] for event in events]
    assert len(told) == len(set(told)) >= len(acknowledged)
    assert set(acknowledged) <= set(told)
    for key in acknowledged[::50]:
        assert await store.delivered("CP-1", "transaction", key) is not None


class Small:
    """A store on SQLite whose file cannot grow beyond some pages, until it may."""

    def __init__(self, pen: SqlitePen, store: SqlStore) -> None:
        self._pen, self.store = pen, store

    def fill_up(self) -> None:
        (pages,) = self._pen.connection.execute("PRAGMA page_count").fetchone()
        self._pen.connection.execute(f"PRAGMA max_page_count={pages + 20}").fetchone()

    def free_up(self) -> None:
        self._pen.connection.execute("PRAGMA max_page_count=1000000").fetchone()

    def lose_a_table(self) -> None:
        self._pen.connection.execute("DROP TABLE tokens")


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[Small]:
    url = f"sqlite+aiosqlite:///{tmp_path}/cms.db"
    store = await open_store(url, SetClock(), Heard(), threaded=False)
    pen = store._writer._pen
    assert isinstance(pen, SqlitePen)
    yield Small(pen, store)
    await store.close()


def bulky(number: int) -> Quarantine:
    return Quarantine("CP-1", "bulk", str(number), "x" * 3000, NOON)


async def test_a_full_disk_loses_nothing_acknowledged_and_heals(small: Small) -> None:
    small.fill_up()
    store, acknowledged = small.store, 0
    with pytest.raises(StoreDown):
        for number in range(1000):
            await store.commit([bulky(number)], [happened()])
            acknowledged += 1
    assert not store.healthy
    assert not store.poisoned
    assert await store.count_quarantine() == acknowledged == int(await store.cursor())
    assert not await store.probe()
    small.free_up()
    assert await store.probe()
    await store.commit([bulky(-1)], [happened()])
    assert await store.count_quarantine() == acknowledged + 1


async def test_a_full_disk_fails_a_whole_batch(small: Small) -> None:
    small.fill_up()
    outcomes = await asyncio.gather(
        *(small.store.commit([bulky(number)], []) for number in range(100)), return_exceptions=True
    )
    assert {type(outcome) for outcome in outcomes} == {StoreDown}
    assert await small.store.count_quarantine() == 0


async def test_a_table_that_is_gone_is_not_the_fault_of_an_item(small: Small) -> None:
    small.lose_a_table()
    with pytest.raises(StoreDown):
        await small.store.commit([SaveToken(token())], [])
    assert not small.store.healthy


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0 or sys.platform != "linux":
        pytest.skip("needs root on Linux to mount a small tmpfs")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a small tmpfs here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


async def test_a_really_full_disk_loses_nothing_acknowledged_and_heals(tiny_disk: Path) -> None:
    ballast = tiny_disk / "ballast"
    ballast.write_bytes(b"b" * 600_000)
    store = await open_store(f"sqlite+aiosqlite:///{tiny_disk}/cms.db", SetClock(), Heard())
    acknowledged = 0
    with pytest.raises(StoreDown):
        for number in range(1000):
            await store.commit([bulky(number)], [happened()])
            acknowledged += 1
    assert not store.healthy
    assert not store.poisoned
    assert await store.count_quarantine() == acknowledged
    ballast.unlink()
    assert await store.probe()
    await store.commit([bulky(-1)], [happened()])
    assert await store.count_quarantine() == acknowledged + 1
    await store.close()


async def test_a_locked_database_is_down_and_heals(tmp_path: Path) -> None:
    store = await open_store(f"sqlite+aiosqlite:///{tmp_path}/cms.db", SetClock(), Heard())
    other = sqlite3.connect(tmp_path / "cms.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreDown):
        await store.commit([SaveToken(token())], [])
    other.close()
    assert await store.probe()
    await store.close()


class FailingPen:
    """A pen whose disk fails once, in a way that nobody can trust afterwards."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.writes = 0

    async def write(self, items: Sequence[Item]) -> list[Outcome]:
        self.writes += 1
        raise self.error

    async def rest(self) -> None: ...

    async def close(self) -> None: ...


async def test_a_disk_that_lied_is_never_written_again() -> None:
    pen = FailingPen(Poisoned("disk I/O error"))
    writer = Writer(pen, Heard(), rest_after_s=1.0)
    attempts = [asyncio.create_task(writer.write(Item([], []), [])) for _ in range(300)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {StoreDown}
    assert writer.poisoned and not writer.healthy
    with pytest.raises(StoreDown):
        await writer.write(Item([], []), [])
    assert pen.writes == 1
    await writer.close()


async def test_an_unforeseen_error_lets_nobody_wait_for_ever() -> None:
    writer = Writer(FailingPen(RuntimeError("a bug")), Heard(), rest_after_s=1.0)
    with pytest.raises(StoreDown):
        await writer.write(Item([], []), [])
    assert not writer.poisoned
    await writer.close()


async def test_a_damaged_file_is_not_opened_and_never_written(tmp_path: Path) -> None:
    file = tmp_path / "cms.db"
    url = f"sqlite+aiosqlite:///{file}"
    await (await open_store(url, SetClock(), Heard())).close()
    pen = SqlitePen(file, threaded=False)
    pen.connection.execute("SELECT 1 FROM quarantine").fetchall()  # it knows the schema now, and one table
    head = file.read_bytes()[:4096]
    file.write_bytes(head + b"\xa5" * (file.stat().st_size - 4096))
    with pytest.raises(Poisoned, match="malformed"):
        await pen.write([Item(rows_of([SaveToken(token())], MAIN, int), [])])
    pen.connection.close()
    with pytest.raises(Unreachable, match="malformed"):
        await open_store(url, SetClock(), Heard())


async def test_a_connection_lost_while_idle_is_replaced(postgres_url: str) -> None:
    store = await open_store(postgres_url, SetClock(), Heard())
    await store.commit([SaveToken(token("before"))], [])
    async with visitor(postgres_url) as other:
        await other.execute(f"SELECT pg_terminate_backend(pid) {_OTHERS}")
    await store.commit([SaveToken(token("after"))], [])
    assert [t.id for t in (await store.load()).tokens] == ["after", "before"]
    await store.close()


async def test_a_connection_lost_within_a_commit_is_down_and_heals(postgres_url: str) -> None:
    store = await open_store(postgres_url, SetClock(), Heard())
    async with visitor(postgres_url) as other:
        await other.execute("BEGIN; UPDATE event_head SET seq = seq")
        lost = asyncio.create_task(store.commit([SaveToken(token("lost"))], [happened()]))
        while not await other.fetchval(
            f"SELECT count(pg_terminate_backend(pid)) {_OTHERS} AND wait_event_type = 'Lock'"
        ):
            assert not lost.done()
            await other.execute("SELECT pg_stat_clear_snapshot()")  # kept for the length of a transaction
        with pytest.raises(StoreDown):
            await lost
        assert not store.healthy
        await other.execute("ROLLBACK")
    assert await store.probe()
    await store.commit([SaveToken(token("after"))], [happened()])
    assert [t.id for t in (await store.load()).tokens] == ["after"]
    await store.close()


async def test_a_server_that_is_not_there_is_down() -> None:
    pen = PostgresPen("postgresql+asyncpg://nobody@/nothing?host=/no/such/folder")
    with pytest.raises(StoreDown):
        await pen.write([Item([], [])])
    await pen.close()


_OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@asynccontextmanager
async def visitor(url: str) -> AsyncIterator[Any]:
    """Somebody else on the same database."""
    connection = await asyncpg.connect(**arguments(url))
    yield connection
    await connection.close()


async def test_two_daemons_on_one_postgresql_number_events_in_commit_order(postgres_url: str) -> None:
    heard = Heard()
    stores = [await open_store(postgres_url, SetClock(), heard) for _ in range(2)]
    await asyncio.gather(
        *(
            store.commit([delivery(f"{n}/{i}")], [happened()])
            for i, store in enumerate(stores)
            for n in range(300)
        )
    )
    cursors = sorted(int(event.cursor) for event in heard.events)
    assert cursors == list(range(1, 601))
    for store in stores:
        await store.close()


async def test_two_daemons_that_migrate_at_once_do_it_once(postgres_url: str) -> None:
    await asyncio.gather(migrate(postgres_url), migrate(postgres_url))


def test_a_second_daemon_is_refused_in_one_sentence(tmp_path: Path) -> None:
    held = lock(tmp_path / "lock")
    with pytest.raises(Conflict, match=rf"another daemon \(process {os.getpid()}\) already uses"):
        lock(tmp_path / "lock")
    held.release()
    lock(tmp_path / "lock").release()


async def test_the_log_is_folded_into_the_database_when_there_is_nothing_to_do(tmp_path: Path) -> None:
    file = tmp_path / "cms.db"
    await migrate(f"sqlite+aiosqlite:///{file}")
    pen = RestingPen(file, threaded=True)
    writer = Writer(pen, Heard(), rest_after_s=0.01)
    await writer.write(Item(rows_of([bulky(1)], MAIN, int), []), [])
    async with asyncio.timeout(10):
        await pen.rested.wait()
    assert kept_in_main_file(file) == 1
    await writer.close()


async def test_the_log_is_folded_in_passing_while_there_is_much_to_do(tmp_path: Path) -> None:
    file = tmp_path / "cms.db"
    store = await open_store(f"sqlite+aiosqlite:///{file}", SetClock(), Heard())
    for round_ in range(6):
        await asyncio.gather(*(store.commit([bulky(n)] * 8, []) for n in range(256)))
    assert kept_in_main_file(file) > 0
    assert file.with_name("cms.db-wal").stat().st_size < 80_000_000
    assert await store.count_quarantine() == 6 * 256 * 8
    await store.close()
    assert not file.with_name("cms.db-wal").exists()


async def test_the_loop_does_not_wait_for_an_item_of_many_rows(tmp_path: Path) -> None:
    file = tmp_path / "cms.db"
    await migrate(f"sqlite+aiosqlite:///{file}")
    pen, threads = SqlitePen(file, threaded=True), list[str]()

    def seen(statement: str) -> None:
        if "INTO quarantine" in statement:
            threads.append(threading.current_thread().name.partition("_")[0])

    pen.connection.set_trace_callback(seen)
    for count in (1, 600):
        threads.append(f"{count}:")
        await pen.write([Item(rows_of([bulky(n) for n in range(count)], MAIN, int), [])])
    assert list(dict.fromkeys(threads)) == ["1:", "MainThread", "600:", "store writer"]
    await pen.close()


class RestingPen(SqlitePen):
    """Says when it has rested."""

    def __init__(self, path: Path, *, threaded: bool) -> None:
        super().__init__(path, threaded=threaded)
        self.rested = asyncio.Event()

    async def rest(self) -> None:
        await super().rest()
        self.rested.set()


def kept_in_main_file(file: Path) -> int:
    """How many messages are in the database file itself, without its log."""
    copy = file.with_name("copy.db")
    copy.write_bytes(file.read_bytes())
    connection = sqlite3.connect(copy)
    (count,) = connection.execute("SELECT count(*) FROM quarantine").fetchone()
    connection.close()
    return int(count)
