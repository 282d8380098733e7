"""2.1 C18 to C25: ad hoc payment on the web and at a terminal."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from cms.simulator.evse import Transaction
from cms.simulator.language import Order
from cms.simulator.wire import Payload, Reply

if TYPE_CHECKING:
    from cms.simulator.station import Station


def _web_payment(station: Station, order: Payload) -> Reply:
    """C25.FR.21: nobody else begins here while somebody pays."""
    until = station.pace.now() + timedelta(seconds=order["timeout"])
    for evse in station.evses_named(order["evseId"] or None):
        evse.paying_until = until
    return Reply({})


def settlement(station: Station, transaction: Transaction | None, amount: float, status: str) -> Payload:
    """NotifySettlement as a terminal's software sends it (C21)."""
    told: Payload = {
        "pspRef": f"PSP-{station.next_number():06d}",
        "status": status,
        "settlementAmount": amount,
        "settlementTime": station.stamp(),
        "receiptId": f"R-{station.next_number():06d}",
    }
    return told if transaction is None else {**told, "transactionId": transaction.id}


async def settle(station: Station, transaction: Transaction, amount: float) -> None:
    """The terminal takes what the transaction cost, and the station says so (C21)."""
    await station.pace.sleep(5.0)
    await station.report("NotifySettlement", settlement(station, transaction, amount, "Settled"))


ORDERS: dict[str, Order] = {"NotifyWebPaymentStarted": _web_payment}
