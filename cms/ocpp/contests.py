"""Two that both prove to be one station, and throw each other out in turns: the present one is kept.

A station that redials from its own address is none of that: the newest connection wins, as always.
"""

from __future__ import annotations

from collections import deque

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

    def frozen(self, key: str, now: float) -> bool:
        """Whether others must wait until the present one has been in for a while."""
        return self._frozen.get(key, 0) > now

    def freezes(self, key: str, now: float) -> bool:
        """Whether one more from elsewhere is one too many: from now on only the present one is served."""
        recent = [seen for at, seen in self._replaced.get(key, ()) if now - at < _WINDOW_S]
        if len(recent) < _REPLACEMENTS:
            return False
        self._frozen[key] = now + _WINDOW_S
        return True

    def forget(self, now: float) -> None:
        for key, seen in list(self._replaced.items()):
            if now - seen[-1][0] > _WINDOW_S and self._frozen.get(key, 0) < now:
                del self._replaced[key]
                self._frozen.pop(key, None)
