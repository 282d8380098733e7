"""Certificates made for tests: an authority, and what it signs."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@dataclass
class Authority:
    """A root that signs what it is given."""

    key: ec.EllipticCurvePrivateKey
    root: x509.Certificate

    @classmethod
    def new(cls, name: str = "Root") -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        return cls(key, _certificate(_named(name), _named(name), key.public_key(), key))

    def issue(
        self, name: str, key: ec.EllipticCurvePublicKey, *, days: int = 30, address: str | None = None
    ) -> x509.Certificate:
        """``address`` is the IP address that a server may be reached at."""
        return _certificate(_named(name), self.root.subject, key, self.key, days, address)

    def sign(self, csr: str, *, days: int = 30) -> str:
        request = x509.load_pem_x509_csr(csr.encode())
        assert request.is_signature_valid
        key = request.public_key()
        return pem(_certificate(request.subject, self.root.subject, key, self.key, days)) + pem(self.root)


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: object,
    signer: ec.EllipticCurvePrivateKey,
    days: int = 30,
    address: str | None = None,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)  # type: ignore[arg-type]
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=subject == issuer, path_length=None), critical=True)
    )
    if address is not None:
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(signer, hashes.SHA256())


def signature(key: ec.EllipticCurvePrivateKey, content: bytes) -> str:
    return b64encode(key.sign(content, ec.ECDSA(hashes.SHA256()))).decode()
