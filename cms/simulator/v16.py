"""OCPP 1.6J as a station speaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cms.simulator.evse import Evse, Measured, Transaction
from cms.simulator.language import End, Message, Order, Queued
from cms.simulator.wire import Fault, Payload, Reply

if TYPE_CHECKING:
    from cms.simulator.station import Station

STATUS = {
    "available": "Available",
    "awaiting": "Preparing",
    "preparing": "Preparing",
    "charging": "Charging",
    "suspended-ev": "SuspendedEV",
    "finishing": "Finishing",
    "unavailable": "Unavailable",
    "faulted": "Faulted",
}


class V16:
    version = "1.6"
    subprotocol = "ocpp1.6"
    malformed = "FormationViolation"

    def __init__(self) -> None:
        self.orders: dict[str, Order] = ORDERS

    def boot(self, station: Station, reason: str) -> Message:
        make = station.make
        return "BootNotification", {
            "chargePointVendor": make.vendor,
            "chargePointModel": make.model,
            "chargePointSerialNumber": make.serial,
            "firmwareVersion": make.firmware,
            "meterType": "MID class B",
        }

    def status(self, station: Station, evse: Evse | None, status: str) -> Message | None:
        return "StatusNotification", {
            "connectorId": evse.id if evse else 0,
            "status": STATUS[status],
            "errorCode": (evse.fault if evse else None) or "NoError",
            "timestamp": station.stamp(),
        }

    def authorize(self, token: str) -> Message:
        return "Authorize", {"idTag": token}

    def verdict(self, answer: Payload) -> str:
        return str(answer["idTagInfo"]["status"])

    def started(self, station: Station, evse: Evse, transaction: Transaction, trigger: str) -> Queued:
        payload = {
            "connectorId": evse.id,
            "idTag": transaction.token,
            "meterStart": transaction.meter_start_wh,
            "timestamp": station.stamp(transaction.started_at),
        }

        def settle(answer: Payload) -> None:
            transaction.number = int(answer["transactionId"])
            transaction.id = str(transaction.number)
            station.judged(transaction, answer["idTagInfo"]["status"])

        return Queued(transaction, lambda: ("StartTransaction", payload), settle)

    def metered(self, station: Station, evse: Evse, transaction: Transaction) -> Queued:
        values = meter_value(station, station.stamp(), evse.measure(), "Sample.Periodic")
        return Queued(
            transaction,
            lambda: (
                "MeterValues",
                {"connectorId": evse.id, "transactionId": number(transaction), "meterValue": [values]},
            ),
            _nothing,
        )

    def suspended(self, station: Station, evse: Evse, transaction: Transaction) -> Queued | None:
        return None  # the StatusNotification says it

    def ended(self, station: Station, evse: Evse, transaction: Transaction, end: End) -> Queued:
        at = station.stamp(transaction.ended_at)
        payload: Payload = {
            "idTag": transaction.token,
            "meterStop": transaction.meter_stop_wh,
            "timestamp": at,
            "reason": end.v16,
            "transactionData": [meter_value(station, at, evse.measure()[:1], "Transaction.End")],
        }
        return Queued(
            transaction,
            lambda: ("StopTransaction", {**payload, "transactionId": number(transaction)}),
            _nothing,
        )


def number(transaction: Transaction) -> int:
    """The CSMS's number; -1 when it never gave one (1.6 errata 3.18)."""
    return -1 if transaction.number is None else transaction.number


def meter_value(station: Station, at: str, measured: list[Measured], context: str) -> Payload:
    wanted = station.measurands
    return {
        "timestamp": at,
        "sampledValue": [_sample(station, value, context) for value in measured if value.measurand in wanted],
    }


def _sample(station: Station, measured: Measured, context: str) -> Payload:
    value, unit = station.in_its_units(measured)
    sample: Payload = {
        "value": value,
        "context": context,
        "format": "Raw",
        "measurand": measured.measurand,
        "location": measured.location,
        "unit": unit,
    }
    if measured.phase is not None:
        sample["phase"] = measured.phase
    return sample


