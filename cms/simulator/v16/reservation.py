"""Reservations of 1.6 (section 5.2, 5.13)."""

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
        order["reservationId"],
        order["idTag"],
        moment(order["expiryDate"]),
        order["connectorId"] or None,
        order.get("parentIdTag"),
    )
    return Reply({"status": station.reservations.add(reservation)})


def _cancel(station: Station, order: Payload) -> Reply:
    known = station.reservations.cancel(order["reservationId"])
    return Reply({"status": "Accepted" if known else "Rejected"})


ORDERS: dict[str, Order] = {"ReserveNow": _reserve, "CancelReservation": _cancel}
