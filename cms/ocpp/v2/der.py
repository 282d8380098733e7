"""OCPP 2.1 block R: SetDERControl, GetDERControl, ClearDERControl, and what stations report of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cms.contract.der import CONTROL_TYPES
from cms.domain.der import (
    ClearControls,
    Control,
    ControlMoved,
    ControlsReported,
    GetControls,
    GridAlarmed,
    SetControl,
)
from cms.domain.evolve import evolve
from cms.domain.orders import OrderAnswer
from cms.ocpp.charging import bare
from cms.ocpp.schemas import TOLD
from cms.ocpp.translation import Asked, Incoming, Outgoing, nothing, shown, status_of
from cms.ocpp.values import Json, Remarks, exact, instant, plain, text

#: Member of ReportDERControl -> the member of its entries with the settings, and their control type (None: they
#: say it themselves).
_REPORTED = {
    "curve": ("curve", None),
    "enterService": ("enterService", "EnterService"),
    "fixedPFAbsorb": ("fixedPF", "FixedPFAbsorb"),
    "fixedPFInject": ("fixedPF", "FixedPFInject"),
    "fixedVar": ("fixedVar", "FixedVar"),
    "freqDroop": ("freqDroop", "FreqDroop"),
    "gradient": ("gradient", "Gradients"),
    "limitMaxDischarge": ("limitMaxDischarge", "LimitMaxDischarge"),
}


def set_control(order: SetControl) -> list[Asked]:
    said = {
        "isDefault": order.default,
        "controlId": order.id,
        "controlType": order.control_type,
        CONTROL_TYPES[order.control_type]: order.settings,
    }
    return [("SetDERControl", said)]


def control_set(order: SetControl, answers: Sequence[Json]) -> OrderAnswer:
    """``told`` are the ids of the controls that wait behind this one."""
    superseded = tuple(answers[0].get("supersededIds") or ())
    return evolve(status_of(order, answers), told=superseded)


def get_controls(order: GetControls) -> list[Asked]:
    said = {
        "requestId": order.request_id,
        "isDefault": order.default,
        "controlType": order.control_type,
        "controlId": order.id,
    }
    return [("GetDERControl", bare(said))]


def clear_controls(order: ClearControls) -> list[Asked]:
    said = {"isDefault": order.default, "controlType": order.control_type, "controlId": order.id}
    return [("ClearDERControl", bare(said))]


def none_left(order: Any, answers: Sequence[Json]) -> OrderAnswer:
    """NotFound is no refusal: there is nothing (left) of that kind."""
    word = str(answers[0]["status"])
    return OrderAnswer("accepted", word, shown(answers)) if word == "NotFound" else status_of(order, answers)


def controls_reported(payload: Json, remarks: Remarks) -> ControlsReported:
    controls = [
        control
        for member, (inner, kind) in _REPORTED.items()
        for entry in payload.get(member) or ()
        for control in _control(entry, inner, kind, remarks)
    ]
    return ControlsReported(int(payload["requestId"]), tuple(controls), payload.get("tbc") is True)


def _control(entry: Json, inner: str, kind: str | None, remarks: Remarks) -> Iterator[Control]:
    settings = entry[inner]
    lasts = exact(settings.get("duration"))
    yield Control(
        id=entry["id"],
        control_type=kind or entry["curveType"],
        default=entry.get("isDefault", True),
        settings=plain(settings),
        start_at=instant(settings.get("startTime"), remarks),
        duration_s=None if lasts is None else float(lasts),
        superseded=entry.get("isSuperseded") is True,
    )


def grid_alarmed(payload: Json, remarks: Remarks) -> GridAlarmed:
    return GridAlarmed(
        control_type=payload["controlType"],
        fault=payload.get("gridEventFault"),
        at=instant(payload["timestamp"], remarks),
        ended=payload.get("alarmEnded") is True,
        info=text(payload.get("extraInfo")),
    )


def control_moved(payload: Json, remarks: Remarks) -> ControlMoved:
    return ControlMoved(
        id=payload["controlId"],
        started=payload["started"],
        at=instant(payload["timestamp"], remarks),
        superseded=tuple(payload.get("supersededIds") or ()),
    )


INCOMING_21 = {
    "ReportDERControl": Incoming(TOLD, controls_reported, nothing),
    "NotifyDERAlarm": Incoming(TOLD, grid_alarmed, nothing),
    "NotifyDERStartStop": Incoming(TOLD, control_moved, nothing),
}
OUTGOING_21: dict[type[Any], Outgoing] = {
    SetControl: Outgoing(set_control, control_set, ("SetDERControl",)),
    GetControls: Outgoing(get_controls, none_left, ("GetDERControl",)),
    ClearControls: Outgoing(clear_controls, none_left, ("ClearDERControl",)),
}
