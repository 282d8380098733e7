"""A believable payload for every message that a 1.6 station sends, to send it at will."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from cms.simulator.evse import Evse
from cms.simulator.pace import stamp
from cms.simulator.v16.meters import meter_value, number
from cms.simulator.wire import Payload

if TYPE_CHECKING:
    from cms.simulator.station import Station

CARD = "DEMO0001"


def _meter_values(station: Station) -> Payload:
    evse = station.evses[0]
    told: Payload = {
        "connectorId": evse.id,
        "meterValue": [meter_value(station, station.stamp(), evse.measure(), "Other")],
    }
    return told if evse.transaction is None else {**told, "transactionId": number(evse.transaction)}


def _start(station: Station) -> Payload:
    evse = station.evses[0]
    return {"connectorId": evse.id, "idTag": CARD, "meterStart": evse.meter_wh, "timestamp": station.stamp()}


def _stop(station: Station) -> Payload:
    ended = [transaction for transaction in station.transactions if transaction.number is not None]
    return {
        "transactionId": number(ended[-1]) if ended else -1,
        "meterStop": station.evses[0].meter_wh,
        "timestamp": stamp(station.pace.now()),
        "reason": "Local",
    }


def _status(station: Station) -> Payload:
    evse: Evse = station.evses[0]
    message = station.language.status(station, evse, evse.status)
    assert message is not None
    return message[1]


SAMPLES: dict[str, Callable[[Station], Payload]] = {
    "Authorize": lambda station: {"idTag": CARD},
    "BootNotification": lambda station: station.language.boot(station, "Triggered")[1],
    "DataTransfer": lambda station: {
        "vendorId": station.make.vendor,
        "messageId": "hello",
        "data": "from the station",
    },
    "DiagnosticsStatusNotification": lambda station: {"status": "Idle"},
    "FirmwareStatusNotification": lambda station: {"status": "Idle"},
    "Heartbeat": lambda station: {},
    "LogStatusNotification": lambda station: {"status": "Idle"},
    "MeterValues": _meter_values,
    "SecurityEventNotification": lambda station: {
        "type": "TamperDetectionActivated",
        "timestamp": station.stamp(),
        "techInfo": "the cover was opened",
    },
    "SignCertificate": lambda station: {"csr": station.certificates.csr_pem()},
    "SignedFirmwareStatusNotification": lambda station: {"status": "Idle"},
    "StartTransaction": _start,
    "StatusNotification": _status,
    "StopTransaction": _stop,
}
