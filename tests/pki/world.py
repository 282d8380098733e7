"""A small world of certificates: authorities, leaves, lists and a responder over HTTP, all real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
YEAR = timedelta(days=365)
CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH


def subject(name: str, organisation: str | None = None) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if organisation:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(parts)


@dataclass
class Made:
    """A certificate, its key, and who issued it."""

    certificate: x509.Certificate
    key: Any
    issuer: Made | None = None

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        return str(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())

    @property
    def chain(self) -> str:
        """PEM, leaf first, without the root."""
        above = self.issuer.chain if self.issuer is not None and self.issuer.issuer is not None else ""
        return self.pem + above


def make(
    name: str,
    issuer: Made | None = None,
    *,
    organisation: str | None = None,
    authority: bool = False,
    begins: datetime = NOON - YEAR,
    ends: datetime = NOON + YEAR,
    usages: Sequence[x509.ObjectIdentifier] = (),
    key: Any = None,
    responder: str | None = None,
) -> Made:
    key = key or ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject(name, organisation))
        .issuer_name(issuer.certificate.subject if issuer else subject(name, organisation))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(usages)), critical=False)
    if responder:
        place = x509.UniformResourceIdentifier(responder)
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, place)
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    signed = builder.sign(issuer.key if issuer else key, hashes.SHA256())
    return Made(signed, key, issuer)


def csr(name: str, organisation: str | None = None, key: Any = None) -> tuple[str, Any]:
    """A signing request in PEM, and its key."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    asked = x509.CertificateSigningRequestBuilder().subject_name(subject(name, organisation))
    return asked.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode(), key


def weak_rsa() -> Any:
    return rsa.generate_private_key(65537, 1024)


def revocation_list(issuer: Made, *revoked: Made, now: datetime = NOON) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(now - timedelta(hours=1))
        .next_update(now + timedelta(days=7))
    )
    for each in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(each.certificate.serial_number)
        builder = builder.add_revoked_certificate(entry.revocation_date(now - timedelta(hours=2)).build())
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.PEM)


@dataclass
class Responder:
    """An OCSP responder and a place for lists, over HTTP on the loopback."""

    issuers: list[Made]
    revoked: set[int] = field(default_factory=set)
    files: dict[str, bytes] = field(default_factory=dict)
    asked: int = 0
    silent: bool = False
    signer: Made | None = None
    now: datetime = NOON
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def answer(self, body: bytes) -> bytes:
        self.asked += 1
        asked = ocsp.load_der_ocsp_request(body)
        issuer = next(each for each in self.issuers if _key_hash(each, asked) == asked.issuer_key_hash)
        gone = asked.serial_number in self.revoked
        signer = self.signer or issuer
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            asked.issuer_name_hash,
            asked.issuer_key_hash,
            asked.serial_number,
            asked.hash_algorithm,
            ocsp.OCSPCertStatus.REVOKED if gone else ocsp.OCSPCertStatus.GOOD,
            self.now - timedelta(minutes=1),
            self.now + timedelta(hours=1),
            self.now - timedelta(days=1) if gone else None,
            None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate)
        if self.signer is not None:
            builder = builder.certificates([self.signer.certificate])
        return builder.sign(signer.key, hashes.SHA256()).public_bytes(Encoding.DER)


def _key_hash(issuer: Made, asked: ocsp.OCSPRequest) -> bytes:
    from cms.pki.reading import key_bits

    digest = hashes.Hash(asked.hash_algorithm)
    digest.update(key_bits(issuer.certificate))
    return digest.finalize()


@asynccontextmanager
async def responding(*issuers: Made, now: datetime = NOON) -> AsyncIterator[Responder]:
    responder = Responder(list(issuers), now=now)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            (int(x.split(":")[1]) for x in head.split("\r\n") if x.lower().startswith("content-length")), 0
        )
        body = await reader.readexactly(length)
        path = head.split(" ", 2)[1]
        if responder.silent:
            writer.transport.abort()
            return
        content = responder.files[path] if path in responder.files else responder.answer(body)
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(content) + content
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    responder.port = server.sockets[0].getsockname()[1]
    try:
        yield responder
    finally:
        server.close()
        await server.wait_closed()
