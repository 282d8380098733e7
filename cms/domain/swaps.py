"""Battery swapping (2.1 block S): who may take one, what came in and went out, which batteries are where."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from cms.contract.swaps import BatteryView, SwapView
from cms.domain.changes import Change, Decision, Happened
from cms.domain.evolve import evolve
from cms.domain.keeping import keep
from cms.domain.observations import Noted, Observation, Received, TokenRef
from cms.domain.orders import Order
from cms.domain.record import record
from cms.domain.stations import StationState
from cms.domain.tokens import display

SWAP, BATTERY = "swap", "battery"
#: How many of a station are remembered; those not heard of for longest go first.
_SWAPS, _BATTERIES = 100, 500
#: More than a station has places for are not told at once.
_AT_ONCE = 100


@record
class RequestBatterySwap(Order):
    """2.1 S02; ``request_id`` comes back in what the station tells of it."""

    token: str
    token_kind: str
    request_id: int


@record
class BatteryData:
    evse: int
    serial: str
    soc_percent: Decimal | None
    soh_percent: Decimal | None
    produced: datetime | None = None
    vendor_info: str | None = None


@record
class BatterySwapped(Observation):
    """BatterySwap. ``kind``: in, out, out-timeout (S03)."""

    kind: str
    request_id: int
    token: TokenRef
    batteries: tuple[BatteryData, ...]


@record
class Battery:
    """A battery as last heard of. ``inside``: it is in the station."""

    serial: str
    evse: int
    inside: bool
    soc_percent: Decimal | None
    soh_percent: Decimal | None
    heard_at: datetime
    produced: datetime | None = None
    vendor_info: str | None = None


@record
class Swap:
    """One exchange by its request id. ``status``: requested, in, out, timeout."""

    request_id: int
    token: str
    status: str
    began_at: datetime
    heard_at: datetime
    came: tuple[str, ...] = ()
    went: tuple[str, ...] = ()
    by: str | None = None


def requested(
    state: StationState, order: RequestBatterySwap, by: str, now: datetime
) -> tuple[StationState, list[Change]]:
    """The station accepted a swap."""
    known = state.kept_of(SWAP).get(str(order.request_id))
    swap = known or Swap(order.request_id, order.token, "requested", now, now, by=by)
    return keep(state, SWAP, str(order.request_id), evolve(swap, by=by), now, _SWAPS)


def swapped(state: StationState, received: Received, seen: BatterySwapped) -> Decision:
    """A battery came in or went out: the exchange and the register of batteries follow. Twice is harmless."""
    now, key = received.at, str(seen.request_id)
    known: Swap | None = state.kept_of(SWAP).get(key)
    swap = known or Swap(seen.request_id, display(seen.token, None), "requested", now, now)
    serials = tuple(battery.serial for battery in seen.batteries)
    swap = evolve(swap, **_moved(swap, seen.kind, serials), heard_at=now)
    state, changes = keep(state, SWAP, key, swap, now, _SWAPS)
    for data in seen.batteries[:_AT_ONCE]:
        # One that nobody took out in time stays where it is (S03, BatteryOutTimeout).
        battery = Battery(
            data.serial,
            data.evse,
            seen.kind != "out",
            data.soc_percent,
            data.soh_percent,
            now,
            data.produced,
            data.vendor_info,
        )
        state, more = keep(state, BATTERY, data.serial.casefold(), battery, now, _BATTERIES)
        changes += more
    told = {"swap": view(swap), "event": seen.kind, "batteries": [battery_view(b) for b in _of(state, seen)]}
    event = Happened("battery.swapped", now, state.station.id, data=told)
    return Decision(Noted(), state, tuple(changes), (event,))


#: Kind of event -> the status it brings, and the field its batteries go to.
_MOVES = {"in": ("in", "came"), "out": ("out", "went"), "out-timeout": ("timeout", None)}


def _moved(swap: Swap, kind: str, serials: tuple[str, ...]) -> dict[str, object]:
    status, field = _MOVES[kind]
    if field is None:
        return {"status": status}
    have: tuple[str, ...] = getattr(swap, field)
    return {"status": status, field: tuple(dict.fromkeys((*have, *serials)))}


def _of(state: StationState, seen: BatterySwapped) -> list[Battery]:
    known = state.kept_of(BATTERY)
    return [known[b.serial.casefold()] for b in seen.batteries if b.serial.casefold() in known]


def view(swap: Swap) -> SwapView:
    return SwapView(
        id=swap.request_id,
        token=swap.token,
        status=swap.status,
        began_at=swap.began_at,
        heard_at=swap.heard_at,
        came=swap.came,
        went=swap.went,
        requested_by=swap.by,
    )


def battery_view(battery: Battery) -> BatteryView:
    return BatteryView(
        id=battery.serial,
        evse=battery.evse,
        inside=battery.inside,
        soc_percent=battery.soc_percent,
        soh_percent=battery.soh_percent,
        heard_at=battery.heard_at,
        produced=battery.produced,
        vendor_info=battery.vendor_info,
    )
