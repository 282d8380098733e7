"""OCPP 2.x block N, L and A04: NotifyEvent, firmware and log progress, security events."""

from __future__ import annotations

from collections.abc import Iterator

from cms.domain.observations import ComponentEvent, ConnectorReported, EventsNotified
from cms.ocpp.names import is_secret, spell
from cms.ocpp.schemas import KEPT, TOLD
from cms.ocpp.translation import Incoming, nothing
from cms.ocpp.v2.availability import STATUS
from cms.ocpp.v2.monitoring import ORIGINS
from cms.ocpp.v16.diagnostics import firmware_progressed, log_progressed, security_event
from cms.ocpp.values import Json, Remarks, digest, instant, text, whole

_BARE: Json = {}


def events_notified(payload: Json, remarks: Remarks) -> EventsNotified:
    entries = payload["eventData"]
    first = entries[0]["eventId"] if entries else ""
    return EventsNotified(
        key=f"event|{payload['generatedAt']}|{payload['seqNo']}|{first}",
        digest=digest(payload),
        events=tuple(_event(entry, remarks) for entry in entries),
        statuses=tuple(_statuses(entries, remarks)),
        more=payload.get("tbc") is True,
    )


def _event(entry: Json, remarks: Remarks) -> ComponentEvent:
    component, variable = entry["component"], entry["variable"]
    evse = component.get("evse") or _BARE
    name = spell(component, variable)
    return ComponentEvent(
        event_id=int(entry["eventId"]),
        at=instant(entry["timestamp"], remarks),
        component=component["name"],
        variable=variable["name"],
        value="" if is_secret(name) else entry["actualValue"],
        trigger=entry["trigger"],
        evse=whole(evse.get("id")),
        connector=whole(evse.get("connectorId")),
        cause=whole(entry.get("cause")),
        cleared=entry.get("cleared") is True,
        tech_code=text(entry.get("techCode")),
        tech_info=text(entry.get("techInfo")),
        name=name,
        origin=ORIGINS.get(entry["eventNotificationType"]),
        monitor=whole(entry.get("variableMonitoringId")),
        severity=whole(entry.get("severity")),
        transaction=text(entry.get("transactionId")),
    )


def _statuses(entries: list[Json], remarks: Remarks) -> Iterator[ConnectorReported]:
    """Connector.AvailabilityState is a StatusNotification by another name (G01.FR.08)."""
    for entry in entries:
        component, variable = entry["component"], entry["variable"]
        evse = component.get("evse") or _BARE
        status = STATUS.get(entry["actualValue"])
        named = (component["name"].casefold(), variable["name"].casefold())
        if named != ("connector", "availabilitystate") or status is None or "connectorId" not in evse:
            continue
        at = instant(entry["timestamp"], remarks)
        yield ConnectorReported(int(evse["id"]), int(evse["connectorId"]), status, at)


INCOMING = {
    "NotifyEvent": Incoming(TOLD, events_notified, nothing),
    "FirmwareStatusNotification": Incoming(TOLD, firmware_progressed, nothing),
    "LogStatusNotification": Incoming(TOLD, log_progressed, nothing),
    "SecurityEventNotification": Incoming(KEPT, security_event, nothing),
}
