"""Frames bent by faults, just before they leave. Other faults live where the behaviour does: see faults.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cms.simulator.wire import CALL, CALLRESULT, Bend, straight

if TYPE_CHECKING:
    from cms.simulator.station import Station

Frame = list[Any]
Twist = Callable[["Station", Frame], list[Any]]


def _null_payload(_station: Station, frame: Frame) -> list[Any]:
    if frame[0] == CALL and not frame[3]:
        return [[*frame[:3], None]]
    return [[frame[0], frame[1], None]] if frame[0] == CALLRESULT and not frame[2] else [frame]


def _empty_frames(_station: Station, frame: Frame) -> list[Any]:
    return ["", frame]


def _unknown_fields(_station: Station, frame: Frame) -> list[Any]:
    if frame[0] == CALL:
        return [[*frame[:3], {**frame[3], "vendorExtension": {"colour": "green"}}]]
    return [frame]


def _v16_payload(station: Station, frame: Frame) -> list[Any]:
    """A 1.6 boot on a 2.x socket."""
    if frame[0] == CALL and frame[2] == "BootNotification" and station.version != "1.6":
        make = station.make
        return [[*frame[:3], {"chargePointVendor": make.vendor, "chargePointModel": make.model}]]
    return [frame]


def _invented(station: Station, frame: Frame) -> list[Any]:
    """Before a heartbeat, an action that nobody defined."""
    if frame[0] == CALL and frame[2] == "Heartbeat":
        return [[CALL, f"x{station.next_number()}", "VendorKeepAlive", {"uptime": 1}], frame]
    return [frame]


def _always_seq_0(_station: Station, frame: Frame) -> list[Any]:
    if frame[0] == CALL and "seqNo" in frame[3]:
        return [[*frame[:3], {**frame[3], "seqNo": 0}]]
    return [frame]


def _evse_0(_station: Station, frame: Frame) -> list[Any]:
    """EVSE 0 connector 0 in events of transactions."""
    if frame[0] == CALL and frame[2] == "TransactionEvent" and "evse" in frame[3]:
        return [[*frame[:3], {**frame[3], "evse": {"id": 0, "connectorId": 0}}]]
    return [frame]


def _reports_from_1(_station: Station, frame: Frame) -> list[Any]:
    if frame[0] == CALL and frame[2] in ("NotifyReport", "NotifyMonitoringReport"):
        return [[*frame[:3], {**frame[3], "seqNo": frame[3]["seqNo"] + 1}]]
    return [frame]


def _endless_report(_station: Station, frame: Frame) -> list[Any]:
    if frame[0] == CALL and frame[2] in ("NotifyReport", "NotifyMonitoringReport"):
        return [[*frame[:3], {**frame[3], "tbc": True}]]
    return [frame]


def _no_value(_station: Station, frame: Frame) -> list[Any]:
    """Variables accepted without a value; configuration keys without one."""
    if frame[0] != CALLRESULT:
        return [frame]
    answer = dict(frame[2])
    for place, key in (("getVariableResult", "attributeValue"), ("configurationKey", "value")):
        if place in answer:
            answer[place] = [{k: v for k, v in one.items() if k != key} for one in answer[place]]
    return [[*frame[:2], answer]]


def _long_serial(_station: Station, frame: Frame) -> list[Any]:
    """A serial number longer than the schema allows."""
    if frame[0] != CALL or frame[2] != "BootNotification":
        return [frame]
    payload = dict(frame[3])
    if "chargingStation" in payload:
        payload["chargingStation"] = {**payload["chargingStation"], "serialNumber": "0" * 40}
    else:
        payload["chargePointSerialNumber"] = "0" * 40
    return [[*frame[:3], payload]]


TWISTS: dict[str, Twist] = {
    "null-payload": _null_payload,
    "empty-frames": _empty_frames,
    "unknown-fields": _unknown_fields,
    "v16-payload": _v16_payload,
    "invented-action": _invented,
    "seq-0": _always_seq_0,
    "evse-0": _evse_0,
    "report-from-1": _reports_from_1,
    "endless-report": _endless_report,
    "no-value": _no_value,
    "long-serial": _long_serial,
}


def bend_for(station: Station) -> Bend:
    """What the station's faults do to its frames; nothing at all when it has none of these."""
    twists = [twist for fault, twist in TWISTS.items() if fault in station.faults]
    if not twists:
        return straight

    def bend(frame: Frame) -> list[Any]:
        frames: list[Any] = [frame]
        for twist in twists:
            frames = [
                bent for one in frames for bent in (twist(station, one) if isinstance(one, list) else [one])
            ]
        return frames

    return bend
