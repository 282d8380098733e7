"""OCPP 2.0.1 and 2.1 as a station speaks them; 2.1 tells connector states by NotifyEvent (2.1 G01)."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from cms.simulator.evse import Evse, Measured, Transaction
from cms.simulator.language import End, Message, Order, Queued
from cms.simulator.wire import Fault, Payload, Reply

if TYPE_CHECKING:
    from cms.simulator.station import Station

STATUS = {
    "available": "Available",
    "awaiting": "Available",
    "preparing": "Occupied",
    "charging": "Occupied",
    "suspended-ev": "Occupied",
    "finishing": "Occupied",
    "unavailable": "Unavailable",
    "faulted": "Faulted",
}
CARD = "ISO14443"


class V2:
    malformed = "FormatViolation"

    def __init__(self, version: str) -> None:
        self.version = version
        self.subprotocol = f"ocpp{version}"
        self.orders: dict[str, Order] = ORDERS

    def boot(self, station: Station, reason: str) -> Message:
        make = station.make
        return "BootNotification", {
            "reason": reason,
            "chargingStation": {
                "vendorName": make.vendor,
                "model": make.model,
                "serialNumber": make.serial,
                "firmwareVersion": make.firmware,
            },
        }

    def status(self, station: Station, evse: Evse | None, status: str) -> Message | None:
        if evse is None:
            return None
        if self.version == "2.1":
            return _availability_event(station, evse, STATUS[status])
        return "StatusNotification", {
            "timestamp": station.stamp(),
            "connectorStatus": STATUS[status],
            "evseId": evse.id,
            "connectorId": evse.connector,
        }

    def authorize(self, token: str) -> Message:
        return "Authorize", {"idToken": {"idToken": token, "type": CARD}}

    def verdict(self, answer: Payload) -> str:
        return str(answer["idTokenInfo"]["status"])

    def started(self, station: Station, evse: Evse, transaction: Transaction, trigger: str) -> Queued:
        transaction.id = str(uuid.uuid4())
        more: Payload = {
            "evse": {"id": evse.id, "connectorId": evse.connector},
            "idToken": {"idToken": transaction.token, "type": CARD},
        }
        if transaction.remote_start_id is not None:
            more["transactionInfo"] = {"remoteStartId": transaction.remote_start_id}
        return _event(station, evse, transaction, "Started", trigger, "Charging", "Transaction.Begin", more)

    def metered(self, station: Station, evse: Evse, transaction: Transaction) -> Queued:
        state = "SuspendedEV" if evse.told_full else "Charging"
        return _event(
            station, evse, transaction, "Updated", "MeterValuePeriodic", state, "Sample.Periodic", {}
        )

    def suspended(self, station: Station, evse: Evse, transaction: Transaction) -> Queued | None:
        return _event(station, evse, transaction, "Updated", "ChargingStateChanged", "SuspendedEV", None, {})

    def ended(self, station: Station, evse: Evse, transaction: Transaction, end: End) -> Queued:
        more: Payload = {"transactionInfo": {"stoppedReason": end.v2}}
        if end.trigger == "StopAuthorized":
            more["idToken"] = {"idToken": transaction.token, "type": CARD}
        state = "EVConnected" if evse.car is not None else "Idle"
        return _event(station, evse, transaction, "Ended", end.trigger, state, "Transaction.End", more)


def _event(
    station: Station,
    evse: Evse,
    transaction: Transaction,
    kind: str,
    trigger: str,
    state: str,
    context: str | None,
    more: Payload,
) -> Queued:
    at = station.stamp({"Started": transaction.started_at, "Ended": transaction.ended_at}.get(kind))
    payload: Payload = {
        "eventType": kind,
        "timestamp": at,
        "triggerReason": trigger,
        "seqNo": transaction.next_seq_no(),
        **more,
        "transactionInfo": {
            "transactionId": transaction.id,
            "chargingState": state,
            **more.get("transactionInfo", {}),
        },
    }
    if not station.online:
        payload["offline"] = True
    if context is not None:
        payload["meterValue"] = [_meter_value(station, at, evse.measure(), context)]

    def settle(answer: Payload) -> None:
        if "idTokenInfo" in answer and kind == "Started":
            station.judged(transaction, answer["idTokenInfo"]["status"])

    return Queued(transaction, lambda: ("TransactionEvent", payload), settle)


def _meter_value(station: Station, at: str, measured: list[Measured], context: str) -> Payload:
    wanted = station.measurands
    return {
        "timestamp": at,
        "sampledValue": [_sample(station, value, context) for value in measured if value.measurand in wanted],
    }


def _sample(station: Station, measured: Measured, context: str) -> Payload:
    value, unit = station.in_its_units(measured)
    sample: Payload = {
        "value": float(value),
        "context": context,
        "measurand": measured.measurand,
        "location": measured.location,
        "unitOfMeasure": {"unit": unit},
    }
    if measured.phase is not None:
        sample["phase"] = measured.phase
    return sample


def _availability_event(station: Station, evse: Evse, word: str) -> Message:
    at = station.stamp()
    entry = {
        "eventId": station.next_number(),
        "timestamp": at,
        "trigger": "Delta",
        "actualValue": word,
        "eventNotificationType": "HardWiredNotification",
        "component": {"name": "Connector", "evse": {"id": evse.id, "connectorId": evse.connector}},
        "variable": {"name": "AvailabilityState"},
    }
    return "NotifyEvent", {"generatedAt": at, "seqNo": 0, "tbc": False, "eventData": [entry]}


# Orders


def _reset(station: Station, order: Payload) -> Reply:
    if order.get("evseId") is not None:
        return Reply({"status": "Rejected", "statusInfo": {"reasonCode": "UnsupportedRequest"}})
    if order["type"] == "OnIdle" and not station.idle:
        station.reset_when_idle()
        return Reply({"status": "Scheduled"})
    return Reply({"status": "Accepted"}, station.resetting("hard-reset", "RemoteReset"))


def _request_start(station: Station, order: Payload) -> Reply:
    evse = station.evse_for_start(order.get("evseId"))
    if evse is None:
        return Reply({"status": "Rejected"})
    begin = station.starting(evse, order["idToken"]["idToken"], order["remoteStartId"])
    return Reply({"status": "Accepted"}, begin)


def _request_stop(station: Station, order: Payload) -> Reply:
    evse = station.evse_in(lambda transaction: transaction.id == order["transactionId"])
    if evse is None:
        return Reply({"status": "Rejected"})
    return Reply({"status": "Accepted"}, station.stopping(evse, "remote"))


def _unlock(station: Station, order: Payload) -> Reply:
    evse = station.evse(order["evseId"])
    if evse is None or order["connectorId"] != evse.connector:
        return Reply({"status": "UnknownConnector"})
    if evse.transaction is not None:
        return Reply({"status": "OngoingAuthorizedTransaction"})  # F05.FR.02
    return Reply({"status": "UnlockFailed" if "no-unlock" in station.faults else "Unlocked"})


def _availability(station: Station, order: Payload) -> Reply:
    evses = station.evses_named(order.get("evse", {}).get("id"))
    if not evses:
        return Reply({"status": "Rejected"})
    return Reply({"status": station.set_availability(evses, order["operationalStatus"] == "Operative")})


def _trigger(station: Station, order: Payload) -> Reply:
    evses = station.evses_named(order.get("evse", {}).get("id"))
    send = station.sending(order["requestedMessage"], evses)
    if send is None:
        return Reply({"status": "NotImplemented"})
    return Reply({"status": "Accepted" if evses else "Rejected"}, send if evses else None)


def _name(entry: Payload) -> str:
    """``Component.Variable``, or ``Component.Variable.Instance`` where the variable has one."""
    variable = entry["variable"]
    parts = [entry["component"]["name"], variable["name"], variable.get("instance")]
    return ".".join(part for part in parts if part)


def _unknown(station: Station, name: str) -> str:
    component = name.split(".", 1)[0].lower() + "."
    known = any(other.lower().startswith(component) for other in station.configuration)
    return "UnknownVariable" if known else "UnknownComponent"


def _same(entry: Payload) -> Payload:
    return {key: entry[key] for key in ("component", "variable", "attributeType") if key in entry}


def _get_variables(station: Station, order: Payload) -> Reply:
    return Reply({"getVariableResult": [_got(station, entry) for entry in order["getVariableData"]]})


def _got(station: Station, entry: Payload) -> Payload:
    name = _name(entry)
    same = _same(entry)
    if name not in station.configuration:
        return {**same, "attributeStatus": _unknown(station, name)}
    if entry.get("attributeType", "Actual") != "Actual":
        return {**same, "attributeStatus": "NotSupportedAttributeType"}
    setting = station.configuration[name]
    if setting.access == "w":
        return {**same, "attributeStatus": "Rejected"}
    return {**same, "attributeStatus": "Accepted", "attributeValue": setting.value}


def _set_variables(station: Station, order: Payload) -> Reply:
    return Reply({"setVariableResult": [_set(station, entry) for entry in order["setVariableData"]]})


def _set(station: Station, entry: Payload) -> Payload:
    name = _name(entry)
    same = _same(entry)
    word = SET_WORDS.get(station.change(name, entry["attributeValue"])) or _unknown(station, name)
    return {**same, "attributeStatus": word}


SET_WORDS = {"accepted": "Accepted", "reboot": "RebootRequired", "refused": "Rejected"}


def _base_report(station: Station, order: Payload) -> Reply:
    if order["reportBase"] == "SummaryInventory":
        return Reply({"status": "NotSupported"})

    async def report() -> None:
        await station.say("NotifyReport", _report(station, order["requestId"]))

    return Reply({"status": "Accepted"}, report)


def _report(station: Station, request_id: int) -> Payload:
    return {
        "requestId": request_id,
        "generatedAt": station.stamp(),
        "seqNo": 0,
        "tbc": False,
        "reportData": [_reported(station, name) for name in station.configuration],
    }


def _reported(station: Station, name: str) -> Payload:
    setting = station.configuration[name]
    component, variable, *instance = name.split(".")
    access = {"r": "ReadOnly", "w": "WriteOnly", "rw": "ReadWrite"}[setting.access]
    attribute: Payload = {"type": "Actual", "mutability": access}
    if setting.access != "w":
        attribute["value"] = setting.value
    return {
        "component": {"name": component},
        "variable": {"name": variable, **({"instance": instance[0]} if instance else {})},
        "variableAttribute": [attribute],
    }


def _transaction_status(station: Station, order: Payload) -> Reply:
    waiting = [queued.transaction.id for queued in station.queue]
    asked = order.get("transactionId")
    if asked is None:
        return Reply({"messagesInQueue": bool(waiting)})
    ongoing = station.evse_in(lambda transaction: transaction.id == asked) is not None
    return Reply({"ongoingIndicator": ongoing, "messagesInQueue": asked in waiting})


def _data_transfer(station: Station, order: Payload) -> Reply:
    return Reply({"status": "UnknownVendorId"})


def _always(payload: Payload) -> Order:
    return lambda station, order: Reply(payload)


def _not_here(station: Station, order: Payload) -> Fault:
    return Fault("NotSupported", "this station has no such feature")


ORDERS: dict[str, Order] = {
    "Reset": _reset,
    "RequestStartTransaction": _request_start,
    "RequestStopTransaction": _request_stop,
    "UnlockConnector": _unlock,
    "ChangeAvailability": _availability,
    "TriggerMessage": _trigger,
    "GetVariables": _get_variables,
    "SetVariables": _set_variables,
    "GetBaseReport": _base_report,
    "GetTransactionStatus": _transaction_status,
    "DataTransfer": _data_transfer,
    "ClearCache": _always({"status": "Accepted"}),
    "GetLocalListVersion": _always({"versionNumber": 0}),
    "SendLocalList": _always({"status": "Failed"}),
    "SetChargingProfile": _always({"status": "Rejected"}),
    "ClearChargingProfile": _always({"status": "Unknown"}),
    "GetCompositeSchedule": _always({"status": "Rejected"}),
    "GetLog": _always({"status": "Rejected"}),
    "UpdateFirmware": _always({"status": "Rejected"}),
    "ReserveNow": _not_here,
    "CancelReservation": _always({"status": "Rejected"}),
    "SetNetworkProfile": _always({"status": "Rejected"}),
    "CustomerInformation": _always({"status": "Rejected"}),
}
