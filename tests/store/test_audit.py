"""The chain of audit rows: nobody forks, changes or shortens it unseen."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy.ext.asyncio import create_async_engine

from cms.core import Clash
from cms.domain import changes as c
from cms.domain.audit import Audit, Entry, Head, Sealed, Wanted, first_wrong, sealing
from cms.store.engine import SqlStore
from tests.store.conftest import Opening
from tests.store.things import NOON, delivery, happened, token

SEAL = sealing(b"k" * 32)


def entry(operation: str, organisation: str = "main", **more: object) -> Entry:
    told = {"target": "CP-1", "target_key": "cp-1", "detail": None, "reason": None, "intent": None, **more}
    return Entry(
        organisation=organisation,
        at=NOON + timedelta(microseconds=3),
        actor="ana",
        via="uid:1000",
        role="admin",
        permission="stations.command",
        operation=operation,
        result="changed",
        request_id="r1",
        request='{"station":"CP-1 ünd \\u202e"}',
        **told,  # type: ignore[arg-type]
    )


def row(operation: str, organisation: str = "main", **more: object) -> Audit:
    return Audit(entry(operation, organisation, **more), SEAL)


async def verdict(store: SqlStore, organisation: str = "main") -> str | None:
    rows = await store.of(organisation).audit_rows(organisation, Wanted(limit=1000))
    head, wrong = first_wrong(rows, Head(), SEAL)
    assert wrong is not None or head == await store.of(organisation).audit_head(organisation)
    return wrong if wrong is None else f"{head.seq + 1} {wrong}"


async def test_a_row_comes_back_as_it_was_written_and_seals_the_one_before(store: SqlStore) -> None:
    await store.commit((row("ResetStation", reason="it hangs", intent="i1"),), ())
    await store.commit((row("AddToken"),), ())
    first, second = await store.audit_rows("main", Wanted())
    assert first.entry == entry("ResetStation", reason="it hangs", intent="i1")
    assert (first.seq, second.seq) == (1, 2)
    assert second.mac == SEAL(first.mac, 2, second.entry)
    assert await verdict(store) is None


async def test_each_organisation_has_its_own_chain(store: SqlStore) -> None:
    for org in ("north", "south"):
        await store.of(org).commit((row("A", org),), ())
    await asyncio.gather(
        *(store.of(org).commit((row(f"B{n}", org),), ()) for n in range(20) for org in ("south", "north"))
    )
    for organisation in ("north", "south"):
        rows = await store.of(organisation).audit_rows(organisation, Wanted())
        assert [found.seq for found in rows] == list(range(1, 22))
        assert await verdict(store, organisation) is None


async def test_a_change_that_fails_takes_its_row_with_it_and_leaves_the_chain_whole(store: SqlStore) -> None:
    await store.commit((delivery("1"),), ())
    commits = [store.commit((delivery("1"), row("Bad")), ())]
    commits += [
        store.commit((c.SaveToken(token(f"T{n}")), row(f"Good{n}")), (happened("x"),)) for n in range(5)
    ]
    outcomes = await asyncio.gather(*commits, return_exceptions=True)
    assert isinstance(outcomes[0], Clash)
    assert outcomes[1:] == [None] * 5
    assert [found.entry.operation for found in await store.audit_rows("main", Wanted())] == [
        f"Good{n}" for n in range(5)
    ]
    assert await verdict(store) is None


async def test_daemons_on_one_database_do_not_fork_the_chain(
    opening: Opening, database: tuple[str, bool]
) -> None:
    if not database[0].startswith("postgresql"):
        pytest.skip("SQLite has one daemon")
    one, other = await opening(), await opening()
    rows = [
        store.of(org).commit((row(f"{n}", org), row(f"{n}", org)), (happened("x"),))
        for n in range(30)
        for store, org in ((one, "a"), (other, "b"), (other, "a"), (one, "b"))
    ]
    await asyncio.gather(*rows)
    for organisation in "ab":
        assert len(await one.of(organisation).audit_rows(organisation, Wanted(limit=500))) == 120
        assert await verdict(one, organisation) is None


async def test_rows_are_found_by_who_what_when_and_with_which_result(store: SqlStore) -> None:
    await store.commit(tuple(row(f"Op{n % 3}", target_key=f"cp-{n % 2}") for n in range(12)), ())

    async def numbers(**wanted: object) -> list[int]:
        return [found.seq for found in await store.audit_rows("main", Wanted(**wanted))]  # type: ignore[arg-type]

    assert await numbers(operation="Op1") == [2, 5, 8, 11]
    assert await numbers(targets=("CP-1", "none"), limit=2) == [2, 4]
    assert await numbers(limit=3, latest=True) == [10, 11, 12]
    assert await numbers(after=10) == [11, 12]
    assert await numbers(before=3) == [1, 2]
    assert await numbers(limit=2, latest=True, before=5) == [3, 4]
    assert await numbers(actor="bob") == []
    assert await numbers(result="Denied") == []
    assert await numbers(since=NOON + timedelta(seconds=1)) == []
    assert len(await numbers(until=NOON + timedelta(seconds=1))) == 12


async def execute(url: str, *statements: str) -> None:
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            for statement in statements:
                await connection.execute(sqlalchemy.text(statement))
    finally:
        await engine.dispose()


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit SET actor = 'eve'", "DELETE FROM audit", "TRUNCATE audit"],
)
async def test_the_database_refuses_to_change_rows(
    statement: str, store: SqlStore, database: tuple[str, bool]
) -> None:
    if statement.startswith("TRUNCATE") and not database[0].startswith("postgresql"):
        pytest.skip("SQLite has no TRUNCATE")
    await store.commit((row("A"),), ())
    with pytest.raises(sqlalchemy.exc.DBAPIError, match="only added to"):
        await execute(database[0], statement)
    assert await verdict(store) is None


#: What somebody does who has the file and takes the triggers away, and what is said of it.
TAMPERING = {
    "UPDATE audit SET actor = 'eve' WHERE seq = 3": "3 is not as it was written",
    "UPDATE audit SET detail = '' WHERE seq = 5": "5 is not as it was written",
    "UPDATE audit SET target_key = 'cp-2' WHERE seq = 1": "1 is not as it was written",
    "DELETE FROM audit WHERE seq = 4": "4 is not there",
    "DELETE FROM audit WHERE seq = 1": "1 is not there",
    "UPDATE audit SET seq = CASE seq WHEN 2 THEN -3 WHEN 3 THEN -2 ELSE seq END": None,
    "UPDATE audit SET organisation = 'other' WHERE seq = 2": "2 is not there",
}


@pytest.mark.parametrize("statement", TAMPERING)
async def test_whatever_is_done_to_a_row_is_seen_at_that_row(
    statement: str, tmp_path: Path, clock: object
) -> None:
    from cms.store.engine import open_store

    url = f"sqlite+aiosqlite:///{tmp_path}/cms.db"
    store = await open_store(url, clock, lambda events: None, threaded=False)  # type: ignore[arg-type]
    try:
        await store.commit(tuple(row(f"Op{n}") for n in range(1, 7)), ())
        with sqlite3.connect(tmp_path / "cms.db") as connection:
            connection.execute("DROP TRIGGER audit_no_update")
            connection.execute("DROP TRIGGER audit_no_delete")
            connection.execute(statement)
            connection.execute("UPDATE audit SET seq = -seq WHERE seq < 0")
        connection.close()
        assert await verdict(store) == (TAMPERING[statement] or "2 is not as it was written")
    finally:
        await store.close()


def test_no_two_rows_have_the_same_bytes() -> None:
    from cms.domain.audit import canonical

    one, other = entry("A", detail="x", reason=None), entry("A", detail=None, reason="x")
    assert canonical(1, one) != canonical(1, other) != canonical(11, other)
    rows = [Sealed(1, one, SEAL("", 1, one))]
    assert first_wrong(rows, Head(), sealing(b"other"))[1] is not None
