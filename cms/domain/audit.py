"""The audit log: who did what to what, why and with which result, as a chain that proves itself.

Each row is sealed with HMAC-SHA256 over the seal before it and everything the row says. Whoever drops, edits or
reorders rows without the key breaks the chain at that row; the last seal, told elsewhere, shows what was cut off.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from operator import attrgetter

from cms.domain.changes import Change
from cms.domain.record import record

#: What came of it, where it was not refused; a refused request has the name of its refusal.
CHANGED, ORDERED, HELD, NOTHING, READ = "changed", "ordered", "held", "nothing", "read"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SHOWN_OF_TOKEN = 4


@record
class Entry:
    """One row as it is decided; the store gives it its number and its seal. Texts hold no NUL.

    ``via``: the uid, API token or grant behind the actor's name. ``before`` and ``after`` are keyed digests of the
    first thing that changed, where that is known. ``times``: how many like this one the row stands for.
    """

    organisation: str
    at: datetime
    actor: str
    via: str
    role: str
    permission: str
    operation: str
    target: str | None
    result: str
    detail: str | None
    reason: str | None
    request_id: str
    intent: str | None
    request: str
    """The request's fields as compact JSON, without secrets, names and whole card numbers."""
    before: str | None = None
    after: str | None = None
    times: int = 1
    target_key: str | None = None
    """The target without case: rows are found by it."""


#: Seals a row: the seal before it (hexadecimal), its number, the row -> its seal.
Seal = Callable[[str, int, Entry], str]


@record
class Audit(Change):
    """Add a row to the chain of its organisation. ``seal`` holds the key, which so never enters the store."""

    entry: Entry
    seal: Seal


@record
class Sealed:
    """A row as the record has it."""

    seq: int
    entry: Entry
    mac: str


class Unreadable(Exception):
    """Among these rows is one of which somebody has made something that is no row."""


@record
class Head:
    """The end of a chain: the number and the seal of its last row; 0 and nothing before the first."""

    seq: int = 0
    mac: str = ""


@record
class Wanted:
    """Which rows: ``after`` and ``before`` are numbers, ``targets`` any of these names without case."""

    after: int | None = None
    before: int | None = None
    actor: str | None = None
    operation: str | None = None
    targets: tuple[str, ...] = ()
    result: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    looks: bool = True
    """Also those that only tell that personal data was shown."""
    limit: int = 200
    latest: bool = False
    """The last ones rather than the first; oldest first all the same."""


_values = attrgetter(*(field.name for field in fields(Entry)))


def canonical(seq: int, entry: Entry) -> bytes:
    """The row as bytes that no other row has: netstrings of its number and its fields, ``-`` for nothing."""
    return b"".join(_netstring(value) for value in (seq, *_values(entry)))


def _netstring(value: object) -> bytes:
    if value is None:
        return b"-,"
    if isinstance(value, datetime):
        value = (value - _EPOCH) // _MICROSECOND
    text = str(value).encode()
    return b"%d:%b," % (len(text), text)


def sealing(key: bytes) -> Seal:
    """The seal with this key: HMAC-SHA256 over the seal before and the row."""

    def seal(previous: str, seq: int, entry: Entry) -> str:
        return hmac.digest(key, bytes.fromhex(previous) + canonical(seq, entry), "sha256").hex()

    return seal


def first_wrong(rows: Iterable[Sealed], head: Head, seal: Seal) -> tuple[Head, str | None]:
    """Follow the chain from ``head``: where it leads, and what is wrong with the row after that, or None."""
    for row in rows:
        if row.seq != head.seq + 1:
            return head, "is not there"
        if not hmac.compare_digest(str(row.mac).encode(), seal(head.mac, row.seq, row.entry).encode()):
            return head, "is not as it was written"
        head = Head(row.seq, row.mac)
    return head, None


def digest(key: bytes, text: str) -> str:
    """A short keyed digest: tells whether two things are the same, and not what they are."""
    return hmac.digest(key, text.encode("utf-8", "replace"), "sha256")[:8].hex()


def pseudonym(key: bytes, token: str, *, secret: bool = False) -> str:
    """How the audit names a token: its end and a keyed digest. It is found again, and outlives erasure.

    Of a ``secret`` one (a key code) no end is told.
    """
    end = token[-_SHOWN_OF_TOKEN:] if len(token) >= 2 * _SHOWN_OF_TOKEN and not secret else ""
    return f"*{end}#{digest(key, token.casefold())}"


def plain(text: str, limit: int = 1000) -> str:
    """Text that both databases take and give back as it was: no NUL, no lone surrogates, not endless."""
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def fingerprint(text: str) -> str:
    """What a request too long to be kept is known by."""
    return sha256(text.encode("utf-8", "replace")).hexdigest()
