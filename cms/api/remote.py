"""HTTP for those who come over a network: few connections, and none that says nothing (T7: slow-loris, half-open)."""

from __future__ import annotations

import asyncio
from asyncio import Transport
from collections import Counter
from ipaddress import ip_address
from typing import Any, ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

#: From the first byte (after TLS) until a request has said all of its head.
HEAD_WITHIN_S = 10.0
MOST_CONNECTIONS = 500
#: A script that opens more than this does not reuse its connections.
MOST_PER_ADDRESS = 64


class RemoteProtocol(H11Protocol):
    """Uvicorn's HTTP with a deadline for the head of a request, and a bound on connections."""

    _open: ClassVar[Counter[str]] = Counter()

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Count it, and begin to wait for what it wants."""
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self._address = str(peer[0]) if peer else ""
        self._open[self._address] += 1
        self._impatient: asyncio.TimerHandle | None = None
        if self._open.total() > MOST_CONNECTIONS or self._open[self._address] > self._most_of(self._address):
            transport.abort()
            return
        self._wait_for_head()
        inner = self.app

        async def patient(scope: Any, receive: Any, send: Any) -> None:
            self._calm()
            await inner(scope, receive, send)

        self.app = patient

    def _most_of(self, address: str) -> int:
        """How many connections one address may have."""
        return MOST_PER_ADDRESS

    def data_received(self, data: bytes) -> None:
        """What comes after an answer is the head of the next request: it has as long as the first."""
        if self.cycle is None or self.cycle.response_complete:
            self._wait_for_head()
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Make room for another one."""
        self._calm()
        self._open[self._address] -= 1
        if not self._open[self._address]:
            del self._open[self._address]
        super().connection_lost(exc)

    def _wait_for_head(self) -> None:
        if self._impatient is None:
            self._impatient = asyncio.get_running_loop().call_later(HEAD_WITHIN_S, self.transport.abort)

    def _calm(self) -> None:
        if self._impatient is not None:
            self._impatient.cancel()
            self._impatient = None


class PublicProtocol(RemoteProtocol):
    """The same for pages that anybody may read, with a count of its own: visitors take no room from operators."""

    _open: ClassVar[Counter[str]] = Counter()

    def _most_of(self, address: str) -> int:
        """A proxy of this machine brings everybody's connections."""
        return MOST_CONNECTIONS if address and ip_address(address).is_loopback else MOST_PER_ADDRESS
