"""What is wrong at a station: alerts that it did not take back (2.x N07), and connectors that report an error."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from cms.contract.monitoring import ProblemView
from cms.domain.changes import Happened
from cms.domain.evolve import evolve
from cms.domain.keeping import Kept, keep_many
from cms.domain.monitoring import MONITOR
from cms.domain.observations import ComponentEvent
from cms.domain.record import record
from cms.domain.stations import StationState

KIND = "problem"
#: A station cannot make our memory grow: so many standing problems are held for each, and cleared ones.
MOST = 200
REMEMBERED_CLEARED = 20


@record
class Problem:
    """An alert that was not taken back yet, or was lately. ``since`` and ``cleared_at`` are the station's times."""

    name: str
    value: str
    since: datetime
    event_id: int
    evse: int | None = None
    connector: int | None = None
    severity: int | None = None
    monitor: int | None = None
    cause: int | None = None
    tech_code: str | None = None
    tech_info: str | None = None
    cleared_at: datetime | None = None


#: Variables that say by themselves that something is wrong (Part 2 appendix 3.1), for stations without monitors.
_ILLS = frozenset({"problem", "tripped", "overload", "fallback"})
_YES, _NO = ("true", "1"), ("false", "0")


def concerns(event: ComponentEvent) -> bool:
    """Whether it may say that something is wrong, or well again: most events do not."""
    return event.trigger == "Alerting" or event.cleared or event.variable.casefold() in _ILLS


def alerts(state: StationState, seen: Iterable[ComponentEvent], now: datetime) -> tuple[Kept, list[Happened]]:
    """What events say is wrong, or well again (N07); each is bound to its monitor."""
    known = state.kept_of(KIND)
    fresh: dict[str, Problem] = {}
    told: list[Happened] = []
    for event in seen:
        key = event.name if event.monitor is None else f"{event.monitor}|{event.name}"
        before = fresh.get(key) or known.get(key)
        after = _after(before, event, severity_of(state, event), now)
        if after is None or after == before:
            continue
        fresh[key] = after
        opened = before is None or before.cleared_at is not None
        word = "problem.cleared" if after.cleared_at else "problem.opened" if opened else "problem.changed"
        told.append(
            Happened(word, now, state.station.id, data={"problem": view(state, after, fresh.values())})
        )
    if not fresh:
        return (state, []), told
    state, changes = keep_many(state, KIND, fresh, (), now)
    state, trimmed = keep_many(state, KIND, {}, _too_many(state), now)
    return (state, changes + trimmed), told


def severity_of(state: StationState, event: ComponentEvent) -> int | None:
    """The event's own (2.1), or its monitor's."""
    if event.severity is not None or event.monitor is None:
        return event.severity
    monitor = state.kept_of(MONITOR).get(str(event.monitor))
    return monitor.severity if monitor else None


def _after(
    before: Problem | None, event: ComponentEvent, severity: int | None, now: datetime
) -> Problem | None:
    at = min(event.at or now, now)
    word = event.value.strip().casefold()
    ill = event.variable.casefold() in _ILLS
    if event.cleared or (ill and word in _NO):
        return None if before is None or before.cleared_at else evolve(before, cleared_at=at)
    if not (event.trigger == "Alerting" or (ill and word in _YES)):
        return None
    standing = before is not None and before.cleared_at is None
    return Problem(
        name=event.name,
        value=event.value,
        since=before.since if standing and before else at,
        event_id=event.event_id,
        evse=event.evse,
        connector=event.connector,
        severity=severity,
        monitor=event.monitor,
        cause=event.cause,
        tech_code=event.tech_code,
        tech_info=event.tech_info,
    )


def dismissed(state: StationState, name: str, now: datetime, actor: str) -> tuple[Kept, list[Happened]]:
    """The standing problems of this name are cleared by a person; none where there is none."""
    cleared = {
        key: evolve(problem, cleared_at=now)
        for key, problem in state.kept_of(KIND).items()
        if problem.cleared_at is None and problem.name.casefold() == name.casefold()
    }
    told = [
        Happened(
            "problem.cleared", now, state.station.id, actor=actor, data={"problem": view(state, problem)}
        )
        for problem in cleared.values()
    ]
    return keep_many(state, KIND, cleared, (), now), told


def _too_many(state: StationState) -> list[str]:
    """Those to be forgotten, the oldest: cleared ones first."""
    known = state.kept_of(KIND)
    over = [key for key, problem in known.items() if problem.cleared_at][:-REMEMBERED_CLEARED]
    standing = [key for key, problem in known.items() if not problem.cleared_at]
    return over + standing[: max(0, len(standing) - MOST)]


def view(state: StationState, problem: Problem, others: Iterable[Problem] = ()) -> ProblemView:
    """The problem as clients see it; its cause is another one's name, where that is known."""
    cause = None
    if problem.cause is not None:
        named = [*others, *state.kept_of(KIND).values()]
        cause = next((p.name for p in named if p.event_id == problem.cause), f"event {problem.cause}")
    return ProblemView(
        station=state.station.id,
        name=problem.name,
        value=problem.value,
        since=problem.since,
        evse=problem.evse,
        connector=problem.connector,
        severity=problem.severity,
        monitor=problem.monitor,
        event_id=problem.event_id,
        cause=cause,
        tech_code=problem.tech_code,
        tech_info=problem.tech_info,
        cleared_at=problem.cleared_at,
    )


def problems(state: StationState, *, cleared: bool = False) -> list[ProblemView]:
    """What is wrong at a station: its alerts, and its connectors with an error (1.6 knows nothing else)."""
    alerts = [
        view(state, problem)
        for problem in state.kept_of(KIND).values()
        if cleared or problem.cleared_at is None
    ]
    faults = [
        ProblemView(
            station=state.station.id,
            name=connector.error_code or "Faulted",
            value=connector.status,
            since=connector.reported_at or _heard_at(state),
            evse=connector.evse,
            connector=connector.connector,
            tech_code=connector.vendor_error_code,
            tech_info=connector.info,
        )
        for connector in state.connectors.values()
        if connector.error_code or connector.status == "faulted"
    ]
    return faults + alerts


def _heard_at(state: StationState) -> datetime:
    """When nothing better is known: the station was last heard of then."""
    station = state.station
    at = station.last_seen_at or station.enrolled_at
    assert at is not None, "a station with connectors was heard of"
    return at
