"""Lists of revoked certificates: files the operator puts there, and lists fetched for stations (2.1 M07)."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509

from cms.contract.refusals import Invalid
from cms.pki.reading import UNREADABLE

log = logging.getLogger(__name__)

Revoked = frozenset[tuple[str, str]]
"""(SHA-256 of the issuer's name, serial), as in domain.certificates.Certificate."""


def read_list(content: bytes) -> x509.CertificateRevocationList:
    """A list in PEM or DER. Raises Invalid."""
    try:
        if content.lstrip().startswith(b"-----BEGIN"):
            return x509.load_pem_x509_crl(content)
        return x509.load_der_x509_crl(content)
    except UNREADABLE as error:
        raise Invalid("this is not a list of revoked certificates") from error


def revoked_by(found: x509.CertificateRevocationList) -> Revoked:
    issuer = hashlib.sha256(found.issuer.public_bytes()).hexdigest()
    return frozenset((issuer, f"{entry.serial_number:x}") for entry in found)


@dataclass(slots=True)
class RevocationFiles:
    """The lists of the settings, read again when a file has changed. An unreadable one keeps what was known."""

    paths: Sequence[Path]
    _known: dict[Path, tuple[int, Revoked]] = field(default_factory=dict)

    def names(self, issuer_hash: str, serial: str) -> bool:
        """Whether one of the lists names this certificate."""
        return any((issuer_hash, serial) in self._of(path) for path in self.paths)

    def _of(self, path: Path) -> Revoked:
        stamp, known = self._known.get(path, (-1, frozenset()))
        try:
            now = path.stat().st_mtime_ns
            if now == stamp:
                return known
            known = revoked_by(read_list(path.read_bytes()))
        except (OSError, Invalid) as error:
            log.error("the list of revoked certificates %s cannot be read: %s", path, error)
            return known
        self._known[path] = (now, known)
        return known
