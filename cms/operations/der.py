"""DER controls (2.1 block R): what is set, the grid's alarms, orders about them."""

from __future__ import annotations

import msgspec

from cms.contract.der import (
    CONTROL_TYPES,
    ClearDerControls,
    DerAlarmView,
    DerControlView,
    GetDerControls,
    ListDerAlarms,
    ListDerControls,
    SetDerControl,
)
from cms.contract.intents import IntentView, Preview
from cms.contract.refusals import Conflict, Invalid
from cms.core import Actor, Core
from cms.domain import der
from cms.operations.intents import give
from cms.operations.previews import line, preview

_MAX_ID = 36


async def list_(core: Core, request: ListDerControls, actor: Actor) -> list[DerControlView]:
    return [
        DerControlView(
            station=lane.state.station.id,
            id=control.id,
            control_type=control.control_type,
            default=control.default,
            state=control.state,
            start_at=control.start_at,
            duration_s=control.duration_s,
            installed_at=control.installed_at,
            reported_at=control.reported_at,
            set_by=control.set_by,
            settings=control.settings,
        )
        for lane in core.lanes_of(request.station)
        for control in lane.state.kept_of(der.KIND).values()
    ]


async def alarms(core: Core, request: ListDerAlarms, actor: Actor) -> list[DerAlarmView]:
    return [
        DerAlarmView(
            station=lane.state.station.id,
            control_type=alarm.control_type,
            fault=alarm.fault,
            started_at=alarm.started_at,
            ended_at=alarm.ended_at,
            info=alarm.info,
        )
        for lane in core.lanes_of(request.station)
        for alarm in lane.state.kept_of(der.ALARM).values()
        if request.all or alarm.ended_at is None
    ]


async def set_(core: Core, request: SetDerControl, actor: Actor) -> IntentView | Preview:
    lane = core.lane(request.station)
    now = core.clock.now()
    control = request.control or f"{request.control_type}-{core.mint.id(now)}"[:_MAX_ID]
    known: der.Control | None = lane.state.kept_of(der.KIND).get(control)
    if not 0 < len(control) <= _MAX_ID:
        raise Invalid(f"a control's id has 1 to {_MAX_ID} characters")
    if known is not None and known.control_type != request.control_type:
        raise Conflict(
            f"control {control} is {known.control_type} already", "leave its id out to be given one"
        )
    moment = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    settings = der.completed(request.control_type, request.default, request.settings, moment)
    kind = "the default" if request.default else "a scheduled"
    shown = preview(
        lane.state,
        "der-set",
        line(
            "der set",
            lane.state.station.id,
            request.control_type,
            msgspec.json.encode(request.settings).decode(),
            default=request.default,
            id=request.control,
        ),
        (),
        f"{kind} {request.control_type} control is set as {control}",
        level=2,
    )
    order = der.SetControl(control, request.control_type, request.default, settings)
    return await give(core, actor, request.station, "der-set", order, request, shown)


async def get(core: Core, request: GetDerControls, actor: Actor) -> IntentView | Preview:
    lane = core.lane(request.station)
    _check(request.control, request.control_type)
    shown = preview(
        lane.state,
        "der-get",
        line(
            "der get",
            lane.state.station.id,
            request.control,
            type=request.control_type,
            default=request.default is True,
            scheduled=request.default is False,
        ),
        (),
        "the station reports its controls",
        level=0,
    )
    order = der.GetControls(core.mint.number(), request.control, request.control_type, request.default)
    return await give(core, actor, request.station, "der-get", order, request, shown)


async def clear(core: Core, request: ClearDerControls, actor: Actor) -> IntentView | Preview:
    lane = core.lane(request.station)
    _check(request.control, request.control_type)
    known: der.Control | None = lane.state.kept_of(der.KIND).get(request.control or "")
    default = known.default if known is not None else request.default
    of_type = f" {request.control_type}" if request.control_type else ""
    what = request.control or f"every {'default' if default else 'scheduled'}{of_type} control"
    shown = preview(
        lane.state,
        "der-clear",
        line(
            "der clear",
            lane.state.station.id,
            request.control,
            type=request.control_type,
            default=request.default,
        ),
        (),
        f"{what} no longer holds",
        level=2,
    )
    order = der.ClearControls(default, request.control, request.control_type)
    return await give(core, actor, request.station, "der-clear", order, request, shown)


def _check(control: str | None, control_type: str | None) -> None:
    if control is not None and control_type is not None:
        raise Invalid("controls are meant by one id, or by their type: not by both")
    if control_type is not None and control_type not in CONTROL_TYPES:
        raise Invalid(f"there is no DER control {control_type}", f"one of {', '.join(CONTROL_TYPES)}")
