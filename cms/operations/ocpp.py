"""OCPP word for word: checked calls for everybody who may order, unchecked text for laboratories."""

from __future__ import annotations

import shlex

import msgspec

from cms.contract.intents import IntentView, Preview
from cms.contract.ocpp import CallStation, SendRaw
from cms.contract.refusals import Invalid
from cms.core import Actor, Core
from cms.domain.orders import CallAction, SendText
from cms.operations.intents import give
from cms.operations.previews import preview
from cms.operations.secrecy import params_of

_MAX_TEXT = 256 * 1024


async def call(core: Core, request: CallStation, actor: Actor) -> IntentView | Preview:
    lane = core.lane(request.station)
    order = CallAction(request.action, request.payload)
    clean = msgspec.json.encode(params_of(order)[0]["payload"]).decode()
    shown = preview(
        lane.state,
        "call",
        f"ocpp call {lane.state.station.id} {shlex.quote(request.action)} {shlex.quote(clean)}",
        (),
        f"the station is sent {request.action} as it stands",
    )
    return await give(core, actor, request.station, "call", order, request, shown)


async def send_raw(core: Core, request: SendRaw, actor: Actor) -> IntentView | Preview:
    if not request.lab:
        raise Invalid("unchecked text is for laboratories: say that this is one", "add --lab")
    if not request.text or len(request.text) > _MAX_TEXT:
        raise Invalid(f"a text of 1 to {_MAX_TEXT} characters is sent")
    lane = core.lane(request.station)
    shown = preview(
        lane.state,
        "send-text",
        f"ocpp send-raw {lane.state.station.id} --lab {shlex.quote(request.text)}",
        (),
        "the station is sent an unchecked text",
        level=2,
    )
    order = SendText(request.text)
    return await give(core, actor, request.station, "send-text", order, request, shown)
