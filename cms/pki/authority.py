"""Our own certificate authority: a key and a certificate in the data directory, and what it signs.

``ca.pem`` may also be put there by the operator: an authority of their own public key infrastructure, followed
by those above it, beside its key in ``ca.key``. Keys that are made here lie there encrypted (vault).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cms.contract.refusals import Conflict, Invalid
from cms.domain.certificates import Use
from cms.pki.files import keep
from cms.pki.reading import certificates
from cms.pki.vault import PrivateKey, Vault

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

#: A station whose clock is slow must find a new certificate valid (2.0.1 errata 2025-01).
_BEFORE = timedelta(hours=1)
_ROOT_YEARS = 20
KEYS: dict[str, Callable[[], PrivateKey]] = {
    "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
    "rsa": lambda: rsa.generate_private_key(public_exponent=65537, key_size=3072),
}
_USAGES = {
    Use.STATION: (ExtendedKeyUsageOID.CLIENT_AUTH,),
    # ISO 15118: towards the car the station is the server.
    Use.V2G: (ExtendedKeyUsageOID.SERVER_AUTH,),
}


@dataclass(frozen=True, slots=True)
class Authority:
    """A key that signs, its certificate, and the certificates above it."""

    key: PrivateKey
    chain: tuple[x509.Certificate, ...]

    @property
    def certificate(self) -> x509.Certificate:
        return self.chain[0]

    @property
    def pem(self) -> str:
        return pem_of(self.chain)

    def sign(
        self,
        subject: x509.Name,
        key: PublicKey,
        now: datetime,
        lasts: timedelta,
        usages: Sequence[x509.ObjectIdentifier],
        extensions: Sequence[x509.ExtensionType] = (),
    ) -> tuple[x509.Certificate, ...]:
        """A new certificate and those above it, leaf first, without a root: who does not have it cannot trust it."""
        ours = self.certificate
        ends = min((now + lasts).replace(microsecond=0), ours.not_valid_after_utc)
        if now > ours.not_valid_after_utc:
            raise Conflict(
                f"our certificate authority expired on {ours.not_valid_after_utc:%Y-%m-%d}: it signs nothing more",
                "cms certificates ca create --replace",
            )
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(ours.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(max((now - _BEFORE).replace(microsecond=0), ours.not_valid_before_utc))
            .not_valid_after(ends)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(key), critical=True)
            .add_extension(x509.ExtendedKeyUsage(list(usages)), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(_public(ours)), critical=False)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        leaf = builder.sign(self.key, hashes.SHA256())
        return (leaf, *(above for above in self.chain if above.issuer != above.subject))


def answer(
    authority: Authority, use: Use, asked: x509.CertificateSigningRequest, now: datetime, lasts: timedelta
) -> tuple[x509.Certificate, ...]:
    """Sign a request that was found worthy. Its subject and key are taken over, its wishes for extensions are not."""
    return authority.sign(asked.subject, _known(asked.public_key()), now, lasts, _USAGES[use])


def load(folder: Path, vault: Vault) -> Authority | None:
    """The authority of this folder; None where there is none. Raises Invalid when its files do not fit together."""
    try:
        written = (folder / "ca.pem").read_text("ascii")
        key = vault.read(folder / "ca.key")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"the certificate authority in {folder} cannot be read: {error}") from error
    chain = certificates(written)
    if key.public_key() != chain[0].public_key():
        raise Invalid(f"{folder / 'ca.key'} is not the key of {folder / 'ca.pem'}")
    return Authority(key, chain)


def create(
    folder: Path, vault: Vault, name: str, organisation: str | None, kind: str, now: datetime
) -> Authority:
    """Make an authority and keep it. The key is written first: a certificate without its key would be no use."""
    key = KEYS[kind]()
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, name),
            *([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)] if organisation else []),
        ]
    )
    public = key.public_key()
    root = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before((now - timedelta(days=1)).replace(microsecond=0))
        .not_valid_after((now + timedelta(days=365 * _ROOT_YEARS)).replace(microsecond=0))
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(_signing_usage(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
    authority = Authority(key, (root,))
    _retire(folder)
    vault.write(folder / "ca.key", key)
    keep(folder / "ca.pem", authority.pem.encode())
    return authority


def _retire(folder: Path) -> None:
    """A former authority: what it signed stays good until it ends. The certificate goes last, as it came."""
    if not (folder / "ca.pem").exists():
        return
    name = certificates((folder / "ca.pem").read_text("ascii"))[0].fingerprint(hashes.SHA256()).hex()[:16]
    for end in (".key", ".pem"):
        with contextlib.suppress(FileNotFoundError):  # we stopped in the middle of this before
            (folder / f"ca{end}").replace(folder / f"former-{name}{end}")


def former(folder: Path) -> tuple[str, ...]:
    """The certificates of former authorities, in PEM."""
    return tuple(path.read_text("ascii") for path in sorted(folder.glob("former-*.pem")))


def pem_of(chain: Sequence[x509.Certificate]) -> str:
    """One after the other, each line ending in LF alone: some stations read no CRLF."""
    return "".join(each.public_bytes(Encoding.PEM).decode() for each in chain)


def pem_of_key(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _known(key: object) -> PublicKey:
    assert isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey), "the request was found worthy"
    return key


def _public(certificate: x509.Certificate) -> PublicKey:
    return _known(certificate.public_key())


def _usage(key: PublicKey) -> x509.KeyUsage:
    """RSA keys also decipher: two of the four cipher suites of OCPP exchange keys so (A00.FR.318)."""
    return _key_usage(encipher=isinstance(key, rsa.RSAPublicKey), agree=not isinstance(key, rsa.RSAPublicKey))


def _signing_usage() -> x509.KeyUsage:
    return _key_usage(signs=True)


def _key_usage(*, encipher: bool = False, agree: bool = False, signs: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=encipher,
        data_encipherment=False,
        key_agreement=agree,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
