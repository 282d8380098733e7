"""Orders to a station itself: reset, unlock, availability, trigger (2.x blocks B, F and G)."""

from __future__ import annotations

from cms.contract.intents import IntentView, Preview
from cms.contract.refusals import Invalid
from cms.contract.stations import ChangeAvailability, ResetStation, TriggerMessage, UnlockConnector
from cms.core import Actor, Core, Lane
from cms.domain.devicemodel import Model
from cms.domain.orders import Reset, SetAvailability, Trigger, Unlock
from cms.operations.intents import give, may_trigger
from cms.operations.previews import ending, line, preview
from cms.operations.stations import check_place, version_of

RESET_KINDS = ("soft", "hard", "immediate", "on-idle", "resume")


async def reset(core: Core, request: ResetStation, actor: Actor) -> IntentView | Preview:
    if request.kind not in RESET_KINDS:
        raise Invalid(f"reset kind must be one of {', '.join(RESET_KINDS)}, not {request.kind!r}")
    check_place(request.evse)
    lane = core.lane(request.station)
    gentle = request.kind == "resume" or (
        request.kind in ("soft", "on-idle") and version_of(core, lane) != "1.6"
    )
    ended = () if gentle else ending(lane.state, request.evse)
    shown = preview(
        lane.state,
        "reset",
        line("stations reset", lane.state.station.id, kind=request.kind, evse=request.evse or None),
        ended,
        "the station reboots" if not request.evse else f"EVSE {request.evse} restarts",
    )
    order = Reset(request.kind, request.evse)
    return await give(core, actor, request.station, "reset", order, request, shown)


async def unlock(core: Core, request: UnlockConnector, actor: Actor) -> IntentView | Preview:
    """1.6 counts connectors per station: its connector N is our EVSE N, connector 1."""
    lane = core.lane(request.station)
    evse, connector = request.connector, 1
    if request.evse is not None:
        evse, connector = request.evse, request.connector
    if evse < 1 or connector < 1:
        raise Invalid("EVSEs and connectors count from 1")
    shown = preview(
        lane.state,
        "unlock",
        line("stations unlock", lane.state.station.id, connector=request.connector, evse=request.evse),
        ending(lane.state, evse),
        f"connector {connector} of EVSE {evse} is unlocked",
    )
    return await give(core, actor, request.station, "unlock", Unlock(evse, connector), request, shown)


def _place(core: Core, lane: Lane, evse: int | None, connector: int | None) -> tuple[int | None, int | None]:
    """The EVSE and connector meant: a 1.6 station has one connector at each of what we call its EVSEs."""
    check_place(evse, connector)
    if evse is not None or connector is None:
        return evse, connector
    if version_of(core, lane) != "1.6":
        raise Invalid("a connector needs its EVSE: give --evse too")
    return connector, None


async def availability(core: Core, request: ChangeAvailability, actor: Actor) -> IntentView | Preview:
    if request.availability not in ("operative", "inoperative"):
        raise Invalid(f"availability must be operative or inoperative, not {request.availability!r}")
    lane = core.lane(request.station)
    evse, connector = _place(core, lane, request.evse, request.connector)
    place = "the station" if not evse else f"EVSE {evse}"
    place = f"connector {connector} of {place}" if connector else place
    later = "; running sessions go on first" if lane.state.sessions else ""
    shown = preview(
        lane.state,
        "availability",
        line(
            "stations availability",
            lane.state.station.id,
            request.availability,
            evse=evse or None,
            connector=connector or None,
        ),
        (),
        f"{place} becomes {request.availability}{later}",
        level=1,
    )
    order = SetAvailability(request.availability == "operative", evse, connector)
    return await give(core, actor, request.station, "availability", order, request, shown)


async def trigger(core: Core, request: TriggerMessage, actor: Actor) -> IntentView | Preview:
    lane = core.lane(request.station)
    if not (request.force or request.custom or request.dry_run):
        may_trigger(lane.state, request.message)
    word = request.message.casefold()
    evse, connector = _place(core, lane, request.evse, request.connector)
    if word == "statusnotification" and evse and connector is None:
        connector = 1  # 2.0.1 F06.FR.12: a status is about a connector
    own = await _own_trigger(core, lane, request.message)
    custom = request.custom or own is not None
    shown = preview(
        lane.state,
        "trigger",
        line(
            "stations trigger",
            lane.state.station.id,
            request.message,
            evse=evse or None,
            connector=connector,
            custom=custom,
            force=request.force,
        ),
        (),
        f"the station sends {request.message}",
        level=0,
    )
    order = Trigger(own or request.message, evse, connector, custom)
    return await give(core, actor, request.station, "trigger", order, request, shown)


async def _own_trigger(core: Core, lane: Lane, message: str) -> str | None:
    """The message as the station spells it, where it said that it is one of its own (2.1 F06.FR.20)."""
    if version_of(core, lane) != "2.1":
        return None
    model = Model(await core.store.variables(lane.state.station.id))
    told = (model.value("CustomizationCtrlr.CustomTriggers") or "").split(",")
    return next((word.strip() for word in told if word.strip().casefold() == message.casefold()), None)
