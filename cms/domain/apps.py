"""What is remembered of drivers who charge by an app: their token of its own, and the starts they asked for."""

from __future__ import annotations

from datetime import datetime

from cms.contract.refusals import Invalid
from cms.domain.evolve import evolve
from cms.domain.record import record

KIND = "app"
#: Starts that are remembered of one driver; an app that repeats older ones has lost its mind, not its link.
MOST_STARTS = 50
_LONGEST_KEY = 100


@record
class Started:
    """A start by the app's own key for it. ``intent`` is None while it is not known what became of it."""

    key: str
    station: str
    evse: int
    at: datetime
    intent: str | None = None


@record
class AppUse:
    """One driver's; ``token`` is what stations are told, and nobody else is."""

    token: str | None = None
    starts: tuple[Started, ...] = ()

    def start(self, key: str) -> Started | None:
        """The start with this key."""
        return next((start for start in self.starts if start.key == key), None)

    def here(self, station: str, evse: int) -> Started | None:
        """The last start at this place."""
        return next((s for s in reversed(self.starts) if (s.station, s.evse) == (station, evse)), None)

    def with_start(self, start: Started) -> AppUse:
        """With one more, or one that is known better."""
        others = tuple(other for other in self.starts if other.key != start.key)
        return evolve(self, starts=(*others, start)[-MOST_STARTS:])

    def without(self, key: str) -> AppUse:
        """As if it had not been asked."""
        return evolve(self, starts=tuple(start for start in self.starts if start.key != key))


def check_key(key: str) -> None:
    """What may name a start."""
    if not key or len(key) > _LONGEST_KEY or not key.isprintable():
        raise Invalid(
            f"a start has a key of 1 to {_LONGEST_KEY} printable characters",
            "a new one, e.g. a UUID, for each wish; the same one for each attempt at it",
        )
