"""Event streams that are open: how many each may have, and their end when the right to them ends.

A stream may stay open for days. What it was let in with is looked at again every five minutes, and at once when
somebody's rights change (CWE-613: a session that outlives its credential).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from cms.domain.operators import Principal
from cms.limits import AtOnce

LOOKED_AT_EVERY_S = 300.0
_MOST = 8


@dataclass(slots=True, eq=False)
class _Open:
    may: Callable[[], bool]
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Listeners:
    """The open streams of this daemon."""

    def __init__(self, every_s: float = LOOKED_AT_EVERY_S) -> None:
        self._every_s = every_s
        self._open: set[_Open] = set()
        self._at_once = AtOnce(_MOST, "event streams")

    def check(self, principal: Principal) -> None:
        """Raise TooMany where he has as many as there may be; a user of this machine may have any number."""
        if principal.token is not None:
            self._at_once.check(principal.key)

    @contextmanager
    def one(self, principal: Principal, may: Callable[[], bool]) -> Iterator[asyncio.Event]:
        """A stream while the context lasts: the event is set when he may no more. Raises TooMany."""
        stream = _Open(may)
        key = principal.key if principal.token is not None else stream
        with self._at_once.one(key):
            self._open.add(stream)
            timer = asyncio.get_running_loop().call_later(self._every_s, self._again, stream)
            try:
                yield stream.ended
            finally:
                timer.cancel()
                self._open.discard(stream)

    def look_again(self) -> None:
        """Rights have changed: end what is not allowed any more."""
        for stream in self._open:
            if not stream.may():
                stream.ended.set()

    def _again(self, stream: _Open) -> None:
        if stream not in self._open:
            return
        if not stream.may():
            stream.ended.set()
            return
        asyncio.get_running_loop().call_later(self._every_s, self._again, stream)
