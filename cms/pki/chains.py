"""Whether a chain of certificates leads to a root that we trust, and how each of its members is named for OCSP."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import AuthorityInformationAccessOID

from cms.domain.certificates import HashData
from cms.pki.reading import UNREADABLE, hash_data

#: Why a chain does not hold; the words of 2.x AuthorizeCertificateStatusEnumType are made of them elsewhere.
BROKEN, EXPIRED = "broken", "expired"


def path(
    sent: Sequence[x509.Certificate], trusted: Sequence[x509.Certificate]
) -> tuple[x509.Certificate, ...] | None:
    """The certificates from the leaf (the first one) up to a trusted one, in order; None when there is no such way.

    Signatures, the right to sign and the length of the path are checked (RFC 5280, 6.1), time is not.
    """
    way = [sent[0]]
    while True:
        last = way[-1]
        anchor = next((each for each in trusted if _issued(last, each, len(way) - 1)), None)
        if anchor is not None:
            return (*way, anchor)
        if last in trusted and len(way) > 1:
            return tuple(way)
        above = next(
            (each for each in sent[1:] if each not in way and _issued(last, each, len(way) - 1)), None
        )
        if above is None:
            return None
        way.append(above)


def fault(way: Sequence[x509.Certificate] | None, now: datetime) -> str | None:
    """What is wrong with a path; None when it holds at this instant."""
    if way is None:
        return BROKEN
    if any(now > each.not_valid_after_utc for each in way):
        return EXPIRED
    return BROKEN if any(now < each.not_valid_before_utc for each in way) else None


def named(way: Sequence[x509.Certificate]) -> tuple[tuple[HashData, str | None], ...]:
    """The hash data and the OCSP responder of each certificate of a path but its root."""
    pairs = itertools.pairwise(way)
    return tuple((hash_data(below, above), responder(below)) for below, above in pairs)


def responder(found: x509.Certificate) -> str | None:
    """The OCSP responder that a certificate names (RFC 5280, 4.2.2.1)."""
    try:
        access = found.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return None
    for place in access:
        if place.access_method == AuthorityInformationAccessOID.OCSP:
            return str(place.access_location.value)
    return None


def _issued(below: x509.Certificate, above: x509.Certificate, between: int) -> bool:
    """Whether ``above`` may sign certificates, has room for those between, and signed this one."""
    try:
        rights = above.extensions.get_extension_for_class(x509.BasicConstraints).value
        if not rights.ca or (rights.path_length is not None and rights.path_length < between):
            return False
        if not _may_sign(above):
            return False
        below.verify_directly_issued_by(above)
    except (x509.ExtensionNotFound, InvalidSignature, *UNREADABLE):
        return False
    return True


def _may_sign(found: x509.Certificate) -> bool:
    try:
        return bool(found.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign)
    except x509.ExtensionNotFound:
        return True
