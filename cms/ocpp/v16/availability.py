"""OCPP 1.6: StatusNotification, ChangeAvailability, Reset, UnlockConnector."""

from __future__ import annotations

from cms.contract.refusals import NotSupported
from cms.domain.connectors import ConnectorStatus
from cms.domain.observations import ConnectorReported
from cms.domain.orders import Reset, SetAvailability, Unlock
from cms.ocpp.schemas import TOLD
from cms.ocpp.translation import Asked, Incoming, Outgoing, nothing, status_of
from cms.ocpp.values import Json, Remarks, instant, text, whole

STATUS = {
    "Available": ConnectorStatus.AVAILABLE,
    "Preparing": ConnectorStatus.PREPARING,
    "Charging": ConnectorStatus.CHARGING,
    "SuspendedEV": ConnectorStatus.SUSPENDED_EV,
    "SuspendedEVSE": ConnectorStatus.SUSPENDED_EVSE,
    "Finishing": ConnectorStatus.FINISHING,
    "Reserved": ConnectorStatus.RESERVED,
    "Unavailable": ConnectorStatus.UNAVAILABLE,
    "Faulted": ConnectorStatus.FAULTED,
}

_RESET = {"soft": "Soft", "on-idle": "Soft", "hard": "Hard", "immediate": "Hard"}


def place(connector_id: object) -> tuple[int, int]:
    """EVSE and connector of a 1.6 connector: each is an EVSE with connector 1, 0 is the whole station."""
    evse = whole(connector_id) or 0
    return evse, 1 if evse else 0


def connector_reported(payload: Json, remarks: Remarks) -> ConnectorReported:
    evse, connector = place(payload["connectorId"])
    return ConnectorReported(
        evse=evse,
        connector=connector,
        status=STATUS[payload["status"]],
        at=instant(payload.get("timestamp"), remarks),
        error_code=payload["errorCode"],
        info=text(payload.get("info")),
        vendor_id=text(payload.get("vendorId")),
        vendor_error_code=text(payload.get("vendorErrorCode")),
    )


def reset(order: Reset) -> list[Asked]:
    if order.kind not in _RESET:
        raise NotSupported("OCPP 1.6 cannot resume sessions after a reset", "OCPP 2.1 can")
    if order.evse is not None:
        raise NotSupported("OCPP 1.6 resets whole stations only", "leave the EVSE out")
    return [("Reset", {"type": _RESET[order.kind]})]


def unlock(order: Unlock) -> list[Asked]:
    return [("UnlockConnector", {"connectorId": order.evse})]


def change_availability(order: SetAvailability) -> list[Asked]:
    said = "Operative" if order.operative else "Inoperative"
    return [("ChangeAvailability", {"connectorId": order.evse or 0, "type": said})]


INCOMING = {"StatusNotification": Incoming(TOLD, connector_reported, nothing)}

OUTGOING = {
    Reset: Outgoing(reset, status_of, ("Reset",)),
    Unlock: Outgoing(unlock, status_of, ("UnlockConnector",)),
    SetAvailability: Outgoing(change_availability, status_of, ("ChangeAvailability",)),
}
