from dataclasses import replace

import pytest

from cms.contract.evses import AdoptEvses, ForgetEvse, ListEvses, SetEvse, ShowEvse, ShowQr
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.contract.sites import AddSite, ListSites, RemoveSite, SetSite, ShowSite
from cms.contract.stations import AddStation, ListStations, RemoveStation, SetStation, ShowStation
from cms.domain.observations import ConnectorReported, ReportReceived, VariableReported
from cms.operations import evses, sites, stations
from tests.operations.small import ANA, Small

GARAGE = AddSite(
    site="Garage-1",
    name="Garage Hauptbahnhof",
    time_zone="Europe/Berlin",
    street="Europaplatz 1",
    postcode="10557",
    city="Berlin",
    country="de",
    coordinates="52.52006599, 13.40495401",
    hours="mon-fri 06:00-22:00",
    closings=("2026-12-25",),
    grid_power_w=630_000,
    grid_limit_w=400_000,
    party="de-abc",
    contact_email="garage@example.org",
)


async def test_a_site_is_kept_as_it_was_read_also_over_a_restart(small: Small) -> None:
    added = await sites.add(small.core, GARAGE, ANA)
    assert (added.country, added.party, added.latitude) == ("DE", "DE*ABC", 52.520066)
    assert (added.hours, added.open) == ("mon-fri 06:00-22:00", True)
    await small.restart()
    assert await sites.show(small.core, ShowSite("garage-1"), ANA) == added


async def test_a_site_says_what_stands_there(small: Small) -> None:
    await sites.add(small.core, GARAGE, ANA)
    await stations.add(small.core, AddStation("CP2", site="GARAGE-1"), ANA)
    await stations.set_(small.core, SetStation("CP1", site="garage-1"), ANA)
    [seen] = await sites.list_(small.core, ListSites("stations=2"), ANA)
    assert (seen.id, seen.online, seen.charging) == ("Garage-1", 1, 0)
    shown = await stations.show(small.core, ShowStation("CP2"), ANA)
    assert (shown.site, shown.site_name, shown.city) == ("Garage-1", "Garage Hauptbahnhof", "Berlin")
    found = await stations.list_(small.core, ListStations("city=berlin and site_name~bahnhof"), ANA)
    assert [station.id for station in found] == ["CP1", "CP2"]
    with pytest.raises(Conflict, match="2 stations stand at Garage-1"):
        await sites.remove(small.core, RemoveSite("Garage-1"), ANA)
    for station in ("CP1", "CP2"):
        await stations.set_(small.core, SetStation(station, site=""), ANA)
    await sites.remove(small.core, RemoveSite("Garage-1"), ANA)
    assert await sites.list_(small.core, ListSites(), ANA) == []


async def test_a_site_is_registered_by_being_named_unless_that_is_a_slip(small: Small) -> None:
    await sites.add(small.core, GARAGE, ANA)
    with pytest.raises(NotFound) as refused:
        await stations.add(small.core, AddStation("CP2", site="Garrage-1"), ANA)
    assert refused.value.hint == "did you mean Garage-1?"
    await stations.add(small.core, AddStation("CP2", site="Garage-2"), ANA)
    await stations.set_(small.core, SetStation("CP1", site="elsewhere"), ANA)
    assert {site.id for site in await sites.list_(small.core, ListSites(), ANA)} == {
        "Garage-1",
        "Garage-2",
        "elsewhere",
    }


async def test_what_is_null_stays_and_an_empty_text_takes_back(small: Small) -> None:
    await sites.add(small.core, GARAGE, ANA)
    changed = await sites.set_(
        small.core, SetSite(site="Garage-1", city="Potsdam", coordinates="", hours="", grid_limit_w=0), ANA
    )
    assert (changed.city, changed.latitude, changed.grid_limit_w) == ("Potsdam", None, None)
    assert changed.hours == ""  # closed days are still said
    assert changed.opening_hours is not None and len(changed.opening_hours.exceptional_closings) == 1
    cleared = await sites.set_(small.core, SetSite(site="Garage-1", closings=()), ANA)
    assert (cleared.opening_hours, cleared.open) == (None, True)


