"""The PostgreSQL pen: one connection that writes; a lost one is replaced at the next batch."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.engine import make_url

from cms.core import Clash, StoreDown
from cms.domain.audit import Head
from cms.store import audit, events
from cms.store.changes import Item, Step, plan
from cms.store.schema import words
from cms.store.statements import Params
from cms.store.writer import Outcome

_CONNECT_S = 5.0
#: Stations give up an answer after 30 s; a batch that takes longer than this is as good as lost.
_BATCH_S = 20.0

#: SQLSTATE classes after which the whole batch waits: connection, transaction state (a standby), rights, no
#: such database, no such table, resources, operator, system, internal error.
_DOWN = frozenset({"08", "25", "28", "3D", "42", "53", "57", "58", "XX"})
#: Somebody else's transaction was in the way: once more.
_ROLLED_BACK = "40"
_UNIQUE_VIOLATION = "23505"
_LOST = (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class PostgresPen:
    """Owns the only connection of this daemon that writes."""

    def __init__(self, url: str) -> None:
        self._arguments = arguments(url)
        self._connection: Any = None

    async def write(self, items: Sequence[Item]) -> list[Outcome]:
        try:
            async with asyncio.timeout(_BATCH_S):
                return await self._write(items)
        except asyncpg.PostgresError as error:
            await self._drop()
            raise StoreDown(f"PostgreSQL cannot write now: {error}") from error
        except _LOST as error:
            # Also when COMMIT was under way: whether it arrived is unknown, and the natural keys make the
            # station's repetition harmless.
            await self._drop()
            raise StoreDown(
                f"the connection to PostgreSQL was lost: {error or type(error).__name__}"
            ) from error
        except Exception:
            # asyncpg trips over a server that goes while it asks: AttributeError. What it holds is of no use.
            await self._drop()
            raise

    async def rest(self) -> None:
        """Nothing to do: PostgreSQL keeps its own house."""

    async def close(self) -> None:
        if self._connection is not None and not self._connection.is_closed():
            try:
                await self._connection.close(timeout=_CONNECT_S)
            except (*_LOST, asyncpg.PostgresError):
                self._connection.terminate()

    async def _write(self, items: Sequence[Item]) -> list[Outcome]:
        connection = await self._begun()
        try:
            outcomes = await self._together(items)
            await connection.execute("COMMIT")
            return outcomes
        except _UNWRITABLE as error:
            if connection.is_closed() or _is_down(error):
                raise
            await connection.execute("ROLLBACK")
        async with connection.transaction():
            return [await self._alone(item) for item in items]

    async def _together(self, items: Sequence[Item]) -> list[Outcome]:
        for step in plan(items):
            await self._run(step)
        return await self._add_events(items)

    async def _alone(self, item: Item) -> Outcome:
        """One item in a savepoint."""
        try:
            async with self._connection.transaction():
                return (await self._together([item]))[0]
        except _UNWRITABLE as error:
            if self._connection.is_closed() or _is_down(error) or _state(error)[:2] == _ROLLED_BACK:
                raise
            return Clash(str(error)) if _state(error) == _UNIQUE_VIOLATION else error

    async def _run(self, step: Step) -> None:
        if step.statement is audit.ADD:
            await self._chain(step.rows)
        else:
            await self._execute(step)

    async def _chain(self, rows: list[Params]) -> None:
        """Number and seal rows of the audit log after the heads of their chains, locked until commit."""
        for organisation, changes in audit.by_organisation(rows):
            held = await self._connection.fetchrow(audit.LOCK.sql("postgresql"), organisation)
            head, sealed = audit.chained(Head(*held), changes)
            await self._execute(Step(audit.ADD, sealed))
            await self._execute(Step(audit.MOVE, [(head.seq, head.mac, organisation)]))

    async def _execute(self, step: Step) -> None:
        await self._connection.executemany(
            step.statement.sql("postgresql"), [_holdable(row) for row in step.rows]
        )

    async def _add_events(self, items: Sequence[Item]) -> list[Outcome]:
        """Number the events after the head (locked until commit: see events.py); the number before each item's."""
        rows = [row for item in items for row in item.events]
        if not rows:
            return [0] * len(items)
        last = await self._connection.fetchval(events.TAKE_RETURNING.sql("postgresql"), len(rows))
        first = last - len(rows)
        await self._run(Step(events.ADD, [(seq, *row) for seq, row in enumerate(rows, first + 1)]))
        befores: list[Outcome] = []
        for item in items:
            befores.append(first)
            first += len(item.events)
        return befores

    async def _begun(self) -> Any:
        """A connection in a transaction: one that was lost while idle is replaced, nothing was sent on it yet."""
        if self._connection is not None:
            try:
                await self._connection.execute("BEGIN")
                return self._connection
            except (*_LOST, asyncpg.PostgresError):
                await self._drop()
        connection = await self._connected()
        await connection.execute("BEGIN")
        return connection

    async def _connected(self) -> Any:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(**self._arguments, timeout=_CONNECT_S)
            await self._connection.execute("SET synchronous_commit TO on")
        return self._connection

    async def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


#: What one bad item can cause: the server's refusal, or a value that the driver cannot encode.
_UNWRITABLE = (asyncpg.PostgresError, asyncpg.DataError, OverflowError, UnicodeError, TypeError, ValueError)


def arguments(url: str) -> dict[str, Any]:
    """What asyncpg.connect takes, from an SQLAlchemy URL."""
    _, arguments = asyncpg_dialect().create_connect_args(make_url(url))  # type: ignore[no-untyped-call]
    return dict(arguments)


def _holdable(row: Params) -> Params:
    if any(type(value) is str and "\0" in value for value in row):
        return tuple(words(value) if isinstance(value, str) else value for value in row)
    return row


def _state(error: BaseException) -> str:
    return str(getattr(error, "sqlstate", None) or "")


def _is_down(error: BaseException) -> bool:
    return _state(error)[:2] in _DOWN
