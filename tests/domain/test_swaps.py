from __future__ import annotations

from decimal import Decimal

from cms.domain import swaps
from cms.domain.observations import TokenRef
from cms.domain.stations import StationState
from cms.domain.swaps import BatteryData, BatterySwapped, RequestBatterySwap
from tests.domain.build import NOON, received, station


def told(kind: str, *serials: str, request: int = 7) -> BatterySwapped:
    data = tuple(BatteryData(1, serial, Decimal(50), Decimal(99)) for serial in serials)
    return BatterySwapped(kind, request, TokenRef("CARD1", "rfid"), data)


def after(state: StationState, *seen: BatterySwapped) -> StationState:
    for one in seen:
        state = swaps.swapped(state, received(one, NOON), one).state
    return state


def test_an_exchange_is_followed_by_its_request_id() -> None:
    state, _ = swaps.requested(station(), RequestBatterySwap("CARD1", "rfid", 7), "ana", NOON)
    state = after(state, told("in", "B1"), told("in", "B1"), told("out", "B2"))
    swap = state.kept_of(swaps.SWAP)["7"]
    assert (swap.status, swap.came, swap.went, swap.by) == ("out", ("B1",), ("B2",), "ana")


def test_the_register_knows_which_batteries_are_inside() -> None:
    state = after(station(), told("in", "B1"), told("out", "B2"))
    inside = {key: battery.inside for key, battery in state.kept_of(swaps.BATTERY).items()}
    assert inside == {"b1": True, "b2": False}
    state = after(state, told("out-timeout", "B2"))
    assert state.kept_of(swaps.BATTERY)["b2"].inside


def test_an_accepted_answer_that_comes_after_the_battery_forgets_nothing() -> None:
    state = after(station(), told("in", "B1"))
    state, _ = swaps.requested(state, RequestBatterySwap("CARD1", "rfid", 7), "ana", NOON)
    assert state.kept_of(swaps.SWAP)["7"].came == ("B1",)


def test_a_station_cannot_make_us_remember_without_end() -> None:
    state = station()
    for number in range(150):
        state = after(state, told("in", f"B{number}", request=number))
    assert len(state.kept_of(swaps.SWAP)) == 100
    for number in range(6):
        state = after(state, told("in", *(f"X{number}-{one}" for one in range(2_000))))
    assert len(state.kept_of(swaps.BATTERY)) == 500
