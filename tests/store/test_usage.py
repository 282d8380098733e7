"""What is to be counted is marked in the commit that makes it so, with one small row."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from cms.domain.changes import AddReading, MeterSession, OpenSession, UpdateSession
from cms.domain.evolve import evolve
from cms.domain.history import DropSession
from cms.domain.measures import (
    AddToSums,
    Counted,
    CountSession,
    InService,
    SaveInService,
    Uncount,
    Unmark,
)
from cms.domain.meters import REGISTER
from cms.domain.observations import Reading, Sample
from cms.store.engine import SqlStore
from tests.store.conftest import Opening
from tests.store.things import NOON, session


def counted(id: str, **known: Any) -> Counted:
    fields: dict[str, Any] = {
        "session": id,
        "station": "CP-1",
        "evse": 1,
        "connector": None,
        "site": "north",
        "zone": "UTC",
        "driver": "",
        "tariff": "T1",
        "started_at": NOON,
        "ended_at": NOON + timedelta(hours=1),
        "energy_wh": 1000,
        "starts": 1,
        "failed": 0,
        "unpriced": 0,
        "currency": "EUR",
        "revenue": 250,
        "shares": ((984_000, 1000, 3600, 3600),),
    }
    return Counted(**(fields | known))


async def test_a_session_is_marked_when_it_ends_once_and_again_when_it_changes(store: SqlStore) -> None:
    usage, runs = store.usage, session("s1", status="charging")
    await store.commit((OpenSession(runs), MeterSession(runs)), ())
    assert await usage.marks(10) == []
    over = evolve(runs, status="ended", ended_at=NOON)
    await store.commit((UpdateSession(over), UpdateSession(over)), ())
    ((name, stamp),) = await usage.marks(10)
    assert (name, await usage.count_marks()) == ("s1", 1)
    await store.commit((UpdateSession(over),), ())
    await store.commit((Unmark([(name, stamp)]),), ())
    assert await usage.count_marks() == 1, "what changed while it was counted is counted anew"
    await store.commit((Unmark(await usage.marks(10)),), ())
    assert await usage.marks(10) == []
    await store.commit((DropSession("s1", over.station, over.transaction_id),), ())
    assert await usage.count_marks() == 1
    assert await usage.sessions(["s1"]) == []


async def test_what_was_over_before_anything_was_counted_is_to_be_counted(
    database: tuple[str, bool], opening: Opening
) -> None:
    store = await opening()
    over = [session(f"s{n}", transaction_id=f"t{n}", status="ended", ended_at=NOON) for n in range(3)]
    runs = session("s9", transaction_id="t9", status="charging")
    await store.commit([OpenSession(each) for each in (*over, runs)], ())
    await store.close()
    engine = create_async_engine(database[0])
    async with engine.begin() as connection:
        for name in ("usage_marks", "usage_sessions", "usage_sums", "usage_evses"):
            await connection.execute(text(f"DROP TABLE {name}"))
        await connection.execute(text("UPDATE alembic_version SET version_num = '0005'"))
    await engine.dispose()
    assert [name for name, _ in await (await opening()).usage.marks(10)] == ["s0", "s1", "s2"]


async def test_sums_are_added_to_and_found_by_time_and_by_key(store: SqlStore) -> None:
    usage, ones = store.usage, (1, 1, 0, 0, 1000, 60, 60, 250)
    for scope, key in (("all", ""), ("site", "north"), ("site", "south")):
        cells = {(scope, "day", day, key, "EUR"): ones for day in (7, 8)}
        await store.commit((AddToSums(cells),), ())
        await store.commit((AddToSums({(scope, "day", 8, key, ""): ones}),), ())
        await store.commit((AddToSums(cells),), ())
    twos = tuple(2 * one for one in ones)
    found = sorted(await usage.sums("all", "day", 0, 100))
    assert found == [(7, "EUR", twos), (8, "", ones), (8, "EUR", twos)]
    assert sorted(await usage.sums("site", "day", 7, 8, by_key=True)) == [
        ("north", "EUR", twos),
        ("south", "EUR", twos),
    ]
    assert await usage.sums("site", "day", 7, 8, key="south") == [(7, "EUR", twos)]
    assert await store.of("other").usage.sums("all", "day", 0, 100) == []


async def test_how_a_session_was_counted_is_read_as_it_was_written(store: SqlStore) -> None:
    first, second = counted("s1"), counted("s2", site="south", driver="D1")
    await store.commit((CountSession(first), CountSession(second)), ())
    assert await store.usage.counted(["s1", "s3"]) == [first]
    span = (NOON, NOON + timedelta(minutes=5))
    assert await store.usage.overlapping(*span, limit=10) == [first, second]
    assert await store.usage.overlapping(*span, driver="D1", limit=10) == [second]
    assert await store.usage.overlapping(*span, after=(first.ended_at, "s1"), limit=10) == [second]
    assert await store.usage.overlapping(NOON + timedelta(hours=2), NOON + timedelta(days=1), limit=10) == []
    await store.commit((Uncount("s1"),), ())
    assert await store.usage.counted(["s1"]) == []


async def test_times_in_service_are_kept_and_ended(store: SqlStore) -> None:
    row = InService("CP-1", 1, 0, "north", NOON, None)
    ended = InService("CP-1", 1, 0, "north", NOON, NOON + timedelta(days=1))
    await store.commit((SaveInService([row]),), ())
    await store.commit((SaveInService([ended]),), ())
    assert await store.usage.in_service() == await store.usage.in_service(["CP-1"]) == [ended]
    assert await store.usage.in_service(["CP-2"]) == []


async def test_a_driver_who_is_forgotten_has_another_name_wherever_he_was_counted(store: SqlStore) -> None:
    ones = (1, 1, 0, 0, 1000, 60, 60, 250)
    sums = {("driver", "day", 7, key, "EUR"): ones for key in ("D1", "D2")}
    sums[("station", "day", 7, "CP-D1", "EUR")] = ones
    await store.commit((CountSession(counted("s1", driver="D1")), AddToSums(sums)), ())
    await store.rewrite(["D1"], lambda column, text: "somebody" if text == "D1" else text)
    assert [each.driver for each in await store.usage.counted(["s1"])] == ["somebody"]
    found = await store.usage.sums("driver", "day", 0, 9, by_key=True)
    assert sorted(key for key, _, _ in found) == ["D2", "somebody"]
    assert [key for key, _, _ in await store.usage.sums("station", "day", 0, 9, by_key=True)] == ["CP-D1"]


@pytest.mark.parametrize("transaction", ["t1", None])
async def test_energy_is_read_with_its_transaction_and_without(
    store: SqlStore, transaction: str | None
) -> None:
    one = session(
        "s1", transaction_id="t1", status="ended", started_at=NOON, ended_at=NOON + timedelta(hours=1)
    )
    reading = Reading(NOON + timedelta(minutes=5), (Sample(REGISTER, Decimal("1500"), "Wh"),))
    await store.commit((OpenSession(one), AddReading(one.station, 1, transaction, "s1", NOON, reading)), ())
    assert await store.usage.readings([one]) == {"s1": [(NOON + timedelta(minutes=5), 1500, None)]}
