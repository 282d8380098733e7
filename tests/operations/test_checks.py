from __future__ import annotations

import pytest

from cms.contract.checks import CheckQueue, CheckSession
from cms.contract.intents import IntentView
from cms.contract.sessions import ListSessions, SessionView, ShowSession
from cms.domain.orders import OrderAnswer
from cms.operations import checks, sessions
from tests.domain.build import NOON, after, event
from tests.operations.small import ANA, Small


@pytest.fixture
async def session(small: Small) -> str:
    small.stations.connect("CP1", "2.0.1")
    await small.hear("CP1", event("started", 0, NOON, evse=1), version="2.0.1")
    (seen,) = await sessions.list_(small.core, ListSessions(), ANA)
    return seen.id


async def check(small: Small, session: str, *, ongoing: bool, queued: bool) -> SessionView:
    said = {"ongoingIndicator": ongoing, "messagesInQueue": queued}
    small.stations.answer = OrderAnswer("accepted", "ongoing", said)
    await checks.session(small.core, CheckSession(session=session), ANA)
    return await sessions.show(small.core, ShowSession(session), ANA)


async def test_what_the_station_says_is_shown_with_the_session(small: Small, session: str) -> None:
    seen = await check(small, session, ongoing=True, queued=True)
    assert seen.check is not None
    assert (seen.check.ongoing, seen.check.messages_in_queue, seen.flags) == (True, True, ())
    await small.restart()
    assert (await sessions.show(small.core, ShowSession(session), ANA)).check == seen.check


async def test_a_session_whose_end_waits_in_the_queue_is_flagged_and_stays_as_it_is(
    small: Small, session: str
) -> None:
    seen = await check(small, session, ongoing=False, queued=True)
    assert (seen.status, seen.flags, seen.ended_at) == ("pending", ("not-ongoing",), None)
    seen = await check(small, session, ongoing=True, queued=False)
    assert seen.flags == ()


async def test_a_session_that_neither_goes_on_nor_has_an_end_to_come_is_suspect(
    small: Small, session: str
) -> None:
    seen = await check(small, session, ongoing=False, queued=False)
    assert (seen.status, seen.flags, seen.ended_at) == ("suspect", ("not-ongoing",), None)
    await small.hear("CP1", event("ended", 1, after(5)), version="2.0.1")
    seen = await sessions.show(small.core, ShowSession(session), ANA)
    assert (seen.status, seen.ended_at) == ("ended", after(5))


async def test_the_whole_queue_can_be_asked_about(small: Small, session: str) -> None:
    small.stations.answer = OrderAnswer("accepted", "queue", {"messagesInQueue": True})
    answer = await checks.queue(small.core, CheckQueue(station="CP1"), ANA)
    assert isinstance(answer, IntentView)
    assert (answer.status, answer.answer) == ("confirmed", {"messagesInQueue": True})
    assert (await sessions.show(small.core, ShowSession(session), ANA)).check is None
