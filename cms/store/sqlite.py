"""The SQLite pen: one connection that writes.

Rows are written on the loop, into SQLite's cache; the commit, which waits for the disk, in a thread of its own or
(on a simulated loop) at once. docs/decisions/0007-rows-on-the-loop-commits-in-a-thread.md tells why.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TypeVar

from cms.core import Clash, StoreDown
from cms.domain.audit import Head
from cms.store import audit, events
from cms.store.changes import Item, Step, plan
from cms.store.statements import Params, Statement
from cms.store.writer import Outcome, Poisoned

T = TypeVar("T")

#: The log is folded into the database after so many written rows (one to three pages each: 16 to 48 MiB), or
#: when there is nothing else to do. Its file stays, to be written over: to shorten it takes 40 ms.
_FOLD_AFTER_ROWS = 4000

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # NORMAL loses acknowledged commits at power loss
    "PRAGMA fullfsync=ON",  # macOS: fsync alone does not reach the disk
    "PRAGMA checkpoint_fullfsync=ON",
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=0",  # the loop waits for nobody; where waiting is right, see _PATIENT
    "PRAGMA journal_size_limit=67108864",
    "PRAGMA wal_autocheckpoint=0",  # a checkpoint within a commit would make a station wait for it
    "PRAGMA cache_size=-32768",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA secure_delete=ON",  # what somebody wanted forgotten must not stay in freed pages
)

_PATIENT, _IMPATIENT = "PRAGMA busy_timeout=200", "PRAGMA busy_timeout=0"

#: The only result codes that are about what an item says. Any other means that nothing can be written now: the
#: disk is full, somebody holds or moved the file.
_ABOUT_THE_ITEM = frozenset(
    {sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE}
)
#: After one of these nobody knows what the disk holds (a failed fsync drops the pages): start again.
_POISON = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
#: Except when shared memory, locks or memory failed, which hold no record: the disk is full, or a signal came.
_NO_RECORD = frozenset(
    {
        sqlite3.SQLITE_IOERR_SHMSIZE,
        sqlite3.SQLITE_IOERR_SHMOPEN,
        sqlite3.SQLITE_IOERR_SHMLOCK,
        sqlite3.SQLITE_IOERR_SHMMAP,
        sqlite3.SQLITE_IOERR_LOCK,
        sqlite3.SQLITE_IOERR_NOMEM,
    }
)
_TAKEN = frozenset({sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY})

_UNWRITABLE = (sqlite3.Error, OverflowError, UnicodeError, TypeError, ValueError)

#: An item of more rows is no message of a station: part of an import, or sessions that are counted. The loop does not
#: wait for it.
_MANY_ROWS = 500

#: How many rows one INSERT writes: few large steps of SQLite are cheaper than executemany's many small.
_CHUNKS = (32, 8, 2, 1)
_MOST_PARAMETERS = 30_000


class SqlitePen:
    """Owns the only connection that writes."""

    def __init__(self, path: Path, *, threaded: bool) -> None:
        self._path = path
        self._folded_rows = 0
        self._thread = ThreadPoolExecutor(1, "store writer") if threaded else None
        self._folding: asyncio.Future[None] | None = None
        self._tidying = ""
        self.connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, cached_statements=512
        )
        for pragma in _PRAGMAS:
            self.connection.execute(pragma).fetchall()

    async def write(self, items: Sequence[Item]) -> list[Outcome]:
        if self._folding is not None and self._folding.done():
            await self._fold_the_rest()
        outcomes = await self._written(items)
        if self._tidying:
            await self._tidy()
        if self._folding is None and self.connection.total_changes - self._folded_rows > _FOLD_AFTER_ROWS:
            self._folding = asyncio.ensure_future(self._fold_beside())
        return outcomes

    async def rest(self) -> None:
        await self._fold_the_rest()

    async def close(self) -> None:
        await self._fold_the_rest("TRUNCATE")
        if self._thread is not None:
            self._thread.shutdown()
        self.connection.close()

    # Folding the log into the database, in two steps: most of it beside the writer, whom that does not stop;
    # then what was added meanwhile, and the log starts anew.

    async def _fold_beside(self) -> None:
        if self._thread is not None:
            await asyncio.to_thread(_fold_in_passing, self._path)

    async def _fold_the_rest(self, mode: str = "RESTART") -> None:
        if self._folding is not None:
            folding, self._folding = self._folding, None
            await folding
        self._folded_rows = self.connection.total_changes
        await self._aside(_fold, self.connection, mode)

    async def _tidy(self) -> None:
        """Nothing of what was written over stays in the files."""
        how, self._tidying = self._tidying, ""
        if how == "vacuum":
            await self._aside(self.connection.execute, "VACUUM")
        await self._fold_the_rest("TRUNCATE")

    async def _aside(self, work: Callable[..., T], *arguments: object) -> T:
        """Do it in the writer's thread, or at once."""
        if self._thread is None:
            return work(*arguments)
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    async def _written(self, items: Sequence[Item]) -> list[Outcome]:
        try:
            await self._begin()
            if any(item.alone or len(item.rows) > _MANY_ROWS for item in items):
                # Housekeeping touches many pages, some of them cold: the loop does not wait for those.
                self._tidying = max(item.tidies for item in items)
                numbers = await self._aside(self._together, items)
            else:
                numbers = self._together(items)
            await self._aside(self.connection.execute, "COMMIT")
        except _UNWRITABLE as error:
            await self._aside(self._undo)
            _raise_if_down(error)
            return await self._aside(self._one_by_one, items)
        return numbers

    async def _begin(self) -> None:
        """Take the write lock; somebody else who holds it (a backup, a shell) is waited for beside the loop."""
        try:
            self.connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if _code(error) & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            await self._aside(self._begin_patiently)

    def _begin_patiently(self) -> None:
        with _patience(self.connection):
            self.connection.execute("BEGIN IMMEDIATE")

    def _together(self, items: Sequence[Item]) -> list[Outcome]:
        for step in plan(items):
            self._run(step)
        return list(self._add_events(items))

    def _one_by_one(self, items: Sequence[Item]) -> list[Outcome]:
        """The same in one transaction, each item in a savepoint: the bad one fails alone."""
        try:
            self._begin_patiently()
            outcomes = [self._alone(item) for item in items]
            self.connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._undo()
            _raise_if_down(error)
            raise StoreDown(f"the database refused a batch: {error}") from error
        return outcomes

    def _alone(self, item: Item) -> Outcome:
        self.connection.execute("SAVEPOINT item")
        try:
            for step in plan([item]):
                self._run(step)
            (number,) = self._add_events([item])
        except _UNWRITABLE as error:
            _raise_if_down(error)
            self.connection.execute("ROLLBACK TO item")
            return _refused(error)
        finally:
            if self.connection.in_transaction:
                self.connection.execute("RELEASE item")
        return number

    def _run(self, step: Step) -> None:
        if step.statement is audit.ADD:
            self._chain(step.rows)
        elif step.statement.many:
            self._insert(step.statement, step.rows)
        else:
            self.connection.executemany(step.statement.sql("sqlite"), step.rows)

    def _chain(self, rows: list[Params]) -> None:
        """Number and seal rows of the audit log after the heads of their chains."""
        for organisation, changes in audit.by_organisation(rows):
            (held,) = self.connection.execute(audit.LOCK.sql("sqlite"), (organisation,)).fetchall()
            head, sealed = audit.chained(Head(*held), changes)
            self._insert(audit.ADD, sealed)
            self.connection.execute(audit.MOVE.sql("sqlite"), (head.seq, head.mac, organisation))

    def _insert(self, statement: Statement, rows: list[Params]) -> None:
        for chunk in _chunks(rows, len(statement.columns)):
            self.connection.execute(statement.repeated(len(chunk)), list(chain.from_iterable(chunk)))

    def _add_events(self, items: Sequence[Item]) -> Iterator[int]:
        """Number the events after the head; the number before each item's first one."""
        count = sum(len(item.events) for item in items)
        if not count:
            return iter([0] * len(items))
        self.connection.execute(events.TAKE.sql("sqlite"), (count,))
        (last,) = self.connection.execute(events.TAKEN.sql("sqlite")).fetchone()
        first = last - count
        rows = [row for item in items for row in item.events]
        self._insert(events.ADD, [(seq, *row) for seq, row in enumerate(rows, first + 1)])
        return _befores(items, first)

    def _undo(self) -> None:
        """Roll back; SQLite has done so itself after some errors."""
        if self.connection.in_transaction:
            try:
                self.connection.execute("ROLLBACK")
            except sqlite3.Error as error:
                raise Poisoned(f"the database cannot roll back: {error}") from error


