"""What is wrong is found, and what mends it is said."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cms.contract.diagnosis import Check, Diagnose, Diagnosis, ListHandshakes
from cms.contract.refusals import NotFound
from cms.domain import handshakes
from cms.domain.changes import Happened
from cms.domain.handshakes import Attempt
from cms.operations import diagnosis
from tests.domain.build import NOON
from tests.operations.small import ANA, Small


async def of(small: Small, station: str | None = None) -> Diagnosis:
    return await diagnosis.diagnose(small.core, Diagnose(station), ANA)


def named(told: Diagnosis, name: str) -> Check:
    return next(check for check in told.checks if check.name == name)


async def status(small: Small, *skews_s: float) -> None:
    events = [
        Happened(
            "connector.status",
            NOON,
            f"CP{number}",
            data={"reported_at": (NOON + timedelta(seconds=skew)).isoformat()},
        )
        for number, skew in enumerate(skews_s, 1)
    ]
    await small.core.store.commit((), events)


def attempt(identity: str, **more: object) -> Attempt:
    fields = {"why": "wrong password", "outcome": handshakes.PROOF, "identity": identity, "status": 401}
    return Attempt(NOON, NOON, "10.0.0.8", **fields | more)  # type: ignore[arg-type]


async def test_what_is_well_is_said_so(small: Small) -> None:
    small.stations.connect("CP1")
    told = await of(small)
    assert {check.verdict for check in told.checks if check.name not in ("clock", "disk")} == {"ok"}
    assert named(told, "record").verdict == "ok"
    assert named(await of(small, "CP1"), "link").found.startswith("online from 127.0.0.1")


async def test_a_station_that_is_away_is_said_to_be(small: Small) -> None:
    small.stations.links.clear()
    told = await of(small, "cp1")
    assert told.verdict == "bad"
    assert named(told, "link").found == "it has never connected"
    assert named(await of(small), "stations").found == "0 of 1 online, 1 have never connected"


async def test_who_cannot_connect_is_told_with_cause_and_cure(small: Small) -> None:
    small.stations.failed = [
        attempt("CP1", count=3),
        attempt("GHOST", outcome=handshakes.UNKNOWN, why="not enrolled"),
        attempt("CP1", outcome=handshakes.SUBPROTOCOL, solved_at=NOON),
        attempt("", outcome=handshakes.SILENT, why=""),
    ]
    told = await of(small)
    assert [one.identity for one in told.handshakes] == ["GHOST", "CP1"], "the latest first, no probes"
    assert named(told, "handshakes").found == "2 cannot connect: GHOST, CP1"
    (own,) = (await of(small, "CP1")).handshakes
    assert (own.station, own.attempts, own.cause) == ("CP1", 3, "its password is wrong")
    (stranger,) = (await of(small, "ghost")).handshakes
    assert (stranger.station, stranger.cure) == (None, "cms stations enrol GHOST, when it is one of yours")
    with pytest.raises(NotFound):
        await of(small, "NOBODY")
    every = await diagnosis.handshakes(small.core, ListHandshakes(every=True), ANA)
    assert len(every) == 4
    assert len(await diagnosis.handshakes(small.core, ListHandshakes("CP1"), ANA)) == 1


async def test_one_clock_that_is_wrong_is_the_stations_and_many_are_ours(small: Small) -> None:
    await status(small, 3, 2, 7200)
    told = await of(small)
    assert named(told, "stations' clocks").found == "1 are wrong: CP3"
    assert "ours that is wrong" not in named(told, "clock").found
    await small.core.store.commit((), [])


async def test_when_most_clocks_differ_alike_it_is_ours(small: Small) -> None:
    await status(small, 600, 601, 599, 2)
    told = await of(small)
    assert (named(told, "clock").verdict, named(told, "clock").found) == (
        "bad",
        "most stations' clocks differ from ours by +600 s: it is ours that is wrong",
    )


async def test_what_came_late_from_a_queue_is_no_wrong_clock(small: Small) -> None:
    small.stations.connect("CP1")
    await status(small, -5000)
    await status(small, -2)
    assert named(await of(small, "CP1"), "its clock").verdict == "ok"


async def test_a_record_that_cannot_be_written_is_bad(small: Small) -> None:
    small.core.store.healthy = False
    told = await of(small)
    assert (told.verdict, named(told, "record").verdict) == ("bad", "bad")
    small.core.store.healthy = True
