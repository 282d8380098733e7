"""Wall time, and where new names come from."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

# Crockford's base 32: no i, l, o, u; sorts as the number does.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class RandomMint:
    """Names from a source of randomness; give a seeded one for a run that can be repeated."""

    def __init__(self, source: random.Random | None = None) -> None:
        self._random = source or random.SystemRandom()

    def id(self, now: datetime) -> str:
        """14 characters that sort by time: milliseconds and 25 random bits."""
        milliseconds = (now - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
        return _digits(milliseconds, 9) + _digits(self._random.getrandbits(25), 5)

    def number(self) -> int:
        """1 to 2^31 - 1: never 0, which stations take for none (1.6 errata 3.54)."""
        return self._random.randint(1, 2**31 - 1)


def _digits(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 32)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
