"""Orders that are put together when they are sent, not when they are asked for: one row per order.

What such an order says would be old by then (a list of tokens, for a station that comes back tomorrow) or too long
to be kept with the intent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from cms.core import Core, Lane
from cms.domain.lists import SendList
from cms.domain.orders import Order, RemoteStart, SetAvailability, Trigger
from cms.operations import adapting, holdings

PREPARING: dict[type[Order], Callable[[Core, Lane, Any], Awaitable[Order]]] = {
    SetAvailability: adapting.availability,
    Trigger: adapting.trigger,
    RemoteStart: adapting.start,
    SendList: holdings.prepare,
}


async def prepared(core: Core, lane: Lane, order: Order) -> Order:
    """The order as it is sent. Raises a refusal where there is nothing right to send."""
    prepare = PREPARING.get(type(order))
    return order if prepare is None else await prepare(core, lane, order)
