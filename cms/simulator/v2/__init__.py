"""OCPP 2.0.1 and 2.1 as a station speaks them, one file per functional block; 2.1 is 2.0.1 plus."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from cms.simulator.evse import Evse, Transaction
from cms.simulator.language import End, Message, Order, Queued, Trigger, Verdict
from cms.simulator.v2 import (
    authorization,
    battery_swap,
    certificates,
    customer,
    der,
    display,
    firmware,
    logs,
    monitoring,
    payment,
    provisioning,
    remote,
    reservation,
    samples,
    smart_charging,
    streams,
    tariff,
    transactions,
    trigger,
    v2x,
    variables,
)
from cms.simulator.v2.words import STATUS
from cms.simulator.wire import Payload

if TYPE_CHECKING:
    from cms.simulator.firmware import Job
    from cms.simulator.station import Station

ORDERS: dict[str, Order] = {
    **provisioning.ORDERS,
    **variables.ORDERS,
    **authorization.ORDERS,
    **remote.ORDERS,
    **trigger.ORDERS,
    **reservation.ORDERS,
    **tariff.ORDERS,
    **smart_charging.ORDERS,
    **firmware.ORDERS,
    **certificates.ORDERS,
    **logs.ORDERS,
    **monitoring.ORDERS,
    **customer.ORDERS,
    **display.ORDERS,
}
#: What 2.1 adds.
MORE_ORDERS: dict[str, Order] = {
    **tariff.MORE_ORDERS,
    **smart_charging.MORE_ORDERS,
    **payment.ORDERS,
    **v2x.ORDERS,
    **der.ORDERS,
    **streams.ORDERS,
    **battery_swap.ORDERS,
}


class V2:
    malformed = "FormatViolation"
    too_many = "OccurrenceConstraintViolation"

    def __init__(self, version: str) -> None:
        new = version == "2.1"
        self.version = version
        self.subprotocol = f"ocpp{version}"
        self.orders: Mapping[str, Order] = {**ORDERS, **MORE_ORDERS} if new else ORDERS
        self.triggers: Mapping[str, Trigger] = trigger.TRIGGERS
        self.samples: Mapping[str, Callable[[Station], Payload]] = (
            {**samples.SAMPLES, **samples.MORE_SAMPLES} if new else samples.SAMPLES
        )

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
        if self.version == "2.1":  # 2.1 G01: NotifyEvent rather than StatusNotification
            return monitoring.availability(station, evse, STATUS[status])
        return "StatusNotification", {
            "timestamp": station.stamp(),
            "connectorStatus": STATUS[status],
            "evseId": evse.id,
            "connectorId": evse.connector,
        }

    def authorize(self, token: str, kind: str) -> Message:
        return "Authorize", {"idToken": {"idToken": token, "type": kind}}

    def verdict(self, answer: Payload) -> Verdict:
        return authorization.verdict(answer["idTokenInfo"], answer.get("tariff"))

    def started(self, station: Station, evse: Evse, transaction: Transaction, trigger: str) -> Queued:
        return transactions.started(station, evse, transaction, trigger)

    def metered(
        self, station: Station, evse: Evse, transaction: Transaction, context: str = "Sample.Periodic"
    ) -> Queued:
        return transactions.metered(station, evse, transaction, context)

    def changed(self, station: Station, evse: Evse, transaction: Transaction, trigger: str) -> Queued | None:
        return transactions.changed(station, evse, transaction, trigger)

    def ended(self, station: Station, evse: Evse, transaction: Transaction, end: End) -> Queued:
        return transactions.ended(station, evse, transaction, end)

    async def look(self, station: Station) -> None:
        await monitoring.look(station)

    def aligned(self, station: Station, evse: Evse) -> Message:
        return "MeterValues", samples.station_meter(station, evse)

    def firmware(self, status: str, job: Job | None) -> Message | None:
        told: Payload = {"status": status}
        return "FirmwareStatusNotification", (told if job is None else {**told, "requestId": job.request_id})

    def log(self, status: str, request_id: int | None, plain: bool) -> Message | None:
        told: Payload = {"status": status}
        return "LogStatusNotification", told if request_id is None else {**told, "requestId": request_id}

    def security_event(self, station: Station, event: str) -> Message:
        return "SecurityEventNotification", {"type": event, "timestamp": station.stamp()}

    def csr(self, station: Station, csr: str, kind: str, request_id: int) -> Message:
        told: Payload = {"csr": csr, "certificateType": kind}
        return "SignCertificate", {**told, "requestId": request_id} if self.version == "2.1" else told

    def reservation_ended(self, reservation_id: int, why: str) -> Message | None:
        return "ReservationStatusUpdate", {"reservationId": reservation_id, "reservationUpdateStatus": why}
