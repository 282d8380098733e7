"""Four eyes: what one person asked for and another one must agree to before it is done."""

from __future__ import annotations

from datetime import datetime, timedelta

from cms.domain.record import record

KIND = "approval"
LASTS = timedelta(hours=24)
#: How long those that are over can still be looked up.
KEPT = timedelta(days=30)

WAITING = "waiting"
APPROVED = "approved"
REJECTED = "rejected"
EXPIRED = "expired"


@record
class Approval:
    """``sealed`` is the request, encrypted (it may name addresses with passwords); ``shown`` the same, masked.

    ``asker`` and ``via`` are the key of who asked and how he came (core.Actor).
    """

    id: str
    operation: str
    permission: str
    shown: dict[str, object]
    sealed: str
    asked_by: str
    asker: str
    via: str
    asked_at: datetime
    expires_at: datetime
    reason: str | None = None
    status: str = WAITING
    decided_by: str | None = None
    decided_at: datetime | None = None
    detail: str | None = None
    persons: tuple[str, ...] = ()
    """Whoever the asker may be (core.Actor)."""


def status_at(approval: Approval, now: datetime) -> str:
    """Its status; one that nobody decided in time is expired."""
    late = approval.status == WAITING and now >= approval.expires_at
    return EXPIRED if late else approval.status
