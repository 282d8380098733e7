import pytest

from cms.contract.evses import ListEvses, SetEvse
from cms.contract.refusals import Invalid
from cms.contract.sites import (
    AddSite,
    ImportSites,
    ImportStations,
    ListSites,
    PlaceRow,
    PlacesView,
    SiteRow,
    StationRow,
)
from cms.contract.stations import ListStations
from cms.operations import evses, places, sites, stations
from cms.operations.admission import Approach, Knocks, admit
from tests.operations.small import ANA, Small

SITES = (
    SiteRow(
        2,
        "garage",
        "Garage Nord",
        "Europe/Berlin",
        city="Ulm",
        country="de",
        closings="2026-12-25; 2026-12-26",
    ),
    SiteRow(3, "depot", hours="24/7", grid_limit_w="400000", party="DE*ABC"),
)
STATIONS = (
    StationRow(
        2, "CP7", "depot", serial="'-77", evse="1", evse_id="de*abc*e71", standard="ccs2", power_w="150000"
    ),
    StationRow(3, "cp7", evse="2", evse_id="DEABCE72", standard="type2"),
    StationRow(4, "CP8", security_profile="3"),
)


def outcomes(view: PlacesView) -> list[str]:
    return [row.outcome for row in view.rows]


async def test_sites_of_a_file_are_registered_and_a_second_time_nothing_changes(small: Small) -> None:
    first = await places.sites_(small.core, ImportSites(SITES), ANA)
    assert (first.done, outcomes(first)) == (True, ["added", "added"])
    await small.restart()
    garage, depot = sorted(await sites.list_(small.core, ListSites(), ANA), key=lambda s: s.city or "~")
    assert (garage.country, depot.grid_limit_w, depot.hours) == ("DE", 400_000, "24/7")
    assert garage.opening_hours is not None and len(garage.opening_hours.exceptional_closings) == 2
    again = await places.sites_(small.core, ImportSites(SITES), ANA)
    assert (again.done, outcomes(again)) == (False, ["unchanged", "unchanged"])
    moved = await places.sites_(small.core, ImportSites((SiteRow(2, "GARAGE", city="Neu-Ulm"),)), ANA)
    assert (moved.done, outcomes(moved)) == (True, ["changed"])


async def test_one_bad_line_is_named_and_keeps_the_whole_file_out(small: Small) -> None:
    bad = (
        *SITES,
        SiteRow(9, "yard", country="Germany"),
        SiteRow(10, "", "no id"),
        SiteRow(11, "x", grid_limit_w="4 kW"),
    )
    told = await places.sites_(small.core, ImportSites(bad), ANA)
    assert (told.done, outcomes(told)) == (False, ["added", "added", "error", "error", "error"])
    assert told.rows[2] == PlaceRow(
        9, "yard", "error", "'Germany' is no country: two letters as in ISO 3166-1, e.g. DE"
    )
    assert await sites.list_(small.core, ListSites(), ANA) == []


async def test_stations_of_a_file_come_with_their_evses_and_passwords_that_let_them_in(small: Small) -> None:
    await places.sites_(small.core, ImportSites(SITES), ANA)
    told = await places.stations_(small.core, ImportStations(STATIONS), ANA)
    assert (told.done, outcomes(told)) == (True, ["added", "added", "added"])
    given = {credential.id: credential.password for credential in told.credentials}
    assert set(given) == {"CP7", "CP8"} and given["CP8"] is None
    await small.restart()
    named = [(e.id, e.evse_id) for e in await evses.list_(small.core, ListEvses("CP7"), ANA)]
    assert named == [("CP7:1", "DE*ABC*E71"), ("CP7:2", "DE*ABC*E72")]
    [seen] = await stations.list_(small.core, ListStations("site=depot"), ANA)
    assert (seen.id, seen.serial) == ("CP7", "-77")
    knock = Approach("CP7", ("ocpp1.6",), (given["CP7"] or "").encode(), "192.0.2.1")
    assert (await admit(small.core, Knocks(), knock)).station == "CP7"
    again = await places.stations_(small.core, ImportStations(STATIONS), ANA)
    assert (again.done, outcomes(again), again.credentials) == (False, ["known"] * 3, ())


async def test_a_dry_run_says_the_same_and_writes_nothing(small: Small) -> None:
    await sites.add(small.core, AddSite(site="depot"), ANA)
    told = await places.stations_(small.core, ImportStations(STATIONS, dry_run=True), ANA)
    assert (told.done, outcomes(told), told.credentials) == (False, ["added"] * 3, ())
    assert [s.id for s in await stations.list_(small.core, ListStations(), ANA)] == ["CP1"]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (StationRow(2, "CP7", "nowhere"), "there is no site nowhere"),
        (StationRow(2, "a/b"), "cannot be a station identity"),
        (StationRow(2, "CP7", evse="1", evse_id="DE*ABC*E1"), "that of CP1, EVSE 1, already"),
        (StationRow(2, "CP7", evse="0"), "count from 1"),
        (StationRow(2, "CP7", evse="1", standard="type9"), "no connector standard"),
        (StationRow(2, "CP7", security_profile="x"), "security_profile is a whole number"),
    ],
)
async def test_what_is_wrong_with_a_station_is_said_in_its_line(
    small: Small, row: StationRow, why: str
) -> None:
    await evses.set_(small.core, SetEvse(station="CP1", evse=1, evse_id="DE*ABC*E1"), ANA)
    told = await places.stations_(small.core, ImportStations((row,)), ANA)
    assert why in (told.rows[0].why or "")
    assert not told.done


async def test_two_lines_of_a_file_cannot_have_one_evse_id(small: Small) -> None:
    rows = (
        StationRow(2, "CP7", evse="1", evse_id="DE*ABC*E1"),
        StationRow(3, "CP8", evse="1", evse_id="DEABCE1"),
        StationRow(4, "CP7"),
    )
    told = await places.stations_(small.core, ImportStations(rows), ANA)
    assert outcomes(told) == ["added", "error", "error"]


async def test_a_file_has_an_end(small: Small) -> None:
    with pytest.raises(Invalid, match="5001 lines are too many"):
        await places.sites_(small.core, ImportSites(tuple(SiteRow(n, f"s{n}") for n in range(5_001))), ANA)
