"""Stores to test: the same tests run on SQLite in a temporary folder and on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from cms.store.engine import SqlStore, open_store
from cms.store.migrate import migrate
from tests.postgres import postgres_migrated_url, postgres_record, postgres_server, postgres_url
from tests.store.things import Heard, SetClock

__all__ = ["postgres_migrated_url", "postgres_record", "postgres_server", "postgres_url"]

KINDS = ("sqlite", "sqlite-inline", "postgresql")


Opening = Callable[[], Awaitable[SqlStore]]


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture(scope="session")
def empty_record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record with all its tables and nothing in them: to make one takes longer than most tests."""
    file = tmp_path_factory.mktemp("empty") / "cms.db"
    asyncio.run(migrate(f"sqlite+aiosqlite:///{file}"))
    return file


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, bool]:
    """The URL of a database with nothing in its tables, and whether its commits use a thread."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres_migrated_url"), True
    shutil.copy(request.getfixturevalue("empty_record"), tmp_path)
    return f"sqlite+aiosqlite:///{tmp_path}/cms.db", request.param == "sqlite"


@pytest.fixture(params=KINDS)
def bare_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without a table."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite+aiosqlite:///{tmp_path}/cms.db"


@pytest.fixture
async def opening(database: tuple[str, bool], clock: SetClock, heard: Heard) -> AsyncIterator[Opening]:
    """Opens a store on the test's database, as often as asked; closes them all in the end."""
    url, threaded = database
    stores: list[SqlStore] = []

    async def open_() -> SqlStore:
        store = await open_store(url, clock, heard, threaded=threaded)
        stores.append(store)
        return store

    yield open_
    for store in stores:
        await store.close()


@pytest.fixture
async def store(opening: Opening) -> SqlStore:
    return await opening()