async def test_events_of_a_site_name_what_changed_and_no_contact(small: Small) -> None:
    await sites.add(small.core, GARAGE, ANA)
    await sites.set_(
        small.core, SetSite(site="Garage-1", contact_email="new@example.org", reason="moved"), ANA
    )
    await sites.set_(small.core, SetSite(site="Garage-1", contact_email="new@example.org"), ANA)
    told = [e for e in await small.core.store.events_after(None, 10) if e.type.startswith("site.")]
    assert [e.data for e in told] == [
        {"site": "Garage-1"},
        {"site": "Garage-1", "changed": ["contact_email"], "reason": "moved"},
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"site": ""},
        {"site": "a/b"},
        {"site": "x" * 37},
        {"time_zone": "Berlin"},
        {"country": "Germany"},
        {"coordinates": "52.5"},
        {"coordinates": "91,0"},
        {"coordinates": "nan,0"},
        {"party": "ABC"},
        {"contact_email": "nobody"},
        {"grid_phases": 4},
        {"grid_power_w": -1},
        {"name": "a\x1b]0;b"},
        {"hours": "whenever"},
        {"closings": ("christmas",)},
    ],
)
async def test_what_is_said_wrongly_of_a_site_is_refused(small: Small, wrong: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        await sites.add(small.core, AddSite(**{"site": "S", **wrong}), ANA)  # type: ignore[arg-type]
    assert await sites.list_(small.core, ListSites(), ANA) == []


async def test_a_site_is_registered_once_whatever_its_case(small: Small) -> None:
    await sites.add(small.core, GARAGE, ANA)
    with pytest.raises(Conflict):
        await sites.add(small.core, AddSite(site="GARAGE-1"), ANA)


async def test_an_evse_id_is_of_the_sites_party_and_is_there_once(small: Small) -> None:
    await sites.add(small.core, GARAGE, ANA)
    await stations.set_(small.core, SetStation("CP1", site="Garage-1"), ANA)
    await stations.add(small.core, AddStation("CP2"), ANA)
    seen = await evses.set_(small.core, SetEvse(station="CP1", evse=1, evse_id="deabce1", floor="-1"), ANA)
    assert (seen.evse_id, seen.floor, seen.id) == ("DE*ABC*E1", "-1", "CP1:1")
    with pytest.raises(Invalid, match=r"is of FR\*XYZ"):
        await evses.set_(small.core, SetEvse(station="CP1", evse=2, evse_id="FR*XYZ*E2"), ANA)
    with pytest.raises(Conflict, match="that of CP1, EVSE 1, already"):
        await evses.set_(small.core, SetEvse(station="CP2", evse=1, evse_id="DE-ABC-E1"), ANA)
    await evses.set_(small.core, SetEvse(station="CP1", evse=1, evse_id="DE*ABC*E1"), ANA)  # its own again
    await small.restart()
    [kept] = await evses.list_(small.core, ListEvses(filter="evse_id=DE*ABC*E1"), ANA)
    assert kept == seen
    await evses.forget(small.core, ForgetEvse("CP1", 1), ANA)
    assert await evses.list_(small.core, ListEvses(), ANA) == []


async def test_outlets_that_the_station_told_are_shown_and_adopted_but_never_over_what_was_registered(
    small: Small,
) -> None:
    small.stations.connect("CP1", "2.0.1")
    for evse in (1, 2):
        await small.hear("CP1", ConnectorReported(evse, 1, "available", small.clock.now()), "2.0.1")
    told = [
        ("Connector@1:1.ConnectorType", "cCCS2"),
        ("Connector@2:1.ConnectorType", "sType2"),
        ("EVSE@1.ISO15118EvseId", "DE*ABC*E1"),
    ]
    reports = tuple(VariableReported(name, value) for name, value in told)
    await small.hear("CP1", ReportReceived("7/0", b"d", 7, 0, reports), "2.0.1")
    shown = await evses.show(small.core, ShowEvse("CP1", 1), ANA)
    assert (shown.source, shown.connectors[0].standard) == ("reported", "IEC_62196_T2_COMBO")
    await evses.set_(small.core, SetEvse(station="CP1", evse=2, standard="chademo"), ANA)
    first, second = await evses.adopt(small.core, AdoptEvses("CP1"), ANA)
    assert (first.evse_id, first.source) == ("DE*ABC*E1", "reported")
    assert (second.source, second.connectors[0].standard) == ("registered", "CHADEMO")


async def test_a_station_that_is_removed_gives_its_evse_ids_free(small: Small) -> None:
    await evses.set_(small.core, SetEvse(station="CP1", evse=1, evse_id="DE*ABC*E1"), ANA)
    await stations.remove(small.core, RemoveStation("CP1"), ANA)
    await stations.add(small.core, AddStation("CP1"), ANA)
    assert await evses.list_(small.core, ListEvses(), ANA) == []


async def test_a_qr_code_says_the_evse_id_or_the_station_in_the_operators_words(small: Small) -> None:
    await evses.set_(small.core, SetEvse(station="CP1", evse=1, reference="A"), ANA)
    assert (await evses.qr(small.core, ShowQr("cp1", 1), ANA)).text == "CP1*1"
    await evses.set_(small.core, SetEvse(station="CP1", evse=1, evse_id="DE*ABC*E1"), ANA)
    assert (await evses.qr(small.core, ShowQr("CP1", 1), ANA)).text == "DE*ABC*E1"
    small.core.terms = replace(small.core.terms, qr_url="https://pay.example/{organisation}/{evse_id}")
    assert (await evses.qr(small.core, ShowQr("CP1", 1), ANA)).text == "https://pay.example/main/DE*ABC*E1"
    with pytest.raises(NotFound, match="CP1 has no EVSE 9"):
        await evses.qr(small.core, ShowQr("CP1", 9), ANA)
