"""Who may charge, as far as the station knows by itself: the local list and the authorisation cache.

1.6 sections 3.5.1 to 3.5.4, 2.0.1 C10, C13, C14 and D01.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from cms.simulator.language import Verdict


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry of the local list; without a verdict it means: take this token out (differential updates)."""

    token: str
    verdict: Verdict | None
    until: datetime | None = None


@dataclass(slots=True)
class Authorization:
    """Tokens compare without case (1.6 errata 3.74). ``version`` 0 is an empty list."""

    version: int = 0
    entries: dict[str, Listed] = field(default_factory=dict)
    cache: dict[str, Verdict] = field(default_factory=dict)

    def replace(self, version: int, entries: Iterable[Listed]) -> str:
        """A full update: Accepted or Failed."""
        listed = list(entries)
        known = {entry.token.lower(): entry for entry in listed}
        if version <= 0 or len(known) < len(listed) or any(entry.verdict is None for entry in listed):
            return "Failed"  # D01.FR.18: 0 is no version; no token twice
        self.version, self.entries = version, known
        return "Accepted"

    def update(self, version: int, entries: Iterable[Listed]) -> str:
        """A differential update: Accepted, Failed or VersionMismatch (it must be newer than what is here)."""
        if version <= self.version:
            return "VersionMismatch"
        listed = list(entries)
        if len({entry.token.lower() for entry in listed}) < len(listed):
            return "Failed"
        for entry in listed:
            if entry.verdict is None:
                self.entries.pop(entry.token.lower(), None)
            else:
                self.entries[entry.token.lower()] = entry
        self.version = version
        return "Accepted"

    def listed(self, token: str, now: datetime) -> Verdict | None:
        """What the local list says of a token; an entry that is over says Expired."""
        entry = self.entries.get(token.lower())
        if entry is None:
            return None
        if entry.until is not None and entry.until <= now:
            return Verdict("Expired")
        return entry.verdict

    def remember(self, token: str, verdict: Verdict) -> None:
        self.cache[token.lower()] = verdict

    def cached(self, token: str) -> Verdict | None:
        return self.cache.get(token.lower())

    def group(self, token: str, now: datetime) -> str | None:
        """The group of a token, from the cache or the list."""
        known = self.cached(token) or self.listed(token, now)
        return known.group if known else None

    def forget(self, token: str) -> bool:
        """Whether there was anything to forget."""
        key = token.lower()
        return (self.entries.pop(key, None) is not None) | (self.cache.pop(key, None) is not None)
