"""Stores to test: the same tests run on SQLite in a temporary folder and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from cms.store.engine import SqlStore, open_store
from tests.postgres import postgres_server, postgres_url
from tests.store.things import Heard, SetClock

__all__ = ["postgres_server", "postgres_url"]


Opening = Callable[[], Awaitable[SqlStore]]


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture(params=["sqlite", "sqlite-inline", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, bool]:
    """The URL of an empty database, and whether its commits use a thread."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres_url"), True
    return f"sqlite+aiosqlite:///{tmp_path}/cms.db", request.param == "sqlite"


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
