"""OCPP 1.6: ReserveNow, CancelReservation."""

from __future__ import annotations

from cms.contract.refusals import NotSupported
from cms.domain.reservations import CancelReservation, Reserve
from cms.ocpp.translation import Asked, Outgoing, status_of
from cms.ocpp.values import Json, rfc3339


def reserve_now(order: Reserve) -> list[Asked]:
    """Connector 0 is any (section 5.13)."""
    if order.connector_type is not None:
        raise NotSupported("OCPP 1.6 cannot reserve a type of connector", "name a connector with --evse")
    said: Json = {
        "connectorId": order.evse or 0,
        "expiryDate": rfc3339(order.expires_at),
        "idTag": order.token,
        "reservationId": order.id,
    }
    if order.group is not None:
        said["parentIdTag"] = order.group
    return [("ReserveNow", said)]


def cancel(order: CancelReservation) -> list[Asked]:
    return [("CancelReservation", {"reservationId": order.id})]


OUTGOING = {
    Reserve: Outgoing(reserve_now, status_of, ("ReserveNow",)),
    CancelReservation: Outgoing(cancel, status_of, ("CancelReservation",)),
}
