"""Orders as intents: stored, sent, answered, and confirmed by their effect."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from cms.contract.intents import IntentView
from cms.domain.connectors import Connector, ConnectorStatus
from cms.domain.evolve import evolve
from cms.domain.observations import (
    Booted,
    ConnectorReported,
    EventsNotified,
    Received,
    TransactionPhase,
    TransactionReported,
)
from cms.domain.orders import OrderAnswer
from cms.domain.record import record


class IntentStatus(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    REFUSED = "refused"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


FINAL = frozenset(
    {
        IntentStatus.REFUSED,
        IntentStatus.CONFIRMED,
        IntentStatus.FAILED,
        IntentStatus.EXPIRED,
        IntentStatus.CANCELLED,
    }
)


@record
class Intent:
    """One order to one station. ``order`` names a row of domain.orders.ORDERS, ``params`` its fields.

    ``effect_due_at`` is when an accepted order without its effect has failed; orders without an effect of
    their own are confirmed by the answer.
    """

    id: str
    station: str
    order: str
    params: dict[str, Any] = field(default_factory=dict)
    status: str = IntentStatus.QUEUED
    requested_by: str = ""
    reason: str | None = None
    created_at: datetime | None = None
    not_before: datetime | None = None
    expires_at: datetime | None = None
    when_idle: bool = False
    sent_at: datetime | None = None
    answered_at: datetime | None = None
    confirmed_at: datetime | None = None
    effect_due_at: datetime | None = None
    timeout_s: float = 30.0
    answer: dict[str, Any] | None = None
    detail: str | None = None
    session: str | None = None


#: Orders that are confirmed by their effect -> how long we wait for it once the station accepted.
EFFECT_WITHIN: dict[str, timedelta] = {
    "reset": timedelta(minutes=10),
    "start": timedelta(minutes=3),
    "stop": timedelta(minutes=2),
    "availability": timedelta(minutes=2),
    "trigger": timedelta(minutes=1),
}
#: A station that said "scheduled" acts when its sessions are over.
_SCHEDULED_WITHIN = timedelta(hours=24)


def has_effect(intent: Intent) -> bool:
    """Whether the order is done only when something is seen to happen (a reset of one EVSE boots nothing)."""
    return intent.order in EFFECT_WITHIN and not (intent.order == "reset" and intent.params.get("evse"))


def answered(
    intent: Intent, answer: OrderAnswer, now: datetime, places: Mapping[tuple[int, int], Connector]
) -> Intent:
    """The intent after the station's answer. ``places`` are its connectors as known now."""
    intent = evolve(intent, answered_at=now, answer=answer.answer)
    if answer.verdict == "rejected":
        return evolve(intent, status=IntentStatus.REFUSED, detail=f"the station said {answer.word}")
    if intent.status == IntentStatus.CONFIRMED:
        return intent
    if not has_effect(intent) or _already_so(intent, places):
        return confirmed(intent, now, f"the station said {answer.word}")
    within = _SCHEDULED_WITHIN if answer.verdict == "scheduled" else EFFECT_WITHIN[intent.order]
    return evolve(
        intent,
        status=IntentStatus.ACCEPTED,
        effect_due_at=now + within,
        detail=f"the station said {answer.word}; its effect was not seen yet",
    )


def confirmed(intent: Intent, now: datetime, detail: str, session: str | None = None) -> Intent:
    """The effect was seen."""
    return evolve(
        intent,
        status=IntentStatus.CONFIRMED,
        confirmed_at=now,
        detail=detail,
        session=session or intent.session,
    )


def failed(intent: Intent, now: datetime, detail: str) -> Intent:
    return evolve(intent, status=IntentStatus.FAILED, answered_at=intent.answered_at or now, detail=detail)


def _already_so(intent: Intent, places: Mapping[tuple[int, int], Connector]) -> bool:
    """An availability that holds already makes no station send a status."""
    if intent.order != "availability":
        return False
    wanted = [c for c in places.values() if c.evse and _concerns(intent, c.evse, c.connector)]
    return bool(wanted) and all(_as_ordered(intent, c.status) for c in wanted)


def _concerns(intent: Intent, evse: int, connector: int) -> bool:
    ordered_evse, ordered_connector = intent.params.get("evse"), intent.params.get("connector")
    return ordered_evse in (None, 0, evse) and ordered_connector in (None, connector)


def _as_ordered(intent: Intent, status: str) -> bool:
    unavailable = status == ConnectorStatus.UNAVAILABLE
    return not unavailable if intent.params.get("operative") else unavailable


def _rebooted(intent: Intent, received: Received) -> str | None:
    return "the station booted again" if isinstance(received.observation, Booted) else None


