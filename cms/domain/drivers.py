"""Drivers: the people and companies to whom tokens belong."""

from __future__ import annotations

from datetime import datetime

from cms.domain.record import record

KIND = "driver"


@record
class Driver:
    """One person or company, as decisions need it; what is personal (name, contact) is kept apart.

    ``status``: active, suspended or closed. ``groups`` are those that access rules and prices name.
    """

    id: str
    status: str = "active"
    company: bool = False
    groups: tuple[str, ...] = ()
    language: str | None = None
    added_at: datetime | None = None
