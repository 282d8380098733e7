"""Instants at which something that is kept about a station is over by itself: the table DUE on one page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from cms.domain import reservations
from cms.domain.changes import Change, Decision, Keep
from cms.domain.record import record
from cms.domain.stations import StationState


@record
class Due:
    """``at`` is when a kept record must be looked at (None: never), ``passed`` what then becomes of it."""

    at: Callable[[Any], datetime | None]
    passed: Callable[[StationState, str, datetime], Decision | None]


#: By the kind of what is kept (kept.KINDS).
DUE: dict[str, Due] = {
    reservations.KIND: Due(reservations.due_at, reservations.expire),
}


def instants(state: StationState) -> Iterator[tuple[datetime, str]]:
    """Every instant that this station's records wait for, and its name on the agenda."""
    for kind in DUE:
        for key, value in state.kept_of(kind).items():
            yield from _instant(kind, key, value)


def instants_of(changes: tuple[Change, ...]) -> Iterator[tuple[datetime, str]]:
    """Likewise of what is being kept just now."""
    for change in changes:
        if isinstance(change, Keep) and change.kind in DUE and change.value is not None:
            yield from _instant(change.kind, change.key, change.value)


def _instant(kind: str, key: str, value: Any) -> Iterator[tuple[datetime, str]]:
    when = DUE[kind].at(value)
    if when is not None:
        yield when, f"{kind}:{key}"


def passed(state: StationState, name: str, now: datetime) -> Decision | None:
    """What becomes of the record with this name on the agenda; None: nothing."""
    kind, _, key = name.partition(":")
    row = DUE.get(kind)
    return row.passed(state, key, now) if row is not None else None
