"""A driver scans a code and charges: an app's back end over TLS, a daemon, a station on a websocket."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from cms.client import AsyncClient
from cms.contract.apps import (
    DriverOrder,
    ListDriverSessions,
    ShowDriverStart,
    ShowPlace,
    StartForDriver,
    StopForDriver,
)
from cms.contract.audit import ListAudit
from cms.contract.drivers import AddDriver
from cms.contract.evses import ListEvses, SetEvse
from cms.contract.operators import AddApiToken, RevokeApiToken
from cms.contract.organisations import AddOrganisation, SuspendOrganisation
from cms.contract.refusals import Conflict, Denied
from cms.contract.sessions import ListSessions
from cms.contract.sites import AddSite, ListSites
from cms.contract.stations import AddStation, ListStations, RemoveStation, ResetStation
from cms.contract.status import ShowStatus
from tests.api.test_remote import at, over_tls, token
from tests.fleet import running
from tests.stories.test_organisations import NAMES, client, connected, peopled, said

TAP = StartForDriver(driver="D-1", key="tap", evse_id="DE*ABC*E1")


def now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


async def obeys(station: ClientConnection, *actions: str) -> list[dict[str, Any]]:
    """The station says Accepted to these orders, in this order; their payloads."""
    told = []
    for action in actions:
        kind, id, asked, payload = json.loads(await station.recv())
        assert (kind, asked) == (2, action)
        await station.send(json.dumps([3, id, {"status": "Accepted"}]))
        told.append(payload)
    return told


async def test_a_driver_scans_taps_twice_charges_and_stops(tmp_path: Path) -> None:
    async with over_tls(tmp_path) as (daemon, url), client(tmp_path) as desk:
        secret = (await token(daemon, "app")).secret
        await desk.ask(AddSite(site="garage", city="Ulm"))
        password = (await desk.ask(AddStation("CP-1", site="garage"))).password
        await desk.ask(SetEvse(station="CP-1", evse=1, evse_id="DE*ABC*E1"))
        await desk.ask(AddDriver("D-1", name="Somebody"))
        async with connected(daemon, "/CP-1", password) as station, AsyncClient(await at(url, secret)) as app:
            await said(station, "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
            place = await app.ask(ShowPlace("de-abc-e1"))
            assert (place.station, place.city, place.online) == ("CP-1", "Ulm", True)
            for forbidden in (ListStations(), ListSessions(), ListSites(), ListEvses()):
                with pytest.raises(Denied):
                    await app.ask(forbidden)

            first, second, [order] = await asyncio.gather(
                app.ask(TAP), app.ask(TAP), obeys(station, "RemoteStartTransaction")
            )
            assert isinstance(first, DriverOrder) and first.id == second.id
            begun = await said(
                station,
                "StartTransaction",
                {"connectorId": 1, "idTag": order["idTag"], "meterStart": 0, "timestamp": now()},
            )
            assert begun["idTagInfo"]["status"] == "Accepted"
            assert (await app.ask(ShowDriverStart("D-1", "tap"))).status == "confirmed"
            [session] = await app.ask(ListDriverSessions("D-1", active=True))

            await asyncio.gather(
                app.ask(StopForDriver("D-1", session.id)), obeys(station, "RemoteStopTransaction")
            )
            over = {"transactionId": begun["transactionId"], "meterStop": 4200, "timestamp": now()}
            await said(station, "StopTransaction", over)
            [session] = await app.ask(ListDriverSessions("D-1"))
            assert (session.status, session.energy_wh) == ("ended", 4200)


async def test_the_same_sites_and_evse_ids_in_two_organisations_do_not_meet(tmp_path: Path) -> None:
    async with running(tmp_path):
        await peopled(tmp_path)
        for name in NAMES:
            async with client(tmp_path, name) as own:
                await own.ask(AddSite(site="garage", city=name))
                await own.ask(SetEvse(station="CP-1", evse=1, evse_id="DE*ABC*E1"))
        for name in NAMES:
            async with client(tmp_path, name) as own:
                assert [site.city for site in await own.ask(ListSites())] == [name]
                assert [evse.evse_id for evse in await own.ask(ListEvses())] == ["DE*ABC*E1"]
        async with client(tmp_path) as main:
            assert await main.ask(ListSites()) == [] and await main.ask(ListEvses()) == []
            with pytest.raises(Conflict):
                await main.ask(AddOrganisation(organisation="acme", name="Another"))


async def test_stations_of_a_suspended_organisation_are_cut_off_and_turned_away(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        passwords = await peopled(tmp_path)
        async with client(tmp_path) as main:
            async with (
                connected(daemon, "/acme/CP-1", passwords["acme"]) as one,
                connected(daemon, "/beta/CP-1", passwords["beta"]) as other,
            ):
                await main.ask(SuspendOrganisation("acme", reason="unpaid"))
                with pytest.raises(ConnectionClosed):
                    await one.recv()
                assert await said(other, "Heartbeat", {})
            with pytest.raises(InvalidStatus, match="403"):
                async with connected(daemon, "/acme/CP-1", passwords["acme"]):
                    pass
            await main.ask(SuspendOrganisation("acme", suspended=False))
            async with connected(daemon, "/acme/CP-1", passwords["acme"]) as one:
                assert await said(one, "Heartbeat", {})


async def test_a_suspended_organisation_is_read_and_neither_ordered_nor_changed(tmp_path: Path) -> None:
    async with running(tmp_path), client(tmp_path) as main, client(tmp_path, "acme") as acme:
        await main.ask(AddOrganisation(organisation="acme", name="Acme"))
        await acme.ask(AddStation("CP-1"))
        leaked = await acme.ask(AddApiToken("bob", "viewer"))
        await main.ask(SuspendOrganisation("acme", reason="unpaid"))
        for asked in (
            AddStation("CP-2"),
            ResetStation(station="CP-1"),
            RemoveStation("CP-1"),
            AddApiToken("eve", "viewer"),
        ):
            with pytest.raises(Conflict, match="organisation acme is suspended"):
                await acme.ask(asked)
        assert [station.id for station in await acme.ask(ListStations())] == ["CP-1"]
        assert "suspended" in (await acme.ask(ShowStatus())).notes[0]
        await acme.ask(RevokeApiToken(leaked.id))  # what leaked is shut all the same
        told = [(row.operation, row.result) for row in await acme.ask(ListAudit())]
        assert told[-5:] == [
            ("AddStation", "Conflict"),
            ("ResetStation", "Conflict"),
            ("RemoveStation", "Conflict"),
            ("AddApiToken", "Conflict"),
            ("RevokeApiToken", "changed"),
        ]
        await main.ask(AddStation("CP-2"))  # nobody else is touched
        await main.ask(SuspendOrganisation("acme", suspended=False))
        await acme.ask(AddStation("CP-2"))


async def test_an_organisation_may_be_called_as_a_world_calls_its_own(tmp_path: Path) -> None:
    async with running(tmp_path), client(tmp_path) as main:
        await main.ask(AddOrganisation(organisation="own", name="Own"))
        await main.ask(SuspendOrganisation("own"))
        await main.ask(AddOrganisation(organisation="acme", name="Acme"))
