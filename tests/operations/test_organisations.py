from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cms.contract.evses import SetEvse
from cms.contract.organisations import (
    AddOrganisation,
    ListOrganisations,
    SetOrganisation,
    ShowOrganisation,
    ShowOwnOrganisation,
    SuspendOrganisation,
)
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.contract.sites import AddSite
from cms.contract.stations import AddStation
from cms.core import PLATFORM, Core
from cms.operations import evses, organisations, sites, stations
from cms.operations.admission import Approach, Knocks, admit
from tests.operations.small import ANA, Small


class Platform:
    """The platform's world beside those of its organisations, each on a record of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.worlds: dict[str, Small] = {}

    @property
    def core(self) -> Core:
        return self.worlds[PLATFORM].core

    async def found(self, organisation: str) -> Core:
        folder = self.folder / (organisation or "platform")
        folder.mkdir()
        small = await Small(folder).open()
        small.core.organisation = organisation
        small.core.all_cores = lambda: [world.core for world in self.worlds.values()]
        small.core.found = self.found
        self.worlds[organisation] = small
        return small.core


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[Platform]:
    platform = Platform(tmp_path)
    await platform.found(PLATFORM)
    await platform.found("main")
    yield platform
    for world in platform.worlds.values():
        await world.close()


CITY = AddOrganisation(
    organisation="city",
    name="Stadtwerke GmbH",
    party="de-abc",
    time_zone="Europe/Berlin",
    currency="eur",
)


async def test_the_main_organisation_is_there_before_anything_is_said_of_it(platform: Platform) -> None:
    [main] = await organisations.list_(platform.core, ListOrganisations(), ANA)
    assert (main.id, main.status, main.time_zone) == ("main", "active", "UTC")
    await organisations.set_(platform.core, SetOrganisation(organisation="main", party="EE*DEM"), ANA)
    own = await organisations.show_own(platform.worlds["main"].core, ShowOwnOrganisation(), ANA)
    assert own.party == "EE*DEM"


async def test_an_organisation_that_is_added_is_served_and_knows_what_is_said_of_it(
    platform: Platform,
) -> None:
    added = await organisations.add(platform.core, CITY, ANA)
    assert (added.party, added.currency, added.status) == ("DE*ABC", "EUR", "active")
    city = platform.worlds["city"].core
    assert await organisations.show_own(city, ShowOwnOrganisation(), ANA) == added
    assert city.terms.organisations == ("Stadtwerke GmbH",)
    site = await sites.add(city, AddSite(site="depot"), ANA)
    assert site.time_zone == "Europe/Berlin"
    await stations.add(city, AddStation("CP1", site="depot"), ANA)
    with pytest.raises(Invalid, match=r"this place is of DE\*ABC"):
        await evses.set_(city, SetEvse(station="CP1", evse=1, evse_id="FR*XYZ*E1"), ANA)


async def test_a_party_is_one_organisations_and_so_is_an_id(platform: Platform) -> None:
    await organisations.add(platform.core, CITY, ANA)
    with pytest.raises(Conflict, match="registered already"):
        await organisations.add(platform.core, CITY, ANA)
    with pytest.raises(Conflict, match=r"party DE\*ABC is that of city"):
        await organisations.set_(platform.core, SetOrganisation(organisation="main", party="DEABC"), ANA)
    with pytest.raises(NotFound) as refused:
        await organisations.show(platform.core, ShowOrganisation("citi"), ANA)
    assert refused.value.hint == "did you mean city?"


@pytest.mark.parametrize("organisation", ["", "City", "a b", "-a", "../x", "x" * 33, "ä"])
async def test_an_organisations_id_is_a_slug(platform: Platform, organisation: str) -> None:
    with pytest.raises(Invalid):
        await organisations.add(platform.core, AddOrganisation(organisation=organisation, name="X"), ANA)


async def test_a_suspended_organisation_is_cut_off_and_turned_away_until_it_is_resumed(
    platform: Platform,
) -> None:
    await organisations.add(platform.core, CITY, ANA)
    city = platform.worlds["city"]
    told = await stations.add(city.core, AddStation("CP1"), ANA)
    city.stations.connect("CP1")
    await organisations.suspend(platform.core, SuspendOrganisation("city", reason="unpaid"), ANA)
    assert city.stations.closed == [("CP1", 1008)]
    knock = Approach("CP1", ("ocpp1.6",), (told.password or "").encode(), "192.0.2.1")
    assert (await admit(city.core, Knocks(), knock)).status == 403
    await organisations.suspend(platform.core, SuspendOrganisation("city", suspended=False), ANA)
    assert (await admit(city.core, Knocks(), knock)).station == "CP1"
    with pytest.raises(Conflict, match="main organisation cannot be suspended"):
        await organisations.suspend(platform.core, SuspendOrganisation("main"), ANA)
    types = [event.type for event in await platform.core.store.events_after(None, 10)]
    assert types == ["organisation.added", "organisation.suspended", "organisation.resumed"]
