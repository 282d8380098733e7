"""OCPP 1.6: RemoteStartTransaction, RemoteStopTransaction, TriggerMessage, ExtendedTriggerMessage."""

from __future__ import annotations

from cms.contract.refusals import Invalid, NotSupported
from cms.domain.orders import RemoteStart, RemoteStop, Trigger
from cms.ocpp.translation import Asked, Outgoing, status_of
from cms.ocpp.v16.charging import profile_of
from cms.ocpp.values import Json

_BASIC = (
    "BootNotification",
    "DiagnosticsStatusNotification",
    "FirmwareStatusNotification",
    "Heartbeat",
    "MeterValues",
    "StatusNotification",
)
#: Only the security extension can ask for these (whitepaper, section 5.7): our word -> its own.
_EXTENDED = {
    "LogStatusNotification": "LogStatusNotification",
    "SignChargePointCertificate": "SignChargePointCertificate",
    "SignedFirmwareStatusNotification": "FirmwareStatusNotification",
    # The words of 2.x for the same things.
    "SignChargingStationCertificate": "SignChargePointCertificate",
    "SignCertificate": "SignChargePointCertificate",
}

#: A message without case -> the action that asks for it, and the message's own spelling.
_TRIGGERS = {name.casefold(): ("TriggerMessage", name) for name in _BASIC} | {
    name.casefold(): ("ExtendedTriggerMessage", word) for name, word in _EXTENDED.items()
}


def remote_start(order: RemoteStart) -> list[Asked]:
    said: Json = {"idTag": order.token}
    if order.evse is not None:
        said["connectorId"] = order.evse
    if order.profile is not None:
        said["chargingProfile"] = profile_of(order.profile)
    return [("RemoteStartTransaction", said)]


def remote_stop(order: RemoteStop) -> list[Asked]:
    try:
        number = int(order.transaction_id)
    except ValueError:
        raise Invalid(f"{order.transaction_id!r} is no OCPP 1.6 transaction: those are numbers") from None
    return [("RemoteStopTransaction", {"transactionId": number})]


def trigger(order: Trigger) -> list[Asked]:
    if order.custom:
        raise NotSupported("OCPP 1.6 cannot be asked for messages of a station's own", "OCPP 2.1 can")
    try:
        action, message = _TRIGGERS[order.message.casefold()]
    except KeyError:
        hint = "one of " + ", ".join((*_BASIC, *list(_EXTENDED)[:3]))
        raise NotSupported(f"OCPP 1.6 cannot be asked for {order.message}", hint) from None
    said: Json = {"requestedMessage": message}
    if order.evse:  # connector 0 is not one that can be named (section 6.55)
        said["connectorId"] = order.evse
    return [(action, said)]


OUTGOING = {
    RemoteStart: Outgoing(remote_start, status_of, ("RemoteStartTransaction",)),
    RemoteStop: Outgoing(remote_stop, status_of, ("RemoteStopTransaction",)),
    Trigger: Outgoing(trigger, status_of, ("TriggerMessage", "ExtendedTriggerMessage")),
}
