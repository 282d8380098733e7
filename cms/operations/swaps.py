"""Battery swapping (2.1 block S): orders for authorised tokens alone, exchanges, the register of batteries."""

from __future__ import annotations

from cms.contract.intents import IntentView, Preview
from cms.contract.refusals import Conflict
from cms.contract.swaps import BatteryView, ListBatteries, ListSwaps, RequestSwap, SwapView
from cms.core import Actor, Core
from cms.domain import swaps, tokens
from cms.domain.observations import TokenRef
from cms.domain.swaps import RequestBatterySwap
from cms.domain.tokens import Presented
from cms.operations import access_rulings
from cms.operations.identifying import asked_for, spoken
from cms.operations.intents import give
from cms.operations.previews import preview


async def list_(core: Core, request: ListSwaps, actor: Actor) -> list[SwapView]:
    known = core.lane(request.station).state.kept_of(swaps.SWAP)
    return [swaps.view(swap) for swap in known.values()]


async def batteries(core: Core, request: ListBatteries, actor: Actor) -> list[BatteryView]:
    known = core.lane(request.station).state.kept_of(swaps.BATTERY)
    return [swaps.battery_view(battery) for battery in known.values()]


async def request(core: Core, request: RequestSwap, actor: Actor) -> IntentView | Preview:
    """Nothing is sent for a token that is not authorised (S02.FR.01)."""
    lane = core.lane(request.station)
    station = lane.state.station.id
    token = asked_for(core, request.token)
    kind = token.kind if token else "central"
    presented = TokenRef(request.token, kind if token else None)
    ruling = tokens.rule(token, presented, core.clock.now(), at=Presented(station, starts=True))
    ruling = await access_rulings.ruled(core, lane.state, ruling, core.clock.now())
    if not ruling.accepted:
        raise Conflict(
            f"token {request.token} is {access_rulings.refused(ruling)}: no battery can be swapped with it"
        )
    shown = preview(
        lane.state,
        "swap",
        f"swaps request {station} --token {request.token}",
        (),
        f"{request.token} may swap batteries",
        level=1,
    )
    order = RequestBatterySwap(spoken(token, request.token), kind, core.mint.number())
    return await give(core, actor, request.station, "swap", order, request, shown)
