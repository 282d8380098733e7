from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from cms.contract.refusals import Unreachable
from cms.store.migrate import migrate
from cms.store.schema import compact, instant, micros, plain
from cms.store.tables import METADATA
from tests.store.things import NOON


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True}
    )
    return list(compare_metadata(context, METADATA))


async def test_the_migrations_make_exactly_the_tables_of_the_models(bare_database: str) -> None:
    await migrate(bare_database)
    engine = create_async_engine(bare_database)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_migrating_twice_changes_nothing(bare_database: str) -> None:
    await migrate(bare_database)
    await migrate(bare_database)


async def test_a_database_that_is_not_there_is_refused_in_one_sentence(tmp_path: Any) -> None:
    with pytest.raises(Unreachable, match="cannot be opened"):
        await migrate(f"sqlite+aiosqlite:///{tmp_path}/no/such/folder/cms.db")


def test_an_instant_keeps_its_microseconds() -> None:
    at = NOON.replace(microsecond=123457)
    assert instant(micros(at)) == at


def test_decimals_stay_exact_in_json() -> None:
    assert compact({"wh": Decimal("0.10")}) == '{"wh":"0.10"}'


@pytest.mark.parametrize(
    ("written", "read"), [("1E+3", "1000"), ("1.50", "1.50"), ("1E+999999", "1E+999999")]
)
def test_decimals_are_read_without_exponents_unless_absurd(written: str, read: str) -> None:
    assert plain(written) == read
