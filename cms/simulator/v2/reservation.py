"""Block H: reservations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cms.simulator.language import Order
from cms.simulator.pace import moment
from cms.simulator.reservations import Reservation
from cms.simulator.wire import Payload, Reply

if TYPE_CHECKING:
    from cms.simulator.station import Station


def _reserve(station: Station, order: Payload) -> Reply:
    reservation = Reservation(
        order["id"],
        order["idToken"]["idToken"],
        moment(order["expiryDateTime"]),
        order.get("evseId"),
        order.get("groupIdToken", {}).get("idToken"),
        order.get("connectorType"),
    )
    return Reply({"status": station.reservations.add(reservation)})


def _cancel(station: Station, order: Payload) -> Reply:
    known = station.reservations.cancel(order["reservationId"])
    return Reply({"status": "Accepted" if known else "Rejected"})


ORDERS: dict[str, Order] = {"ReserveNow": _reserve, "CancelReservation": _cancel}
