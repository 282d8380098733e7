"""T17: who charges without paying leaves a session, a flag or a hole between two registers; never nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cms.domain.gaps import TOLERATED_WH
from tests.domain.build import Desk, after, event, register, start, stop
from tests.quirks.raw import Raw, Site, a_site
from tests.quirks.raw import meter as metered_16
from tests.quirks.raw import start as start_16
from tests.quirks.raw import stop as stop_16

REGISTER = "Energy.Active.Import.Register"


async def stopped_at(raw: Raw, number: int, meter: int, at: str) -> None:
    assert await raw.call("StopTransaction", stop_16(number, meter=meter, at=at)) in (
        {},
        {"idTagInfo": {"status": "Accepted"}},
    )


async def started(raw: Raw, **how: Any) -> Any:
    return await raw.call("StartTransaction", start_16(**how))


async def test_a_replayed_start_of_an_accepted_card_opens_nothing_a_second_time(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        raw = await site.booted()
        first = await started(raw)
        assert await started(raw) == first
        await stopped_at(raw, first["transactionId"], 6000, "2026-05-04T13:00:00Z")
        assert await started(raw) == first
        session = await site.session()
        assert (session.status, session.energy_wh) == ("ended", 5000)


async def test_what_a_stranger_charges_offline_is_a_session_with_its_energy_and_the_no(
    tmp_path: Path,
) -> None:
    async with a_site(tmp_path) as site:
        raw = await site.booted()
        said = await started(raw, card="STRANGER")
        assert said["idTagInfo"]["status"] == "Invalid"
        assert said["transactionId"] > 0
        await stopped_at(raw, said["transactionId"], 21_000, "2026-05-04T13:00:00Z")
        session = await site.session()
        assert (session.energy_wh, session.token, session.authorization) == (20_000, "STRANGER", "unknown")


async def test_who_stops_on_paper_and_goes_on_is_found_at_the_next_start(tmp_path: Path) -> None:
    """Also by a daemon that was started anew meanwhile."""
    async with a_site(tmp_path) as site:
        raw = await site.booted()
        number = (await started(raw, meter=1000))["transactionId"]
        await stopped_at(raw, number, 1000, "2026-05-04T12:01:00Z")
    async with a_site(tmp_path) as site:
        raw = await site.booted()
        await started(raw, meter=41_000, at="2026-05-04T15:00:00Z")
        first, second = await site.sessions()
        assert (first.energy_wh, first.flags) == (0, ())
        assert second.flags == ("energy-gap",)
        (told,) = await site.events("energy.gap")
        assert told.session == second.id
        assert told.data == {"evse": 1, "last_wh": 1000, "start_wh": 41_000, "gap_wh": 40_000}


async def test_who_samples_high_and_stops_low_is_flagged_and_found_at_the_next_start(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        raw = await site.booted()
        number = (await started(raw, meter=1000))["transactionId"]
        sample = {"measurand": REGISTER, "unit": "Wh", "value": "31000"}
        await raw.call("MeterValues", metered_16(number, sample))
        await stopped_at(raw, number, 1000, "2026-05-04T13:00:00Z")
        await started(raw, meter=31_000, at="2026-05-04T15:00:00Z")
        first, _ = await site.sessions()
        assert "register-decreased" in first.flags
        (told,) = await site.events("energy.gap")
        assert told.data["gap_wh"] == 30_000


async def test_who_never_stops_is_suspect_and_what_he_did_not_tell_is_a_gap(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        raw = await site.booted()
        await started(raw, meter=1000)
        await started(raw, meter=9000, at="2026-05-04T15:00:00Z", card="OTHER")
        first, second = await site.sessions()
        assert (first.status, first.flags) == ("suspect", ("no-stop",))
        assert "energy-gap" in second.flags


async def test_a_stop_without_a_number_takes_no_second_session_along(site_of_two: Site) -> None:
    """``-1`` may be anybody's where two sessions run (libocpp #495): kept for a person, and neither ends."""
    raw = await site_of_two.booted()
    for connector in (1, 2):
        await started(raw, connector=connector)
    assert await raw.call("StopTransaction", stop_16(-1)) == {}
    assert [session.status for session in await site_of_two.sessions()] == ["charging", "charging"]
    assert len(await site_of_two.events("quarantine.added")) == 1


