"""Who failed to connect, and how: every way is told apart, nothing secret is kept, and strangers cannot fill it."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.exceptions import InvalidHandshake

from cms.domain import handshakes
from cms.domain.evolve import evolve
from cms.domain.handshakes import Attempt, told
from cms.ocpp import Endpoint, Limits
from cms.ocpp.door import Admitted, Knock, Turned
from cms.ocpp.journal import Journal
from cms.pki import Trust, TrustSources
from cms.tls_port import TlsPort
from tests.domain.build import NOON
from tests.ocpp.fakes import Backend, FixedClock
from tests.ocpp.test_endpoint import basic, station
from tests.test_tls_port import NOW
from tests.test_tls_port import told as settings_told


def turned(knock: Knock) -> Admitted | Turned:
    if knock.identity == "GHOST":
        return Turned(401, "unauthorized", outcome=handshakes.UNKNOWN, why="not enrolled")
    if knock.password != b"right":
        return Turned(401, "unauthorized", outcome=handshakes.PROOF, why="wrong password")
    return Admitted(knock.identity)


@asynccontextmanager
async def listening(folder: Path) -> AsyncIterator[Endpoint]:
    settings = settings_told(data_dir=folder, ocpp_host="127.0.0.1", ocpp_tls_port=0)
    trust = Trust(TrustSources(folder / "pki"))
    port = TlsPort(settings, trust, NOW)
    backend = Backend()

    async def admit(knock: Knock) -> Admitted | Turned:
        return turned(knock)

    endpoint = Endpoint(
        "127.0.0.1", 0, admit, backend.hooks_of, FixedClock(), Limits(close_s=1), secure=port.listener
    )
    await endpoint.start()
    try:
        yield endpoint
    finally:
        await endpoint.close(1001, "over")


async def fails(endpoint: Endpoint, identity: str, *protocols: str, **options: object) -> None:
    with pytest.raises(InvalidHandshake):
        await station(endpoint, identity, *protocols, **options)


async def said(port: int | None, data: bytes) -> None:
    """One says this, and hangs up when nothing more comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    if data:
        await reader.read(200)
    writer.close()
    await writer.wait_closed()


async def until(rows: Callable[[], list[Attempt]], count: int) -> list[Attempt]:
    try:
        async with asyncio.timeout(10):
            while len(rows()) < count:
                await asyncio.sleep(0.01)
                gc.collect()  # who hung up in the middle is told when asyncio has let go of it
    except TimeoutError:
        pytest.fail(f"only {rows()}")
    return rows()


def distrusts(port: int | None) -> None:
    """A station that trusts others than us, and says so."""
    with socket.create_connection(("127.0.0.1", port or 0)) as link, pytest.raises(ssl.SSLError):
        ssl.create_default_context().wrap_socket(link, server_hostname="localhost")


async def hangs_up(port: int | None) -> None:
    """One that does not say so."""
    with pytest.raises((ssl.SSLError, OSError)):
        await asyncio.open_connection(
            "127.0.0.1", port, ssl=ssl.create_default_context(), server_hostname="localhost"
        )