def _began(intent: Intent, received: Received) -> str | None:
    seen = received.observation
    if not isinstance(seen, TransactionReported) or seen.phase is TransactionPhase.ENDED:
        return None
    if seen.remote_start_id is not None:
        return "the session began" if seen.remote_start_id == intent.params.get("remote_start_id") else None
    # 1.6 has no correlation id: the token, the connector and the time must do.
    wanted_evse = intent.params.get("evse")
    same_token = (
        seen.token is not None and seen.token.id.casefold() == str(intent.params.get("token")).casefold()
    )
    recent = seen.at is None or intent.sent_at is None or seen.at >= intent.sent_at - timedelta(minutes=2)
    fits = seen.phase is TransactionPhase.STARTED and same_token and recent
    return "the session began" if fits and wanted_evse in (None, 0, seen.evse) else None


def _stopped(intent: Intent, received: Received) -> str | None:
    seen = received.observation
    if not isinstance(seen, TransactionReported) or seen.phase is not TransactionPhase.ENDED:
        return None
    return "the session ended" if seen.transaction_id == intent.params.get("transaction_id") else None


def _became_available(intent: Intent, received: Received) -> str | None:
    seen = received.observation
    reports: Iterable[ConnectorReported] = ()
    if isinstance(seen, ConnectorReported):
        reports = (seen,)
    elif isinstance(seen, EventsNotified):
        reports = seen.statuses
    fits = any(_concerns(intent, r.evse, r.connector) and _as_ordered(intent, r.status) for r in reports)
    return "the status arrived" if fits else None


#: Triggers whose message is not of their own name.
_TRIGGERED = {
    "SignChargePointCertificate": {"SignCertificate"},
    "SignChargingStationCertificate": {"SignCertificate"},
    "SignV2GCertificate": {"SignCertificate"},
    "SignCombinedCertificate": {"SignCertificate"},
    "MeterValues": {"MeterValues", "TransactionEvent"},
    "StatusNotification": {"StatusNotification", "NotifyEvent"},
    "FirmwareStatusNotification": {"FirmwareStatusNotification", "SignedFirmwareStatusNotification"},
}


def triggers(message: str, action: str) -> bool:
    """Whether ``action`` is what a station sends when it was asked for ``message``."""
    return action in _TRIGGERED.get(message, {message})


def _sent_it(intent: Intent, received: Received) -> str | None:
    message = str(intent.params.get("message"))
    return f"the station sent {received.action}" if triggers(message, received.action) else None


_CONFIRMS: dict[str, Callable[[Intent, Received], str | None]] = {
    "reset": _rebooted,
    "start": _began,
    "stop": _stopped,
    "availability": _became_available,
    "trigger": _sent_it,
}


def confirm(intent: Intent, received: Received, session: str | None) -> Intent | None:
    """The intent confirmed by what the station now reports; None when this is not its effect.

    A report may overtake the answer: an intent that was only sent can be confirmed too.
    """
    if intent.status not in (IntentStatus.SENT, IntentStatus.ACCEPTED) or not has_effect(intent):
        return None
    detail = _CONFIRMS[intent.order](intent, received)
    if detail is None:
        return None
    return confirmed(intent, received.at, detail, session if intent.order in ("start", "stop") else None)


def overdue(intent: Intent, now: datetime) -> Intent | None:
    """The intent after its time has passed; None while it has not."""
    if intent.status == IntentStatus.QUEUED and intent.expires_at is not None and now >= intent.expires_at:
        return evolve(intent, status=IntentStatus.EXPIRED, detail="it could not be sent in time")
    if (
        intent.status == IntentStatus.ACCEPTED
        and intent.effect_due_at is not None
        and now >= intent.effect_due_at
    ):
        return evolve(
            intent, status=IntentStatus.FAILED, detail=_NO_EFFECT.get(intent.order, "nothing followed")
        )
    return None


_NO_EFFECT = {
    "reset": "the station accepted but did not boot again in time",
    "start": "the station accepted but no session began in time",
    "stop": "the station accepted but the session did not end in time",
    "availability": "the station accepted but its status did not change in time",
    "trigger": "the station accepted but did not send the message in time",
}


def after_restart(intent: Intent, now: datetime) -> Intent:
    """A daemon that starts again does not know what became of orders that were on their way: never resent."""
    if intent.status != IntentStatus.SENT:
        return intent
    return failed(intent, now, "the daemon stopped before the answer came: the outcome is unknown")


def view(intent: Intent) -> IntentView:
    """The intent as clients see it."""
    assert intent.created_at is not None
    return IntentView(
        id=intent.id,
        station=intent.station,
        order=intent.order,
        status=intent.status,
        requested_by=intent.requested_by,
        reason=intent.reason,
        created_at=intent.created_at,
        answered_at=intent.answered_at,
        confirmed_at=intent.confirmed_at,
        answer=intent.answer,
        detail=intent.detail,
        params=intent.params,
        expires_at=intent.expires_at,
        session=intent.session,
        has_effect=has_effect(intent),
    )
