"""Station passwords: generated, shown once, kept as a keyed digest (cheap to check, useless to steal)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string

from cms.domain.stations import Station

# 27 characters of 62: 160 bits, within the 16 to 40 that 2.0.1 A00.FR.205 allows. A 1.6 station that takes only
# 20 bytes gets a shorter one by --password.
_LENGTH = 27
_ALPHABET = string.ascii_letters + string.digits

#: Names (without case) under which a station is told its own password.
SECRET_NAMES = frozenset({"authorizationkey", "securityctrlr.basicauthpassword"})


def generate() -> str:
    """A new station password."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def digest_of(key: bytes, station_id: str, password: bytes) -> bytes:
    """HMAC-SHA256 over the identity and the password: the same password at two stations shows nothing."""
    return hmac.digest(key, station_id.casefold().encode() + b"\0" + password, hashlib.sha256)


def verify(key: bytes, station: Station | None, identity: str, password: bytes) -> bool:
    """Whether the password is the station's; takes the same time for an unknown station."""
    digest = digest_of(key, station.id if station else identity, password)
    known = station.password_digest if station else None
    return hmac.compare_digest(digest, known or bytes(32)) and known is not None