def _nothing(_answer: Payload) -> None:
    pass


# Orders


def _reset(station: Station, order: Payload) -> Reply:
    kind = "hard-reset" if order["type"] == "Hard" else "soft-reset"
    return Reply({"status": "Accepted"}, station.resetting(kind, "RemoteReset"))


def _remote_start(station: Station, order: Payload) -> Reply:
    evse = station.evse_for_start(order.get("connectorId"))
    if evse is None:
        return Reply({"status": "Rejected"})
    return Reply({"status": "Accepted"}, station.starting(evse, order["idTag"], None))


def _remote_stop(station: Station, order: Payload) -> Reply:
    evse = station.evse_in(lambda transaction: transaction.number == order["transactionId"])
    if evse is None:
        return Reply({"status": "Rejected"})
    return Reply({"status": "Accepted"}, station.stopping(evse, "remote"))


def _unlock(station: Station, order: Payload) -> Reply:
    evse = station.evse(order["connectorId"])
    if evse is None:
        return Reply({"status": "NotSupported"})
    if "no-unlock" in station.faults:
        return Reply({"status": "UnlockFailed"})
    return Reply({"status": "Unlocked"}, station.stopping(evse, "unlocked"))


def _availability(station: Station, order: Payload) -> Reply:
    evses = station.evses_named(order["connectorId"] or None)
    if not evses:
        return Reply({"status": "Rejected"})
    return Reply({"status": station.set_availability(evses, order["type"] == "Operative")})


def _trigger(station: Station, order: Payload) -> Reply:
    evses = station.evses_named(order.get("connectorId") or None)
    send = station.sending(order["requestedMessage"], evses)
    if send is None:
        return Reply({"status": "NotImplemented"})
    return Reply({"status": "Accepted" if evses else "Rejected"}, send if evses else None)


def _get_configuration(station: Station, order: Payload) -> Reply:
    asked = order.get("key") or list(station.configuration)
    known = [name for name in asked if name in station.configuration]
    answer: dict[str, Any] = {"configurationKey": [_key(station, name) for name in known]}
    unknown = [name for name in asked if name not in station.configuration]
    if unknown:
        answer["unknownKey"] = unknown
    return Reply(answer)


def _key(station: Station, name: str) -> Payload:
    setting = station.configuration[name]
    key: Payload = {"key": station.configuration.spelling(name), "readonly": setting.access == "r"}
    return key if setting.access == "w" else {**key, "value": setting.value}


def _change_configuration(station: Station, order: Payload) -> Reply:
    return Reply({"status": CHANGE_WORDS[station.change(order["key"], order["value"])]})


CHANGE_WORDS = {
    "accepted": "Accepted",
    "reboot": "RebootRequired",
    "unknown": "NotSupported",
    "refused": "Rejected",
}


def _data_transfer(station: Station, order: Payload) -> Reply:
    return Reply({"status": "UnknownVendorId"})


def _always(payload: Payload) -> Order:
    return lambda station, order: Reply(payload)


def _not_here(station: Station, order: Payload) -> Fault:
    return Fault("NotSupported", "this station has no such feature")


ORDERS: dict[str, Order] = {
    "Reset": _reset,
    "RemoteStartTransaction": _remote_start,
    "RemoteStopTransaction": _remote_stop,
    "UnlockConnector": _unlock,
    "ChangeAvailability": _availability,
    "TriggerMessage": _trigger,
    "GetConfiguration": _get_configuration,
    "ChangeConfiguration": _change_configuration,
    "DataTransfer": _data_transfer,
    "ClearCache": _always({"status": "Accepted"}),
    "GetLocalListVersion": _always({"listVersion": -1}),
    "SendLocalList": _always({"status": "NotSupported"}),
    "GetDiagnostics": _always({}),
    "UpdateFirmware": _not_here,
    "ReserveNow": _not_here,
    "CancelReservation": _not_here,
    "SetChargingProfile": _always({"status": "NotSupported"}),
    "ClearChargingProfile": _always({"status": "Unknown"}),
    "GetCompositeSchedule": _always({"status": "Rejected"}),
}