def _fold_in_passing(path: Path) -> None:
    """A checkpoint on a connection of its own: it copies what no reader needs and blocks nobody."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        _fold(connection, "PASSIVE")
    finally:
        connection.close()


@contextmanager
def _patience(connection: sqlite3.Connection) -> Iterator[None]:
    """Within, others who hold a lock are waited for a little. Never on the loop."""
    connection.execute(_PATIENT)
    try:
        yield
    finally:
        connection.execute(_IMPATIENT)


def _fold(connection: sqlite3.Connection, mode: str) -> None:
    """Checkpoint. A reader in the way, or a full disk, only puts it off."""
    try:
        with _patience(connection):
            connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()
    except sqlite3.Error as error:
        if isinstance(_as_down(error), Poisoned):
            raise Poisoned(f"the database failed at a checkpoint: {error}") from error


def _chunks(rows: list[Params], width: int) -> Iterator[list[Params]]:
    """The rows in pieces of few different sizes, so that few different statements are prepared."""
    start = 0
    for size in _CHUNKS:
        if size > 1 and size * width > _MOST_PARAMETERS:
            continue
        while len(rows) - start >= size:
            yield rows[start : start + size]
            start += size


def _befores(items: Sequence[Item], first: int) -> Iterator[int]:
    for item in items:
        yield first
        first += len(item.events)


def _code(error: BaseException) -> int:
    """SQLite's extended result code; 0 where the error is Python's."""
    return int(getattr(error, "sqlite_errorcode", 0) or 0)


def _as_down(error: BaseException) -> StoreDown | None:
    """Nothing can be written now (StoreDown), or ever again (Poisoned); None: it is about the item."""
    code = _code(error)
    if not code or code & 0xFF in _ABOUT_THE_ITEM:
        return None
    if code & 0xFF in _POISON and code not in _NO_RECORD:
        return Poisoned(f"the database failed: {error}")
    return StoreDown(f"the database cannot write now: {error}")


def _raise_if_down(error: BaseException) -> None:
    down = _as_down(error)
    if down is not None:
        raise down from error


def _refused(error: Exception) -> Exception:
    """Why this item alone was not written."""
    return Clash(str(error)) if _code(error) in _TAKEN else error
