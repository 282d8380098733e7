"""Asking 2.x stations about transactions and their queue (E14)."""

from __future__ import annotations

from cms.contract.checks import CheckQueue, CheckSession
from cms.contract.intents import IntentView, Preview
from cms.core import Actor, Core
from cms.domain.checks import CheckTransaction
from cms.operations.intents import give
from cms.operations.previews import preview
from cms.operations.sessions import find


async def session(core: Core, request: CheckSession, actor: Actor) -> IntentView | Preview:
    """Also of a session that has ended: something about it may still wait to be sent."""
    found = await find(core, request.session)
    shown = preview(
        core.lane(found.station).state,
        "check",
        f"sessions check {found.id}",
        (),
        "the station tells whether the session goes on",
        level=0,
    )
    order = CheckTransaction(found.transaction_id)
    return await give(core, actor, found.station, "check", order, request, shown)


async def queue(core: Core, request: CheckQueue, actor: Actor) -> IntentView | Preview:
    lane = core.lane(request.station)
    station = lane.state.station.id
    shown = preview(
        lane.state,
        "check",
        f"sessions check --station {station}",
        (),
        "the station tells whether messages wait in its queue",
        level=0,
    )
    return await give(core, actor, station, "check", CheckTransaction(), request, shown)