async def test_every_way_to_fail_is_told_apart_with_its_cure(tmp_path: Path) -> None:
    async with listening(tmp_path) as endpoint:
        await fails(endpoint, "GHOST", additional_headers=basic("GHOST", "x"))
        await fails(endpoint, "CP-7", additional_headers=basic("CP-7", "guess-me-not"))
        await fails(endpoint, "CP-7", additional_headers=basic("CP-8", "right"))
        await fails(endpoint, "CP-7", "ocpp1.2", additional_headers=basic("CP-7", "right"))
        await fails(endpoint, "CP-7?token=hush", additional_headers=basic("CP-7", "right"))
        await said(endpoint.port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await said(endpoint.port, b"\x16\x03\x01\x00\xc8\x01" + bytes(200))
        await said(endpoint.secure_port, b"GET /ocpp/CP-7 HTTP/1.1\r\nHost: x\r\n\r\n")
        await hangs_up(endpoint.secure_port)
        await asyncio.to_thread(distrusts, endpoint.secure_port)
        await said(endpoint.port, b"")
        found = await until(endpoint.attempts, 11)
        by_outcome = {row.outcome: row for row in found}
        assert set(by_outcome) == {
            handshakes.UNKNOWN,
            handshakes.PROOF,
            handshakes.CREDENTIALS,
            handshakes.SUBPROTOCOL,
            handshakes.ADDRESS,
            handshakes.NO_UPGRADE,
            handshakes.TLS_TO_PLAIN,
            handshakes.PLAIN_TO_TLS,
            handshakes.TLS,
            handshakes.SILENT,
        }
        assert all(row.address == "127.0.0.1" for row in found)
        wrong = by_outcome[handshakes.PROOF]
        assert (wrong.identity, wrong.status, wrong.credentials) == ("CP-7", 401, "basic")
        assert wrong.offered == ("ocpp1.6",)
        cause, cure = told(wrong)
        assert cause == "its password is wrong" and "cms security password CP-7" in cure
        assert {told(row)[0] for row in found if row.outcome == handshakes.TLS} == {
            "the station does not trust our certificate",
            "the station hung up in the middle of the TLS handshake",
        }
        assert "guess-me-not" not in repr(found) and "hush" not in repr(found)


async def test_who_comes_in_after_all_is_solved(tmp_path: Path) -> None:
    async with listening(tmp_path) as endpoint:
        for _ in range(3):
            await fails(endpoint, "CP-7", additional_headers=basic("CP-7", "wrong"))
        (row,) = endpoint.attempts()
        assert (row.count, row.solved_at) == (3, None)
        async with station(endpoint, "cp-7", additional_headers=basic("cp-7", "right")):
            (row,) = endpoint.attempts()
            assert row.solved_at is not None


def attempt(address: str, identity: str, organisation: str = "main") -> Attempt:
    return Attempt(
        NOON, NOON, address, handshakes.UNKNOWN, "not enrolled", identity=identity, organisation=organisation
    )


def test_strangers_fill_it_only_so_far() -> None:
    journal = Journal()
    journal.note(attempt("10.0.0.1", "CP-7"))
    for number in range(500):
        journal.note(attempt("10.0.0.66", f"X{number}"))
    rows = journal.rows("main")
    assert len(rows) == 51 and rows[0].identity == "CP-7", "a scanner does not push the stations out"
    for number in range(500):
        journal.note(attempt(f"2001:db8::{number:x}", "X"))
    assert len(journal.rows("main")) == 101, "nor one that has a whole network"
    for number in range(3_000):
        journal.note(attempt(f"10.1.{number // 250}.{number % 250}", "X"))
    assert len(journal.rows("main")) == 1_000


def test_what_is_offered_is_kept_only_so_far() -> None:
    journal = Journal()
    journal.note(evolve(attempt("10.0.0.1", "CP-7"), offered=("x" * 8_000,) * 100))
    assert [len(word) for word in journal.rows("main")[0].offered] == [30] * 8


def test_an_organisation_sees_its_own() -> None:
    journal = Journal()
    journal.note(attempt("10.0.0.1", "CP-7"))
    journal.note(attempt("10.0.0.1", "CP-7", "volt"))
    assert len(journal.rows("main")) == len(journal.rows("volt")) == 1
    journal.solved("volt", "CP-7", NOON)
    assert journal.rows("main")[0].solved_at is None


def test_a_hostile_name_gets_into_no_command() -> None:
    cause, cure = told(attempt("10.0.0.1", "$(reboot)"))
    assert "$" not in cause + cure and "STATION" in cure


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("TLSV1_ALERT_UNKNOWN_CA", "the station does not trust our certificate"),
        ("SSLV3_ALERT_CERTIFICATE_EXPIRED", "one side takes the other's certificate for expired"),
        ("NO_SHARED_CIPHER", "the station knows none of our cipher suites"),
        ("UNSUPPORTED_PROTOCOL", "the station speaks a TLS that is older than 1.2"),
        ("CERTIFICATE_VERIFY_FAILED", "nobody we trust signed the station's client certificate"),
        ("SOMETHING_NEW", "the TLS handshake failed"),
    ],
)
def test_a_tls_alert_is_put_in_words(reason: str, cause: str) -> None:
    assert told(Attempt(NOON, NOON, "10.0.0.1", handshakes.TLS, reason))[0] == cause
