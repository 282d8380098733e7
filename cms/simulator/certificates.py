"""Certificates: installed roots and chains, the station's own key, requests to sign. 1.6 security whitepaper,
2.0.1 A02 and block M.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from cms.simulator.language import Later
    from cms.simulator.station import Station

HASHES: dict[str, hashes.HashAlgorithm] = {
    "SHA256": hashes.SHA256(),
    "SHA384": hashes.SHA384(),
    "SHA512": hashes.SHA512(),
}
ROOTS = frozenset(
    {
        "V2GRootCertificate",
        "MORootCertificate",
        "CSMSRootCertificate",
        "CentralSystemRootCertificate",
        "ManufacturerRootCertificate",
        "OEMRootCertificate",
    }
)
STORE_SIZE = 20


@dataclass(frozen=True, slots=True)
class Installed:
    """``chain`` is leaf first; of a root it is the root alone. ``hashes`` is a CertificateHashData of each."""

    kind: str
    chain: tuple[x509.Certificate, ...]
    hashes: tuple[dict[str, Any], ...]


@dataclass(slots=True)
class Signing:
    """A request that waits for its certificate."""

    kind: str
    key: ec.EllipticCurvePrivateKey
    request_id: int


class Certificates:
    """A station's store."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._installed: list[Installed] = []
        self._signing: Signing | None = None

    def roots(self, kind: str) -> list[x509.Certificate]:
        return [kept.chain[0] for kept in self._installed if kept.kind == kind]

    def of_kinds(self, kinds: Iterable[str] | None) -> list[Installed]:
        """Those of these kinds; all when none are named (M03.FR.03)."""
        wanted = set(kinds) if kinds is not None else None
        return [kept for kept in self._installed if wanted is None or kept.kind in wanted]

    def install(self, kind: str, pem: str) -> str:
        """Accepted, Rejected (no certificate, or over) or Failed (no room): M05."""
        try:
            [certificate, *_] = x509.load_pem_x509_certificates(pem.encode())
        except ValueError:
            return "Rejected"
        if certificate.not_valid_after_utc <= datetime.now(UTC):
            return "Rejected"
        installed = Installed(kind, (certificate,), (hash_data(certificate, certificate),))
        others = [kept for kept in self._installed if kept.hashes[0] != installed.hashes[0]]
        if len(others) >= STORE_SIZE:
            return "Failed"
        self._installed = [*others, installed]
        return "Accepted"

    def delete(self, wanted: dict[str, Any]) -> str:
        """Accepted, NotFound, or Failed for the station's own certificate (M04.FR.06)."""
        for kept in self._installed:
            if any(_same(told, wanted) for told in self._hashed(kept, wanted["hashAlgorithm"])):
                if kept.kind == "ChargingStationCertificate":
                    return "Failed"
                self._installed.remove(kept)
                return "Accepted"
        return "NotFound"

    def _hashed(self, kept: Installed, algorithm: str) -> list[dict[str, Any]]:
        """M04.FR.07: only the algorithm that was reported is known here."""
        return [told for told in kept.hashes if told["hashAlgorithm"] == algorithm]

    # Signing

    def request(self, kind: str) -> Later:
        """Make a key and ask for its certificate (A02); ``kind`` is a certificateType of 2.x."""

        async def ask() -> None:
            csr = self.csr_pem(kind)
            signing = self._signing
            assert signing is not None
            wait_s = float(self._station.configuration.number("signing_wait_s"))
            for _ in range(1 + self._station.configuration.number("signing_repeats")):
                message = self._station.language.csr(self._station, csr, kind, signing.request_id)
                await self._station.report(*message)
                await self._station.pace.sleep(wait_s)
                if self._signing is not signing:
                    return
                wait_s *= 2  # A02.FR.18, 1.6 whitepaper: doubled after each attempt

        return ask

    def csr_pem(self, kind: str = "ChargingStationCertificate") -> str:
        """A request with a new key, which its certificate is then expected for."""
        key = ec.generate_private_key(ec.SECP256R1())
        self._signing = Signing(kind, key, self._station.next_number())
        return self._csr(self._signing).public_bytes(serialization.Encoding.PEM).decode()

    @property
    def request_id(self) -> int:
        """Of the request that waits (2.1 A02)."""
        return self._signing.request_id if self._signing else 0

    def _csr(self, signing: Signing) -> x509.CertificateSigningRequest:
        organisation = self._station.configuration.knob("organisation") or "Charge Point Operator"
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, self._station.make.serial),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:64]),
                x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
            ]
        )
        return (
            x509.CertificateSigningRequestBuilder().subject_name(subject).sign(signing.key, hashes.SHA256())
        )

    def signed(self, pem: str, kind: str | None) -> str:
        """The certificate to a request: Accepted, or Rejected when it is not for our key, or not valid now."""
        signing = self._signing
        try:
            chain = x509.load_pem_x509_certificates(pem.encode())
        except ValueError:
            return "Rejected"
        if signing is None or (kind or "ChargingStationCertificate") != signing.kind:
            return "Rejected"
        now, leaf = datetime.now(UTC), chain[0]
        if leaf.public_key() != signing.key.public_key() or not (
            leaf.not_valid_before_utc <= now < leaf.not_valid_after_utc
        ):
            return "Rejected"
        self._keep(signing, chain, pem)
        return "Accepted"

    def _keep(self, signing: Signing, chain: list[x509.Certificate], pem: str) -> None:
        self._signing = None
        kind = "V2GCertificateChain" if signing.kind.startswith("V2G") else signing.kind
        issuers = [*chain[1:], self._issuer(chain[-1])]
        hashed = tuple(hash_data(one, issuer) for one, issuer in zip(chain, issuers, strict=True))
        self._installed = [kept for kept in self._installed if kept.kind != kind]
        self._installed.append(Installed(kind, tuple(chain), hashed))
        if signing.kind == "ChargingStationCertificate":
            self._station.place.chain = pem
            self._station.place.key = signing.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ).decode()

    def _issuer(self, certificate: x509.Certificate) -> x509.Certificate:
        """The installed root that signed it; itself when there is none."""
        for kept in self._installed:
            if kept.kind in ROOTS and kept.chain[0].subject == certificate.issuer:
                return kept.chain[0]
        return certificate


