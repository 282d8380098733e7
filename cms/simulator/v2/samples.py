"""A believable payload for every message that a 2.x station sends, to send it at will."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from cms.simulator.evse import CARD, Evse
from cms.simulator.v2 import battery_swap, der, payment, smart_charging, transactions
from cms.simulator.v2.variables import entry_of, value_of
from cms.simulator.v2.words import STATUS
from cms.simulator.wire import Payload

if TYPE_CHECKING:
    from cms.simulator.station import Station

TOKEN: Payload = {"idToken": "DEMO0001", "type": CARD}
#: Hashes of a certificate that nobody has.
HASHES: Payload = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "ab" * 32,
    "issuerKeyHash": "cd" * 32,
    "serialNumber": "1f",
}
RESPONDER = "http://127.0.0.1:9/ocsp"
WATCHED = "ControllerTemperature.Temperature"


def station_meter(station: Station, evse: Evse, context: str = "Sample.Clock") -> Payload:
    """MeterValues of an EVSE outside transactions (J01)."""
    evse.advance(station.pace.now())
    values = transactions.meter_value(station, station.stamp(), evse.measure(), context)
    return {"evseId": evse.id, "meterValue": [values]}


def _transaction_event(station: Station) -> Payload:
    """Of a running transaction, or of one that nobody knows."""
    evse = next((evse for evse in station.evses if evse.transaction), None)
    if evse is None or evse.transaction is None:
        return {
            "eventType": "Updated",
            "timestamp": station.stamp(),
            "triggerReason": "Trigger",
            "seqNo": 7,
            "transactionInfo": {"transactionId": f"unknown-{station.next_number()}"},
        }
    return station.language.metered(station, evse, evse.transaction, "Trigger").build()[1]


def _event(station: Station) -> Payload:
    entry = {
        **entry_of(station, WATCHED),
        "eventId": station.next_number(),
        "timestamp": station.stamp(),
        "trigger": "Alerting",
        "actualValue": value_of(station, WATCHED),
        "eventNotificationType": "HardWiredNotification",
    }
    return {"generatedAt": station.stamp(), "seqNo": 0, "tbc": False, "eventData": [entry]}


def _report(station: Station) -> Payload:
    entry = {
        **entry_of(station, WATCHED),
        "variableAttribute": [{"type": "Actual", "value": value_of(station, WATCHED)}],
    }
    return {
        "requestId": 0, "generatedAt": station.stamp(), "seqNo": 0, "tbc": False, "reportData": [entry]
    }  # fmt: skip


def _monitoring_report(station: Station) -> Payload:
    monitor: Payload = {"id": 2, "transaction": False, "value": 85.0, "type": "UpperThreshold", "severity": 4}
    if station.version == "2.1":
        monitor["eventNotificationType"] = "PreconfiguredMonitor"
    entry = {**entry_of(station, WATCHED), "variableMonitoring": [monitor]}
    return {"requestId": 0, "generatedAt": station.stamp(), "seqNo": 0, "tbc": False, "monitor": [entry]}


def _schedule(station: Station) -> Payload:
    return {
        "id": 1,
        "startSchedule": station.stamp(),
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 7000.0}],
    }


def _profiles(station: Station) -> Payload:
    profile = {
        "id": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [_schedule(station)],
    }
    return {
        "requestId": 0, "chargingLimitSource": "CSO", "evseId": 0, "chargingProfile": [profile], "tbc": False
    }  # fmt: skip


def _displays(station: Station) -> Payload:
    content = {"format": "UTF8", "language": "en", "content": "Welcome"}
    return {
        "requestId": 0,
        "tbc": False,
        "messageInfo": [{"id": 1, "priority": "NormalCycle", "message": content}],
    }


def _csr(station: Station) -> Payload:
    csr = station.certificates.csr_pem()
    return station.language.csr(station, csr, "ChargingStationCertificate", station.certificates.request_id)[
        1
    ]


def _started(station: Station) -> str:
    """A running transaction's id, or one that nobody knows."""
    return next((str(evse.transaction.id) for evse in station.evses if evse.transaction), "unknown")


