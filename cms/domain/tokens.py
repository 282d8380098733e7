"""Tokens, and whether one may charge now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

KINDS = ("rfid", "app", "central", "emaid", "key-code", "local", "mac", "no-authorization")


class Authorization(StrEnum):
    """What a driver is told. 1.6 says Invalid for ``unknown``; each version maps the rest to its own words."""

    ACCEPTED = "accepted"
    BLOCKED = "blocked"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    INVALID = "invalid"
    CONCURRENT = "concurrent"


@dataclass(frozen=True, slots=True)
class Token:
    """One token. ``id`` keeps the registered spelling; tokens compare without case (1.6 errata 3.74)."""

    id: str
    kind: str = "rfid"
    blocked: bool = False
    blocked_reason: str | None = None
    driver: str | None = None
    group: str | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    visual_number: str | None = None
    max_sessions: int | None = None
    added_at: datetime | None = None
