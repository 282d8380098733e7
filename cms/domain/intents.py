"""Orders as intents: stored, sent, answered, and confirmed by their effect."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


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


@dataclass(frozen=True, slots=True)
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
