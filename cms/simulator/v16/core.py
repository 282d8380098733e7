"""Core profile of 1.6: what a CSMS orders first of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cms.simulator.evse import Awaited
from cms.simulator.language import Order, Verdict
from cms.simulator.orders import change, evse_for_start, resetting, set_availability, starting, stopping
from cms.simulator.v16.smart_charging import started_profile
from cms.simulator.wire import Fault, Payload, Reply

if TYPE_CHECKING:
    from cms.simulator.station import Station


def verdict(told: Payload) -> Verdict:
    """What an IdTagInfo says."""
    return Verdict(str(told["status"]), told.get("parentIdTag"))


def _reset(station: Station, order: Payload) -> Reply:
    kind = "hard-reset" if order["type"] == "Hard" else "soft-reset"
    return Reply({"status": "Accepted"}, resetting(station, kind, "RemoteReset"))


def _remote_start(station: Station, order: Payload) -> Reply:
    token = order["idTag"]
    evse = evse_for_start(station, order.get("connectorId"), token)
    told = order.get("chargingProfile")
    profile = started_profile(station, evse, told) if evse is not None and told is not None else None
    if evse is None or (told is not None and profile is None):
        return Reply({"status": "Rejected"})
    who = Awaited(token, station.pace.now(), None, "Central", profile)
    return Reply({"status": "Accepted"}, starting(station, evse, who))


def _remote_stop(station: Station, order: Payload) -> Reply:
    evse = station.evse_in(lambda transaction: transaction.number == order["transactionId"])
    if evse is None:
        return Reply({"status": "Rejected"})
    return Reply({"status": "Accepted"}, stopping(station, evse, "remote"))


def _unlock(station: Station, order: Payload) -> Reply:
    evse = station.evse(order["connectorId"])
    if evse is None:
        return Reply({"status": "NotSupported"})
    if "no-unlock" in station.faults:
        return Reply({"status": "UnlockFailed"})
    return Reply({"status": "Unlocked"}, stopping(station, evse, "unlocked"))


def _availability(station: Station, order: Payload) -> Reply:
    evses = station.evses_named(order["connectorId"] or None)
    if not evses or ("no-connector-0" in station.faults and not order["connectorId"]):
        return Reply({"status": "Rejected"})
    operative = order["type"] == "Operative"
    return Reply({"status": set_availability(station, evses, operative, whole=not order["connectorId"])})


def _get_configuration(station: Station, order: Payload) -> Reply | Fault:
    asked = order.get("key") or list(station.configuration)
    if len(order.get("key", ())) > int(station.configuration["GetConfigurationMaxKeys"].value):
        return Fault(station.language.too_many, "more keys than GetConfigurationMaxKeys")
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
    return Reply({"status": CHANGE_WORDS[change(station, order["key"], order["value"])]})


CHANGE_WORDS = {
    "accepted": "Accepted",
    "reboot": "RebootRequired",
    "unknown": "NotSupported",
    "refused": "Rejected",
}


def _clear_cache(station: Station, order: Payload) -> Reply:
    station.authorization.cache.clear()
    return Reply({"status": "Accepted"})


def _data_transfer(station: Station, order: Payload) -> Reply:
    """It knows one vendor, its own, and one message of it: an echo."""
    if order["vendorId"] != station.make.vendor:
        return Reply({"status": "UnknownVendorId"})
    if order.get("messageId") != "echo":
        return Reply({"status": "UnknownMessageId"})
    return Reply({"status": "Accepted", **({"data": order["data"]} if "data" in order else {})})


ORDERS: dict[str, Order] = {
    "Reset": _reset,
    "RemoteStartTransaction": _remote_start,
    "RemoteStopTransaction": _remote_stop,
    "UnlockConnector": _unlock,
    "ChangeAvailability": _availability,
    "GetConfiguration": _get_configuration,
    "ChangeConfiguration": _change_configuration,
    "DataTransfer": _data_transfer,
    "ClearCache": _clear_cache,
}