SAMPLES: dict[str, Callable[[Station], Payload]] = {
    "Authorize": lambda station: {"idToken": TOKEN},
    "BootNotification": lambda station: station.language.boot(station, "Triggered")[1],
    "ClearedChargingLimit": lambda station: {"chargingLimitSource": "EMS", "evseId": 1},
    "DataTransfer": lambda station: {
        "vendorId": station.make.vendor,
        "messageId": "hello",
        "data": "from the station",
    },
    "FirmwareStatusNotification": lambda station: {"status": "Idle"},
    "Get15118EVCertificate": lambda station: {
        "iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef",
        "action": "Install",
        "exiRequest": "gJgC",
    },
    "GetCertificateStatus": lambda station: {"ocspRequestData": {**HASHES, "responderURL": RESPONDER}},
    "Heartbeat": lambda station: {},
    "LogStatusNotification": lambda station: {"status": "Idle"},
    "MeterValues": lambda station: station_meter(station, station.evses[0]),
    "NotifyChargingLimit": lambda station: {
        "chargingLimit": {"chargingLimitSource": "EMS"},
        "evseId": 1,
        "chargingSchedule": [_schedule(station)],
    },
    "NotifyCustomerInformation": lambda station: {
        "requestId": 0,
        "seqNo": 0,
        "generatedAt": station.stamp(),
        "data": "nothing is known",
    },
    "NotifyDisplayMessages": _displays,
    "NotifyEVChargingNeeds": lambda station: smart_charging.needs_of(station, station.evses[0]),
    "NotifyEVChargingSchedule": lambda station: {
        "timeBase": station.stamp(),
        "evseId": 1,
        "chargingSchedule": _schedule(station),
    },
    "NotifyEvent": _event,
    "NotifyMonitoringReport": _monitoring_report,
    "NotifyReport": _report,
    "PublishFirmwareStatusNotification": lambda station: {"status": "Idle"},
    "ReportChargingProfiles": _profiles,
    "ReservationStatusUpdate": lambda station: {"reservationId": 1, "reservationUpdateStatus": "Expired"},
    "SecurityEventNotification": lambda station: {
        "type": "TamperDetectionActivated",
        "timestamp": station.stamp(),
        "techInfo": "the cover was opened",
    },
    "SignCertificate": _csr,
    "StatusNotification": lambda station: {
        "timestamp": station.stamp(),
        "connectorStatus": STATUS[station.evses[0].status],
        "evseId": 1,
        "connectorId": 1,
    },
    "TransactionEvent": _transaction_event,
}
#: What 2.1 adds.
MORE_SAMPLES: dict[str, Callable[[Station], Payload]] = {
    "BatterySwap": lambda station: battery_swap.event(station, "BatteryIn", TOKEN, station.next_number()),
    "ClosePeriodicEventStream": lambda station: {"id": 1},
    "GetCertificateChainStatus": lambda station: {
        "certificateStatusRequests": [{"certificateHashData": HASHES, "source": "OCSP", "urls": [RESPONDER]}]
    },
    "NotifyDERAlarm": lambda station: der.alarm(station, False),
    "NotifyDERStartStop": lambda station: {
        "controlId": "none",
        "started": True,
        "timestamp": station.stamp(),
    },
    "NotifyPeriodicEventStream": lambda station: {
        "id": 1,
        "pending": 0,
        "basetime": station.stamp(station.pace.now() - timedelta(seconds=10)),
        "data": [{"t": 5.0, "v": "31.5"}, {"t": 10.0, "v": "31.6"}],
    },
    "NotifyPriorityCharging": lambda station: {"transactionId": _started(station), "activated": True},
    "NotifySettlement": lambda station: payment.settlement(station, None, 12.5, "Settled"),
    "OpenPeriodicEventStream": lambda station: {
        "constantStreamData": {
            "id": 1,
            "variableMonitoringId": 2,
            "params": {"interval": 60, "values": 10},
        }
    },
    "PullDynamicScheduleUpdate": lambda station: {"chargingProfileId": 1},
    "ReportDERControl": lambda station: {
        "requestId": 0,
        "tbc": False,
        "gradient": [{"id": "g1", "gradient": {"priority": 1, "gradient": 5.0, "softGradient": 2.0}}],
    },
    "VatNumberValidation": lambda station: {"vatNumber": "DE123456789", "evseId": 1},
}
