"""Words that name somebody are found in every table, and replaced: on both databases, in one organisation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from cms.contract.sessions import ListSessions
from cms.domain import changes as c
from cms.domain.drivers import Driver
from cms.domain.erasure import ERASED, Aliases
from cms.store.engine import SqlStore
from tests.store.things import NOON, delivery, happened, intent, session, station, token

CARD = 'CANARY-"Ä"-4711'
ALIASES = Aliases({CARD: f"{ERASED}1"})
WORDS = sorted(ALIASES.needles)


async def named(store: SqlStore, at_number: int = 0) -> None:
    """One row in each table that names the card; and one in each that does not."""
    at = NOON + timedelta(days=at_number)
    for n, tag in enumerate((CARD, "OTHER-0815"), at_number * 10):
        ended = session(f"s{n}", token=tag, stop_token=tag.lower(), status="ended", ended_at=at)
        told = {"token": tag, "energy": [1.25, "12.30"], "note": f"by {tag}."}
        await store.commit(
            [
                c.OpenSession(ended),
                c.SaveIntent(
                    intent(f"i{n}", params={"token": tag}, reason=f"for {tag}", detail=None, created_at=at)
                ),
                delivery(f"start|{n}|{tag.casefold()}|1"),
                c.Quarantine("CP-1", "Authorize", tag, msgspec.json.encode(["x", tag]).decode(), at),
                c.Keep("", "driver", f"{n}", Driver(f"{n}", groups=(tag,)), at),
            ],
            [happened("token.presented", data=told)],
        )


async def tables(store: SqlStore) -> list[str]:
    return sorted(table for table, _ in await store.mentions(WORDS, 100))


async def test_every_table_that_names_somebody_is_found(store: SqlStore) -> None:
    await store.commit([c.SaveStation(station()), c.SaveToken(token(CARD))], ())
    await named(store)
    assert await tables(store) == ["deliveries", "events", "intents", "kept", "quarantine", "sessions"]
    assert await store.of("beta").mentions(WORDS, 100) == []


async def test_what_names_somebody_is_rewritten_and_nothing_else(store: SqlStore) -> None:
    await named(store)
    beta = store.of("beta")
    await named(beta)
    done = await store.rewrite(WORDS, ALIASES.column)
    assert done == dict.fromkeys(("deliveries", "events", "intents", "kept", "quarantine", "sessions"), 1)
    assert await tables(store) == []
    assert await store.rewrite(WORDS, ALIASES.column) == {}
    sessions = {s.id: (s.token, s.stop_token) for s in await store.sessions(ListSessions())}
    assert sessions == {"s0": ("erased-1", "erased-1"), "s1": ("OTHER-0815", "other-0815")}
    assert [s.id for s in await store.sessions(ListSessions(token="ERASED-1"))] == ["s0"], "and found by it"
    first, second = [e.data for e in await store.events_after(None, 10, type="token.presented")]
    assert first == {"token": "erased-1", "energy": [1.25, "12.30"], "note": "by erased-1."}
    assert second["token"] == "OTHER-0815"
    assert await store.delivered("CP-1", "transaction", "start|0|erased-1|1")
    assert (await store.intents(None, None, 10))[0].params in ({"token": "erased-1"}, {"token": "OTHER-0815"})
    assert len(await beta.mentions(WORDS, 100)) == 6, "another organisation's rows are its own"


async def test_only_what_is_old_is_rewritten_where_a_time_is_named(store: SqlStore) -> None:
    await named(store)
    await named(store, at_number=1)
    before = NOON + timedelta(hours=1)
    assert await store.old_tokens(before, ERASED, 10) == sorted(
        [CARD, CARD.lower(), "OTHER-0815", "other-0815"]
    )
    await store.rewrite(WORDS, ALIASES.column, before)
    tokens: dict[str, Any] = {s.id: s.token for s in await store.sessions(ListSessions())}
    assert (tokens["s0"], tokens["s10"]) == ("erased-1", CARD)
    assert await store.old_tokens(before, ERASED, 10) == ["OTHER-0815", "other-0815"]


async def test_more_words_than_one_query_may_have_are_looked_for_too(store: SqlStore) -> None:
    await named(store)
    many = Aliases({CARD: "erased-1"} | {f"WORD-{n:04}": f"erased-{n}" for n in range(300)})
    assert len(await store.mentions(sorted(many.needles), 100)) == 6
    await store.rewrite(sorted(many.needles), many.column)
    assert await tables(store) == []


@pytest.mark.parametrize("rows", [700])
async def test_many_rows_are_rewritten_in_pieces_though_some_only_look_alike(
    store: SqlStore, rows: int
) -> None:
    told = [happened("token.presented", data={"token": CARD if n % 2 else f"{CARD}XYZ"}) for n in range(rows)]
    await store.commit((), told)
    assert await store.rewrite(WORDS, ALIASES.column) == {"events": rows // 2}
    left = await store.mentions(WORDS, 1000)
    assert len(left) == rows - rows // 2
    await store.leave_no_traces(WORDS)
