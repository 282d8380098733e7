"""Behind wss: the station trusts what it is told to, and shows the certificate that it was given."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cms.simulator.console import do
from tests.simulator.desk import a_desk
from tests.simulator.papers import Authority, pem
from tests.simulator.stage import a_station, settle
from tests.virtual import play


def server_context(folder: Path, authority: Authority) -> ssl.SSLContext:
    """A server for 127.0.0.1 that asks for client certificates of the same authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    (folder / "root.pem").write_text(pem(authority.root))
    (folder / "server.pem").write_text(
        pem(authority.issue("127.0.0.1", key.public_key(), address="127.0.0.1"))
    )
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(folder / "root.pem"))
    context.load_cert_chain(folder / "server.pem", folder / "key.pem")
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


def test_a_signed_certificate_is_shown_at_the_next_connection(tmp_path: Path) -> None:
    authority = Authority.new()

    def shown(link: Any) -> str | None:
        peer = link.transport.get_extra_info("ssl_object").getpeercert()
        return dict(field[0] for field in peer["subject"])["commonName"] if peer else None

    async def whole() -> None:
        async with (
            a_desk(server_context(tmp_path, authority)) as desk,
            a_station(desk, "2.0.1", roots=str(tmp_path / "root.pem")) as station,
            asyncio.timeout(5000),
        ):
            await desk.next("BootNotification")
            assert shown(desk.links["CP-1"]) is None
            await do([station], "sign")
            csr = (await desk.next("SignCertificate"))["csr"]
            order = {"certificateChain": authority.sign(csr)}
            assert await desk.order("CP-1", "CertificateSigned", order) == {"status": "Accepted"}
            station.lose_link(10)
            while desk.connections < 2:
                await settle()
            assert shown(desk.links["CP-1"]) == station.make.serial

    play(whole())
