"""T18: copied cards, and cars whose address anybody can send. T6: who tries card numbers at a station."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cms.contract.stations import AddStation
from cms.contract.tokens import AddToken
from cms.domain.observations import TokenPresented, TokenRef
from cms.domain.sites import KIND as SITE
from cms.domain.sites import Site
from cms.domain.tokens import Token
from cms.operations import stations, tokens
from tests.domain.build import start, stop
from tests.operations.small import ANA, Small

SITES = {
    "berlin": Site("berlin", latitude=52.52, longitude=13.405),
    "potsdam": Site("potsdam", latitude=52.4, longitude=13.06),
    "munich": Site("munich", latitude=48.137, longitude=11.575),
    "nowhere": Site("nowhere"),
}

#: A day of fraud and of honest drivers: (minutes after the start, site, card, how it ends, flags that are expected).
#: ``ends``: the session is over at once; otherwise it goes on.
CORPUS: tuple[tuple[int, str, str, bool, tuple[str, ...]], ...] = (
    (0, "berlin", "HONEST", True, ()),
    (30, "potsdam", "HONEST", True, ()),
    (400, "munich", "HONEST", True, ()),
    (0, "berlin", "CLONED", False, ()),
    (5, "munich", "CLONED", True, ("impossible-travel", "in-two-places")),
    (6, "berlin", "UID7", True, ()),
    (7, "munich", "UID7", True, ("impossible-travel",)),
    (8, "nowhere", "UID7", True, ()),
    (10, "berlin", "FLEET", False, ()),
    (700, "munich", "FLEET", True, ()),
    (0, "berlin", "APP", True, ()),
    (1, "munich", "APP", True, ()),
    (0, "berlin", "AABBCCDDEEFF", True, ("weak-identity",)),
    (1, "berlin", "AABBCCDDEEFF", True, ("weak-identity",)),
)


@pytest.fixture
async def fleet(small: Small) -> Small:
    small.core.kept[SITE] = dict(SITES)
    for site in SITES:
        await stations.add(small.core, AddStation(f"CP-{site}", site=site), ANA)
    for card, more in {
        "APP": {"kind": "app"},
        "AABBCCDDEEFF": {"kind": "mac"},
        "FLEET": {"max_sessions": 9},
    }.items():
        await tokens.add(small.core, AddToken(card, **more), ANA)  # type: ignore[arg-type]
    for card in ("HONEST", "CLONED", "UID7"):
        await tokens.add(small.core, AddToken(card), ANA)
    small.core.terms = replace(small.core.terms, suspicious_speed_kmh=200.0, suspicious_sessions_per_day=20)
    return small


async def test_the_corpus_of_fraud_is_flagged_and_honest_drivers_are_not(fleet: Small) -> None:
    began = fleet.clock.now()
    told: list[Any] = []
    for number, (minutes, site, card, ends, _) in enumerate(sorted(CORPUS, key=lambda row: row[0])):
        fleet.clock.time = began + timedelta(minutes=minutes, seconds=number)
        now = fleet.clock.now()
        answer = await fleet.hear(f"CP-{site}", start(token=card, at=now, evse=number + 1))
        session = fleet.core.lane(f"CP-{site}").state.session_of(answer.transaction_id)
        assert session is not None and answer.token.status == "accepted", "a doubt is no refusal"
        told.append((minutes, site, card, ends, tuple(f for f in session.flags if f != "unknown-connector")))
        if ends:
            await fleet.hear(f"CP-{site}", stop(answer.transaction_id, at=now))
    assert sorted(told) == sorted(CORPUS)


async def test_judging_a_card_walks_through_no_list_of_tokens(fleet: Small) -> None:
    """How long it takes, tests/benchmarks/authorize.py tells."""
    for n in range(100_000):
        fleet.core.tokens[f"x{n}"] = Token(f"X{n}", driver=f"D{n}")
        fleet.core.sightings.began(f"x{n}", "CP-berlin", fleet.clock.now())
    looked_at = 0

    class Watched(dict[str, Token]):
        def __iter__(self) -> Any:
            nonlocal looked_at
            looked_at += 1
            return super().__iter__()

        def values(self) -> Any:
            nonlocal looked_at
            looked_at += 1
            return super().values()

    fleet.core.tokens = Watched(fleet.core.tokens)
    begun = time.perf_counter()
    await fleet.hear("CP-munich", TokenPresented(TokenRef("X7")))
    await fleet.hear("CP-munich", start(token="X8", at=fleet.clock.now()))
    print(f"two cards: {(time.perf_counter() - begun) * 1000:.1f} ms")
    assert looked_at == 0


async def test_who_tries_card_numbers_learns_nothing_and_costs_nothing(fleet: Small) -> None:
    for n in range(30):
        await fleet.hear("CP-berlin", TokenPresented(TokenRef(f"04{n:08X}")))
    cursor = await fleet.core.store.cursor()
    answers = {
        str((await fleet.hear("CP-berlin", TokenPresented(TokenRef(f"05{n:08X}")))).status)
        for n in range(500)
    }
    assert answers == {"invalid"}
    assert await fleet.core.store.cursor() == cursor, "nothing is written for it"
    assert (await fleet.hear("CP-berlin", TokenPresented(TokenRef("HONEST")))).status == "accepted"
    alerts = await fleet.core.store.events_after(None, 10, type="token.enumeration")
    assert [alert.station for alert in alerts] == ["CP-berlin"]
