"""OCPP word for word: checked calls for everybody who may order, unchecked text for laboratories."""

from __future__ import annotations

import shlex

import msgspec

from cms.contract.intents import IntentView, Preview
from cms.contract.ocpp import CallStation, SendRaw
from cms.contract.refusals import Invalid
from cms.core import Actor, Core
from cms.domain.orders import CallAction, SendText
from cms.domain.wordforword import own_order
from cms.operations import credentials
from cms.operations.intents import give, may_trigger
from cms.operations.previews import preview
from cms.operations.secrecy import params_of

_MAX_TEXT = 256 * 1024


async def call(core: Core, request: CallStation, actor: Actor) -> IntentView | Preview:
    """The payload goes out as it stands, by the rules that hold for our own order of the kind."""
    lane = core.lane(request.station)
    order = CallAction(request.action, request.payload)
    name, params = own_order(request.action, request.payload) or ("call", {})
    if name == "trigger":
        may_trigger(lane.state, params["message"])
    told: dict[str, str] = params.get("values", {})
    credentials.check_profile(lane.state, told)
    clean = msgspec.json.encode(params_of(order)[0]["payload"]).decode()
    shown = preview(
        lane.state,
        "call",
        f"ocpp call {lane.state.station.id} {shlex.quote(request.action)} {shlex.quote(clean)}",
        (),
        f"the station is sent {request.action} as it stands",
    )
    giving = give(core, actor, request.station, "call", order, request, shown)
    return await credentials.telling(core, lane, told, request, giving)


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
