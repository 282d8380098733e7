"""OCPP 1.6J with the security extension, as a station speaks it: one file per feature profile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from cms.simulator.evse import Evse, Transaction
from cms.simulator.language import End, Message, Order, Queued, Trigger, Verdict
from cms.simulator.v16 import (
    core,
    firmware,
    local_list,
    meters,
    remote_trigger,
    reservation,
    samples,
    security,
    smart_charging,
)
from cms.simulator.wire import Payload

if TYPE_CHECKING:
    from cms.simulator.firmware import Job
    from cms.simulator.station import Station

STATUS = {
    "available": "Available",
    "awaiting": "Preparing",
    "preparing": "Preparing",
    "charging": "Charging",
    "suspended-ev": "SuspendedEV",
    "suspended-evse": "SuspendedEVSE",
    "finishing": "Finishing",
    "reserved": "Reserved",
    "unavailable": "Unavailable",
    "faulted": "Faulted",
}

ORDERS: dict[str, Order] = {
    **core.ORDERS,
    **local_list.ORDERS,
    **reservation.ORDERS,
    **smart_charging.ORDERS,
    **firmware.ORDERS,
    **security.ORDERS,
    **remote_trigger.ORDERS,
}


class V16:
    version = "1.6"
    subprotocol = "ocpp1.6"
    malformed = "FormationViolation"
    too_many = "OccurenceConstraintViolation"

    def __init__(self) -> None:
        self.orders: Mapping[str, Order] = ORDERS
        self.triggers: Mapping[str, Trigger] = remote_trigger.TRIGGERS
        self.samples: Mapping[str, Callable[[Station], Payload]] = samples.SAMPLES

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

    def authorize(self, token: str, kind: str) -> Message:
        return "Authorize", {"idTag": token}

    def verdict(self, answer: Payload) -> Verdict:
        return core.verdict(answer["idTagInfo"])

    def started(self, station: Station, evse: Evse, transaction: Transaction, trigger: str) -> Queued:
        return meters.started(station, evse, transaction)

    def metered(
        self, station: Station, evse: Evse, transaction: Transaction, context: str = "Sample.Periodic"
    ) -> Queued:
        return meters.metered(station, evse, transaction, context)

    def changed(self, station: Station, evse: Evse, transaction: Transaction, trigger: str) -> Queued | None:
        return None  # the StatusNotification says it

    def ended(self, station: Station, evse: Evse, transaction: Transaction, end: End) -> Queued:
        return meters.ended(station, evse, transaction, end)

    async def look(self, station: Station) -> None:
        """1.6 stations watch nothing that a status would not tell."""

    def aligned(self, station: Station, evse: Evse) -> Message:
        values = meters.meter_value(station, station.stamp(), evse.measure(), "Sample.Clock")
        return "MeterValues", {"connectorId": evse.id, "meterValue": [values]}

    def firmware(self, status: str, job: Job | None) -> Message | None:
        return firmware.status(status, job)

    def log(self, status: str, request_id: int | None, plain: bool) -> Message | None:
        return firmware.diagnostics(status) if plain else security.log(status, request_id)

    def security_event(self, station: Station, event: str) -> Message:
        return "SecurityEventNotification", {"type": event, "timestamp": station.stamp()}

    def csr(self, station: Station, csr: str, kind: str, request_id: int) -> Message:
        return "SignCertificate", {"csr": csr}

    def reservation_ended(self, reservation_id: int, why: str) -> Message | None:
        return None  # the StatusNotification says it
