"""What a station watches by itself (2.x block N): monitors, and what a station reports of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from cms.domain import reports
from cms.domain.changes import Decision, Happened
from cms.domain.evolve import evolve
from cms.domain.keeping import Kept, keep_many
from cms.domain.observations import Noted, Observation, Received
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

MONITOR, MONITORING = "monitor", "monitoring"
#: A station cannot make our memory grow: so many monitors are held for each.
MOST_MONITORS = 2_000


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


def _heard(state: StationState, monitors: Iterable[Monitor], now: datetime) -> Kept:
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


def swept(state: StationState, whole: reports.Report, now: datetime) -> Kept:
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


def set_(state: StationState, answers: Iterable[MonitorAnswer], now: datetime) -> Kept:
    """Monitors that the station took are ours (custom), under the ids it gave (N04)."""
    taken = [
        evolve(answer.monitor, origin="custom")
        for answer in answers
        if answer.status == "Accepted" and answer.monitor.id != NEW
    ]
    return _heard(state, taken, now)


def cleared(state: StationState, answers: Iterable[ClearAnswer], now: datetime) -> Kept:
    """One that is not found is gone as well (N06); a hard-wired one stays."""
    gone = [str(answer.id) for answer in answers if answer.status in ("Accepted", "NotFound")]
    return keep_many(state, MONITOR, {}, gone, now)


#: What a base leaves of the register (N03.FR.02 to 05).
_SURVIVE = {
    "all": ("custom", "preconfigured", "hard-wired", None),
    "factory-default": ("preconfigured", "hard-wired", None),
    "hard-wired-only": ("hard-wired", None),
}


def based(state: StationState, base: str, now: datetime) -> Kept:
    """The station took a base: its custom monitors are cleared, unless it is all."""
    gone = [key for key, monitor in state.kept_of(MONITOR).items() if monitor.origin not in _SURVIVE[base]]
    state, changes = keep_many(state, MONITOR, {}, gone, now)
    state, more = _settings(state, evolve(monitoring(state), base=base), now)
    return state, changes + more


def levelled(state: StationState, severity: int, now: datetime) -> Kept:
    return _settings(state, evolve(monitoring(state), level=severity), now)


def _settings(state: StationState, settings: Monitoring, now: datetime) -> Kept:
    return keep_many(state, MONITORING, {"": settings}, (), now)


def monitoring(state: StationState) -> Monitoring:
    found: Monitoring | None = state.kept_of(MONITORING).get("")
    return found or Monitoring()
