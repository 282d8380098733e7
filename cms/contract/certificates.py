"""Certificates as clients see them: our own authorities, what they signed, and what lies in stations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cms.contract.stations import OrderTerms


@dataclass(frozen=True, slots=True)
class AuthorityView:
    """One of our certificate authorities. ``use``: station (client certificates of stations), v2g (towards cars)."""

    use: str
    name: str | None
    fingerprint: str
    key: str
    not_before: datetime
    not_after: datetime
    pem: str
    expired: bool = False


@dataclass(frozen=True, slots=True)
class CertificateView:
    """One certificate of one station.

    ``place``: issued (our authority signed it for the station), shown (another did, and the station came in with
    it) or installed (it lies in the station's store).
    ``type``: station, v2g (issued); csms-root, manufacturer-root, v2g-root, mo-root, oem-root, v2g-chain
    (installed). ``status``: sent, installed, refused, lost, revoked. ``id`` names it in commands: for an installed
    one the serial number as the station spelled it, for an issued one the start of its fingerprint.
    """

    id: str
    station: str
    place: str
    type: str
    status: str
    name: str | None
    serial: str
    at: datetime
    not_before: datetime | None = None
    not_after: datetime | None = None
    fingerprint: str | None = None
    hash_algorithm: str | None = None
    issuer_name_hash: str | None = None
    issuer_key_hash: str | None = None
    below: tuple[str, ...] = ()
    """Serial numbers of the certificates under it, where the station told a chain."""


@dataclass(frozen=True, slots=True)
class ListAuthorities:
    pass


@dataclass(frozen=True, slots=True)
class CreateAuthority:
    """Make an authority of our own. ``key``: ec or rsa. ``replace``: although there is one."""

    use: str = "station"
    key: str = "ec"
    replace: bool = False


@dataclass(frozen=True, slots=True)
class ListCertificates:
    """What is known of certificates, without asking a station. ``expiring_s``: those that end within this time."""

    station: str | None = None
    expiring_s: float | None = None
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class RevokeCertificate:
    """Never take this client certificate again, and close its link. ``certificate``: a fingerprint's start."""

    station: str
    certificate: str
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallCertificate(OrderTerms):
    """Put a root certificate (PEM) into a station. Without ``pem``: the root of our own authority."""

    station: str
    type: str
    pem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCertificates(OrderTerms):
    """Ask a station which certificates it has; no types: all."""

    station: str
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteCertificate(OrderTerms):
    """Delete an installed certificate, by its serial number; ``force``: although the station trusts us by it."""

    station: str
    certificate: str
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewCertificate(OrderTerms):
    """Have a station ask for a new certificate. ``use``: station, v2g, v2g20 (2.1), combined."""

    station: str
    use: str = "station"
