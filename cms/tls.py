"""TLS as a client of ours speaks it: the system's authorities, a file of others, or one certificate and no other.

There is no way to switch the check off.
"""

from __future__ import annotations

import hashlib
import hmac
import socket
import ssl
from ipaddress import ip_address
from typing import Any, Protocol
from urllib.parse import urlsplit

from cms.contract.refusals import Denied, Invalid, Unreachable

_CONNECT_S = 10.0


class Where(Protocol):
    """As much of a daemon's address as matters here."""

    @property
    def url(self) -> str | None: ...

    @property
    def token(self) -> str | None: ...

    @property
    def pin(self) -> str | None: ...

    @property
    def ca(self) -> str | None: ...


class WrongCertificate(ssl.SSLCertVerificationError):
    """The other end has another certificate than the one that was pinned."""


def context_for(where: Where) -> ssl.SSLContext | bool:
    """What httpx is to check with. Raises Invalid or Denied before a token could travel in clear."""
    if where.url is None:
        return True
    split = urlsplit(where.url)
    if split.scheme == "http":
        if where.token is not None and not _of_this_machine(split.hostname):
            raise Denied(f"a token is not sent to {where.url}: it would travel in clear", "use https://")
        return True
    if where.pin is not None:
        return _pinned(where.pin)
    try:
        context = ssl.create_default_context(cafile=where.ca)
    except (OSError, ssl.SSLError) as error:
        raise Invalid(f"{where.ca} cannot be read as authorities in PEM: {error}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _of_this_machine(host: str | None) -> bool:
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


def fingerprint(der: bytes) -> str:
    """The SHA-256 of a certificate in hexadecimal."""
    return hashlib.sha256(der).hexdigest()


def spoken(pin: str) -> str:
    """A fingerprint as people compare it: ``AB:CD:...``."""
    return ":".join(pin[i : i + 2] for i in range(0, len(pin), 2)).upper()


def _pinned(pin: str) -> ssl.SSLContext:
    """A context that shakes hands with the owner of one certificate. Its name and its end do not matter then."""

    def check(peer: Any) -> None:
        der = peer.getpeercert(binary_form=True) or b""
        if not hmac.compare_digest(fingerprint(der), pin):
            raise WrongCertificate(
                f"its certificate is not the one that was trusted: {spoken(fingerprint(der))}"
            )

    class Socket(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:
            super().do_handshake(block)
            check(self)

    class Object(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            check(self)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the fingerprint is the check, stricter than any authority
    context.sslsocket_class = Socket
    context.sslobject_class = Object
    return context


def shown_by(url: str) -> str:
    """The fingerprint of the certificate that this server shows, believed or not. Raises Unreachable, Invalid."""
    split = urlsplit(url)
    if split.scheme != "https" or split.hostname is None:
        raise Invalid(f"{url} is not an https:// address")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    address = (split.hostname, split.port or 443)
    try:
        with (
            socket.create_connection(address, _CONNECT_S) as plain,
            context.wrap_socket(plain, server_hostname=split.hostname) as secured,
        ):
            return fingerprint(secured.getpeercert(binary_form=True) or b"")
    except OSError as error:
        raise Unreachable(f"no daemon answers at {url}: {error.strerror or error}") from error


def believed(url: str, ca: str | None) -> bool:
    """Whether the system's authorities (or those of the file) vouch for this server. Raises Unreachable, Invalid."""
    split = urlsplit(url)
    try:
        context = ssl.create_default_context(cafile=ca)
        with (
            socket.create_connection((split.hostname or "", split.port or 443), _CONNECT_S) as plain,
            context.wrap_socket(plain, server_hostname=split.hostname),
        ):
            return True
    except ssl.SSLCertVerificationError:
        return False
    except FileNotFoundError as error:
        raise Invalid(f"{ca} cannot be read: {error.strerror}") from error
    except OSError as error:
        raise Unreachable(f"no daemon answers at {url}: {error.strerror or error}") from error
