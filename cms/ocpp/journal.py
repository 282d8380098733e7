"""Handshakes that failed, in memory and bounded: strangers write it. One row for attempts that are alike."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any

from cms.domain.evolve import evolve
from cms.domain.handshakes import PLAIN_TO_TLS, TLS, Attempt
from cms.domain.networks import network_of

_ROWS = 1_000
#: Of one origin: a scanner must not push the stations out.
_ROWS_OF_ONE = 50
_MAX_TEXT = 120
#: Subprotocols that a station offers, and letters of each: a header has room for thousands.
_MAX_OFFERED, _MAX_WORD = 8, 30
#: What is told where a station leaves in the middle of a TLS handshake, or says nothing more.
HUNG_UP = "CONNECTION_LOST"


class Journal:
    """The newest last."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, ...], Attempt] = {}
        self._of_origin: dict[str, int] = {}

    def note(self, attempt: Attempt) -> None:
        """Another one; alike are those of the same address, identity and cause."""
        attempt = evolve(
            attempt,
            target=attempt.target[:_MAX_TEXT],
            why=attempt.why[:_MAX_TEXT],
            offered=tuple(word[:_MAX_WORD] for word in attempt.offered[:_MAX_OFFERED]),
        )
        origin = _origin(attempt.address)
        key = (
            origin,
            attempt.organisation,
            attempt.address,
            attempt.identity.casefold(),
            attempt.outcome,
            attempt.why,
        )
        before = self._rows.pop(key, None)
        if before is not None:
            attempt = evolve(attempt, first_at=before.first_at, count=before.count + 1)
        else:
            self._make_room(origin)
            self._of_origin[origin] = self._of_origin.get(origin, 0) + 1
        self._rows[key] = attempt

    def solved(self, organisation: str, station: str, at: datetime) -> None:
        """The station came in."""
        name = station.casefold()
        for key, row in self._rows.items():
            if key[3] == name and row.organisation == organisation and row.solved_at is None:
                self._rows[key] = evolve(row, solved_at=at)

    def rows(self, organisation: str) -> list[Attempt]:
        return [row for row in self._rows.values() if row.organisation == organisation]

    def _make_room(self, origin: str) -> None:
        if self._of_origin.get(origin, 0) >= _ROWS_OF_ONE:
            self._drop(next(key for key in self._rows if key[0] == origin))
        elif len(self._rows) >= _ROWS:
            self._drop(next(iter(self._rows)))

    def _drop(self, key: tuple[str, ...]) -> None:
        del self._rows[key]
        left = self._of_origin[key[0]] - 1
        if left:
            self._of_origin[key[0]] = left
        else:
            del self._of_origin[key[0]]


def _origin(address: str) -> str:
    """An address of IPv4, behind which a whole depot may stand; of IPv6 the network, of which one scanner has all."""
    return network_of(address) if ":" in address else address


class ToldTls(ssl.SSLObject):
    """Server side of TLS that tells why a handshake failed: nothing else does, the connection is never made."""

    _peer = ""
    _shaken = False

    def do_handshake(self) -> None:
        """As in ssl.SSLObject."""
        try:
            super().do_handshake()
            self._shaken = True
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            self._peer = self._peer or _peer(sys._getframe(1))
            raise
        except ssl.SSLError as error:
            self._fail(_peer(sys._getframe(1)), error.reason or str(error))
            raise

    def __del__(self) -> None:
        if not self._shaken and self._peer:
            self._fail(self._peer, HUNG_UP)

    def _fail(self, peer: str, reason: str) -> None:
        self._shaken = True
        tell = getattr(self.context, "tell", None)
        if tell is not None:
            tell(peer, reason)


class TellingContext(ssl.SSLContext):
    """A context whose failed handshakes are told: (address or nothing, OpenSSL's reason)."""

    sslobject_class = ToldTls
    tell: Callable[[str, str], None] | None = None


def _peer(frame: Any) -> str:
    """Whose handshake it was: asyncio's protocol, which asks for it, knows; another loop's may not say."""
    transport = getattr(frame.f_locals.get("self"), "_transport", None)
    peer = transport.get_extra_info("peername") if transport is not None else None
    return str(peer[0]) if peer else ""


def outcome_of(reason: str) -> str:
    """TLS that failed, or no TLS at all where TLS is spoken."""
    return PLAIN_TO_TLS if reason in ("HTTP_REQUEST", "HTTPS_PROXY_REQUEST") else TLS
