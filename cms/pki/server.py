"""Server certificates of our own authority, RSA and ECDSA side by side (2.0.1 A00.FR.318), made when none are given."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cms.contract.refusals import Invalid
from cms.pki.authority import Authority, pem_of, pem_of_key
from cms.pki.files import keep
from cms.pki.reading import UNREADABLE, certificates
from cms.pki.vault import PrivateKey

_LASTS = timedelta(days=365)
_RENEWED_BEFORE_END = timedelta(days=60)


def own_certificates(
    folder: Path, authority: Authority, hosts: Sequence[str], now: datetime
) -> tuple[Path, ...]:
    """Files with a chain and its key each, for these host names and addresses; renewed when they are about to end."""
    paths = (folder / "server-ec.pem", folder / "server-rsa.pem")
    if not all(_still_good(path, hosts, now) for path in paths):
        keep(paths[0], _issued(authority, ec.generate_private_key(ec.SECP256R1()), hosts, now))
        keep(paths[1], _issued(authority, rsa.generate_private_key(65537, 2048), hosts, now))
    return paths


def _issued(authority: Authority, key: PrivateKey, hosts: Sequence[str], now: datetime) -> bytes:
    # The endpoint's name is the common name (A00.FR.510), and an alternative name: clients of today read that one.
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0][:64])])
    names = x509.SubjectAlternativeName([_name(host) for host in hosts])
    usages = (ExtendedKeyUsageOID.SERVER_AUTH,)
    chain = authority.sign(subject, key.public_key(), now, _LASTS, usages, (names,))
    return pem_of(chain).encode() + pem_of_key(key)


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _still_good(path: Path, hosts: Sequence[str], now: datetime) -> bool:
    """Also when a former authority signed it: stations may not know the present one yet."""
    try:
        leaf = certificates(path.read_text("ascii"))[0]
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, Invalid, x509.ExtensionNotFound, *UNREADABLE):
        return False
    fits = set(names) == {_name(host) for host in hosts}
    return fits and leaf.not_valid_after_utc - now > _RENEWED_BEFORE_END
