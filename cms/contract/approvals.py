"""Four eyes: what waits for a second person."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """``status``: waiting, approved, rejected or expired; ``detail`` says how the carrying out went."""

    id: str
    operation: str
    status: str
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    reason: str | None
    decided_by: str | None
    decided_at: datetime | None
    detail: str | None
    request: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListApprovals:
    """Those that wait, or with ``all`` also those of the last 30 days."""

    filter: str | None = None
    all: bool = False


@dataclass(frozen=True, slots=True)
class ShowApproval:
    id: str


@dataclass(frozen=True, slots=True)
class Approve:
    """Agree, and have it done now. Nobody agrees to what he asked for himself."""

    id: str


@dataclass(frozen=True, slots=True)
class Reject:
    id: str
    reason: str | None = None
