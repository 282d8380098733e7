"""Everything that happens is an event; this is what one looks like and which types there are."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cms.contract.record import record

#: Every event type, with the keys its ``data`` always has. Values are absolute (the new state), so that an
#: event seen twice is harmless.
EVENT_TYPES: dict[str, tuple[str, ...]] = {
    "daemon.started": ("version",),
    "daemon.stopped": (),
    "station.enrolled": (),
    "station.changed": (),
    "station.noted": ("note",),
    "station.removed": (),
    "station.unknown": ("address", "protocols", "reason"),
    "station.forgotten": (),
    "station.refused": ("address", "reason"),
    "station.identity_conflict": ("addresses",),
    "station.connected": ("ocpp_version", "address"),
    "station.disconnected": ("reason",),
    "station.booted": ("status", "reason", "vendor", "model", "firmware", "serial"),
    "station.security": ("kind", "reported_at", "detail", "critical"),
    "station.password": ("outcome",),
    "station.secured": ("from", "to"),
    "secrets.rotated": ("version",),
    "secrets.forgotten": ("version", "cut_off"),
    "certificate.requested": ("use", "name", "outcome"),
    "certificate.installed": ("kind", "answer"),
    "certificate.refused": ("kind", "answer"),
    "certificate.failed": ("use", "reason"),
    "certificate.deleted": ("serial", "answer"),
    "certificate.revoked": ("fingerprint", "name", "reason"),
    "certificate.expiring": ("kind", "name", "fingerprint", "not_after", "days"),
    "certificate.contract": ("action", "outcome"),
    "certificate.authority": ("use", "fingerprint"),
    "station.notified": ("component", "variable", "value", "trigger"),
    "station.configuration": ("values",),
    "station.monitors": ("request_id", "seq_no", "more", "count"),
    "station.boot-terms": ("policy", "values", "reason"),
    "station.boot-progress": ("progress", "detail"),
    "station.data": ("vendor", "message", "status", "size"),
    "problem.opened": ("problem",),
    "problem.changed": ("problem",),
    "problem.cleared": ("problem",),
    "stream.opened": ("stream", "monitor", "name"),
    "stream.closed": ("stream", "monitor", "name"),
    "station.quirks": ("set", "unset"),
    "station.probed": ("capabilities",),
    "firmware.status": ("status", "request_id"),
    "firmware.job": ("job",),
    "log.status": ("status", "request_id"),
    "log.job": ("job",),
    "publish.status": ("status", "request_id"),
    "publish.job": ("job",),
    "profiles.changed": ("change", "evse", "profiles"),
    "profiles.reported": ("evse", "source", "profiles", "more"),
    "charging.limited": ("evse", "source", "grid_critical", "limit", "unit"),
    "charging.unlimited": ("evse", "source"),
    "charging.priority": ("transaction_id", "active"),
    "charging.needs": ("evse", "energy_transfer", "departure_at", "energy_wh", "answer"),
    "charging.schedule": ("evse", "accepted"),
    "der.changed": ("change", "controls"),
    "der.reported": ("controls", "more"),
    "der.alarm": ("control_type", "fault", "ended", "info", "reported_at"),
    "der.moved": ("control", "started", "reported_at"),
    "token.energy-transfer": ("token", "energy_transfer"),
    "connector.status": ("evse", "connector", "status", "error_code", "info", "reported_at"),
    "token.presented": ("token", "status"),
    "token.added": ("token",),
    "token.changed": ("token", "status"),
    "token.removed": ("token",),
    "token.unknown": ("token", "kind", "count"),
    "token.enumeration": ("cards",),
    "token.suspicious": ("token", "doubts", "blocked"),
    "token.learning": ("until", "driver", "enrol"),
    "token.learned": ("token", "kind", "driver", "enrolled"),
    "driver.added": ("driver", "status", "groups"),
    "driver.changed": ("driver", "status", "groups"),
    "driver.exported": ("driver",),
    "driver.erased": ("driver", "tokens"),
    "driver.code-sent": ("driver",),
    "driver.noted": ("driver",),
    "site.added": ("site",),
    "site.changed": ("site", "changed"),
    "site.removed": ("site",),
    "organisation.added": ("organisation",),
    "organisation.changed": ("organisation", "changed"),
    "organisation.suspended": ("organisation", "changed"),
    "organisation.resumed": ("organisation", "changed"),
    "list.changed": ("version", "sure", "entries", "trouble"),
    "list.conflict": (),
    "reservation.changed": ("id", "status", "detail"),
    "display.changed": ("set", "cleared"),
    "customer.reported": ("request_id", "parts", "complete"),
    "sessions.imported": ("import", "file", "sessions", "energy_wh", "status"),
    "sessions.import-removed": ("import", "sessions", "left"),
    "session.started": ("session",),
    "session.changed": ("session",),
    "session.metered": ("evse", "connector", "energy_wh", "power_w", "soc_percent", "at"),
    "session.ended": ("session",),
    "session.flagged": ("flags",),
    "energy.gap": ("evse", "gap_wh", "last_wh", "start_wh"),
    "session.billed": ("cost",),
    "cdr.made": ("cdr", "revision", "reason", "total", "way", "holds"),
    "cdr.marked": ("cdr", "what"),
    "meter.key": ("evse", "set"),
    "session.tariff": ("tariff",),
    "billing.profile": ("driver", "way", "every", "card"),
    "plan.added": ("plan", "version", "valid_from"),
    "plan.closed": ("plan", "closed_on", "reason"),
    "plan.changed": ("driver", "plan", "since", "was"),
    "session.budget": ("rule", "reason", "then"),
    "access.changed": ("rule", "effect", "says"),
    "access.removed": ("rule",),
    "session.told": ("trigger", "limit", "tariff", "preconditioning", "evse_sleep", "operation_mode"),
    "tariff.added": ("tariff", "summary"),
    "tariff.used": ("place", "tariff", "since"),
    "balance.changed": ("driver", "token", "kind", "change"),
    "ledger.corrected": ("key", "change"),
    "bank.line": ("line", "status", "amount", "driver"),
    "balance.low": ("driver", "token", "balance"),
    "seller.changed": ("changed",),
    "invoice.made": ("invoice", "kind", "driver", "total"),
    "invoice.changed": ("invoice", "what"),
    "payment.changed": ("payment",),
    "driver.card": ("driver", "saved"),
    "charge.changed": ("charge", "purpose", "status", "amount", "captured", "refunded", "person", "code"),
    "battery.swapped": ("swap", "event", "batteries"),
    "intent.created": ("intent",),
    "intent.changed": ("intent",),
    "operator.changed": ("who", "role"),
    "api-token.changed": ("id", "role", "status"),
    "grant.changed": ("id", "change", "who", "role", "ends_at"),
    "approval.changed": ("id", "operation", "status"),
    "quarantine.added": ("kind", "reason"),
    "alert.raised": ("alert",),
    "alert.changed": ("alert",),
    "alert.ended": ("alert",),
}


@record
class Event:
    """One thing that happened. ``cursor`` is opaque: give it back to go on after this event."""

    cursor: str
    at: datetime
    type: str
    station: str | None = None
    session: str | None = None
    actor: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    organisation: str = ""
    """To whom it happened."""


@dataclass(frozen=True, slots=True)
class ListEvents:
    """The latest events, oldest first; ``after`` a cursor gives those that follow it instead.

    The latest of one ``station`` or ``session`` leave ``session.metered`` out unless ``type`` asks for it: the
    session's samples are a better answer.
    """

    after: str | None = None
    station: str | None = None
    session: str | None = None
    type: str | None = None
    limit: int = 200
