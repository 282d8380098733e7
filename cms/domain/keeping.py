"""Kept records as they change: a station's state afterwards, and the changes that make it durable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from cms.domain.changes import Change, Keep
from cms.domain.evolve import evolve
from cms.domain.stations import StationState

Kept = tuple[StationState, list[Change]]


def keep(state: StationState, kind: str, key: str, value: Any, now: datetime, most: int) -> Kept:
    """The state with this record; of more than ``most`` of its kind the oldest are forgotten."""
    kept = state.keeping(kind, key, value)
    kept, forgotten = forget_oldest(kept, kind, now, most)
    return kept, [Keep(state.station.id, kind, key, value, now), *forgotten]


def forget_oldest(state: StationState, kind: str, now: datetime, most: int) -> Kept:
    """The state with at most so many records of a kind."""
    known = list(state.kept_of(kind))
    changes: list[Change] = []
    for key in known[: max(0, len(known) - most)]:
        state = state.keeping(kind, key, None)
        changes.append(Keep(state.station.id, kind, key, None, now))
    return state, changes


def keep_many(
    state: StationState, kind: str, records: Mapping[str, Any], gone: Iterable[str], now: datetime
) -> Kept:
    """The state with these records of a kind, and without those that are gone: in one step, however many."""
    known = dict(state.kept_of(kind))
    changes: list[Change] = []
    for key in gone:
        if known.pop(key, None) is not None:
            changes.append(Keep(state.station.id, kind, key, None, now))
    for key, value in records.items():
        known.pop(key, None)
        known[key] = value
        changes.append(Keep(state.station.id, kind, key, value, now))
    kept = {**state.kept, kind: known}
    if not known:
        del kept[kind]
    return evolve(state, kept=kept), changes
