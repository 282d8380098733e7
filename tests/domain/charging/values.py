"""Profiles and sessions for tests of smart charging."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal as D
from typing import Any

from cms.contract.charging import Period, Profile, Schedule
from cms.domain.charging.register import Installed
from cms.domain.evolve import evolve
from cms.domain.sessions import Session
from cms.domain.stations import StationState
from tests.domain.build import NOON, station


def schedule(*limits: float | tuple[int, float], unit: str = "A", **more: Any) -> Schedule:
    """Limits one after the other: ``16`` from 0 on, ``(60, 8)`` from 60 s on."""
    pairs = [limit if isinstance(limit, tuple) else (0, limit) for limit in limits]
    return Schedule(unit, tuple(Period(start_s, D(str(limit))) for start_s, limit in pairs), **more)


def profile(
    purpose: str = "tx-default", *limits: float | tuple[int, float], id: int = 1, **more: Any
) -> Profile:
    """A profile that starts at noon, unless it is relative or says otherwise."""
    start: datetime | None = None if more.get("kind") in ("relative", "dynamic") else NOON
    unit = more.pop("unit", "A")
    lasts = more.pop("duration_s", None)
    plan = schedule(*(limits or (16,)), unit=unit, start=more.pop("start", start), duration_s=lasts, id=1)
    return Profile(purpose, (plan,), id=id, **more)


def at(evse: int, one: Profile, **more: Any) -> Installed:
    return Installed(evse, one, installed_at=NOON, **more)


def charging(evse: int = 1, transaction_id: str = "7", started_at: datetime = NOON) -> StationState:
    """A station with a running session."""
    session = Session(
        f"s{transaction_id}",
        "CP1",
        "1.6",
        transaction_id,
        None,
        "charging",
        started_at,
        started_at,
        evse=evse,
        connector=1,
    )
    return evolve(station(), sessions={session.id: session})
