from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from cms.contract.refusals import Conflict, Invalid
from cms.contract.stations import (
    AddStation,
    EnrolStation,
    ListUnknownStations,
    RemoveStation,
    SetStation,
    StationCredential,
)
from cms.contract.tokens import AddToken
from cms.core import Admission
from cms.domain.changes import NoteUnknown
from cms.operations import stations, tokens
from cms.operations.admission import Approach, Knocks, admit, trim_inbox
from tests.domain.build import after, start
from tests.operations.small import ANA, Small


async def knock(
    small: Small, identity: str, password: str | None, knocks: Knocks | None = None, *, secure: bool = False
) -> Admission:
    secret = None if password is None else password.encode()
    approach = Approach(identity, ("ocpp1.6",), secret, "10.0.0.9:5000", secure=secure)
    return await admit(small.core, knocks or Knocks(), approach)


async def test_the_generated_password_opens_the_door_in_any_case_of_the_identity(small: Small) -> None:
    credential = await stations.add(small.core, AddStation("Depot-7"), ANA)
    assert len(str(credential.password)) == 27
    assert (await knock(small, "DEPOT-7", credential.password)).station == "Depot-7"
    await small.restart()
    assert (await knock(small, "depot-7", credential.password)).station == "Depot-7"


@pytest.mark.parametrize("password", [None, "", "wrong-password"])
async def test_a_wrong_password_and_an_unknown_station_are_told_the_same(
    small: Small, password: str | None
) -> None:
    known, ghost = await knock(small, "CP1", password), await knock(small, "GHOST", password)
    assert (known.station, known.status, known.reason) == (ghost.station, ghost.status, ghost.reason)
    assert known.retry_after_s == ghost.retry_after_s
    assert known.why != ghost.why == "not enrolled", "the journal knows better"


async def test_a_stranger_is_remembered_and_enrolled_by_one_command(small: Small) -> None:
    knocks = Knocks()
    await knock(small, "Ghost", None, knocks)
    await knock(small, "Ghost", None, knocks)
    (unknown,) = await stations.unknown(small.core, ListUnknownStations(), ANA)
    assert (unknown.id, unknown.protocols, unknown.reason) == ("Ghost", ("ocpp1.6",), "not enrolled")
    credential = await stations.enrol(small.core, EnrolStation("GHOST"), ANA)
    assert credential.id == "Ghost"
    assert (await knock(small, "Ghost", credential.password)).station == "Ghost"
    assert not await stations.unknown(small.core, ListUnknownStations(), ANA)


async def test_a_flood_of_names_fills_neither_the_inbox_nor_the_record(small: Small) -> None:
    knocks = Knocks()
    for number in range(150):
        await knock(small, f"GHOST-{number}", None, knocks)
    assert len(await small.core.store.unknown_stations()) == 120
    later = [NoteUnknown(f"LATER-{n}", "10.0.0.1", (), "not enrolled", after(1)) for n in range(950)]
    await small.core.store.commit(later, ())
    await trim_inbox(small.core)
    kept = {stranger.id for stranger in await small.core.store.unknown_stations()}
    assert len(kept) == 1000 and {note.station for note in later} <= kept


async def test_guesses_are_slowed_but_the_right_password_is_let_in(small: Small) -> None:
    credential = await stations.set_(small.core, SetStation("CP1", new_password=True), ANA)
    assert isinstance(credential, StationCredential)
    knocks = Knocks()
    told = [(await knock(small, "CP1", f"guess-{n}", knocks)).status for n in range(53)]
    assert told == [401] * 50 + [429] * 3
    assert (await knock(small, "CP1", credential.password, knocks)).station == "CP1"


async def test_a_new_password_makes_the_old_one_useless(small: Small) -> None:
    old = await stations.add(small.core, AddStation("CP3"), ANA)
    await stations.set_(small.core, SetStation("CP3", new_password=True), ANA)
    assert (await knock(small, "CP3", old.password)).status == 401


async def test_a_station_that_needs_tls_is_not_served_without(small: Small) -> None:
    credential = await stations.add(small.core, AddStation("CP4", security_profile=2), ANA)
    assert (await knock(small, "CP4", credential.password)).status == 401


async def test_an_open_lab_registers_whoever_connects(small: Small) -> None:
    small.core.terms = replace(small.core.terms, open_enrolment=True, insecure_lab=True)
    assert (await knock(small, "New-1", None)).station == "New-1"
    assert (await knock(small, "NEW-1", None)).station == "New-1"
    assert (await knock(small, "CP1", "wrong")).status == 401, "what is registered keeps its password"


async def test_a_station_that_proves_nothing_is_served_in_a_laboratory_alone(small: Small) -> None:
    with pytest.raises(Conflict, match="laboratory"):
        await stations.add(small.core, AddStation("LAB1", security_profile=0), ANA)
    small.core.terms = replace(small.core.terms, insecure_lab=True)
    await stations.add(small.core, AddStation("LAB1", security_profile=0), ANA)
    assert (await knock(small, "LAB1", None)).station == "LAB1"
    small.core.terms = replace(small.core.terms, insecure_lab=False)
    assert (await knock(small, "LAB1", None)).status == 401, "nor one that was registered in a laboratory"


async def test_while_the_record_cannot_be_written_nobody_is_let_in(small: Small) -> None:
    small.core.store.healthy = False
    told = await knock(small, "CP1", "x")
    assert told.status == 503 and 30 <= (told.retry_after_s or 0) <= 120


@pytest.mark.parametrize("identity", ["", "a/b", "a:b", "a b", "x" * 49, "a\u202eb", "a\x1bb"])
async def test_what_cannot_be_an_identity_is_refused(small: Small, identity: str) -> None:
    with pytest.raises(Invalid):
        await stations.add(small.core, AddStation(identity), ANA)


async def test_of_two_who_register_the_same_at_once_one_is_told_no(small: Small) -> None:
    told = await asyncio.gather(
        *(stations.add(small.core, AddStation(name), ANA) for name in ("Race", "RACE", "race")),
        *(tokens.add(small.core, AddToken(name), ANA) for name in ("twice", "TWICE")),
        return_exceptions=True,
    )
    assert [type(answer) for answer in told].count(Conflict) == 3
    won = next(answer for answer in told if isinstance(answer, StationCredential))
    assert (await knock(small, "race", won.password)).station == won.id


async def test_two_stations_cannot_differ_by_case_alone(small: Small) -> None:
    with pytest.raises(Conflict, match="CP1 is enrolled already"):
        await stations.add(small.core, AddStation("cp1"), ANA)


async def test_a_station_with_a_running_session_is_not_removed(small: Small) -> None:
    await small.hear("CP1", start())
    with pytest.raises(Conflict, match="running"):
        await stations.remove(small.core, RemoveStation("CP1"), ANA)


async def test_a_removed_station_is_cut_off_and_stays_away(small: Small) -> None:
    await stations.remove(small.core, RemoveStation("CP1"), ANA)
    assert small.stations.closed == [("CP1", 1008)]
    await small.restart()
    assert (await knock(small, "CP1", "x")).status == 401
