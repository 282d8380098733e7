"""2.1 block R: controls that a grid operator asks of a station with an inverter."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cms.simulator.language import Later, Order, info
from cms.simulator.pace import moment
from cms.simulator.v2.state import Control
from cms.simulator.wire import Payload, Reply

if TYPE_CHECKING:
    from cms.simulator.station import Station

#: Where SetDERControl carries what is of this type; every other type is a curve.
FIELDS = {
    "EnterService": "enterService",
    "FixedPFAbsorb": "fixedPFAbsorb",
    "FixedPFInject": "fixedPFInject",
    "FixedVar": "fixedVar",
    "FreqDroop": "freqDroop",
    "Gradients": "gradient",
    "LimitMaxDischarge": "limitMaxDischarge",
}
#: What the inner member of a report entry is called, where it is not as in SetDERControl.
INNER = {"fixedPFAbsorb": "fixedPF", "fixedPFInject": "fixedPF"}
#: Report entries that say nothing of defaults and superseding.
PLAIN = frozenset({"enterService", "gradient"})
UNSUPPORTED = frozenset({"WattVar"})
PART = 6
"""Controls in one ReportDERControl."""


def _set(station: Station, order: Payload) -> Reply:
    field = FIELDS.get(order["controlType"], "curve")
    if order["controlType"] in UNSUPPORTED:
        return Reply({"status": "NotSupported"})
    if field not in order:
        return Reply({"status": "Rejected", **info("MissingParam")})
    control = Control(order["controlId"], order["controlType"], order["isDefault"], field, order[field])
    others = [
        other
        for other in station.kept.controls.values()
        if (other.type, other.is_default) == (control.type, control.is_default) and other.id != control.id
    ]
    if any(other.priority < control.priority for other in others):
        control.superseded = True  # R04.FR.05: a lower number is stronger
    superseded = [other for other in others if other.priority >= control.priority]
    for other in superseded:
        other.superseded = True
    station.kept.controls[control.id] = control
    answer: Payload = {"status": "Accepted"}
    if superseded:
        answer["supersededIds"] = [other.id for other in superseded][:24]
    return Reply(answer, _scheduled(station, control))


def _scheduled(station: Station, control: Control) -> Later | None:
    """R04.FR.20: a control with a time tells when it starts and when it is over."""
    if control.is_default or control.superseded or "startTime" not in control.told:
        return None
    start = moment(control.told["startTime"])
    duration = timedelta(seconds=float(control.told.get("duration", 0)))

    async def run() -> None:
        await station.pace.sleep((start - station.pace.now()).total_seconds())
        if station.kept.controls.get(control.id) is not control:
            return
        await _tell(station, control, True)
        if duration:
            await station.pace.sleep(duration.total_seconds())
            station.kept.controls.pop(control.id, None)
            await _tell(station, control, False)

    return run


async def _tell(station: Station, control: Control, started: bool) -> None:
    payload: Payload = {"controlId": control.id, "started": started, "timestamp": station.stamp()}
    await station.report("NotifyDERStartStop", payload)


def _wanted(station: Station, order: Payload) -> list[Control]:
    return [
        control
        for control in station.kept.controls.values()
        if order.get("controlId") in (None, control.id)
        and order.get("controlType") in (None, control.type)
        and order.get("isDefault") in (None, control.is_default)
    ]


def _get(station: Station, order: Payload) -> Reply:
    found = _wanted(station, order)
    if not found:
        return Reply({"status": "NotFound"})

    async def report() -> None:
        parts = [found[start : start + PART] for start in range(0, len(found), PART)]
        for number, part in enumerate(parts, 1):
            told: dict[str, Any] = {"requestId": order["requestId"], "tbc": number < len(parts)}
            for control in part:
                told.setdefault(control.field, []).append(_reported(control))
            await station.say("ReportDERControl", told)

    return Reply({"status": "Accepted"}, report)


def _reported(control: Control) -> Payload:
    told: Payload = {"id": control.id, INNER.get(control.field, control.field): control.told}
    if control.field == "curve":
        told["curveType"] = control.type
    if control.field not in PLAIN:
        told |= {"isDefault": control.is_default, "isSuperseded": control.superseded}
    return told


def _clear(station: Station, order: Payload) -> Reply:
    gone = _wanted(station, order)
    for control in gone:
        del station.kept.controls[control.id]
    return Reply({"status": "Accepted" if gone else "NotFound"})


def alarm(station: Station, ended: bool) -> Payload:
    """NotifyDERAlarm: the grid's voltage is too high (R05)."""
    return {
        "controlType": "HVMustTrip",
        "gridEventFault": "OverVoltage",
        "alarmEnded": ended,
        "timestamp": station.stamp(),
    }


ORDERS: dict[str, Order] = {"SetDERControl": _set, "GetDERControl": _get, "ClearDERControl": _clear}
