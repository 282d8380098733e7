"""Certificates and requests in our words. What cannot be read is refused in one sentence, whoever sent it."""

from __future__ import annotations

import hashlib

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cms.contract.refusals import Invalid
from cms.domain.certificates import Certificate, HashData, SigningRequest

#: The digests that OCPP names (HashAlgorithmEnumType).
DIGESTS: dict[str, type[hashes.SHA256 | hashes.SHA384 | hashes.SHA512]] = {
    "SHA256": hashes.SHA256,
    "SHA384": hashes.SHA384,
    "SHA512": hashes.SHA512,
}
#: OCPP 2.0.1 CertificateSigned: a chain has at most 10 000 characters; requests have 5 500.
MAX_PEM = 65_536
#: No purpose of OCPP or ISO 15118 has longer chains (leaf, two subordinate authorities, root), with a margin.
MAX_CHAIN = 8

UNREADABLE = (
    ValueError,
    TypeError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What cryptography raises about ASN.1 that is not what it should be: partly without a common ancestor."""


def certificates(pem: str) -> tuple[x509.Certificate, ...]:
    """All certificates of a PEM text, in its order. Raises Invalid when it holds none, or one that is none."""
    _bounded(pem)
    try:
        found = tuple(x509.load_pem_x509_certificates(pem.encode()))
    except UNREADABLE as error:
        raise Invalid("this is not a certificate in PEM") from error
    if len(found) > MAX_CHAIN:
        raise Invalid(f"a chain of {len(found)} certificates is longer than any in use ({MAX_CHAIN})")
    return found


def certificate(der: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(der)
    except UNREADABLE as error:
        raise Invalid("this is not a certificate") from error


def told(found: x509.Certificate) -> Certificate:
    """What a certificate says. Raises Invalid when its names, extensions or key cannot be read."""
    try:
        return Certificate(
            name=_attribute(found.subject, NameOID.COMMON_NAME),
            organisations=_attributes(found.subject, NameOID.ORGANIZATION_NAME),
            issuer=found.issuer.rfc4514_string(),
            issuer_hash=hashlib.sha256(found.issuer.public_bytes()).hexdigest(),
            serial=f"{found.serial_number:x}",
            not_before=found.not_valid_before_utc,
            not_after=found.not_valid_after_utc,
            fingerprint=found.fingerprint(hashes.SHA256()).hex(),
            for_clients=_for_clients(found),
            is_authority=_is_authority(found),
            key=" ".join(str(part) for part in _key(found.public_key())),
        )
    except UNREADABLE as error:
        raise Invalid("this certificate says something that cannot be read") from error


def hash_data(found: x509.Certificate, issuer: x509.Certificate, algorithm: str = "SHA256") -> HashData:
    """How a station names this certificate (OCPP 2.0.1 CertificateHashDataType, RFC 6960 4.1.1)."""
    digest = DIGESTS[algorithm]().name
    return HashData(
        algorithm,
        hashlib.new(digest, found.issuer.public_bytes()).hexdigest(),
        hashlib.new(digest, key_bits(issuer)).hexdigest(),
        f"{found.serial_number:x}",
    )


def key_bits(found: x509.Certificate) -> bytes:
    """The subject's public key without tag, length and algorithm, as RFC 6960 hashes it."""
    key = found.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    raise Invalid("this certificate has a key that is neither RSA nor EC")


def request(pem: str) -> tuple[SigningRequest, x509.CertificateSigningRequest]:
    """A station's signing request, its signature checked. Raises Invalid."""
    _bounded(pem)
    try:
        asked = x509.load_pem_x509_csr(pem.encode())
        key = asked.public_key()
        kind, size = _key(key)[0], getattr(key, "key_size", 0)
        if not asked.is_signature_valid:
            raise Invalid("the request is not signed with its own key")
        spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        told = SigningRequest(
            name=_attribute(asked.subject, NameOID.COMMON_NAME),
            organisations=_attributes(asked.subject, NameOID.ORGANIZATION_NAME),
            key_kind=str(kind),
            key_bits=int(size),
            digest=hashlib.sha256(spki).hexdigest(),
        )
    except InvalidSignature as error:
        raise Invalid("the request is not signed with its own key") from error
    except UNREADABLE as error:
        raise Invalid("this is not a certificate signing request in PEM") from error
    return told, asked


def _bounded(pem: str) -> None:
    if len(pem) > MAX_PEM:
        raise Invalid(f"{len(pem)} characters are more than any certificate chain has")


def _attributes(name: x509.Name, oid: x509.ObjectIdentifier) -> tuple[str, ...]:
    return tuple(str(attribute.value) for attribute in name.get_attributes_for_oid(oid))


def _attribute(name: x509.Name, oid: x509.ObjectIdentifier) -> str | None:
    """The only value of an attribute; a subject with two common names is nobody's."""
    values = _attributes(name, oid)
    return values[0] if len(values) == 1 else None


def _key(key: object) -> tuple[str, object]:
    if isinstance(key, rsa.RSAPublicKey):
        return "RSA", key.key_size
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "EC", key.curve.name
    return type(key).__name__.strip("_").removesuffix("PublicKey"), ""


def _for_clients(found: x509.Certificate) -> bool:
    try:
        usage = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return bool({ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & set(usage))


def _is_authority(found: x509.Certificate) -> bool:
    try:
        return bool(found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        return False
