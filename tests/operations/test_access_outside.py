"""Another system decides on tokens: which are asked about, what holds without an answer, what goes before it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cms.contract.access import AddRule, Rule
from cms.contract.refusals import Conflict
from cms.contract.sessions import ListSessions, StartSession
from cms.contract.tokens import BlockToken
from cms.domain.observations import TokenPresented, TokenRef
from cms.domain.outside import SILENCE, Asked, Told
from cms.domain.tokens import Authorization
from cms.operations import access, sessions, tokens
from tests.domain.build import NOON, after, event, register, start, stop
from tests.operations.small import ANA, Small

OURS = TokenRef("CARD1", "rfid")
THEIRS = TokenRef("ROAMER", "rfid")
YES = Told(Authorization.ACCEPTED, holds_s=600, group="THEM")
NO = Told(Authorization.NO_CREDIT, reason="the contract is paused")


class Neighbour:
    """Knows one answer, and remembers what it was asked."""

    def __init__(self, says: Told, whose: Any = "unknown", offline: Any = "accept-known") -> None:
        self.says, self.whose, self.offline = says, whose, offline
        self.asked: list[Asked] = []

    async def ask(self, asked: Asked) -> Told:
        self.asked.append(asked)
        return self.says


def neighbour(small: Small, says: Told, **terms: Any) -> Neighbour:
    small.core.outside = found = Neighbour(says, **terms)
    return found


async def present(small: Small, token: TokenRef = THEIRS, version: str = "2.0.1") -> Any:
    return await small.hear("CP1", TokenPresented(token), version)


async def test_nobody_is_asked_about_a_token_of_ours(small: Small) -> None:
    other = neighbour(small, NO)
    assert (await present(small, OURS)).status == "accepted"
    assert other.asked == []


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
async def test_a_token_that_somebody_else_knows_may_charge(small: Small, version: str) -> None:
    other = neighbour(small, YES)
    answer = await present(small, THEIRS, version)
    assert (answer.status, answer.group, answer.expires) == ("accepted", "THEM", NOON + timedelta(minutes=10))
    assert [(asked.token, asked.station, asked.purpose) for asked in other.asked] == [
        ("ROAMER", "CP1", "authorize")
    ]


async def test_a_refusal_outside_is_told_in_its_own_words(small: Small) -> None:
    neighbour(small, NO)
    assert (await present(small)).status == "no-credit"
    answer = await small.hear("CP1", start("ROAMER"))
    assert answer.token.status == "no-credit"
    (session,) = await sessions.list_(small.core, ListSessions(), ANA)
    assert (session.token, session.authorization) == ("ROAMER", "no-credit")


async def test_a_session_of_a_strangers_token_is_asked_about_once(small: Small) -> None:
    other = neighbour(small, YES)
    readings = (register(1000, NOON, "Transaction.Begin"),)
    begun = event("started", 0, NOON, token=THEIRS, evse=1, charging_state="Charging", readings=readings)
    for report in (
        begun,
        begun,
        event("updated", 1, after(1), token=THEIRS),
        event("ended", 2, after(9), token=THEIRS),
    ):
        answer = await small.hear("CP1", report, "2.0.1")
    assert [(asked.purpose, asked.evse) for asked in other.asked] == [("start", 1)]
    assert answer.token is not None
    (session,) = await sessions.list_(small.core, ListSessions(), ANA)
    assert (session.token, session.authorization) == ("ROAMER", "accepted")


async def test_history_is_asked_of_nobody(small: Small) -> None:
    other = neighbour(small, YES)
    small.clock.time = after(60)
    await small.hear("CP1", start("ROAMER"))
    assert other.asked == []


async def test_all_are_asked_about_where_that_is_wished_but_not_those_we_refuse(small: Small) -> None:
    other = neighbour(small, NO, whose="all")
    assert (await present(small, OURS)).status == "no-credit"
    await tokens.block(small.core, BlockToken("CARD1"), ANA)
    assert (await present(small, OURS)).status == "blocked"
    assert len(other.asked) == 1


@pytest.mark.parametrize(
    ("offline", "ours", "theirs"),
    [
        ("accept-known", "accepted", "unknown"),
        ("refuse", "invalid", "invalid"),
        ("accept", "accepted", "accepted"),
    ],
)
async def test_without_an_answer_holds_what_was_agreed(
    small: Small, offline: str, ours: str, theirs: str
) -> None:
    neighbour(small, SILENCE, whose="all", offline=offline)
    assert (await present(small, OURS)).status == ours
    assert (await present(small, THEIRS)).status == theirs


async def test_our_own_rules_hold_for_strangers_too(small: Small) -> None:
    neighbour(small, YES)
    await access.add(small.core, AddRule(Rule("them", "deny", "group", "THEM")), ANA)
    assert (await present(small)).status == "blocked"


async def test_a_session_is_started_for_a_stranger_who_may(small: Small) -> None:
    other = neighbour(small, YES)
    await sessions.start(small.core, StartSession(station="CP1", token="ROAMER"), ANA)
    other.says = NO
    with pytest.raises(Conflict, match="no-credit: the contract is paused"):
        await sessions.start(small.core, StartSession(station="CP1", token="ROAMER"), ANA)


async def test_a_stop_is_taken_whoever_is_silent(small: Small) -> None:
    neighbour(small, YES)
    begun = await small.hear("CP1", start("ROAMER"))
    neighbour(small, SILENCE, offline="refuse")
    await small.hear("CP1", stop(begun.transaction_id))
    (session,) = await sessions.list_(small.core, ListSessions(), ANA)
    assert session.status == "ended"
