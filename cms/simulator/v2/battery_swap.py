"""2.1 block S: battery swapping. A used battery goes in at one EVSE, a full one comes out of the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cms.simulator.evse import CARD, Evse
from cms.simulator.language import Order
from cms.simulator.wire import Payload, Reply

if TYPE_CHECKING:
    from cms.simulator.station import Station

SWAP_S = 20.0
USED_SOC, FULL_SOC, HEALTH = 12.0, 100.0, 96.0


def _battery(station: Station, evse: Evse, soc: float) -> Payload:
    serial = f"BAT-{station.next_number():05d}"
    return {"evseId": evse.id, "serialNumber": serial, "soC": soc, "soH": HEALTH}


def event(station: Station, kind: str, token: Payload, request_id: int) -> Payload:
    """BatterySwap: ``kind`` is BatteryIn, BatteryOut or BatteryOutTimeout (S03)."""
    evse = station.evses[0 if kind == "BatteryIn" else -1]
    soc = USED_SOC if kind == "BatteryIn" else FULL_SOC
    return {
        "eventType": kind,
        "requestId": request_id,
        "idToken": token,
        "batteryData": [_battery(station, evse, soc)],
    }


async def swap(station: Station, token: Payload, request_id: int) -> None:
    """The driver puts his battery in and takes another."""
    await station.report("BatterySwap", event(station, "BatteryIn", token, request_id))
    await station.pace.sleep(SWAP_S)
    await station.report("BatterySwap", event(station, "BatteryOut", token, request_id))


async def swap_with_card(station: Station, card: str) -> None:
    """S01: the card is held to the reader, and a request id is the station's own."""
    if await station.lets_in(card):
        await swap(station, {"idToken": card, "type": CARD}, station.next_number())


def _request(station: Station, order: Payload) -> Reply:
    async def go() -> None:
        await station.pace.sleep(SWAP_S)
        await swap(station, order["idToken"], order["requestId"])

    return Reply({"status": "Accepted"}, go)


ORDERS: dict[str, Order] = {"RequestBatterySwap": _request}
