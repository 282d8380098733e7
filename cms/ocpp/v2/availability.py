"""OCPP 2.x block G and B11/B12, F05: StatusNotification, ChangeAvailability, Reset, UnlockConnector."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from cms.contract.refusals import NotSupported
from cms.domain.connectors import ConnectorStatus
from cms.domain.observations import ConnectorReported
from cms.domain.orders import Reset, SetAvailability, Unlock
from cms.ocpp.schemas import TOLD
from cms.ocpp.translation import Asked, Incoming, Outgoing, nothing, status_of
from cms.ocpp.values import Json, Remarks, instant, whole

STATUS = {
    "Available": ConnectorStatus.AVAILABLE,
    "Occupied": ConnectorStatus.OCCUPIED,
    "Reserved": ConnectorStatus.RESERVED,
    "Unavailable": ConnectorStatus.UNAVAILABLE,
    "Faulted": ConnectorStatus.FAULTED,
}

_RESET_201 = {"soft": "OnIdle", "on-idle": "OnIdle", "hard": "Immediate", "immediate": "Immediate"}
_RESET_21 = _RESET_201 | {"resume": "ImmediateAndResume"}


def connector_reported(payload: Json, remarks: Remarks) -> ConnectorReported:
    return ConnectorReported(
        evse=whole(payload["evseId"]) or 0,
        connector=whole(payload["connectorId"]) or 0,
        status=STATUS[payload["connectorStatus"]],
        at=instant(payload["timestamp"], remarks),
    )


def reset(order: Reset, version: str, words: Mapping[str, str]) -> list[Asked]:
    if order.kind not in words:
        raise NotSupported(f"OCPP {version} cannot resume sessions after a reset", "OCPP 2.1 can")
    said: Json = {"type": words[order.kind]}
    if order.evse is not None:
        said["evseId"] = order.evse
    return [("Reset", said)]


def unlock(order: Unlock) -> list[Asked]:
    return [("UnlockConnector", {"evseId": order.evse, "connectorId": order.connector})]


def change_availability(order: SetAvailability) -> list[Asked]:
    said: Json = {"operationalStatus": "Operative" if order.operative else "Inoperative"}
    if order.evse:
        said["evse"] = place(order.evse, order.connector)
    return [("ChangeAvailability", said)]


def place(evse: int, connector: int | None) -> Json:
    """An EVSEType; without connector it means all of them (G03.FR.02)."""
    return {"id": evse} if connector is None else {"id": evse, "connectorId": connector}


INCOMING = {"StatusNotification": Incoming(TOLD, connector_reported, nothing)}

OUTGOING = {
    Reset: Outgoing(partial(reset, version="2.0.1", words=_RESET_201), status_of, ("Reset",)),
    Unlock: Outgoing(unlock, status_of, ("UnlockConnector",)),
    SetAvailability: Outgoing(change_availability, status_of, ("ChangeAvailability",)),
}

OUTGOING_21 = {Reset: Outgoing(partial(reset, version="2.1", words=_RESET_21), status_of, ("Reset",))}
