"""Orders as intents: stored, sent, answered, and confirmed by their effect."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from cms.contract.intents import IntentView
from cms.domain.effects import EFFECTS
from cms.domain.evolve import evolve
from cms.domain.observations import Received
from cms.domain.orders import OrderAnswer
from cms.domain.record import record

if TYPE_CHECKING:
    from cms.domain.stations import StationState


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
    """One order to one station. ``order`` names a row of domain.orderbook.ORDERS, ``params`` its fields.

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


#: A station that said "scheduled" acts when its sessions are over.
_SCHEDULED_WITHIN = timedelta(hours=24)


def has_effect(intent: Intent) -> bool:
    """Whether the order is done only when something is seen to happen."""
    effect = EFFECTS.get(intent.order)
    return effect is not None and effect.applies(intent)


def answered(
    intent: Intent,
    answer: OrderAnswer,
    now: datetime,
    state: StationState,
    begins_within: timedelta | None = None,
) -> Intent:
    """The intent after the station's answer. ``begins_within``: how long a remote start waits for its session."""
    intent = evolve(intent, answered_at=now, answer=answer.answer)
    if answer.verdict == "rejected":
        return evolve(intent, status=IntentStatus.REFUSED, detail=f"the station said {answer.said}")
    if intent.status == IntentStatus.CONFIRMED:
        return intent
    effect = EFFECTS.get(intent.order)
    if effect is None or not effect.applies(intent) or effect.already(intent, state):
        return confirmed(intent, now, f"the station said {answer.word}")
    own = effect.patience(intent) if effect.patience else effect.within
    if intent.order == "start" and begins_within is not None:
        own = begins_within
    within = _SCHEDULED_WITHIN if answer.verdict == "scheduled" else own
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


def confirm(intent: Intent, received: Received, session: str | None, state: StationState) -> Intent | None:
    """The intent confirmed (or failed) by what the station now reports; None when this says nothing of its effect.

    A report may overtake the answer: an intent that was only sent can be confirmed too. ``state`` is the
    station's after the message.
    """
    if intent.status not in (IntentStatus.SENT, IntentStatus.ACCEPTED) or not has_effect(intent):
        return None
    detail = EFFECTS[intent.order].seen(intent, received, state)
    if detail is None:
        lost = EFFECTS[intent.order].lost(intent, received, state)
        return None if lost is None else failed(intent, received.at, lost)
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
        return evolve(intent, status=IntentStatus.FAILED, detail=EFFECTS[intent.order].missing)
    return None


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
