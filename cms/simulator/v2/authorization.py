"""Blocks C and D: the authorisation cache and the local list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cms.simulator.authorization import Listed
from cms.simulator.language import Order, Verdict, info
from cms.simulator.pace import moment
from cms.simulator.wire import Fault, Payload, Reply

if TYPE_CHECKING:
    from cms.simulator.station import Station


def verdict(told: Payload, tariff: Payload | None = None) -> Verdict:
    """What an IdTokenInfo says; 2.1 gives a driver's tariff beside it (I08)."""
    group = told.get("groupIdToken", {}).get("idToken")
    return Verdict(str(told["status"]), group, tariff)


def _clear_cache(station: Station, order: Payload) -> Reply:
    station.authorization.cache.clear()
    return Reply({"status": "Accepted"})


def _version(station: Station, order: Payload) -> Reply:
    """D02.FR.02: 0 when there is no list."""
    usable = station.configuration.flag("list_enabled") and "no-local-list" not in station.faults
    return Reply({"versionNumber": station.authorization.version if usable else 0})


def _send(station: Station, order: Payload) -> Reply | Fault:
    entries = [_listed(entry) for entry in order.get("localAuthorizationList", ())]
    if "no-local-list" in station.faults or not station.configuration.flag("list_enabled"):
        return Reply({"status": "Failed", **info("NotEnabled")})
    if len(entries) > station.configuration.number("list_items"):
        return Fault(station.language.too_many, "more entries than LocalAuthListCtrlr.ItemsPerMessage")
    if "list-mismatch" in station.faults and order["updateType"] == "Differential":
        return Reply({"status": "VersionMismatch"})
    update = {"Full": station.authorization.replace, "Differential": station.authorization.update}
    return Reply({"status": update[order["updateType"]](order["versionNumber"], entries)})


def _listed(entry: Payload) -> Listed:
    token, told = entry["idToken"]["idToken"], entry.get("idTokenInfo")
    if told is None:
        return Listed(token, None)
    until = moment(told["cacheExpiryDateTime"]) if "cacheExpiryDateTime" in told else None
    return Listed(token, verdict(told), until)


ORDERS: dict[str, Order] = {
    "ClearCache": _clear_cache,
    "GetLocalListVersion": _version,
    "SendLocalList": _send,
}