@pytest.fixture
async def site_of_two(tmp_path: Path) -> Any:
    async with a_site(tmp_path) as site:
        yield site


#: What happens on one EVSE: unseen energy, the card, what the session takes, how many samples, is there a stop.
HISTORIES = st.lists(
    st.tuples(
        st.just(0) | st.integers(TOLERATED_WH + 1, 60_000),
        st.sampled_from(["CARD1", "STRANGER"]),
        st.integers(0, 40_000),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@given(HISTORIES, st.sampled_from(["1.6", "2.0.1"]))
@settings(max_examples=20, deadline=None)
def test_sessions_and_gaps_together_are_what_the_meter_delivered(
    history: list[tuple[int, str, int, bool]], version: str
) -> None:
    desk, now_wh, sessions, gaps_wh = Desk(), 1000, {}, 0
    for nth, (unseen_wh, card, taken_wh, stopped) in enumerate(history):
        # Before the first session nobody knows what the register was.
        now_wh += unseen_wh if nth else 0
        for said in told(version, desk, nth, card, (now_wh, now_wh + taken_wh), stopped):
            for change in said.changes:
                if (session := getattr(change, "session", None)) is not None and hasattr(
                    session, "energy_wh"
                ):
                    sessions[session.id] = session
            gaps_wh += sum(e.data["gap_wh"] for e in said.events if e.type == "energy.gap")
        now_wh += taken_wh if stopped else 0
    assert sum(session.energy_wh for session in sessions.values()) + gaps_wh == now_wh - 1000


def told(
    version: str, desk: Desk, nth: int, card: str, registers: tuple[int, int], stopped: bool
) -> list[Any]:
    """The decisions on a session as a station of this version tells of it."""
    (begin_wh, end_wh), at, end = registers, after(nth * 600), after(nth * 600 + 300)
    if version == "1.6":
        began = desk.tell(start(card, begin_wh, at))
        number = began.answer.transaction_id
        return [began, desk.tell(stop(number, end_wh, end))] if stopped else [began]
    begins = (register(begin_wh, at, "Transaction.Begin"),)
    ends = (register(end_wh, end, "Transaction.End"),)
    first = event("started", 0, at, f"tx{nth}", evse=1, connector=1, readings=begins)
    if not stopped:
        return [desk.tell(first, version=version)]
    last = event("ended", 1, end, f"tx{nth}", readings=ends)
    return [desk.tell(first, version=version), desk.tell(last, version=version)]


def test_ordinary_sessions_have_no_gap_nor_does_a_meter_that_was_replaced() -> None:
    desk, flags = Desk(), set()
    for nth, (begin_wh, end_wh) in enumerate(
        [(1000, 6000), (6000, 9000), (9900, 12_000), (0, 500), (500, 900)]
    ):
        for said in told("1.6", desk, nth, "CARD1", (begin_wh, end_wh), stopped=True):
            flags |= {flag for change in said.changes for flag in flags_of(change)}
    assert flags == set()


def flags_of(change: Any) -> tuple[str, ...]:
    return tuple(getattr(getattr(change, "session", None), "flags", ()))


def test_a_session_told_of_late_is_no_gap_and_hides_none() -> None:
    desk = Desk()
    told("1.6", desk, 5, "CARD1", (20_000, 30_000), stopped=True)
    late = told("1.6", desk, 1, "CARD1", (1000, 6000), stopped=True)
    assert not any(event.type == "energy.gap" for said in late for event in said.events)
    (next_,) = told("1.6", desk, 6, "CARD1", (45_000, 45_000), stopped=False)
    assert [event.data["gap_wh"] for event in next_.events if event.type == "energy.gap"] == [15_000]
