"""Where cards were seen lately: what judging them needs, in memory alone, and forgotten at a restart.

Strangers are counted per station (so that nobody tries card numbers), known cards by where they charged last and how
often today, and a station that is to learn a card waits here for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the core holds these
    from cms.core import Actor

#: So many different unknown cards at one station within this time are somebody who tries them.
MOST_STRANGERS = 30
STRANGERS_WITHIN = timedelta(minutes=10)
#: So long unknown cards are refused there unseen.
DEAF_FOR = timedelta(seconds=60)
#: How many cards are remembered; the one seen longest ago goes first.
MOST_SEEN = 200_000


@dataclass(slots=True)
class Learning:
    """The next unknown card at this station is taken down, and registered at once where ``enrol`` says so."""

    station: str
    until: datetime
    actor: Actor
    driver: str | None = None
    group: str | None = None
    enrol: bool = False
    learned: str | None = None
    """The card that came."""
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """Where a card last began to charge."""

    station: str
    at: datetime


@dataclass(slots=True)
class Sightings:
    """Keys are stations and tokens without case."""

    seen: dict[str, Seen] = field(default_factory=dict)
    days: dict[str, tuple[date, int]] = field(default_factory=dict)
    strangers: dict[str, dict[str, datetime]] = field(default_factory=dict)
    deaf_until: dict[str, datetime] = field(default_factory=dict)
    learning: dict[str, Learning] = field(default_factory=dict)

    def learns(self, station: str, now: datetime) -> Learning | None:
        """Whether the station waits for a card to learn."""
        learning = self.learning.get(station)
        waits = learning is not None and learning.learned is None and now < learning.until
        return learning if waits else None

    def deaf(self, station: str, now: datetime) -> bool:
        """Whether unknown cards are refused there unseen."""
        until = self.deaf_until.get(station)
        if until is None:
            return False
        if now < until:
            return self.learns(station, now) is None
        del self.deaf_until[station]
        return False

    def stranger(self, station: str, token: str, now: datetime) -> int:
        """An unknown card was presented; how many different ones were lately."""
        lately = self.strangers.setdefault(station, {})
        lately.pop(token, None)
        lately[token] = now
        for known, at in list(lately.items()):
            if now - at <= STRANGERS_WITHIN and len(lately) <= MOST_STRANGERS:
                break
            del lately[known]
        if len(lately) >= MOST_STRANGERS:
            self.deaf_until[station] = now + DEAF_FOR
            count = len(lately)
            lately.clear()
            return count
        return len(lately)

    def began(self, token: str, station: str, at: datetime) -> None:
        """A known card began to charge."""
        self.seen.pop(token, None)
        self.seen[token] = Seen(station, at)
        day, count = self.days.get(token, (at.date(), 0))
        self.days[token] = (at.date(), count + 1 if day == at.date() else 1)
        if len(self.seen) > MOST_SEEN:
            oldest = next(iter(self.seen))
            del self.seen[oldest]
            self.days.pop(oldest, None)

    def today(self, token: str, at: datetime) -> int:
        """How many sessions the card has begun this day (UTC)."""
        day, count = self.days.get(token, (at.date(), 0))
        return count if day == at.date() else 0

    def forget(self, token: str) -> None:
        """Nothing is known of this card any more."""
        self.seen.pop(token, None)
        self.days.pop(token, None)
        for lately in self.strangers.values():
            lately.pop(token, None)
        for station, learning in list(self.learning.items()):
            if learning.learned is not None and learning.learned.casefold() == token:
                del self.learning[station]
