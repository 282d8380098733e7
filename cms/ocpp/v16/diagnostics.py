"""OCPP 1.6: firmware, diagnostics and log progress; security events (security whitepaper)."""

from __future__ import annotations

from cms.domain.observations import FirmwareProgressed, LogProgressed, SecurityEventRaised
from cms.ocpp.schemas import KEPT, TOLD
from cms.ocpp.translation import Incoming, nothing
from cms.ocpp.values import Json, Remarks, digest, instant, text, whole


def firmware_progressed(payload: Json, _: Remarks) -> FirmwareProgressed:
    return FirmwareProgressed(payload["status"], digest(payload), whole(payload.get("requestId")))


def diagnostics_progressed(payload: Json, _: Remarks) -> LogProgressed:
    return LogProgressed(payload["status"], digest(payload), diagnostics=True)


def log_progressed(payload: Json, _: Remarks) -> LogProgressed:
    return LogProgressed(payload["status"], digest(payload), whole(payload.get("requestId")))


def security_event(payload: Json, remarks: Remarks) -> SecurityEventRaised:
    at = instant(payload["timestamp"], remarks)
    return SecurityEventRaised(payload["type"], at, text(payload.get("techInfo")), digest(payload))


INCOMING = {
    "FirmwareStatusNotification": Incoming(TOLD, firmware_progressed, nothing),
    "DiagnosticsStatusNotification": Incoming(TOLD, diagnostics_progressed, nothing),
    "LogStatusNotification": Incoming(TOLD, log_progressed, nothing),
    "SignedFirmwareStatusNotification": Incoming(TOLD, firmware_progressed, nothing),
    "SecurityEventNotification": Incoming(KEPT, security_event, nothing),
}
