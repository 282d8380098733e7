"""OCPP 2.x block F: RequestStartTransaction, RequestStopTransaction, TriggerMessage."""

from __future__ import annotations

from functools import partial

from cms.contract.refusals import NotSupported
from cms.domain.orders import RemoteStart, RemoteStop, Trigger
from cms.ocpp.translation import Asked, Outgoing, status_of
from cms.ocpp.v2.authorization import TYPES, id_token
from cms.ocpp.v2.availability import place
from cms.ocpp.v2.charging import profile_of
from cms.ocpp.values import Json

_TRIGGERS_201 = (
    "BootNotification",
    "LogStatusNotification",
    "FirmwareStatusNotification",
    "Heartbeat",
    "MeterValues",
    "SignChargingStationCertificate",
    "SignV2GCertificate",
    "StatusNotification",
    "TransactionEvent",
    "SignCombinedCertificate",
    "PublishFirmwareStatusNotification",
)
_TRIGGERS_21 = (*_TRIGGERS_201, "SignV2G20Certificate")
#: The words of 1.6 for the same things.
_ALSO = {
    "signedfirmwarestatusnotification": "FirmwareStatusNotification",
    "signchargepointcertificate": "SignChargingStationCertificate",
    "signcertificate": "SignChargingStationCertificate",
}


def request_start(order: RemoteStart, version: str) -> list[Asked]:
    if version == "2.0.1" and order.token_kind not in TYPES:
        raise NotSupported(f"OCPP 2.0.1 knows no token of the kind {order.token_kind}", "2.1 does")
    said: Json = {
        "idToken": id_token(order.token, order.token_kind),
        "remoteStartId": order.remote_start_id,
    }
    if order.evse is not None:
        said["evseId"] = order.evse
    if order.profile is not None:
        said["chargingProfile"] = profile_of(order.profile, version)
    return [("RequestStartTransaction", said)]


def request_stop(order: RemoteStop) -> list[Asked]:
    return [("RequestStopTransaction", {"transactionId": order.transaction_id})]


def _trigger(order: Trigger, version: str, messages: tuple[str, ...]) -> list[Asked]:
    wanted = order.message.casefold()
    message = next((name for name in messages if name.casefold() == wanted), _ALSO.get(wanted))
    if message is None:
        hint = "one of " + ", ".join(messages)
        raise NotSupported(f"OCPP {version} cannot be asked for {order.message}", hint)
    said: Json = {"requestedMessage": message}
    if order.evse:
        # F06.FR.13: a StatusNotification is asked of a connector.
        connector = order.connector or (1 if message == "StatusNotification" else None)
        said["evse"] = place(order.evse, connector)
    return [("TriggerMessage", said)]


def trigger_201(order: Trigger) -> list[Asked]:
    if order.custom:
        raise NotSupported("OCPP 2.0.1 cannot be asked for messages of a station's own", "OCPP 2.1 can")
    return _trigger(order, "2.0.1", _TRIGGERS_201)


def trigger_21(order: Trigger) -> list[Asked]:
    if order.custom:
        # F06.FR.20: one of CustomizationCtrlr.CustomTriggers, as the station spells it.
        said: Json = {"requestedMessage": "CustomTrigger", "customTrigger": order.message}
        return [
            ("TriggerMessage", said | ({"evse": place(order.evse, order.connector)} if order.evse else {}))
        ]
    return _trigger(order, "2.1", _TRIGGERS_21)


OUTGOING_201 = {
    RemoteStart: Outgoing(partial(request_start, version="2.0.1"), status_of, ("RequestStartTransaction",)),
    RemoteStop: Outgoing(request_stop, status_of, ("RequestStopTransaction",)),
    Trigger: Outgoing(trigger_201, status_of, ("TriggerMessage",)),
}
OUTGOING_21 = {
    RemoteStart: Outgoing(partial(request_start, version="2.1"), status_of, ("RequestStartTransaction",)),
    Trigger: Outgoing(trigger_21, status_of, ("TriggerMessage",)),
}
