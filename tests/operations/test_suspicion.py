from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cms.contract.stations import AddStation
from cms.contract.tokens import AddToken
from cms.domain.sites import KIND as SITE
from cms.domain.sites import Site
from cms.operations import stations, tokens
from tests.domain.build import start, stop
from tests.operations.small import ANA, Small

BERLIN = Site("berlin", latitude=52.52, longitude=13.405)
MUNICH = Site("munich", latitude=48.137, longitude=11.575)


@pytest.fixture
async def two(small: Small) -> Small:
    """CP-B stands in Berlin and CP-M in Munich, 504 km away; ROAM is a card of somebody who travels."""
    small.core.kept[SITE] = {"berlin": BERLIN, "munich": MUNICH}
    await stations.add(small.core, AddStation("CP-B", site="berlin"), ANA)
    await stations.add(small.core, AddStation("CP-M", site="munich"), ANA)
    await tokens.add(small.core, AddToken("ROAM"), ANA)
    decide(small, suspicious_speed_kmh=200.0, suspicious_sessions_per_day=3)
    return small


def decide(small: Small, **terms: Any) -> None:
    from dataclasses import replace

    small.core.terms = replace(small.core.terms, **terms)


async def begin(small: Small, station: str, token: str = "ROAM", **more: Any) -> tuple[str, tuple[str, ...]]:
    """What the driver is told, and the flags of his session."""
    now = small.clock.now()
    answer = await small.hear(station, start(token=token, at=now, **more))
    sessions = small.core.lane(station).state.sessions.values()
    (session,) = [s for s in sessions if s.transaction_id == answer.transaction_id]
    return str(answer.token.status), session.flags


async def end(small: Small, station: str) -> None:
    (session,) = small.core.lane(station).state.sessions.values()
    await small.hear(station, stop(session.transaction_id, at=small.clock.now()))


async def told(small: Small) -> list[Any]:
    return [event.data for event in await small.core.store.events_after(None, 100, type="token.suspicious")]


async def test_a_card_that_travelled_faster_than_anybody_can_is_flagged_and_charges(two: Small) -> None:
    await begin(two, "CP-B")
    await end(two, "CP-B")
    two.clock.pass_(hours=2)
    assert await begin(two, "CP-M") == ("accepted", ("impossible-travel",))
    assert await told(two) == [{"token": "ROAM", "doubts": ["impossible-travel"], "blocked": False}]


async def test_a_card_that_took_its_time_is_not(two: Small) -> None:
    await begin(two, "CP-B")
    await end(two, "CP-B")
    two.clock.pass_(hours=3)
    assert await begin(two, "CP-M") == ("accepted", ())
    assert await told(two) == []


async def test_a_card_that_charges_elsewhere_is_in_two_places_unless_it_may_be(two: Small) -> None:
    await begin(two, "CP-B")
    two.clock.pass_(days=1)
    assert await begin(two, "CP-M") == ("accepted", ("in-two-places",))
    await tokens.add(two.core, AddToken("FLEET", max_sessions=5), ANA)
    await begin(two, "CP-B", "FLEET", evse=2)
    two.clock.pass_(days=1)
    assert await begin(two, "CP-M", "FLEET", evse=2) == ("accepted", ())


async def test_more_sessions_a_day_than_anybody_needs_are_flagged(two: Small) -> None:
    flags = []
    for _ in range(4):
        two.clock.pass_(minutes=5)
        flags.append((await begin(two, "CP-B"))[1])
        await end(two, "CP-B")
    assert flags == [(), (), (), ("many-sessions",)]
    two.clock.pass_(days=1)
    assert (await begin(two, "CP-B"))[1] == ()


async def test_a_car_known_by_its_mac_address_is_always_flagged(two: Small) -> None:
    await tokens.add(two.core, AddToken("AABBCCDDEEFF", kind="mac"), ANA)
    assert await begin(two, "CP-B", "VID:AABBCCDDEEFF") == ("accepted", ("weak-identity",))


@pytest.mark.parametrize(
    ("blocks", "status"), [(("in-two-places",), "concurrent"), (("impossible-travel",), "blocked")]
)
async def test_a_doubt_is_a_no_where_somebody_decided_so(two: Small, blocks: Any, status: str) -> None:
    decide(two, suspicious_blocks=blocks)
    await begin(two, "CP-B")
    two.clock.pass_(minutes=5)
    assert (await begin(two, "CP-M"))[0] == status
    assert (await told(two))[0]["blocked"] is True
    # A card that was refused there is still where it was.
    assert two.core.sightings.seen["roam"].station == "CP-B"


async def test_history_that_a_station_tells_late_is_not_judged(two: Small) -> None:
    await begin(two, "CP-B")
    at = two.clock.now()
    two.clock.pass_(hours=1)
    answer = await two.hear("CP-M", start(token="ROAM", at=at + timedelta(minutes=1)))
    assert answer.token.status == "accepted"
    assert await told(two) == []


async def test_a_start_that_is_repeated_counts_once(two: Small) -> None:
    for _ in range(3):
        await two.hear("CP-B", start(token="ROAM"))
    assert two.core.sightings.today("roam", two.clock.now()) == 1