def hash_data(
    certificate: x509.Certificate, issuer: x509.Certificate, algorithm: str = "SHA256"
) -> dict[str, Any]:
    """CertificateHashDataType: the hashes that OCSP uses (RFC 6960 section 4.1.1)."""
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, HASHES[algorithm])
    request = builder.build()
    return {
        "hashAlgorithm": algorithm,
        "issuerNameHash": request.issuer_name_hash.hex(),
        "issuerKeyHash": request.issuer_key_hash.hex(),
        "serialNumber": f"{certificate.serial_number:x}",
    }


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """2.0.1 part 2 CertificateHashData: hexadecimal, without leading zeros, in either case."""
    return all(
        str(one[key]).lower().lstrip("0") == str(other.get(key, "")).lower().lstrip("0") for key in one
    )


def trusted(pem: str, roots: list[x509.Certificate]) -> bool:
    """Whether a signing certificate is valid now, and of one of the roots if there are any."""
    try:
        [leaf, *_] = chain = x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        return False
    if not leaf.not_valid_before_utc <= datetime.now(UTC) < leaf.not_valid_after_utc:
        return False
    return not roots or any(_issued(chain[-1], root) for root in roots)


def _issued(certificate: x509.Certificate, root: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(root)
    except (ValueError, TypeError, InvalidSignature):
        return certificate == root
    return True


def signed_by(pem: str, signature: str, content: bytes) -> bool:
    """Whether the signature (Base64) over the content is of this certificate's key: ECDSA, RSA-PSS or PKCS#1."""
    try:
        key = x509.load_pem_x509_certificate(pem.encode()).public_key()
        told = b64decode(signature, validate=True)
    except (ValueError, NotBase64, UnsupportedAlgorithm):
        return False
    return any(_fits(key, told, content, scheme) for scheme in ("ecdsa", "pss", "pkcs1"))


def _fits(key: Any, signature: bytes, content: bytes, scheme: str) -> bool:
    sha = hashes.SHA256()
    try:
        match key, scheme:
            case ec.EllipticCurvePublicKey(), "ecdsa":
                key.verify(signature, content, ec.ECDSA(sha))
            case rsa.RSAPublicKey(), "pss":
                key.verify(signature, content, padding.PSS(padding.MGF1(sha), padding.PSS.AUTO), sha)
            case rsa.RSAPublicKey(), "pkcs1":
                key.verify(signature, content, padding.PKCS1v15(), sha)
            case _:
                return False
    except InvalidSignature:
        return False
    return True
