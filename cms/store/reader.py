"""Reads: selects on the database's own snapshot, beside the writer and never in its way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

import sqlalchemy
from sqlalchemy import Engine, Select, Table, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from cms.core import StoreDown
from cms.store.statements import OWNER

_TIMEOUT_S = 30.0


class Reader(Protocol):
    """Runs a select and gives all its rows; where it has an organisation, of those only that organisation's."""

    @property
    def organisation(self) -> str | None: ...

    async def rows(self, query: Select[Any]) -> Sequence[Any]: ...

    async def close(self) -> None: ...


class ScopedReader:
    """Sees one organisation's rows, whatever a query asks for: what it reads of it narrows here, in one place."""

    def __init__(self, inner: Reader, organisation: str) -> None:
        self._inner = inner
        self.organisation: str | None = organisation

    async def rows(self, query: Select[Any]) -> Sequence[Any]:
        for source in query.get_final_froms():
            assert isinstance(source, Table), f"{source} is read unscoped"
            if OWNER in source.c:
                query = query.where(source.c[OWNER] == self.organisation)
        return await self._inner.rows(query)

    async def close(self) -> None:
        await self._inner.close()


class EngineReader:
    """Reads through an asynchronous engine (aiosqlite or asyncpg)."""

    organisation: str | None = None

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def rows(self, query: Select[Any]) -> Sequence[Any]:
        async with _translated(), asyncio.timeout(_TIMEOUT_S), self._engine.connect() as connection:
            found: Sequence[Any] = (await connection.execute(query)).all()
            return found

    async def close(self) -> None:
        await self._engine.dispose()


class InlineReader:
    """Reads SQLite within the loop's own thread: on a simulated loop nothing may happen beside it."""

    organisation: str | None = None

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def rows(self, query: Select[Any]) -> Sequence[Any]:
        async with _translated():
            with self._engine.connect() as connection:
                return connection.execute(query).all()

    async def close(self) -> None:
        self._engine.dispose()


@asynccontextmanager
async def _translated() -> Any:
    try:
        yield
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        raise StoreDown(f"the database cannot be read: {error}") from error


def reader(url: str, *, threaded: bool) -> Reader:
    """The reader for this database URL. It is in autocommit: every select sees the newest commit."""
    options: dict[str, Any] = {"isolation_level": "AUTOCOMMIT"}
    if not url.startswith("sqlite"):
        return EngineReader(create_async_engine(url, pool_size=4, pool_pre_ping=True, **options))
    if threaded:
        engine = create_async_engine(url, pool_size=4, **options)
        event.listen(engine.sync_engine, "connect", _read_only)
        return EngineReader(engine)
    inline = sqlalchemy.create_engine(url.replace("+aiosqlite", "+pysqlite"), **options)
    event.listen(inline, "connect", _read_only)
    return InlineReader(inline)


def _read_only(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only=ON")
    cursor.execute("PRAGMA busy_timeout=5000")
    cursor.close()
