"""The handshake: identity, subprotocol, password, client certificate. What it asks, the daemon's ``admit`` answers."""

from __future__ import annotations

import base64
import binascii
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, unquote_to_bytes

from cms.core import MAIN
from cms.domain import handshakes

_MAX_ADDRESS = 64
MAX_IDENTITY = 48
"""OCPP 2.x identifierString of an identity (Part 4, 3.1.1); 1.6 names no limit."""


@dataclass(frozen=True, slots=True)
class Knock:
    """A station at the door. The password is bytes: 1.6 sends raw keys that are no text."""

    identity: str
    protocols: tuple[str, ...]
    username: str | None
    password: bytes | None
    address: str
    secure: bool
    certificate: bytes | None = None
    """What the station showed in the TLS handshake, in DER; its chain was found genuine, its time was not looked at."""
    above: str = ""
    """The path segment before the identity: an organisation, where there is one of that name."""
    cipher: str = ""
    """The TLS suite; empty without TLS of ours."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """It may come in under its registered spelling.

    ``subprotocol`` is spoken with it when it offered none; ``lenient``: its words may be longer than they should.
    """

    station: str
    subprotocol: str = ""
    lenient: bool = False
    organisation: str = MAIN


@dataclass(frozen=True, slots=True)
class Turned:
    """It may not. ``status`` is HTTP's: 401, 403, 404, 429 or 503.

    ``outcome`` and ``why`` are for the journal (domain.handshakes): the station is told less.
    """

    status: int
    reason: str
    retry_after_s: int | None = None
    outcome: str = handshakes.TURNED
    why: str = ""
    organisation: str = MAIN


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What a proxy of ours says of a connection; ``address`` is empty when it does not say."""

    address: str
    secure: bool


def forwarded(header: Callable[[str], Sequence[str]]) -> Forwarded:
    """The last entry is the proxy's own word; what stands before it anybody may have written."""
    address, scheme = (
        ",".join(header(f"X-Forwarded-{name}")).rpartition(",")[2] for name in ("For", "Proto")
    )
    return Forwarded(address.strip()[:_MAX_ADDRESS], scheme.strip().casefold() in ("https", "wss"))


def knock(
    target: str,
    protocols: Sequence[str],
    authorization: Sequence[str],
    *,
    prefix: str,
    address: str,
    secure: bool,
    spoken: Mapping[str, object],
    certificate: bytes | None = None,
    cipher: str = "",
) -> Knock | Turned:
    """Read a handshake request. ``spoken`` are the subprotocols we speak."""
    read = identity(target, prefix)
    if isinstance(read, Turned):
        return read
    # A station that offers none at all may be one of those for which a version is assumed: admit decides.
    if protocols and select(protocols, spoken) is None:
        words = "no OCPP subprotocol in common: this server speaks " + ", ".join(spoken)
        return Turned(400, words, outcome=handshakes.SUBPROTOCOL)
    username, password = None, None
    if authorization:
        credentials = basic(authorization)
        if credentials is None:
            return Turned(401, "unreadable credentials", outcome=handshakes.CREDENTIALS)
        username, password = credentials
        if username.casefold() != read.casefold():
            # 1.6 J 6.2.2, 2.0.1 A00.FR.204: the user name is the identity.
            return Turned(
                401,
                "wrong credentials",
                outcome=handshakes.CREDENTIALS,
                why="the user name is not the identity",
            )
    return Knock(
        read, tuple(protocols), username, password, address, secure, certificate, _above(target), cipher
    )


def identity(target: str, prefix: str) -> str | Turned:
    """The station's identity: the last path segment, percent-decoded once, under any prefix."""
    path, query, _ = target.partition("?")
    path = path.rstrip("/")
    if query:
        return _misplaced(400, "the station's address must not have a query string")
    if path in ("", prefix.rstrip("/")):
        return _misplaced(404, f"the station's identity is missing: connect to {prefix}/<station>")
    try:
        name = unquote_to_bytes(path.rpartition("/")[2]).decode()
    except UnicodeDecodeError:
        return _misplaced(400, "the station's identity is not UTF-8")
    return name if is_identity(name) else _misplaced(400, "not an acceptable station identity")


def _misplaced(status: int, reason: str) -> Turned:
    return Turned(status, reason, outcome=handshakes.ADDRESS)


def _above(target: str) -> str:
    segments = target.partition("?")[0].strip("/").split("/")
    return unquote(segments[-2], errors="replace") if len(segments) > 1 else ""


def is_identity(name: str) -> bool:
    """1 to 48 printable characters without slash and colon, in composed form, not reversing anybody's screen."""
    return (
        0 < len(name) <= MAX_IDENTITY
        and name == name.strip()
        and not set(name) & set("/:\\")
        # Cc control, Cf format (bidirectional marks), Cs surrogates, Co private, Cn unassigned, Zl/Zp separators.
        and not any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for sign in name)
        and unicodedata.is_normalized("NFC", name)
    )


def select(offered: Sequence[str], spoken: Mapping[str, object]) -> str | None:
    """The first subprotocol of the station's list that we speak: its order is its preference (2.1 Part 4, 3.1.2)."""
    return next((protocol for protocol in offered if protocol in spoken), None)


def shape(authorization: Sequence[str], certificate: bytes | None) -> str:
    """What somebody shows to prove who he is, without any of it: none, basic, another scheme; a certificate."""
    shown = [header.strip().partition(" ")[0].casefold()[:12] for header in authorization[:2]]
    shown = [scheme if scheme in ("basic", "digest", "bearer") else "unreadable" for scheme in shown]
    return " and ".join([*shown, *(["certificate"] if certificate is not None else [])]) or "none"


def basic(authorization: Sequence[str]) -> tuple[str, bytes] | None:
    """User and password of a Basic Authorization header, split at the first colon; None if there is none."""
    if len(authorization) != 1:
        return None
    scheme, _, token = authorization[0].strip().partition(" ")
    if scheme.casefold() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(token.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    # Passwords may be any bytes (1.6 raw keys); a user name that is no text is nobody's.
    return (user.decode(errors="replace"), password) if colon else None
