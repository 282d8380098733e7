"""2.1 block Q: energy in both directions, as far as a CSMS orders it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cms.simulator.language import Order, info
from cms.simulator.wire import Payload, Reply

if TYPE_CHECKING:
    from cms.simulator.station import Station


def _allowed(station: Station, order: Payload) -> Reply:
    """Q01, Q02: the car is asked again what it needs with what it may do now."""
    transaction_id = order["transactionId"]
    if station.evse_in(lambda transaction: transaction.id == transaction_id) is None:
        return Reply({"status": "Rejected", **info("TxNotFound")})
    station.kept.energy_transfers[transaction_id] = order["allowedEnergyTransfer"]
    return Reply({"status": "Accepted"})


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
