"""What a 2.x station knows of a transaction, and whether messages wait in its queue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cms.contract.stations import OrderTerms


@dataclass(frozen=True, slots=True)
class CheckView:
    """What the station said last when it was asked. ``ongoing`` is null where it did not say."""

    at: datetime
    ongoing: bool | None
    messages_in_queue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSession(OrderTerms):
    """Ask the station whether this session goes on, and whether messages about it wait to be sent."""

    session: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckQueue(OrderTerms):
    """Ask the station whether any transaction messages wait to be sent."""

    station: str
