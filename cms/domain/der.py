"""DER controls of a station (2.1 block R): what is set, what runs, and the grid's alarms."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cms.contract.der import CONTROL_TYPES
from cms.contract.refusals import Invalid
from cms.domain import reports
from cms.domain.changes import Decision, Happened
from cms.domain.charging.ledger import Ledger
from cms.domain.evolve import evolve
from cms.domain.observations import Noted, Observation, Received
from cms.domain.orders import Order, OrderAnswer
from cms.domain.record import record
from cms.domain.stations import StationState

if TYPE_CHECKING:
    from cms.domain.intents import Intent

KIND = "der-control"
ALARM = "der-alarm"
#: What a station can make us remember.
_MOST = 200
_MOST_ALARMS = 50
#: Only ever the default: they have neither start nor duration (R04).
_ALWAYS_DEFAULT = ("EnterService", "Gradients")


@record
class SetControl(Order):
    id: str
    control_type: str
    default: bool
    settings: dict[str, Any]


@record
class GetControls(Order):
    request_id: int
    id: str | None = None
    control_type: str | None = None
    default: bool | None = None


@record
class ClearControls(Order):
    default: bool
    id: str | None = None
    control_type: str | None = None


@record
class Control:
    """``running`` is None until the station told of a start or a stop."""

    id: str
    control_type: str
    default: bool
    settings: dict[str, Any] = field(default_factory=dict)
    start_at: datetime | None = None
    duration_s: float | None = None
    superseded: bool = False
    running: bool | None = None
    installed_at: datetime | None = None
    reported_at: datetime | None = None
    set_by: str | None = None

    @property
    def state(self) -> str:
        if self.superseded:
            return "superseded"
        return {None: "waiting", True: "running", False: "stopped"}[self.running]


@record
class Alarm:
    control_type: str
    fault: str | None
    started_at: datetime
    ended_at: datetime | None = None
    info: str | None = None


@record
class ControlsReported(Observation):
    """ReportDERControl: one part."""

    request_id: int
    controls: tuple[Control, ...]
    more: bool = False


@record
class GridAlarmed(Observation):
    """NotifyDERAlarm."""

    control_type: str
    fault: str | None
    at: datetime | None
    ended: bool = False
    info: str | None = None


@record
class ControlMoved(Observation):
    """NotifyDERStartStop."""

    id: str
    started: bool
    at: datetime | None
    superseded: tuple[str, ...] = ()


def completed(control_type: str, default: bool, settings: dict[str, Any], now: str) -> dict[str, Any]:
    """The settings with what was left out. Raises Invalid for what no station may be sent (R04)."""
    if control_type not in CONTROL_TYPES:
        raise Invalid(f"there is no DER control {control_type}", f"one of {', '.join(CONTROL_TYPES)}")
    timed = {"startTime", "duration"} & settings.keys()
    if default and timed:
        raise Invalid("a default control always holds: it has no startTime and no duration")
    if not default and control_type in _ALWAYS_DEFAULT:
        raise Invalid(f"{control_type} can only be a default control", "add --default")
    if not default and "duration" not in settings:
        raise Invalid("a control that is not the default says how long it holds: duration, in seconds")
    start = {} if default else {"startTime": now}
    return {"priority": 0, **start, **settings}


def set_(ledger: Ledger, control: Control, superseded: tuple[str, ...]) -> None:
    """The station took a control; those that it supersedes wait behind it."""
    _supersede(ledger, superseded)
    ledger.keep(KIND, control.id, control)
    ledger.bound(KIND, _MOST)


def _supersede(ledger: Ledger, ids: tuple[str, ...]) -> None:
    for id in ids:
        known: Control | None = ledger.state.kept_of(KIND).get(id)
        if known is not None and not known.superseded:
            ledger.keep(KIND, id, evolve(known, superseded=True, running=False))


def cleared(ledger: Ledger, order: ClearControls) -> None:
    """The station cleared these, or knows none of them: either way they are gone."""
    for key, known in ledger.state.kept_of(KIND).items():
        by_kind = known.default == order.default and order.control_type in (None, known.control_type)
        if key == order.id or (order.id is None and by_kind):
            ledger.drop(KIND, key)


def reported(state: StationState, received: Received, part: ControlsReported) -> Decision:
    state, changes, report = reports.part(
        state, part.request_id, "der-controls", received.at, items=len(part.controls), more=part.more
    )
    ledger = Ledger(state, received.at)
    for told in part.controls[:_MOST]:
        known: Control | None = state.kept_of(KIND).get(told.id)
        mine = known or told
        kept = evolve(
            told,
            reported_at=received.at,
            running=mine.running,
            installed_at=mine.installed_at,
            set_by=mine.set_by,
        )
        ledger.keep(KIND, told.id, kept)
    ledger.bound(KIND, _MOST)
    if report.complete:
        _reconcile(ledger, part.request_id)
    data = {"controls": [control.id for control in part.controls], "more": part.more}
    told_of = Happened("der.reported", received.at, state.station.id, data=data)
    return Decision(Noted(), ledger.state, (*changes, *ledger.changes), (told_of,))


def _reconcile(ledger: Ledger, request_id: int) -> None:
    """What a whole report should have told and did not is not set any more."""
    for intent in ledger.state.intents.values():
        if intent.order != "der-get" or intent.params.get("request_id") != request_id:
            continue
        wanted = intent.params
        for key, known in ledger.state.kept_of(KIND).items():
            heard = [at for at in (known.reported_at, known.installed_at) if at is not None]
            fits = (
                wanted.get("id") in (None, key)
                and wanted.get("control_type") in (None, known.control_type)
                and wanted.get("default") in (None, known.default)
            )
            if fits and intent.sent_at is not None and max(heard, default=intent.sent_at) < intent.sent_at:
                ledger.drop(KIND, key)


def alarmed(state: StationState, received: Received, seen: GridAlarmed) -> Decision:
    """A grid alarm opens, or the one that is open ends (R05)."""
    ledger = Ledger(state, received.at)
    at = seen.at or received.at
    key = _open_alarm(state, seen) or f"{seen.control_type}|{seen.fault or ''}"
    known: Alarm | None = state.kept_of(ALARM).get(key)
    if seen.ended:
        begun = known or Alarm(seen.control_type, seen.fault, at)
        alarm = evolve(begun, ended_at=at, info=seen.info or begun.info)
    else:
        again = known is not None and known.ended_at is None
        started_at = known.started_at if known is not None and again else at
        alarm = Alarm(seen.control_type, seen.fault, started_at, None, seen.info)
    ledger.keep(ALARM, key, alarm)
    ledger.bound(ALARM, _MOST_ALARMS)
    data = {
        "control_type": alarm.control_type,
        "fault": alarm.fault,
        "ended": seen.ended,
        "info": seen.info,
        "reported_at": at,
    }
    told = Happened("der.alarm", received.at, state.station.id, data=data)
    return Decision(Noted(), ledger.state, tuple(ledger.changes), (told,))


def _open_alarm(state: StationState, seen: GridAlarmed) -> str | None:
    """An end may leave the fault out: then the open alarm of the control is meant."""
    if not seen.ended or seen.fault is not None:
        return None
    alarms = state.kept_of(ALARM).items()
    return next(
        (key for key, a in alarms if a.control_type == seen.control_type and a.ended_at is None), None
    )


def moved(state: StationState, received: Received, seen: ControlMoved) -> Decision:
    """A control began or ended to act."""
    ledger = Ledger(state, received.at)
    _supersede(ledger, seen.superseded)
    known: Control | None = ledger.state.kept_of(KIND).get(seen.id)
    if known is not None:
        ledger.keep(KIND, seen.id, evolve(known, running=seen.started, superseded=False))
    data = {"control": seen.id, "started": seen.started, "reported_at": seen.at or received.at}
    told = Happened("der.moved", received.at, state.station.id, data=data)
    return Decision(Noted(), ledger.state, tuple(ledger.changes), (told,))


def set_answered(
    state: StationState, intent: Intent, order: SetControl, answer: OrderAnswer, now: datetime
) -> Decision:
    if answer.verdict == "rejected":
        return Decision(Noted(), state)
    ledger = Ledger(state, now)
    start, lasts = order.settings.get("startTime"), order.settings.get("duration")
    control = Control(
        order.id,
        order.control_type,
        order.default,
        order.settings,
        datetime.fromisoformat(start) if isinstance(start, str) else None,
        None if lasts is None else float(lasts),
        installed_at=now,
        set_by=intent.requested_by,
    )
    set_(ledger, control, tuple(str(id) for id in answer.told))
    return _changed(ledger, "set", (order.id,), intent)


def clear_answered(
    state: StationState, intent: Intent, order: ClearControls, answer: OrderAnswer, now: datetime
) -> Decision:
    if answer.verdict == "rejected":
        return Decision(Noted(), state)
    ledger = Ledger(state, now)
    cleared(ledger, order)
    gone = tuple(key for key in state.kept_of(KIND) if key not in ledger.state.kept_of(KIND))
    return _changed(ledger, "cleared", gone, intent)


def get_answered(
    state: StationState, intent: Intent, order: GetControls, answer: OrderAnswer, now: datetime
) -> Decision:
    """Accepted: parts will come. NotFound: what we thought was there is not."""
    if answer.word == "Accepted":
        state, changes = reports.asked(state, order.request_id, "der-controls", now)
        return Decision(Noted(), state, tuple(changes))
    ledger = Ledger(state, now)
    if answer.word == "NotFound":
        _reconcile(ledger, order.request_id)
    return Decision(Noted(), ledger.state, tuple(ledger.changes))


def _changed(ledger: Ledger, change: str, ids: tuple[str, ...], intent: Intent) -> Decision:
    data = {"change": change, "controls": ids}
    told = Happened("der.changed", ledger.now, ledger.state.station.id, actor=intent.requested_by, data=data)
    return Decision(Noted(), ledger.state, tuple(ledger.changes), (told,))
