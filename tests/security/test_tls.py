"""T3: what the TLS port agrees to, asked by ``openssl s_client``; and a profile never falls by itself."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidMessage, InvalidStatus
from websockets.typing import Subprotocol

from cms.contract.security import ShowSecurity
from cms.contract.stations import AddStation
from cms.core import Actor
from cms.daemon import Daemon
from cms.domain.certificates import Use
from cms.domain.evolve import evolve
from cms.operations import security, stations
from tests.fleet import running
from tests.ocpp.test_endpoint import basic
from tests.pki.world import CLIENT, make

_NOW = datetime.now(UTC)
ANA = Actor("ana", "admin", frozenset())
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command is not here")

ECDSA, RSA = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"
LEGACY = "AES128-GCM-SHA256"
"""What to offer, and whether it is agreed to."""
OFFERS = [
    ("-tls1_3", "", True),
    ("-tls1_2", ECDSA, True),
    ("-tls1_2", "ECDHE-ECDSA-AES256-GCM-SHA384", True),
    ("-tls1_2", RSA, True),
    ("-tls1_2", "ECDHE-RSA-AES128-GCM-SHA256", True),
    ("-tls1_2", LEGACY, True),
    ("-tls1_2", "AES256-GCM-SHA384", True),
    ("-tls1_2", "AES128-SHA", False),
    ("-tls1_2", "ECDHE-RSA-AES128-SHA", False),
    ("-tls1_2", "ECDHE-RSA-AES256-SHA384", False),
    ("-tls1_2", "DHE-RSA-AES128-GCM-SHA256", False),
    ("-tls1_2", "ECDHE-RSA-CHACHA20-POLY1305", False),
    ("-tls1_1", "ALL:@SECLEVEL=0", False),
    ("-tls1", "ALL:@SECLEVEL=0", False),
]


@asynccontextmanager
async def secured(folder: Path, **settings: Any) -> AsyncIterator[Daemon]:
    async with running(folder, ocpp_tls_port=0, **settings) as daemon:
        yield daemon


async def agreed(port: int, version: str, suites: str) -> str | None:
    """The suite that was agreed upon; None: none. Needs nothing but the command."""
    offer = ["-cipher", suites] if suites else []
    process = await asyncio.create_subprocess_exec(
        "openssl", "s_client", "-connect", f"127.0.0.1:{port}", version, *offer, "-brief",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said = (await process.communicate())[0].decode(errors="replace")
    for line in said.splitlines():
        if line.startswith("Ciphersuite: "):
            return line.removeprefix("Ciphersuite: ")
    return None


@needs_openssl
@pytest.mark.parametrize("legacy", [True, False])
async def test_the_port_agrees_to_what_it_should_and_to_nothing_else(tmp_path: Path, legacy: bool) -> None:
    async with secured(tmp_path, tls_legacy_suites=legacy) as daemon:
        port = daemon.endpoint.secure_port
        assert port is not None
        for version, suites, yes in OFFERS:
            told = await agreed(port, version, suites)
            wanted = yes and (legacy or suites not in (LEGACY, "AES256-GCM-SHA384"))
            assert (told is not None) is wanted, f"{version} {suites}: {told}"
            assert not suites or told in (suites, None)


def client(root: str, certificate: Path | None = None, suites: str = "") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(cadata=root)
    if suites:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(suites)
    if certificate is not None:
        context.load_cert_chain(certificate)
    return context


async def comes_in(url: str, identity: str, password: str | None, tls: ssl.SSLContext | None) -> bool:
    headers = basic(identity, password) if password else {}
    try:
        async with connect(
            f"{url}/{identity}",
            subprotocols=[Subprotocol("ocpp1.6")],
            ssl=tls,
            proxy=None,
            additional_headers=headers,
        ):
            return True
    except InvalidStatus as refused:
        assert refused.response.status_code == 401
        return False


async def test_a_station_of_profile_2_is_served_with_tls_alone_and_its_suite_is_shown(tmp_path: Path) -> None:
    async with secured(tmp_path) as daemon:
        core, root = daemon.core, daemon.trust.trusted(Use.STATION)[0]
        password = (await stations.add(core, AddStation("CP-7", security_profile=2), ANA)).password
        assert daemon.endpoint.secure_url is not None
        assert not await comes_in(daemon.endpoint.url, "CP-7", password, None)
        assert await comes_in(daemon.endpoint.secure_url, "CP-7", password, client(root, suites=LEGACY))
        shown = await security.show(core, ShowSecurity("CP-7"), ANA)
        assert (shown.connected_with, shown.cipher) == (2, LEGACY)


async def test_once_on_profile_3_a_password_opens_nothing_and_that_is_told(tmp_path: Path) -> None:
    async with secured(tmp_path) as daemon:
        core, root = daemon.core, daemon.trust.trusted(Use.STATION)[0]
        password = (await stations.add(core, AddStation("CP-7", security_profile=2), ANA)).password
        station = core.lane("CP-7")
        station.state = evolve(station.state, station=evolve(station.state.station, security_profile=3))
        assert daemon.endpoint.secure_url is not None
        assert not await comes_in(daemon.endpoint.secure_url, "CP-7", password, client(root))
        told = (await core.store.events_after(None, 1, type="station.refused"))[-1]
        assert told.data["reason"] == "no client certificate"


async def test_a_certificate_of_nobody_we_know_does_not_get_through_the_handshake(tmp_path: Path) -> None:
    async with secured(tmp_path) as daemon:
        core, root = daemon.core, daemon.trust.trusted(Use.STATION)[0]
        await stations.add(core, AddStation("CP-7", security_profile=3, serial="SN-7"), ANA)
        forged = make(
            "SN-7", usages=(CLIENT,), begins=_NOW - timedelta(days=1), ends=_NOW + timedelta(days=1)
        )
        file = tmp_path / "forged.pem"
        file.write_text(forged.pem + forged.key_pem)
        assert daemon.endpoint.secure_url is not None
        with pytest.raises((ssl.SSLError, OSError, InvalidMessage)):
            await comes_in(daemon.endpoint.secure_url, "CP-7", None, client(root, file))
