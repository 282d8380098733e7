"""What a station watches by itself (2.x block N): monitors, the alerts they raise, and what is wrong now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from cms.contract.monitoring import ProblemView
from cms.domain import reports
from cms.domain.changes import Change, Decision, Happened, Keep
from cms.domain.evolve import evolve
from cms.domain.observations import ComponentEvent, Noted, Observation, Received
from cms.domain.orders import Order
from cms.domain.record import record
from cms.domain.stations import StationState

TYPES = (
    "upper-threshold",
    "lower-threshold",
    "delta",
    "periodic",
    "periodic-clock-aligned",
    "target-delta",
    "target-delta-relative",
)
BASES = ("all", "factory-default", "hard-wired-only")
CRITERIA = ("threshold", "delta", "periodic")
#: 0 is danger, 9 is debug (MonitoringDataType.severity).
SEVERITIES = range(10)

MONITOR, PROBLEM, MONITORING = "monitor", "problem", "monitoring"
#: A station cannot make our memory grow: so many monitors and problems are held for each.
MOST_MONITORS = 2_000
MOST_PROBLEMS = 200
REMEMBERED_CLEARED = 20


@record
class Monitor:
    """``origin``: hard-wired, preconfigured, custom; None: not told. ``interval_s``, ``values``: of its stream."""

    id: int
    name: str
    type: str
    value: float | None
    severity: int
    transaction: bool = False
    origin: str | None = None
    interval_s: int | None = None
    values: int | None = None
    heard_at: datetime | None = None


@record
class Monitoring:
    """The base and the level that the station took last."""

    base: str | None = None
    level: int | None = None


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


# Orders


@record
class SetMonitors(Order):
    """``monitors`` have the id that they replace, or -1. Sizes as in ReadVariables."""

    monitors: tuple[Monitor, ...]
    per_message: int | None = None
    bytes_per_message: int | None = None


@record
class ClearMonitors(Order):
    ids: tuple[int, ...]
    per_message: int | None = None
    bytes_per_message: int | None = None


@record
class SetMonitoringBase(Order):
    base: str


@record
class SetMonitoringLevel(Order):
    severity: int


@record
class ReportMonitors(Order):
    request_id: int
    criteria: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    within_s: float = 300.0


#: A new monitor has no number yet.
NEW = -1
#: The report of all monitors: one that it leaves out is no more.
ALL = "monitors"
SOME = "some monitors"


@record
class MonitorAnswer:
    """How one monitor of an order fared. ``status`` is the station's word; ``monitor`` has the id it was given."""

    monitor: Monitor
    status: str


@record
class ClearAnswer:
    id: int
    status: str


# What stations tell


@record
class MonitorsReported(Observation):
    """One part of a NotifyMonitoringReport."""

    request_id: int
    seq_no: int
    monitors: tuple[Monitor, ...]
    more: bool = False


Deciding = tuple[StationState, list[Change]]


def keep_many(
    state: StationState, kind: str, records: Mapping[str, Any], gone: Iterable[str], now: datetime
) -> Deciding:
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


def report(state: StationState, received: Received, part: MonitorsReported) -> Decision:
    """NotifyMonitoringReport: one part of a register; when all have come, what nobody told of is gone (N02)."""
    now = received.at
    known = state.kept_of(reports.KIND).get(str(part.request_id))
    state, changes, whole = reports.part(
        state,
        part.request_id,
        known.subject if known else SOME,
        now,
        items=len(part.monitors),
        more=part.more,
        seq_no=part.seq_no,
    )
    if not changes:
        return Decision(Noted(), state)  # a repeat
    state, kept = _heard(state, part.monitors, now)
    changes += kept
    if whole.complete:
        state, gone = swept(state, whole, now)
        changes += gone
    data = {
        "request_id": part.request_id,
        "seq_no": part.seq_no,
        "more": part.more,
        "count": len(part.monitors),
    }
    told = Happened("station.monitors", now, state.station.id, data=data)
    return Decision(Noted(), state, tuple(changes), (told,))


def _heard(state: StationState, monitors: Iterable[Monitor], now: datetime) -> Deciding:
    known = state.kept_of(MONITOR)
    room = MOST_MONITORS - len(known)
    heard: dict[str, Monitor] = {}
    for monitor in monitors:
        key = str(monitor.id)
        if key not in known and key not in heard:
            if room <= 0:
                continue
            room -= 1
        before = known.get(key)
        same = before is not None and before.name == monitor.name
        stream = (before.interval_s, before.values) if same and before else (None, None)
        heard[key] = evolve(
            monitor,
            origin=monitor.origin or (before.origin if same and before else None),
            interval_s=monitor.interval_s if monitor.interval_s is not None else stream[0],
            values=monitor.values if monitor.values is not None else stream[1],
            heard_at=now,
        )
    return keep_many(state, MONITOR, heard, (), now)


def swept(state: StationState, whole: reports.Report, now: datetime) -> Deciding:
    """After the whole report of all monitors: those that it did not tell of are forgotten."""
    if whole.subject != ALL or whole.asked_at is None:
        return state, []
    old = [
        key
        for key, monitor in state.kept_of(MONITOR).items()
        if monitor.heard_at is None or monitor.heard_at < whole.asked_at
    ]
    return keep_many(state, MONITOR, {}, old, now)


