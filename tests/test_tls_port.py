"""The port with TLS: a daemon whose own certificates work out of the box, and files that are replaced while it runs."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from cms.contract.certificates import ListAuthorities
from cms.contract.refusals import Invalid
from cms.contract.stations import AddStation
from cms.core import Actor
from cms.domain.certificates import Use
from cms.ocpp import Endpoint, Limits
from cms.operations import certificates, stations
from cms.operations.expiry import ExpiryWatch
from cms.pki import Trust, TrustSources
from cms.settings import Settings
from cms.tls_port import TlsPort, names
from tests.fleet import running
from tests.ocpp.fakes import Backend, FixedClock
from tests.ocpp.test_endpoint import basic
from tests.pki.world import SERVER, Made, make

NOW = datetime.now(UTC)
ANA = Actor("ana", "admin", frozenset())


def told(**settings: Any) -> Settings:
    return Settings(**settings)


def trusting(root: str, client: Path | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=root)
    if client is not None:
        context.load_cert_chain(client)
    return context


def server(root: Made, **more: Any) -> Made:
    """What a station may be shown at 127.0.0.1, though by its name alone."""
    return make("csms.test", root, usages=(SERVER,), begins=NOW - timedelta(days=1), **more)


@asynccontextmanager
async def listening(port: TlsPort, backend: Backend) -> AsyncIterator[Endpoint]:
    limits = Limits(close_s=1)
    endpoint = Endpoint(
        "127.0.0.1", None, backend.admit, backend.hooks_of, FixedClock(), limits, secure=port.listener
    )
    await endpoint.start()
    try:
        yield endpoint
    finally:
        await endpoint.close(1001, "the test is over")


async def serial_shown(endpoint: Endpoint) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", endpoint.secure_port, ssl=context)
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    from cryptography import x509

    return f"{x509.load_der_x509_certificate(der).serial_number:x}"


async def test_a_daemon_with_a_tls_port_and_nothing_else_serves_profile_2_with_its_own_certificates(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, ocpp_tls_port=0, ocpp_plain=False) as daemon:
        core = daemon.core
        credential: Any = await stations.add(core, AddStation("CP1", security_profile=2), ANA)
        assert credential.url.startswith("wss://127.0.0.1:")
        (authority,) = await certificates.authorities(core, ListAuthorities(), ANA)
        url = credential.url
        async with connect(
            url,
            subprotocols=["ocpp1.6"],  # type: ignore[list-item]
            ssl=trusting(authority.pem),
            additional_headers=basic("CP1", credential.password),
            proxy=None,
        ) as client:
            await client.send('[2,"h","Heartbeat",{}]')
            assert '"h"' in str(await client.recv())
            assert daemon.endpoint.online() == 1
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", 9)
    assert daemon.endpoint.port is None


async def test_certificates_that_are_replaced_are_shown_from_the_next_handshake_on(tmp_path: Path) -> None:
    root = make("Root", authority=True)
    first, second = server(root), server(root)
    chain, key = tmp_path / "server.pem", tmp_path / "server.key"
    chain.write_text(first.chain)
    key.write_text(first.key_pem)
    settings = told(data_dir=tmp_path, ocpp_tls_port=0, tls_certificates=(chain,), tls_keys=(key,))
    port = TlsPort(settings, Trust(TrustSources(tmp_path / "pki")), NOW)
    async with listening(port, Backend()) as endpoint:
        assert await serial_shown(endpoint) == f"{first.certificate.serial_number:x}"
        chain.write_text(second.chain)
        port.refresh(NOW)
        assert await serial_shown(endpoint) == f"{first.certificate.serial_number:x}", (
            "its key is not there yet"
        )
        key.write_text(second.key_pem)
        port.refresh(NOW)
        assert await serial_shown(endpoint) == f"{second.certificate.serial_number:x}"
        assert [each.name for each in port.shown(NOW)] == ["csms.test"]


async def test_an_authority_made_while_we_listen_is_trusted_at_once(tmp_path: Path) -> None:
    root = make("Root", authority=True)
    shown = server(root)
    both = tmp_path / "server.pem"
    both.write_text(shown.chain + shown.key_pem)
    trust = Trust(TrustSources(tmp_path / "pki"), lambda made: port.trust(made.pem))
    settings = told(data_dir=tmp_path, ocpp_tls_port=0, tls_certificates=(both,))
    port = TlsPort(settings, trust, NOW)
    trust.create_authority(Use.STATION, "ec", NOW)
    backend = Backend()
    ours = (tmp_path / "pki/station/ca.pem").read_text() + (tmp_path / "pki/station/ca.key").read_text()
    (tmp_path / "client.pem").write_text(ours)
    context = trusting(root.pem, tmp_path / "client.pem")
    context.check_hostname = False
    async with listening(port, backend) as endpoint:
        url = f"{endpoint.secure_url}/CP1"
        async with connect(url, subprotocols=["ocpp1.6"], ssl=context, proxy=None):  # type: ignore[list-item]
            pass
    (knock,) = backend.knocks
    assert knock.secure and knock.certificate is not None
    assert trust.read(knock.certificate).is_authority, "what was shown is handed on as it is"


@pytest.mark.parametrize("what", ["missing", "garbage", "foreign key"])
def test_a_port_that_cannot_work_says_why_at_the_start(tmp_path: Path, what: str) -> None:
    root = make("Root", authority=True)
    chain, key = tmp_path / "server.pem", tmp_path / "server.key"
    if what != "missing":
        chain.write_text("garbage" if what == "garbage" else server(root).chain)
        key.write_text(server(root).key_pem)
    settings = told(data_dir=tmp_path, ocpp_tls_port=0, tls_certificates=(chain,), tls_keys=(key,))
    with pytest.raises(Invalid, match="server"):
        TlsPort(settings, Trust(TrustSources(tmp_path / "pki")), NOW)


def test_our_own_certificates_are_renewed_before_they_end(tmp_path: Path) -> None:
    settings = told(data_dir=tmp_path, ocpp_tls_port=0, ocpp_host="127.0.0.1")
    port = TlsPort(settings, Trust(TrustSources(tmp_path / "pki")), NOW)
    first = port.shown(NOW)
    port.refresh(NOW + timedelta(days=200))
    assert port.shown(NOW + timedelta(days=200)) == first
    port.refresh(NOW + timedelta(days=320))
    assert port.shown(NOW + timedelta(days=320))[0].fingerprint != first[0].fingerprint


def test_the_names_in_our_certificates_are_those_by_which_stations_call_us(tmp_path: Path) -> None:
    settings = told(data_dir=tmp_path, ocpp_host="10.1.2.3", public_tls_url="wss://csms.example:443/ocpp")
    assert names(settings) == ("csms.example", "10.1.2.3", "localhost")
    assert names(told(data_dir=tmp_path, tls_names=("a.example",))) == ("a.example",)


def test_settings_that_would_serve_nobody_are_refused() -> None:
    with pytest.raises(ValueError, match="ocpp_tls_port"):
        told(ocpp_plain=False)
    with pytest.raises(ValueError, match="tls_keys"):
        told(tls_keys=(Path("a"),))


async def test_what_ends_soon_is_told_once_at_each_age(tmp_path: Path) -> None:
    from tests.operations.small import Small

    small = await Small(tmp_path).open()
    try:
        watch = ExpiryWatch()
        soon = small.core.trust.read(make("csms", ends=small.clock.now() + timedelta(days=20)).der)
        for days, count in ((0, 1), (0, 1), (5, 1), (7, 2), (20, 3)):
            start = small.clock.time
            small.clock.pass_(days=days)
            await watch.tell(small.core, (soon,))
            events = await small.core.store.events_after(None, 50, type="certificate.expiring")
            assert len(events) == count, days
            small.clock.time = start
        assert [event.data["days"] for event in events] == [20, 13, 0]
    finally:
        await small.close()


async def test_an_authority_that_is_replaced_cuts_nobody_off(tmp_path: Path) -> None:
    settings = told(data_dir=tmp_path, ocpp_tls_port=0, ocpp_host="127.0.0.1")
    trust = Trust(TrustSources(tmp_path / "pki"))
    first = TlsPort(settings, trust, NOW)
    shown, pem, key = first.shown(NOW), *_files(tmp_path)
    (tmp_path / "client.pem").write_text(pem + key)
    trust.create_authority(Use.STATION, "ec", NOW, replace=True)
    assert _files(tmp_path)[0] != pem
    again = TlsPort(settings, Trust(TrustSources(tmp_path / "pki")), NOW)
    assert again.shown(NOW) == shown, "stations know the former root alone"
    context = trusting(pem, tmp_path / "client.pem")
    async with listening(again, Backend()) as endpoint:
        url = f"{endpoint.secure_url}/CP1"
        async with connect(url, subprotocols=["ocpp1.6"], ssl=context, proxy=None):  # type: ignore[list-item]
            pass
    later = NOW + timedelta(days=320)
    again.refresh(later)
    assert again.shown(later) != shown


def _files(folder: Path) -> tuple[str, str]:
    ours = folder / "pki/station"
    return (ours / "ca.pem").read_text(), (ours / "ca.key").read_text()
