"""Group commit: together when possible, alone when one is bad, never a lie."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cms.core import Clash, StoreDown
from cms.domain.changes import (
    DropToken,
    NoteUnknown,
    OpenSession,
    Quarantine,
    SaveStation,
    SaveToken,
    UpdateSession,
)
from cms.domain.tokens import Token
from cms.store.engine import SqlStore
from tests.store.conftest import Opening
from tests.store.things import NOON, Heard, delivery, happened, session, station, token

Outcomes = list[BaseException | None]


async def together(store: SqlStore, *commits: tuple[Any, ...]) -> Outcomes:
    """Commit all of these at once, so that they form one batch."""
    return await asyncio.gather(
        *(store.commit(changes, [happened()]) for changes in commits), return_exceptions=True
    )


async def test_what_waits_together_is_one_batch(store: SqlStore) -> None:
    sizes: list[int] = []
    store.on_batch = lambda items, seconds: sizes.append(items)
    await together(store, *((SaveToken(token(f"T{n}")),) for n in range(100)))
    assert sum(sizes) == 100
    assert max(sizes) == 100


async def test_a_batch_has_a_largest_size(store: SqlStore) -> None:
    sizes: list[int] = []
    store.on_batch = lambda items, seconds: sizes.append(items)
    await together(store, *((SaveToken(token(f"T{n}")),) for n in range(600)))
    assert sum(sizes) == 600
    assert max(sizes) == 256


async def test_one_bad_item_of_a_batch_fails_alone(store: SqlStore, heard: Heard) -> None:
    await store.commit([delivery("taken")], [])
    outcomes = await together(
        store,
        (SaveToken(token("before")),),
        (SaveToken(token("never")), delivery("taken")),
        (SaveToken(token("after")),),
    )
    assert [type(outcome) for outcome in outcomes] == [type(None), Clash, type(None)]
    assert [t.id for t in (await store.load()).tokens] == ["after", "before"]
    assert [event.cursor for event in heard.events] == ["1", "2"]
    assert await store.events_after(None, 10) == heard.events


async def test_two_of_a_batch_that_claim_the_same_key_are_told_apart(store: SqlStore) -> None:
    outcomes = await together(store, (delivery("same"),), (delivery("same"),), (delivery("other"),))
    assert [type(outcome) for outcome in outcomes] == [type(None), Clash, type(None)]


@pytest.mark.parametrize(
    "twin",
    [
        session("s2", transaction_id="TX"),
        session("s2", station="cp-1", transaction_id="TX"),
        session("s2", number=7),
    ],
    ids=["transaction", "transaction in another spelling of the station", "number"],
)
async def test_a_second_session_with_the_same_key_is_a_clash(store: SqlStore, twin: Any) -> None:
    await store.commit([OpenSession(session("s1", transaction_id="TX", number=7))], [])
    with pytest.raises(Clash):
        await store.commit([OpenSession(twin)], [])
    assert await store.session("s2") is None


async def test_a_value_no_database_can_hold_fails_its_item_only(store: SqlStore) -> None:
    outcomes = await together(
        store,
        (SaveToken(token("good")),),
        (SaveToken(token("bad", max_sessions=2**70)),),
        (SaveToken(token("fine")),),
    )
    assert outcomes[0] is None and outcomes[2] is None
    assert isinstance(outcomes[1], Exception) and not isinstance(outcomes[1], StoreDown)
    assert store.healthy


async def test_hostile_text_is_kept(store: SqlStore) -> None:
    await store.commit([Quarantine("CP-1", "text", "it was strange", 'a\0b\u202e\x1b[2J"', NOON)], [])
    (kept,) = await store.quarantine(None, 10)
    assert kept.payload.replace("\ufffd", "\0") == 'a\0b\u202e\x1b[2J"'


async def test_a_hostile_key_is_found_again(store: SqlStore) -> None:
    await store.commit([delivery("a\0b")], [])
    assert await store.delivered("CP-1", "transaction", "a\0b") is not None


async def test_adding_and_dropping_in_one_batch_keeps_their_order(store: SqlStore) -> None:
    await together(
        store,
        (SaveToken(token("A")),),
        (DropToken("A"),),
        (SaveToken(token("B")),),
        (DropToken("B"),),
        (SaveToken(token("B", driver="again")),),
    )
    assert (await store.load()).tokens == [Token("B", driver="again")]


async def test_of_several_updates_in_one_batch_the_last_counts(store: SqlStore) -> None:
    await together(
        store,
        (OpenSession(session()),),
        *((UpdateSession(session(energy_wh=wh)),) for wh in range(50)),
    )
    found = await store.session("s1")
    assert found is not None and found.energy_wh == 49


async def test_knocks_in_one_batch_are_all_counted(store: SqlStore) -> None:
    knock = NoteUnknown("CP-9", "10.0.0.9", ("ocpp1.6",), "not enrolled", NOON)
    await together(store, (knock,), (knock,), (knock,))
    assert [(s.id, s.knocks, s.protocols) for s in await store.unknown_stations()] == [
        ("CP-9", 3, ("ocpp1.6",))
    ]


async def test_events_are_published_before_the_commit_returns(store: SqlStore, heard: Heard) -> None:
    await store.commit([SaveStation(station())], [happened("station.enrolled"), happened("station.changed")])
    assert [(event.cursor, event.type) for event in heard.events] == [
        ("1", "station.enrolled"),
        ("2", "station.changed"),
    ]


async def test_events_are_published_in_cursor_order(store: SqlStore, heard: Heard) -> None:
    await together(store, *((delivery(str(n % 40)),) for n in range(60)))
    cursors = [int(event.cursor) for event in heard.events]
    assert cursors == list(range(1, 41))


async def test_a_commit_whose_asker_gave_up_is_written_all_the_same(store: SqlStore) -> None:
    asked = asyncio.create_task(store.commit([SaveToken(token())], []))
    await asyncio.sleep(0)
    asked.cancel()
    await store.commit([], [])
    assert len((await store.load()).tokens) == 1


async def test_what_was_committed_is_there_after_reopening(opening: Opening) -> None:
    first = await opening()
    await first.commit([SaveStation(station())], [happened()])
    await first.close()
    second = await opening()
    assert [state.station for state in (await second.load()).states] == [station()]
    assert await second.cursor() == "1"
    await second.commit([], [happened()])
    assert await second.cursor() == "2"


async def test_closing_writes_what_waits(opening: Opening) -> None:
    first = await opening()
    asked = [asyncio.create_task(first.commit([SaveToken(token(f"T{n}"))], [])) for n in range(300)]
    await asyncio.sleep(0)
    await first.close()
    await asyncio.gather(*asked)
    assert len((await (await opening()).load()).tokens) == 300


async def test_a_closed_store_commits_nothing(opening: Opening) -> None:
    store = await opening()
    await store.close()
    with pytest.raises(StoreDown):
        await store.commit([SaveToken(token())], [])


async def test_a_probe_writes_and_is_healthy(store: SqlStore) -> None:
    store.healthy = False
    assert await store.probe()
    assert store.healthy
