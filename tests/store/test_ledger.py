"""The ledger is only ever added to: the database itself refuses everything else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from cms.core import Clash
from cms.domain.ledger import Enter, Entry
from cms.store.engine import SqlStore
from tests.store.things import NOON, minutes

ENTRY = Entry("top-up/1", NOON, "bank", "prepaid/ada", 2500, "EUR", "top-up", "top-up/1", "cash", "ana")


def entries(*keys: str) -> list[Enter]:
    return [Enter(replace(ENTRY, key=key, ref=key)) for key in keys]


async def test_an_entry_comes_back_whole_and_its_key_is_taken(store: SqlStore) -> None:
    await store.commit([Enter(ENTRY)], [])
    assert await store.accounting.entry("top-up/1") == ENTRY
    with pytest.raises(Clash):
        await store.commit([Enter(replace(ENTRY, amount=1))], [])
    assert await store.accounting.entries() == [ENTRY]
    await store.of("other").commit([Enter(replace(ENTRY, amount=1))], [])
    assert await store.accounting.count_entries() == 1


async def test_nothing_in_the_ledger_can_be_changed_or_removed(
    store: SqlStore, database: tuple[str, bool]
) -> None:
    await store.commit([Enter(ENTRY)], [])
    statements = [
        "UPDATE ledger SET amount = 1",
        "UPDATE ledger SET reason = NULL",
        "DELETE FROM ledger",
        "DELETE FROM ledger WHERE key = 'top-up/1'",
        "INSERT INTO ledger SELECT * FROM ledger",
    ]
    if database[0].startswith("postgresql"):
        statements.append("TRUNCATE ledger")
    engine = create_async_engine(database[0])
    for statement in statements:
        with pytest.raises(SQLAlchemyError):
            async with engine.begin() as connection:
                await connection.execute(text(statement))
    await engine.dispose()
    assert await store.accounting.entries() == [ENTRY]


async def test_what_moves_nothing_cannot_be_entered(store: SqlStore) -> None:
    for wrong in (replace(ENTRY, amount=0), replace(ENTRY, amount=-5), replace(ENTRY, debit=ENTRY.credit)):
        with pytest.raises(Exception, match=r"ck_ledger_moves|CHECK"):
            await store.commit([Enter(wrong)], [])
    assert await store.accounting.entries() == []


async def test_balances_are_asked_for_by_how_their_accounts_begin(store: SqlStore) -> None:
    others = [
        Enter(replace(ENTRY, key="2", debit="prepaid/ada", credit="revenue", amount=500)),
        Enter(replace(ENTRY, key="3", credit="prepaid/Ünal %_", currency="SEK")),
        Enter(replace(ENTRY, key="4", credit="prepaidx/ada")),
        Enter(replace(ENTRY, key="5", credit="Prepaid/ada")),
    ]
    await store.commit([Enter(ENTRY), *others], [])
    assert await store.accounting.balances(prefix="prepaid/") == {
        ("prepaid/ada", "EUR"): -2000,
        ("prepaid/Ünal %_", "SEK"): -2500,
    }
    assert sum((await store.accounting.balances()).values()) == 0


async def test_who_listens_hears_of_entries_that_were_written_and_of_no_others(store: SqlStore) -> None:
    heard: list[Sequence[Entry]] = []
    store.entered = heard.append
    await store.commit(entries("a", "b"), [])
    with pytest.raises(Clash):
        await store.commit(entries("c", "a"), [])
    await store.commit([], [])
    assert [[entry.key for entry in some] for some in heard] == [["a", "b"]]
    late = [Enter(replace(ENTRY, key="later", at=NOON + minutes(1)))]
    await store.commit(late, [])
    assert [entry.key for entry in await store.accounting.entries(since=NOON + minutes(1))] == ["later"]
