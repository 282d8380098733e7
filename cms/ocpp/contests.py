"""Two that both prove to be one station, and throw each other out in turns: the present one is kept.

A station that redials from its own address is none of that: the newest connection wins, as always.
"""

from __future__ import annotations

import logging
from collections import deque

log = logging.getLogger(__name__)

_REPLACEMENTS = 3
_WINDOW_S = 60.0


class Contests:
    """Who was replaced by a connection from elsewhere of late, by place (served.place). Instants: loop time."""

    def __init__(self) -> None:
        self._replaced: dict[str, deque[tuple[float, str]]] = {}
        self._frozen: dict[str, float] = {}

    def replaced(self, key: str, address: str, now: float) -> None:
        """The connection from this address had to go for one from elsewhere."""
        self._replaced.setdefault(key, deque(maxlen=_REPLACEMENTS)).append((now, address))

    def contested(self, key: str, address: str, now: float) -> bool:
        """Whether another one from this address must wait until the present one has been in for a while."""
        if self._frozen.get(key, 0) > now:
            return True
        recent = [seen for at, seen in self._replaced.get(key, ()) if now - at < _WINDOW_S]
        if len(recent) < _REPLACEMENTS:
            return False
        self._frozen[key] = now + _WINDOW_S
        log.warning(
            "%r connects from %r and %r in turns: only the present one is served",
            key,
            recent[-1],
            address,
        )
        return True

    def forget(self, now: float) -> None:
        for key, seen in list(self._replaced.items()):
            if now - seen[-1][0] > _WINDOW_S and self._frozen.get(key, 0) < now:
                del self._replaced[key]
                self._frozen.pop(key, None)
