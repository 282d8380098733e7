"""OCPP 2.x block H: ReserveNow, CancelReservation, ReservationStatusUpdate."""

from __future__ import annotations

from functools import partial

from cms.contract.refusals import Invalid
from cms.domain.reservations import CancelReservation, ReservationEnded, Reserve
from cms.ocpp.schemas import TOLD
from cms.ocpp.translation import Asked, Incoming, Outgoing, nothing, status_of
from cms.ocpp.v2.authorization import group_id_token, id_token
from cms.ocpp.values import Json, Remarks, rfc3339

_ENDS = {"Expired": "expired", "Removed": "removed", "NoTransaction": "no-transaction"}

#: ConnectorEnumType of 2.0.1; 2.1 made it an open list.
_CONNECTORS_201 = (
    "cCCS1",
    "cCCS2",
    "cG105",
    "cTesla",
    "cType1",
    "cType2",
    "s309-1P-16A",
    "s309-1P-32A",
    "s309-3P-16A",
    "s309-3P-32A",
    "sBS1361",
    "sCEE-7-7",
    "sType2",
    "sType3",
    "Other1PhMax16A",
    "Other1PhOver16A",
    "Other3Ph",
    "Pan",
    "wInductive",
    "wResonant",
    "Undetermined",
    "Unknown",
)
_SPELLED = {name.casefold(): name for name in _CONNECTORS_201}


def reserve_now(order: Reserve, *, any_connector: bool) -> list[Asked]:
    said: Json = {
        "id": order.id,
        "expiryDateTime": rfc3339(order.expires_at),
        "idToken": id_token(order.token, order.token_kind),
    }
    if order.evse:
        said["evseId"] = order.evse
    if order.connector_type is not None:
        said["connectorType"] = _connector_type(order.connector_type, any_connector=any_connector)
    if order.group is not None:
        said["groupIdToken"] = group_id_token(order.group)
    return [("ReserveNow", said)]


def _connector_type(name: str, *, any_connector: bool) -> str:
    known = _SPELLED.get(name.casefold())
    if known is None and not any_connector:
        raise Invalid(f"OCPP 2.0.1 knows no connector type {name!r}", "one of " + ", ".join(_CONNECTORS_201))
    return known or name


def cancel(order: CancelReservation) -> list[Asked]:
    return [("CancelReservation", {"reservationId": order.id})]


def reservation_ended(payload: Json, _: Remarks) -> ReservationEnded:
    return ReservationEnded(int(payload["reservationId"]), _ENDS[payload["reservationUpdateStatus"]])


INCOMING = {"ReservationStatusUpdate": Incoming(TOLD, reservation_ended, nothing)}

OUTGOING = {CancelReservation: Outgoing(cancel, status_of, ("CancelReservation",))}
OUTGOING_201 = {Reserve: Outgoing(partial(reserve_now, any_connector=False), status_of, ("ReserveNow",))}
OUTGOING_21 = {Reserve: Outgoing(partial(reserve_now, any_connector=True), status_of, ("ReserveNow",))}
