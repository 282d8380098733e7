"""Orders that are put together when they are sent, not when they are asked for: one row per order.

What such an order says would be old by then (a list of tokens, for a station that comes back tomorrow) or too long
to be kept with the intent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from cms.contract.refusals import Conflict
from cms.core import Core, Lane
from cms.domain.jobs import GetLog
from cms.domain.lists import SendList
from cms.domain.orders import Order, RemoteStart, SetAvailability, Trigger
from cms.domain.reservations import Reserve
from cms.operations import adapting, holdings, uploads


async def _still_to_come(core: Core, lane: Lane, order: Reserve) -> Reserve:
    """A reservation that waited for its station may be over before it began."""
    if order.expires_at <= core.clock.now():
        raise Conflict(
            f"{lane.state.station.id} came back too late: the reservation would have ended at "
            f"{order.expires_at:%Y-%m-%d %H:%M} UTC"
        )
    return order


PREPARING: dict[type[Order], Callable[[Core, Lane, Any], Awaitable[Order]]] = {
    SetAvailability: adapting.availability,
    Trigger: adapting.trigger,
    RemoteStart: adapting.start,
    SendList: holdings.prepare,
    Reserve: _still_to_come,
    GetLog: uploads.addressed,
}


async def prepared(core: Core, lane: Lane, order: Order) -> Order:
    """The order as it is sent. Raises a refusal where there is nothing right to send."""
    prepare = PREPARING.get(type(order))
    return order if prepare is None else await prepare(core, lane, order)
