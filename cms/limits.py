"""How often somebody may ask: token buckets in a bounded dictionary, and how many things at once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

from cms.contract.refusals import TooMany

#: Who guesses from many addresses must not fill our memory; the fullest buckets are forgotten first.
_MOST_KEYS = 10_000


class Buckets:
    """One bucket per key: ``burst`` at once, then ``per_s`` every second. Seconds come from a clock without jumps."""

    def __init__(self, per_s: float, burst: float, now_s: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._burst = burst
        self._now_s = now_s
        self._full_at: dict[Hashable, float] = {}
        """When each bucket will be full again; one that is full is not kept."""

    def wait_s(self, key: Hashable) -> float:
        """Take one; 0 when there was one, else the seconds until there is."""
        now_s = self._now_s()
        full_at = max(self._full_at.get(key, now_s), now_s) + 1 / self._per_s
        late_s = full_at - now_s - self._burst / self._per_s
        if late_s > 1e-9:
            return late_s
        self._full_at.pop(key, None)  # to the end: the dictionary stays in the order of last use
        self._full_at[key] = full_at
        if len(self._full_at) > _MOST_KEYS:
            self._forget(now_s)
        return 0.0

    def _forget(self, now_s: float) -> None:
        self._full_at = {key: at for key, at in self._full_at.items() if at > now_s}
        while len(self._full_at) > _MOST_KEYS:
            del self._full_at[next(iter(self._full_at))]


def take(buckets: Buckets, key: Hashable, what: str) -> None:
    """Take one, or raise TooMany, which says when to come again."""
    wait_s = buckets.wait_s(key)
    if wait_s > 0:
        raise TooMany(f"too many {what}", wait_s)


class AtOnce:
    """How many of a kind may run at the same time, per key."""

    def __init__(self, most: int, what: str) -> None:
        self._most = most
        self._what = what
        self._running: Counter[Hashable] = Counter()

    def check(self, key: Hashable) -> None:
        """Raise TooMany when there is no room for one more."""
        if self._running.get(key, 0) >= self._most:
            raise TooMany(f"{self._most} {self._what} at once are the most", 5.0)

    @contextmanager
    def one(self, key: Hashable) -> Iterator[None]:
        """Be one of them while the context lasts. Raises TooMany."""
        self.check(key)
        self._running[key] += 1
        try:
            yield
        finally:
            self._running[key] -= 1
            if not self._running[key]:
                del self._running[key]


class Spread:
    """How many different things somebody touched within a while: one script, or one mistake, reaches a whole fleet."""

    def __init__(self, most: int, within_s: float, now_s: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._within_s = within_s
        self._now_s = now_s
        self._touched: dict[Hashable, dict[Hashable, float]] = {}

    def too_far(self, key: Hashable, thing: Hashable) -> bool:
        """Whether this would be one more than may be; else it is counted."""
        now_s = self._now_s()
        touched = {one: at for one, at in self._touched.pop(key, {}).items() if now_s - at < self._within_s}
        self._touched[key] = touched
        if len(self._touched) > _MOST_KEYS:
            del self._touched[next(iter(self._touched))]
        if thing not in touched and len(touched) >= self._most:
            return True
        touched[thing] = now_s
        return False
