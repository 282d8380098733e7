"""What happened."""

from __future__ import annotations

from cms.contract.events import Event, ListEvents
from cms.contract.refusals import Invalid
from cms.core import Actor, Core

MAX_LIST = 10_000


async def list_(core: Core, request: ListEvents, actor: Actor) -> list[Event]:
    if not 0 < request.limit <= MAX_LIST:
        raise Invalid(f"limit must be between 1 and {MAX_LIST}, not {request.limit}")
    return await core.store.events_after(
        request.after,
        request.limit,
        station=request.station,
        session=request.session,
        type=request.type,
    )
