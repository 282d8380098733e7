"""T16: no station ends, meters or changes a session of another, whatever transaction it names (CVE-2026-28230)."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from cms.contract.sessions import ListSessions
from cms.contract.stations import AddStation
from cms.core import Core
from cms.domain.changes import UpdateSession
from cms.domain.evolve import evolve
from cms.domain.observations import Metered, Observation
from cms.domain.sessions import Session
from cms.operations import stations
from tests.domain.build import after, event, register, start, stop
from tests.operations.small import ANA, Small

#: What the thief may name: ``{}`` is the transaction of the other station.
NAMES = st.sampled_from(["{}", " {}", "0{}", "{}.0", "+{}", "0", "-1", "1", "{}0"]) | st.integers().map(str)
ACTS = st.lists(
    st.tuples(st.sampled_from(["stop", "meter", "ended", "updated"]), NAMES), min_size=1, max_size=5
)

Hear = Callable[[Small, str, Observation], Awaitable[None]]


def said(act: str, transaction: str, at_minute: int) -> Observation:
    at = after(at_minute)
    match act:
        case "stop":
            return stop(transaction, meter=999_999, at=at)
        case "meter":
            return Metered(1, (register(999_999, at),), transaction)
    return event(act, 3, at, transaction, meter_wh=999_999)


async def as_it_is(small: Small, station: str, observation: Observation) -> None:
    await small.hear(station, observation)


async def by_number_alone(small: Small, station: str, observation: Observation) -> None:
    """What has been a CVE: the transaction is looked up, and whose it is nobody asks."""
    name = getattr(observation, "transaction_id", None)
    for lane in small.core.lanes.values():
        found = lane.state.session_of(str(name))
        if found is not None:
            taken = evolve(found, energy_wh=999_999, meter_stop_wh=999_999)
            await small.core.store.commit((UpdateSession(taken),), ())
            lane.state = evolve(lane.state, sessions={**lane.state.sessions, found.id: taken})


async def victim(core: Core) -> tuple[Session | None, list[Session]]:
    """The session of the other station, in memory and in the record."""
    kept = await core.store.sessions(ListSessions(station="CP1"))
    held = next(iter(core.lane("CP1").state.sessions.values()), None)
    return held, kept


async def story(hear: Hear, acts: list[tuple[str, str]]) -> bool:
    """Whether a thief's messages leave the other station's session as it was."""
    with tempfile.TemporaryDirectory() as folder:
        small = await Small(Path(folder)).open()
        for name in ("CP1", "THIEF"):
            await stations.add(small.core, AddStation(name), ANA)
            small.stations.connect(name)
        number = str((await small.hear("CP1", start("CARD1"))).transaction_id)
        before = await victim(small.core)
        assert before[0] is not None
        for minute, (act, name) in enumerate(acts, 1):
            await hear(small, "THIEF", said(act, name.format(number), minute))
        unchanged = await victim(small.core) == before
        await small.close()
        return unchanged


@given(ACTS)
@settings(max_examples=12, deadline=None)
def test_no_message_of_one_station_changes_a_session_of_another(acts: list[tuple[str, str]]) -> None:
    assert asyncio.run(story(as_it_is, acts))


def test_the_story_catches_a_system_that_looks_transactions_up_by_number_alone() -> None:
    assert not asyncio.run(story(by_number_alone, [("stop", "{}")]))
