"""Certificates as decisions see them: what they say, whom they fit, and what may be signed.

Nothing here reads ASN.1: cms/pki turns certificates into these words, and these words into certificates.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

from cms.domain.record import record

#: OCPP 2.0.1 A00.FR.503, FR.508: as strong as RSA with 2048 bits. Longer than the upper bounds only costs time.
MIN_RSA_BITS, MAX_RSA_BITS = 2048, 8192
MIN_EC_BITS = 224


class Use(StrEnum):
    """What a certificate is for, by the authority of ours that would sign it (2.x CertificateSigningUseEnumType)."""

    STATION = "station"
    V2G = "v2g"


@record
class HashData:
    """How stations name a certificate (2.x CertificateHashDataType).

    The words are kept as the station spelled them, and sent back so (M04.FR.07).
    """

    algorithm: str
    issuer_name_hash: str
    issuer_key_hash: str
    serial_number: str


@record
class Certificate:
    """What a certificate says. ``serial`` and ``fingerprint`` (SHA-256 of its DER) are lower-case hexadecimal."""

    name: str | None
    """The common name of its subject: a station's serial number (A00.FR.405)."""
    organisations: tuple[str, ...]
    issuer: str
    issuer_hash: str
    """SHA-256 of the issuer's name in DER: with ``serial`` it names the certificate in revocation lists."""
    serial: str
    not_before: datetime
    not_after: datetime
    fingerprint: str
    for_clients: bool = True
    """Its extended key usage allows TLS clients, or says nothing."""
    is_authority: bool = False
    key: str = ""
    """e.g. ``EC secp256r1`` or ``RSA 2048``."""


@record
class SigningRequest:
    """What a certificate signing request says; its signature has been checked."""

    name: str | None
    organisations: tuple[str, ...]
    key_kind: str
    """``RSA``, ``EC`` or the name of another kind."""
    key_bits: int
    digest: str
    """SHA-256 of the public key in DER: the same key asked for twice is the same request."""


@record
class Signed:
    """What our authority signed: ``chain`` is PEM, leaf first, ``leaf`` what its first certificate says."""

    chain: str
    leaf: Certificate


@record
class OwnAuthority:
    """One of our authorities: its certificate in PEM, those above it behind it, and what the first says."""

    use: Use
    pem: str
    certificate: Certificate


@record
class Standing:
    """What a responder or a list said of a certificate: ``good``, ``revoked`` or ``unknown``.

    ``der`` is a responder's whole answer, to be handed on; ``until`` when it should be asked again.
    """

    word: str
    der: bytes
    until: datetime


class Contract(StrEnum):
    """How the certificates of a driver's contract fare (2.x C07)."""

    GOOD = "good"
    REVOKED = "revoked"
    EXPIRED = "expired"
    BROKEN = "broken"
    """No way to a root that we trust, or nobody would say that it still holds."""
    UNREADABLE = "unreadable"


@record
class EntryTerms:
    """What a client certificate must be besides genuine. No ``organisations``: any is taken (A00.FR.404)."""

    organisations: Collection[str] = ()
    revoked: bool = False
    despite_expiry: bool = False
    """The operator lets this one station in with an expired certificate, to renew it (A00.FR.429)."""


def unfit(
    certificate: Certificate, names: Collection[str | None], terms: EntryTerms, now: datetime
) -> str | None:
    """Why this certificate, which the TLS handshake found genuine, does not open the door; None if it does.

    ``names`` are those of the station: its serial number and its identity.
    """
    if terms.revoked:
        return "the certificate is revoked"
    if now < certificate.not_before:
        return f"the certificate is not valid before {certificate.not_before:%Y-%m-%d %H:%M} UTC"
    if now > certificate.not_after and not terms.despite_expiry:
        return f"the certificate expired on {certificate.not_after:%Y-%m-%d %H:%M} UTC"
    if not certificate.for_clients:
        return "the certificate is not meant for TLS clients"
    if not organised(certificate.organisations, terms.organisations):
        return (
            f"the certificate is of {_listed(certificate.organisations)}, not of us or of a trusted operator"
        )
    if not named(certificate.name, names):
        return f"the certificate is for {certificate.name!r}, not for this station"
    return None


def expired(certificate: Certificate, now: datetime) -> bool:
    return now > certificate.not_after


def named(name: str | None, names: Collection[str | None]) -> bool:
    """Whether a common name is one of a station's names; identities and serial numbers compare without case."""
    return name is not None and name.casefold() in {known.casefold() for known in names if known}


def organised(organisations: Collection[str], trusted: Collection[str]) -> bool:
    return not trusted or bool(set(organisations) & set(trusted))


def unsignable(
    request: SigningRequest, names: Collection[str | None], trusted: Collection[str]
) -> str | None:
    """Why our authority does not sign this request of a station (A02.FR.12, A00.FR.404 and 405); None if it does."""
    weak = _weakness(request)
    if weak is not None:
        return weak
    if not named(request.name, names):
        return f"it asks for the name {request.name!r}, which is not this station's serial number or identity"
    if not organised(request.organisations, trusted):
        return f"it asks for the organisation {_listed(request.organisations)}, which is not ours"
    return None


def _weakness(request: SigningRequest) -> str | None:
    match request.key_kind:
        case "RSA" if MIN_RSA_BITS <= request.key_bits <= MAX_RSA_BITS:
            return None
        case "RSA":
            return f"its RSA key has {request.key_bits} bits, not {MIN_RSA_BITS} to {MAX_RSA_BITS}"
        case "EC" if request.key_bits >= MIN_EC_BITS:
            return None
        case "EC":
            return f"its elliptic curve has {request.key_bits} bits, less than {MIN_EC_BITS}"
    return f"its key is of the kind {request.key_kind}, not RSA or EC"


def _listed(names: Collection[str]) -> str:
    return ", ".join(repr(name) for name in names) or "no organisation"
