"""``cms login`` without a token: a code is shown, somebody who may approves it, and the secret never travels.

The one who wants in makes the secret himself and sends its digest; the token that comes of it opens with a secret
that the daemon has never seen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from cms.contract.refusals import Invalid
from cms.domain.record import record

LASTS = timedelta(minutes=10)
#: At a time, for one organisation.
MOST = 100
#: No vowels and nothing that looks like something else: read aloud, no words by accident.
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ23456789"
_DIGEST = re.compile(r"[0-9a-f]{64}")


@record
class Pairing:
    """``code`` is eight letters, shown as ``BCDF-GHJK``; ``token`` the id of the token once it was approved."""

    code: str
    digest: str
    name: str
    address: str
    asked_at: datetime
    token: str | None = None


def code_of(number: int) -> str:
    """Eight letters from a random number of at least 64 bits."""
    letters = []
    for _ in range(8):
        number, letter = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[letter])
    return "".join(letters)


def shown(code: str) -> str:
    return f"{code[:4]}-{code[4:]}"


def typed(code: str) -> str:
    """As a person typed it."""
    return code.replace("-", "").replace(" ", "").upper()


def check_digest(digest: str) -> str:
    if _DIGEST.fullmatch(digest) is None:
        raise Invalid("digest is not a SHA-256 in hexadecimal")
    return digest


def alive(pairings: Mapping[str, Pairing], now: datetime) -> dict[str, Pairing]:
    """Those that still can be approved or fetched."""
    return {code: pairing for code, pairing in pairings.items() if now - pairing.asked_at < LASTS}
