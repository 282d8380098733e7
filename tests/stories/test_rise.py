"""A simulated station goes from a password to a certificate of its own, and is asked for nothing by hand."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cms.client import Address, AsyncClient
from cms.contract.certificates import InstallCertificate, ListCertificates, RenewCertificate
from cms.contract.intents import AwaitIntent
from cms.contract.security import RotatePassword, ShowSecurity, UpgradeSecurity
from cms.contract.stations import AddStation, ShowStation
from cms.daemon import Daemon
from cms.simulator.evse import Evse
from cms.simulator.pace import Pace
from cms.simulator.place import Place
from cms.simulator.station import Station
from tests.fleet import running


@asynccontextmanager
async def plugged_in(daemon: Daemon, folder: Path, version: str, password: str) -> AsyncIterator[Station]:
    """A running station that trusts our authority."""
    place = Place(daemon.endpoint.url, "CP-1", password, roots=str(folder / "pki/station/ca.pem"))
    evses = [Evse(1, 22_000, register_wh=0.0)]
    station = Station(place, version, evses, Pace(50.0), Random(7), back_off_s=0.05)
    life = asyncio.create_task(station.run())
    try:
        async with asyncio.timeout(20):
            await station.life.accepted.wait()
        yield station
    finally:
        life.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await life


async def until(ask: AsyncClient, request: Any, **fields: Any) -> Any:
    """The view once it is like this (a list: once there is something in it)."""
    async with asyncio.timeout(30):
        while True:
            view = await ask.ask(request)
            if view and all(getattr(view, name) == value for name, value in fields.items()):
                return view
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_a_station_rises_from_a_password_to_a_certificate(tmp_path: Path, version: str) -> None:
    async with (
        running(tmp_path, ocpp_tls_port=0) as daemon,
        AsyncClient(Address(socket=str(tmp_path / "cms.sock"))) as ask,
    ):
        credential = await ask.ask(AddStation("CP-1"))
        async with plugged_in(daemon, tmp_path, version, credential.password) as station:
            await ask.ask(InstallCertificate(station="CP-1", type="csms-root"))
            reset = await ask.ask(UpgradeSecurity(station="CP-1", profile=2))
            await ask.ask(AwaitIntent(reset.id, wait_s=20))
            await until(ask, ShowSecurity("CP-1"), profile=2, upgrading_to=None)
            assert station.place.url.startswith("wss:")

            old, before = station.place.password, (await ask.ask(ShowStation("CP-1"))).connected_at
            await ask.ask(RotatePassword(station="CP-1"))
            assert station.place.password != old
            async with asyncio.timeout(20):  # it comes back with the new one (A01)
                while (await ask.ask(ShowStation("CP-1"))).connected_at in (before, None):
                    await asyncio.sleep(0.05)

            renewal = await ask.ask(RenewCertificate(station="CP-1"))
            await ask.ask(AwaitIntent(renewal.id, wait_s=20))
            await until(ask, ListCertificates("CP-1", filter="place=issued and status=installed"))
            reset = await ask.ask(UpgradeSecurity(station="CP-1", profile=3))
            await ask.ask(AwaitIntent(reset.id, wait_s=20))
            view = await until(ask, ShowSecurity("CP-1"), profile=3, connected_with=3)
            assert view.certificate_name == station.make.serial
            await until(ask, ShowStation("CP-1"), online=True, boot_status="accepted")