# What answers to our orders teach


def set_(state: StationState, answers: Iterable[MonitorAnswer], now: datetime) -> Deciding:
    """Monitors that the station took are ours (custom), under the ids it gave (N04)."""
    taken = [
        evolve(answer.monitor, origin="custom")
        for answer in answers
        if answer.status == "Accepted" and answer.monitor.id != NEW
    ]
    return _heard(state, taken, now)


def cleared(state: StationState, answers: Iterable[ClearAnswer], now: datetime) -> Deciding:
    """One that is not found is gone as well (N06); a hard-wired one stays."""
    gone = [str(answer.id) for answer in answers if answer.status in ("Accepted", "NotFound")]
    return keep_many(state, MONITOR, {}, gone, now)


#: What a base leaves of the register (N03.FR.02 to 05).
_SURVIVE = {
    "all": ("custom", "preconfigured", "hard-wired", None),
    "factory-default": ("preconfigured", "hard-wired", None),
    "hard-wired-only": ("hard-wired", None),
}


def based(state: StationState, base: str, now: datetime) -> Deciding:
    """The station took a base: its custom monitors are cleared, unless it is all."""
    gone = [key for key, monitor in state.kept_of(MONITOR).items() if monitor.origin not in _SURVIVE[base]]
    state, changes = keep_many(state, MONITOR, {}, gone, now)
    state, more = _settings(state, evolve(monitoring(state), base=base), now)
    return state, changes + more


def levelled(state: StationState, severity: int, now: datetime) -> Deciding:
    return _settings(state, evolve(monitoring(state), level=severity), now)


def _settings(state: StationState, settings: Monitoring, now: datetime) -> Deciding:
    return keep_many(state, MONITORING, {"": settings}, (), now)


def monitoring(state: StationState) -> Monitoring:
    found: Monitoring | None = state.kept_of(MONITORING).get("")
    return found or Monitoring()


# Alerts

#: Variables that say by themselves that something is wrong (Part 2 appendix 3.1), for stations without monitors.
_ILLS = frozenset({"problem", "tripped", "overload", "fallback"})
_YES, _NO = ("true", "1"), ("false", "0")


def concerns(event: ComponentEvent) -> bool:
    """Whether it may say that something is wrong, or well again: most events do not."""
    return event.trigger == "Alerting" or event.cleared or event.variable.casefold() in _ILLS


def alerts(
    state: StationState, seen: Iterable[ComponentEvent], now: datetime
) -> tuple[Deciding, list[Happened]]:
    """What events say is wrong, or well again (N07); each is bound to its monitor."""
    known = state.kept_of(PROBLEM)
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
    state, changes = keep_many(state, PROBLEM, fresh, (), now)
    state, trimmed = keep_many(state, PROBLEM, {}, _too_many(state), now)
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


def dismissed(state: StationState, name: str, now: datetime, actor: str) -> tuple[Deciding, list[Happened]]:
    """The standing problems of this name are cleared by a person; none where there is none."""
    cleared = {
        key: evolve(problem, cleared_at=now)
        for key, problem in state.kept_of(PROBLEM).items()
        if problem.cleared_at is None and problem.name.casefold() == name.casefold()
    }
    told = [
        Happened(
            "problem.cleared", now, state.station.id, actor=actor, data={"problem": view(state, problem)}
        )
        for problem in cleared.values()
    ]
    return keep_many(state, PROBLEM, cleared, (), now), told


def _too_many(state: StationState) -> list[str]:
    """Those to be forgotten, the oldest: cleared ones first."""
    known = state.kept_of(PROBLEM)
    over = [key for key, problem in known.items() if problem.cleared_at][:-REMEMBERED_CLEARED]
    standing = [key for key, problem in known.items() if not problem.cleared_at]
    return over + standing[: max(0, len(standing) - MOST_PROBLEMS)]


def view(state: StationState, problem: Problem, others: Iterable[Problem] = ()) -> ProblemView:
    """The problem as clients see it; its cause is another one's name, where that is known."""
    cause = None
    if problem.cause is not None:
        named = [*others, *state.kept_of(PROBLEM).values()]
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
        for problem in state.kept_of(PROBLEM).values()
        if cleared or problem.cleared_at is None
    ]
    faults = [
        ProblemView(
            station=state.station.id,
            name=connector.error_code or "Faulted",
            value=connector.status,
            since=connector.reported_at or problem_time(state),
            evse=connector.evse,
            connector=connector.connector,
            tech_code=connector.vendor_error_code,
            tech_info=connector.info,
        )
        for connector in state.connectors.values()
        if connector.error_code or connector.status == "faulted"
    ]
    return faults + alerts


def problem_time(state: StationState) -> datetime:
    """When nothing better is known: the station was last heard of then."""
    station = state.station
    at = station.last_seen_at or station.enrolled_at
    assert at is not None, "a station with connectors was heard of"
    return at
