"""2.1 block Q: energy in both directions, as far as a CSMS orders it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cms.simulator.evse import Evse
from cms.simulator.language import Order, info
from cms.simulator.v2.smart_charging import needs_of
from cms.simulator.wire import Payload, Reply

if TYPE_CHECKING:
    from cms.simulator.station import Station


def _allowed(station: Station, order: Payload) -> Reply:
    """Q01, Q02: the car is asked again what it needs with what it may do now."""
    transaction_id = order["transactionId"]
    evse = station.evse_in(lambda transaction: transaction.id == transaction_id)
    if evse is None:
        return Reply({"status": "Rejected", **info("TxNotFound")})
    allowed = station.kept.energy_transfers[transaction_id] = order["allowedEnergyTransfer"]
    return Reply({"status": "Accepted"}, lambda: _needs_again(station, evse, allowed))


async def _needs_again(station: Station, evse: Evse, allowed: list[str]) -> None:
    """The car takes the most that it is allowed: both directions where that is possible (Q02.FR.06)."""
    wanted = next((transfer for transfer in allowed if "BPT" in transfer), allowed[0])
    told = needs_of(station, evse)
    told["chargingNeeds"] |= {"requestedEnergyTransfer": wanted, "availableEnergyTransfer": allowed}
    if "BPT" in wanted:
        told["chargingNeeds"]["v2xChargingParameters"] = {
            "maxChargePower": evse.offered_w,
            "maxDischargePower": evse.offered_w,
            "targetSoC": 80,
        }
    station.kept.needs.add(evse.id)
    await station.report("NotifyEVChargingNeeds", told)


def _signal(station: Station, order: Payload) -> Reply:
    """Q07: only an EVSE that follows a frequency profile can do something with it."""
    follows = any(
        period.get("operationMode") == "CentralFrequency"
        for profile in station.profiles
        for schedule in profile.told["chargingSchedule"]
        for period in schedule["chargingSchedulePeriod"]
    )
    if not follows:
        return Reply({"status": "Rejected", **info("NoFrequencyProfile")})
    station.kept.signal = order["signal"]
    return Reply({"status": "Accepted"})


ORDERS: dict[str, Order] = {"NotifyAllowedEnergyTransfer": _allowed, "AFRRSignal": _signal}
