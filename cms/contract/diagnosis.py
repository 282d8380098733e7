"""What is wrong, why, and what mends it: with the daemon, with a station, and with those that cannot connect."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

#: The worst last.
VERDICTS = ("ok", "look", "bad")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. ``cure`` says what to do about it; null where nothing is to be done."""

    name: str
    verdict: str
    found: str
    cure: str | None = None


@dataclass(frozen=True, slots=True)
class Handshake:
    """Handshakes that failed alike. ``station`` where the identity is a registered one.

    ``credentials`` is the shape of what was shown (none, basic, certificate, unreadable ...), never what it was.
    ``status`` is the HTTP status it was told; 0 where it did not come that far. ``why`` is the plain reason, ``cause``
    and ``cure`` are for people. ``solved_at``: the station has come in since.
    """

    identity: str
    station: str | None
    address: str
    path: str
    offered: tuple[str, ...]
    credentials: str
    tls: str
    status: int
    why: str
    cause: str
    cure: str
    attempts: int
    first_at: datetime
    last_at: datetime
    solved_at: datetime | None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """``now`` is the daemon's clock. ``verdict`` is the worst of the checks'."""

    now: datetime
    verdict: str
    checks: tuple[Check, ...]
    handshakes: tuple[Handshake, ...] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Diagnose:
    """Look at the daemon and all stations, or at one. What failed at the door lately is told too."""

    station: str | None = None


@dataclass(frozen=True, slots=True)
class ListHandshakes:
    """Handshakes that failed since the daemon started, the latest first. ``every``: also those that were solved."""

    station: str | None = None
    every: bool = False
    limit: int = 200
