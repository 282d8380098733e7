"""A station's state while several kept records of it change together."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cms.domain.changes import Change, Keep
from cms.domain.keeping import forget_oldest
from cms.domain.stations import StationState


class Ledger:
    """``state`` after what was kept and dropped so far, and the ``changes`` that make it durable."""

    def __init__(self, state: StationState, now: datetime) -> None:
        self.state = state
        self.now = now
        self.changes: list[Change] = []

    def keep(self, kind: str, key: str, value: Any) -> None:
        self.state = self.state.keeping(kind, key, value)
        self.changes.append(Keep(self.state.station.id, kind, key, value, self.now))

    def drop(self, kind: str, key: str) -> None:
        if key in self.state.kept_of(kind):
            self.keep(kind, key, None)

    def bound(self, kind: str, most: int) -> None:
        """At most so many of a kind: the oldest go first."""
        self.state, forgotten = forget_oldest(self.state, kind, self.now, most)
        self.changes += forgotten
