"""Orders we were asked to give, and what became of them: accepted is not done."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class IntentView:
    """One order. ``status``: queued, sent, refused, accepted, confirmed, failed, expired, cancelled.

    ``answer`` is the station's answer as it came; ``detail`` is one sentence for a person.
    """

    id: str
    station: str
    order: str
    status: str
    requested_by: str
    reason: str | None
    created_at: datetime
    answered_at: datetime | None
    confirmed_at: datetime | None
    answer: dict[str, Any] | None
    detail: str | None
    params: dict[str, Any] = field(default_factory=dict)
    expires_at: datetime | None = None
    session: str | None = None
    has_effect: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """What an order would do (``dry_run``): how dangerous (0 to 3), to whom, and the same as a CLI line."""

    order: str
    station: str
    level: int
    impact: str
    cli: str
    sessions: tuple[str, ...] = ()
    dry_run: bool = True


@dataclass(frozen=True, slots=True)
class ListIntents:
    station: str | None = None
    status: str | None = None
    limit: int = 200


@dataclass(frozen=True, slots=True)
class ShowIntent:
    intent: str


@dataclass(frozen=True, slots=True)
class AwaitIntent:
    """Wait until the order's effect was seen (or it failed); refuses with TimedOut after ``wait_s``."""

    intent: str
    wait_s: float = 60.0


@dataclass(frozen=True, slots=True)
class CancelIntent:
    intent: str
