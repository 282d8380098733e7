"""Local authorisation list of 1.6 (section 3.5.2, 5.15)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from cms.simulator.authorization import Listed
from cms.simulator.language import Order, Verdict
from cms.simulator.pace import moment
from cms.simulator.wire import Fault, Payload, Reply

if TYPE_CHECKING:
    from cms.simulator.station import Station


def _version(station: Station, order: Payload) -> Reply:
    """-1: no list here (5.10)."""
    enabled = station.configuration.flag("list_enabled") and "no-local-list" not in station.faults
    return Reply({"listVersion": station.authorization.version if enabled else -1})


def _send(station: Station, order: Payload) -> Reply | Fault:
    entries = [_listed(entry) for entry in order.get("localAuthorizationList", ())]
    if "no-local-list" in station.faults or not station.configuration.flag("list_enabled"):
        return Reply({"status": "NotSupported"})
    if len(entries) > station.configuration.number("list_items"):
        return Fault(station.language.too_many, "more entries than SendLocalListMaxLength")
    if "list-mismatch" in station.faults and order["updateType"] == "Differential":
        return Reply({"status": "VersionMismatch"})
    update = {"Full": station.authorization.replace, "Differential": station.authorization.update}
    return Reply({"status": update[order["updateType"]](order["listVersion"], entries)})


def _listed(entry: Payload) -> Listed:
    told = entry.get("idTagInfo")
    if told is None:
        return Listed(entry["idTag"], None)
    until: datetime | None = moment(told["expiryDate"]) if "expiryDate" in told else None
    return Listed(entry["idTag"], Verdict(told["status"], told.get("parentIdTag")), until)


ORDERS: dict[str, Order] = {"GetLocalListVersion": _version, "SendLocalList": _send}
