"""Bring a database to the newest schema. The revisions are in migrations/, inside the package."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from cms.contract.refusals import Unreachable

_REVISIONS = Path(__file__).parent / "migrations"


async def migrate(url: str) -> None:
    """Run the revisions that are missing. Unreachable, in one sentence, when the database is not there."""
    try:
        if url.startswith("sqlite"):
            _migrate_sqlite(url)
        else:
            await _migrate_postgresql(url)
    except (OSError, DBAPIError) as error:
        name = make_url(url).render_as_string(hide_password=True)
        raise Unreachable(f"the database {name} cannot be opened: {error}") from error


def upgrade(connection: Connection) -> None:
    """Run the missing revisions on this connection."""
    config = Config()
    config.set_main_option("script_location", str(_REVISIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _migrate_sqlite(url: str) -> None:
    engine = sqlalchemy.create_engine(url.replace("+aiosqlite", "+pysqlite"))
    try:
        with engine.begin() as connection:
            upgrade(connection)
    finally:
        engine.dispose()


async def _migrate_postgresql(url: str) -> None:
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            # Two daemons that start at once: the second waits, and then finds nothing to do.
            await connection.execute(sqlalchemy.text("SELECT pg_advisory_xact_lock(7236190)"))
            await connection.run_sync(upgrade)
    finally:
        await engine.dispose()
