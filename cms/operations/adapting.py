"""Orders as a station with quirks wants them, and what to ask instead when it said no, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cms.contract.refusals import Conflict, Unreachable
from cms.core import Core, Lane
from cms.domain import quirks
from cms.domain.evolve import evolve
from cms.domain.orders import Order, OrderAnswer, RemoteStart, SetAvailability, Trigger
from cms.domain.stations import StationState

#: Messages that a station sends for each of its connectors when none is named (1.6 section 5.17, 2.x F06).
_OF_CONNECTORS = frozenset({"statusnotification", "metervalues"})


async def availability(_: Core, lane: Lane, order: SetAvailability) -> Order:
    """Some know no availability of the whole station."""
    connector = quirks.of(lane.state).availability_connector
    return evolve(order, evse=connector) if connector and not order.evse else order


async def trigger(_: Core, lane: Lane, order: Trigger) -> Order:
    """Some answer only when no connector is named."""
    whole = quirks.of(lane.state).trigger_station_wide
    return evolve(order, evse=None, connector=None) if whole and order.evse else order


async def start(_: Core, lane: Lane, order: RemoteStart) -> Order:
    """A cut token would be refused, or be somebody else's."""
    longest = quirks.of(lane.state).id_tag_length
    if longest and len(order.token) > longest:
        raise Conflict(
            f"{lane.state.station.id} cuts tokens after {longest} characters, and this one has {len(order.token)}",
            "start the session with a shorter token",
        )
    return order


async def ask(core: Core, lane: Lane, order: Order, timeout_s: float) -> tuple[Order, OrderAnswer]:
    """Give the order; where the station says no to it, or nothing, once more in the other way there may be.

    Returns the order that was answered. Raises as core.Stations.give.
    """
    station_id = lane.state.station.id
    try:
        answer = await core.stations.give(station_id, order, timeout_s)
    except Unreachable:
        other = _otherwise(lane.state, order)
        if other is None or core.stations.link(station_id) is None:
            raise
        return other, await core.stations.give(station_id, other, timeout_s)
    other = _otherwise(lane.state, order) if answer.verdict == "rejected" else None
    if other is None:
        return order, answer
    return other, await core.stations.give(station_id, other, timeout_s)


def _otherwise(state: StationState, order: Order) -> Order | None:
    other = _OTHERWISE.get(type(order))
    return None if other is None else other(state, order)


def _of_its_connector(state: StationState, order: SetAvailability) -> Order | None:
    """A station with one connector may know the availability of that alone."""
    evses = {evse for evse, _ in state.connectors if evse} or {1}
    return evolve(order, evse=1) if not order.evse and evses == {1} else None


def _of_all(_: StationState, order: Trigger) -> Order | None:
    wide = order.evse and order.message.casefold() in _OF_CONNECTORS
    return evolve(order, evse=None, connector=None) if wide else None


_OTHERWISE: dict[type[Order], Callable[[StationState, Any], Order | None]] = {
    SetAvailability: _of_its_connector,
    Trigger: _of_all,
}
