"""The agenda's look at what is kept about stations: what is over by itself (domain.due) is decided and told."""

from __future__ import annotations

from cms.core import Core, Lane
from cms.domain import due
from cms.operations.deciding import settle


async def look(core: Core, lane: Lane, name: str) -> None:
    """The instant came that the record with this name waited for."""
    async with lane.lock:
        decision = due.passed(lane.state, name, core.clock.now())
        if decision is not None:
            await settle(core, lane, decision.state, decision.changes, decision.events)


def remember(core: Core) -> None:
    """After a start: everything that waits for an instant is on the agenda again."""
    for lane in core.lanes.values():
        for when, name in due.instants(lane.state):
            core.wake(when, lane.state.station.id, name)
