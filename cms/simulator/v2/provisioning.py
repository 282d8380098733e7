"""What is left of blocks B, E and P: network profiles, transaction status, data transfer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cms.simulator.language import Order
from cms.simulator.wire import Payload, Reply

if TYPE_CHECKING:
    from cms.simulator.station import Station


def _network(station: Station, order: Payload) -> Reply:
    return Reply({"status": station.network.put(order["configurationSlot"], order["connectionData"])})


def _transaction_status(station: Station, order: Payload) -> Reply:
    waiting = [queued.transaction.id for queued in station.queue]
    asked = order.get("transactionId")
    if asked is None:
        return Reply({"messagesInQueue": bool(waiting)})
    ongoing = station.evse_in(lambda transaction: transaction.id == asked) is not None
    return Reply({"ongoingIndicator": ongoing, "messagesInQueue": asked in waiting})


def _data_transfer(station: Station, order: Payload) -> Reply:
    """It knows one vendor, its own, and one message of it: an echo."""
    if order["vendorId"] != station.make.vendor:
        return Reply({"status": "UnknownVendorId"})
    if order.get("messageId") != "echo":
        return Reply({"status": "UnknownMessageId"})
    return Reply({"status": "Accepted", **({"data": order["data"]} if "data" in order else {})})


ORDERS: dict[str, Order] = {
    "SetNetworkProfile": _network,
    "GetTransactionStatus": _transaction_status,
    "DataTransfer": _data_transfer,
}
