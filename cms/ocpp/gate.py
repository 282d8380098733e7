"""The accept gate: how many sockets may wait at the door that have not proved anything yet, and whose.

A station needs milliseconds there. Whoever fills the places fills them from somewhere: the network with the most
sockets at the door pays for each that is one too many, so that stations from elsewhere always find a place. Some
files stay free for the record and the API, whoever knocks.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

#: Who waits longer than this is slow or idle, and goes first.
_PATIENT_S = 1.0
#: Open files that sockets of stations never take.
_RESERVE = 512


class Gate(Generic[K]):
    """Sockets at the door, by the network they come from. Instants: loop time."""

    def __init__(self, places: int, files: int | None = None) -> None:
        """``files``: how many this process may open; None: nobody counts them."""
        self._places = places
        self._last_file = None if files is None else files - min(_RESERVE, files // 4)
        self._waiting: dict[str, dict[K, float]] = {}
        """Oldest first."""
        self._network: dict[K, str] = {}

    def __len__(self) -> int:
        return len(self._network)

    def all(self) -> list[K]:
        return list(self._network)

    def enter(self, socket: K, network: str, now: float, file: int = 0) -> K | None:
        """Who must go so that this one may wait: itself, somebody else, or (None) nobody.

        The system gives out the lowest number that is free: a high one says that few are left.
        """
        if self._last_file is not None and file > self._last_file:
            return socket
        self._waiting.setdefault(network, {})[socket] = now
        self._network[socket] = network
        if len(self._network) <= self._places:
            return None
        goes = self._too_many(now)
        self.leave(goes)
        return goes

    def _too_many(self, now: float) -> K:
        greediest = max(self._waiting.values(), key=len)
        oldest = next(iter(greediest))
        return oldest if now - greediest[oldest] > _PATIENT_S else next(reversed(greediest))

    def leave(self, socket: K) -> None:
        """It is in, or gone."""
        network = self._network.pop(socket, None)
        if network is None:
            return
        del self._waiting[network][socket]
        if not self._waiting[network]:
            del self._waiting[network]
