"""What happened."""

from __future__ import annotations

from cms.contract.events import Event, ListEvents
from cms.core import Actor, Core
from cms.operations.intents import check_limit


async def list_(core: Core, request: ListEvents, actor: Actor) -> list[Event]:
    check_limit(request.limit)
    return await core.store.events_after(
        request.after,
        request.limit,
        station=request.station,
        session=request.session,
        type=request.type,
    )
