"""Wrong passwords at the door are counted, and right ones are never held up by them.

A password is checked in three microseconds, so that nothing needs protection from the checking. What is limited is
guessing: whoever guesses too often hears 429 rather than 401. Generated passwords (160 bits) cannot be guessed at any
rate, so that a right one always opens. One that a person chose might be: while it is being guessed, it opens from the
network its station came from last, and from elsewhere only when the guessing has stopped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

#: Fifty: a station that lost its password redials every few seconds, and is to be told so (401).
_BURST = 50
#: A depot behind one address may have lost all of its passwords at once.
_BURST_NETWORK = 1_000
_PER_MINUTE_IDENTITY = 10
_PER_MINUTE_NETWORK = 20
_PER_SECOND_ALL = 200
#: Fed by strangers: bounded.
_MOST = 10_000


@dataclass(slots=True)
class Buckets:
    """Token buckets by name: ``burst`` at once, refilled by ``per_s``. A full one is not kept."""

    burst: float
    per_s: float
    _left: dict[object, tuple[float, datetime]] = field(default_factory=dict)

    def left(self, name: object, now: datetime) -> float:
        """How many more may be taken now; less than one: none."""
        known = self._left.get(name)
        if known is None:
            return self.burst
        left, at = known
        return min(self.burst, left + max(0.0, (now - at).total_seconds()) * self.per_s)

    def take(self, name: object, now: datetime) -> bool:
        """Take one; whether there was one left."""
        left = self.left(name, now)
        if name not in self._left and len(self._left) >= _MOST:
            self._drop_full(now)
        self._left[name] = (max(left - 1, 0.0) if left >= 1 else left, now)
        return left >= 1

    def _drop_full(self, now: datetime) -> None:
        """Forget those who have waited long enough; where all are busy, those that were heard of longest ago."""
        full = [name for name in self._left if self.left(name, now) >= self.burst]
        for name in full or list(self._left)[: _MOST // 10]:
            del self._left[name]


@dataclass(slots=True)
class Guesses:
    """Failed proofs of late: by identity, by network, and all of them."""

    identities: Buckets = field(default_factory=lambda: Buckets(_BURST, _PER_MINUTE_IDENTITY / 60))
    networks: Buckets = field(default_factory=lambda: Buckets(_BURST_NETWORK, _PER_MINUTE_NETWORK / 60))
    all: Buckets = field(default_factory=lambda: Buckets(_PER_SECOND_ALL, _PER_SECOND_ALL))

    def too_many(self, identity: object, network: str, now: datetime) -> bool:
        """Count one; whether it is one too many for its identity, its network, or altogether."""
        if not self.all.take("", now):
            return (
                True  # and is not counted further: nobody can make us forget the others by a flood of names
            )
        taken = (self.identities.take(identity, now), self.networks.take(network, now))
        return not all(taken)

    def going_on(self, identity: object, now: datetime) -> bool:
        """Whether this identity's password is being guessed now."""
        return self.identities.left(identity, now) < 1 or self.all.left("", now) < 1
