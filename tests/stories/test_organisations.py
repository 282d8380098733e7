"""Two organisations on one daemon, with the same station, token and transaction ids: each sees its own."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from cms.client import Address, AsyncClient
from cms.contract.events import ListEvents
from cms.contract.grants import AddGrant
from cms.contract.operators import AddApiToken
from cms.contract.organisations import AddOrganisation
from cms.contract.refusals import NotFound
from cms.contract.sessions import ListSessions, ShowSession
from cms.contract.stations import AddStation, ListStations, ResetStation, ShowStation
from cms.contract.tokens import AddToken, BlockToken, ListTokens
from cms.daemon import Daemon
from tests.api.test_remote import at, over_tls
from tests.fleet import running

NAMES = ("acme", "beta")
AT = "2026-05-04T12:00:00Z"


def client(folder: Path, organisation: str | None = None) -> AsyncClient:
    return AsyncClient(Address(socket=str(folder / "cms.sock"), organisation=organisation))


@asynccontextmanager
async def connected(daemon: Daemon, path: str, password: str) -> AsyncIterator[ClientConnection]:
    credentials = base64.b64encode(f"CP-1:{password}".encode()).decode()
    async with connect(
        f"{daemon.endpoint.url}{path}",
        subprotocols=[Subprotocol("ocpp1.6")],
        additional_headers={"Authorization": f"Basic {credentials}"},
        proxy=None,
    ) as socket:
        yield socket


async def said(socket: ClientConnection, action: str, payload: dict[str, Any]) -> dict[str, Any]:
    await socket.send(json.dumps([2, action, action, payload]))
    answer: dict[str, Any] = json.loads(await socket.recv())[2]
    return answer


async def charged(socket: ClientConnection, meter_stop: int) -> dict[str, Any]:
    """One session of CARD, from 1000 Wh on; what its start was told."""
    await said(socket, "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
    begun = await said(
        socket,
        "StartTransaction",
        {"connectorId": 1, "idTag": "CARD", "meterStart": 1000, "timestamp": AT},
    )
    over = {"transactionId": begun["transactionId"], "meterStop": meter_stop, "timestamp": AT}
    await said(socket, "StopTransaction", over)
    return begun["idTagInfo"]  # type: ignore[no-any-return]


async def peopled(folder: Path) -> dict[str, str]:
    """Both organisations with a CP-1 and a CARD; the passwords of their stations."""
    passwords = {}
    async with client(folder) as main:
        for name in NAMES:
            await main.ask(AddOrganisation(organisation=name, name=name.title()))
    for name in NAMES:
        async with client(folder, name) as own:
            passwords[name] = (await own.ask(AddStation("CP-1"))).password
            await own.ask(AddToken("CARD"))
    return passwords


async def test_the_same_names_in_two_organisations_do_not_meet(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        passwords = await peopled(tmp_path)
        async with client(tmp_path, "beta") as beta:
            await beta.ask(BlockToken("CARD"))
        async with (
            connected(daemon, "/acme/CP-1", passwords["acme"]) as one,
            connected(daemon, "/beta/CP-1", passwords["beta"]) as other,
        ):
            assert (await charged(one, 2000))["status"] == "Accepted"
            assert (await charged(other, 5000))["status"] == "Blocked"
            for name, energy_wh in (("acme", 1000), ("beta", 4000)):
                async with client(tmp_path, name) as own:
                    (session,) = await own.ask(ListSessions())
                    assert session.energy_wh == energy_wh
                    assert (await own.ask(ShowStation("CP-1"))).online
                    events = await own.ask(ListEvents())
                    assert {event.organisation for event in events} == {name}
        async with client(tmp_path) as main:
            assert not await main.ask(ListStations()) and not await main.ask(ListTokens())
            assert not await main.ask(ListSessions())


async def test_nobody_gets_at_another_organisations_things_by_name(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        passwords = await peopled(tmp_path)
        for path in ("/beta/CP-1", "/CP-1", "/nobody/CP-1"):
            with pytest.raises(InvalidStatus, match="401"):
                async with connected(daemon, path, passwords["acme"]):
                    pass
        async with connected(daemon, "/acme/CP-1", passwords["acme"]) as one:
            await charged(one, 2000)
        async with client(tmp_path, "acme") as acme, client(tmp_path, "beta") as beta:
            (session,) = await acme.ask(ListSessions())
            intent = await acme.ask(ResetStation(station="CP-1", queue_s=600))
            with pytest.raises(NotFound):
                await beta.ask(ShowSession(session.id))
            assert intent.status == "queued"
            assert not await beta.ask(ListSessions())
        async with client(tmp_path, "gamma") as gamma:
            with pytest.raises(NotFound, match="gamma"):
                await gamma.ask(ListStations())


async def test_organisations_are_there_again_after_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path):
        passwords = await peopled(tmp_path)
    async with running(tmp_path) as daemon, client(tmp_path, "acme") as acme:
        async with connected(daemon, "/acme/CP-1", passwords["acme"]) as one:
            assert (await charged(one, 3000))["status"] == "Accepted"
        (session,) = await acme.ask(ListSessions())
        assert session.energy_wh == 2000


async def test_a_grant_by_name_is_not_for_whoever_another_organisation_calls_so(tmp_path: Path) -> None:
    async with over_tls(tmp_path) as (_, url), client(tmp_path) as main:
        for name in NAMES:
            await main.ask(AddOrganisation(organisation=name, name=name))
        async with client(tmp_path, "acme") as acme, client(tmp_path, "beta") as beta:
            await acme.ask(AddStation("CP-1"))
            own = await acme.ask(AddApiToken("alice", "viewer"))
            foreign = await beta.ask(AddApiToken("Alice", "admin"))
            await acme.ask(AddGrant("alice", "technician", "CP-1", 600, "trips when wet"))
        for secret, expected in ((own.secret, None), (foreign.secret, NotFound)):
            async with AsyncClient(replace(await at(url, secret), organisation="acme")) as alice:
                if expected is None:
                    assert (await alice.ask(ResetStation(station="CP-1", queue_s=60))).requested_by == "alice"
                    continue
                for asked in (ShowStation("CP-1"), ResetStation(station="CP-1", queue_s=60)):
                    with pytest.raises(expected, match="there is no organisation acme"):
                        await alice.ask(asked)
