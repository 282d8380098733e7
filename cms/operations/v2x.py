"""What OCPP 2.1 adds to smart charging: priority, dynamic profiles, giving energy back."""

from __future__ import annotations

from cms.contract.charging import (
    ENERGY_TRANSFERS,
    RATES,
    AllowEnergyTransfer,
    EnergyTransferRight,
    ListEnergyTransferRights,
    SetEnergyTransferRight,
    SignalAfrr,
    UpdateProfile,
    UsePriority,
)
from cms.contract.intents import IntentView, Preview
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.core import Actor, Core
from cms.domain.changes import Happened
from cms.domain.charging import needs as ev
from cms.domain.charging import orders, register, rules
from cms.domain.charging.answers import EnergyTransfer
from cms.domain.sessions import Session
from cms.operations.deciding import keep
from cms.operations.identifying import named
from cms.operations.intents import give
from cms.operations.previews import preview
from cms.operations.sessions import find as find_session


async def use_priority(core: Core, request: UsePriority, actor: Actor) -> IntentView | Preview:
    session = await _running(core, request.session)
    state = core.lane(session.station).state
    shown = preview(
        state,
        "priority",
        f"profiles priority {session.id} {'on' if request.activate else 'off'}",
        (),
        f"the session is charged {'first' if request.activate else 'as any other'}",
        level=1,
    )
    order = orders.UsePriorityCharging(session.transaction_id, request.activate)
    return await give(core, actor, session.station, "priority", order, request, shown)


async def _running(core: Core, session_id: str) -> Session:
    session = await find_session(core, session_id)
    if session.status == "ended":
        raise Conflict(f"session {session.id} ended already")
    return session


async def update(core: Core, request: UpdateProfile, actor: Actor) -> IntentView | Preview:
    """New rates for a dynamic profile; the station also pulls them by itself (K28)."""
    lane = core.lane(request.station)
    known = register.find(lane.state, request.profile)
    if known is None or not known.ours:
        raise NotFound(f"no profile {request.profile} of ours is known at {lane.state.station.id}")
    if known.profile.kind != "dynamic":
        raise Conflict(f"profile {request.profile} is {known.profile.kind}: only dynamic ones are told anew")
    unknown = request.rates.keys() - set(RATES)
    if unknown or not request.rates:
        raise Invalid(f"say at least one of {', '.join(RATES)}, and nothing else")
    rules.check_rates(dict(request.rates))
    rates = " ".join(f"{name}={value}" for name, value in request.rates.items())
    shown = preview(
        lane.state,
        "profile-update",
        f"profiles update {lane.state.station.id} {request.profile} {rates}",
        (),
        f"profile {request.profile} says {rates} from now on",
        level=1,
    )
    order = orders.UpdateDynamicSchedule(request.profile, dict(request.rates))
    return await give(core, actor, request.station, "profile-update", order, request, shown)


async def allow(core: Core, request: AllowEnergyTransfer, actor: Actor) -> IntentView | Preview:
    """What the car of a session may do from now on."""
    check_transfers(request.modes)
    session = await _running(core, request.session)
    state = core.lane(session.station).state
    shown = preview(
        state,
        "energy-transfer",
        f"profiles allow {session.id} {' '.join(request.modes)}",
        (),
        f"the car may {', '.join(request.modes)}",
        level=1,
    )
    order = orders.AllowEnergyTransfer(session.transaction_id, request.modes)
    return await give(core, actor, session.station, "energy-transfer", order, request, shown)


def check_transfers(modes: tuple[str, ...]) -> None:
    unknown = [mode for mode in modes if mode not in ENERGY_TRANSFERS]
    if unknown or not modes:
        raise Invalid(f"energy transfer is one of {', '.join(ENERGY_TRANSFERS)}, not {unknown}")


async def signal(core: Core, request: SignalAfrr, actor: Actor) -> IntentView | Preview:
    lane = core.lane(request.station)
    shown = preview(
        lane.state,
        "afrr",
        f"profiles afrr {lane.state.station.id} {request.signal}",
        (),
        f"bidirectional sessions follow signal {request.signal}",
        level=1,
    )
    order = orders.SignalAfrr(request.signal_at or core.clock.now(), request.signal)
    return await give(core, actor, request.station, "afrr", order, request, shown)


async def set_right(core: Core, request: SetEnergyTransferRight, actor: Actor) -> EnergyTransferRight:
    """What the cars of a token may do; without modes the right is taken away."""
    token = named(core, request.token)
    if token is None:
        raise NotFound(f"there is no token {request.token}", "see `cms tokens list`")
    if request.modes:
        check_transfers(request.modes)
    right = EnergyTransfer(request.modes) if request.modes else None
    data = {"token": token.id, "energy_transfer": request.modes}
    told = Happened("token.energy-transfer", core.clock.now(), actor=actor.name, data=data)
    async with core.books:
        await keep(core, ev.ALLOWED, token.id.casefold(), right, told)
    return EnergyTransferRight(token.id, request.modes)


async def rights(core: Core, request: ListEnergyTransferRights, actor: Actor) -> list[EnergyTransferRight]:
    kept = core.kept.get(ev.ALLOWED, {})
    return [
        EnergyTransferRight(core.tokens[key].id, right.modes)
        for key, right in kept.items()
        if key in core.tokens
    ]
