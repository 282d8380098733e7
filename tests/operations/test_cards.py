from __future__ import annotations

from typing import Any

import pytest

from cms.contract.drivers import AddDriver
from cms.contract.refusals import Conflict, NotFound
from cms.contract.stations import AddStation
from cms.contract.tokens import (
    EnrolCard,
    ForgetUnknownCard,
    LearnToken,
    ListUnknownCards,
    ShowLearning,
    ShowToken,
    StopLearning,
)
from cms.core import Actor
from cms.domain.observations import TokenPresented, TokenRef
from cms.operations import cards, drivers, stations, tokens
from tests.domain.build import start
from tests.operations.small import ANA, Small


async def present(small: Small, token: str, kind: str | None = None, station: str = "CP1") -> str:
    return str((await small.hear(station, TokenPresented(TokenRef(token, kind)))).status)


async def inbox(small: Small, **chosen: Any) -> list[tuple[str, int]]:
    return [(card.id, card.count) for card in await cards.list_(small.core, ListUnknownCards(**chosen), ANA)]


async def told(small: Small, type: str) -> list[Any]:
    return [event.data for event in await small.core.store.events_after(None, 1000, type=type)]


async def test_unknown_cards_are_in_the_inbox_the_latest_first_and_stay_over_a_restart(small: Small) -> None:
    for token in ("AA", "BB", "aa", "CARD1"):
        small.clock.pass_(seconds=1)
        await present(small, token)
    await small.hear("CP1", start(token="CC"))
    await small.restart()
    assert await inbox(small) == [("CC", 1), ("AA", 2), ("BB", 1)]
    assert await inbox(small, filter="id=bb") == [("BB", 1)]
    assert await inbox(small, station="CP1") == await inbox(small)
    assert [data["count"] for data in await told(small, "token.unknown")] == [1, 1, 2, 1]


async def test_the_inbox_holds_no_key_codes_and_nothing_unprintable(small: Small) -> None:
    await present(small, "4711", "key-code")
    await present(small, "\x1b[2J")
    assert await inbox(small) == []


async def test_the_inbox_is_bounded(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cms.domain.cards.MOST", 3)
    for n in range(5):
        await present(small, f"CARD-{n}")
    assert [id for id, _ in await inbox(small)] == ["CARD-4", "CARD-3", "CARD-2"]
    await small.restart()
    assert len(await inbox(small)) == 3


async def test_a_card_is_enrolled_from_the_inbox(small: Small) -> None:
    await drivers.add(small.core, AddDriver("ada"), ANA)
    await present(small, "AA")
    await cards.enrol(small.core, EnrolCard("aa", driver="ada"), ANA)
    assert await inbox(small) == []
    assert await present(small, "AA") == "accepted"
    assert (await tokens.show(small.core, ShowToken("AA"), ANA)).driver == "ada"


async def test_a_card_in_the_inbox_can_be_forgotten(small: Small) -> None:
    await present(small, "AA")
    await cards.forget(small.core, ForgetUnknownCard("AA"), ANA)
    with pytest.raises(NotFound):
        await cards.enrol(small.core, EnrolCard("AA"), ANA)


async def test_a_station_learns_the_next_unknown_card_and_no_known_one(small: Small) -> None:
    await cards.learn(small.core, LearnToken("CP1"), ANA)
    await present(small, "CARD1")
    assert (await cards.show_learning(small.core, ShowLearning("CP1"), ANA)).state == "waiting"
    await present(small, "AA")
    await present(small, "BB")
    seen = await cards.show_learning(small.core, ShowLearning("CP1"), ANA)
    assert (seen.state, seen.token, seen.kind) == ("learned", "AA", "rfid")
    assert await told(small, "token.learned") == [
        {"token": "AA", "kind": "rfid", "driver": None, "enrolled": False}
    ]


async def test_a_card_that_is_learned_can_be_enrolled_at_once(small: Small) -> None:
    await drivers.add(small.core, AddDriver("ada"), ANA)
    await cards.learn(small.core, LearnToken("CP1", driver="ADA", enrol=True), ANA)
    await small.hear("CP1", start(token="AA"))
    assert (await cards.show_learning(small.core, ShowLearning("CP1"), ANA)).state == "enrolled"
    assert (await tokens.show(small.core, ShowToken("AA"), ANA)).driver == "ada"


async def test_learning_ends_by_itself_or_when_it_is_stopped(small: Small) -> None:
    await cards.learn(small.core, LearnToken("CP1", timeout_s=60), ANA)
    small.clock.pass_(seconds=61)
    await present(small, "AA")
    assert (await cards.show_learning(small.core, ShowLearning("CP1"), ANA)).state == "over"
    await cards.stop_learning(small.core, StopLearning("CP1"), ANA)
    with pytest.raises(NotFound):
        await cards.show_learning(small.core, ShowLearning("CP1"), ANA)


async def test_nobody_takes_a_station_that_learns_away_from_another(small: Small) -> None:
    await cards.learn(small.core, LearnToken("CP1"), ANA)
    await cards.learn(small.core, LearnToken("CP1", timeout_s=5), ANA)
    with pytest.raises(Conflict, match="ana"):
        await cards.learn(small.core, LearnToken("CP1"), Actor("ben", "admin", frozenset()))


async def test_who_tries_card_numbers_is_answered_from_memory_for_a_minute_and_told_of(small: Small) -> None:
    await stations.add(small.core, AddStation("CP2"), ANA)
    for n in range(30):
        assert await present(small, f"GUESS-{n}") == "unknown"
    written = len(await told(small, "token.presented"))
    assert await present(small, "GUESS-30") == "invalid"
    assert len(await told(small, "token.presented")) == written, "refused unseen"
    assert await told(small, "token.enumeration") == [{"cards": 30}]
    assert await present(small, "CARD1") == "accepted", "whoever is known is heard"
    assert await present(small, "AA", station="CP2") == "unknown", "another station is not meant"
    small.clock.pass_(seconds=61)
    assert await present(small, "GUESS-31") == "unknown"


async def test_the_same_unknown_card_again_and_again_is_no_guessing(small: Small) -> None:
    for _ in range(40):
        assert await present(small, "AA") == "unknown"
    small.clock.pass_(minutes=1)
    for n in range(20):
        await present(small, f"X-{n}")
    small.clock.pass_(minutes=11)
    for n in range(20):
        assert await present(small, f"Y-{n}") == "unknown"
