"""Drivers: the people and companies to whom tokens belong."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cms.domain.atrest import Sealed
from cms.domain.evolve import evolve
from cms.domain.record import record
from cms.domain.tokens import Token

KIND = "driver"
PERSON = "person"
NOTES = "driver-notes"
STATUSES = ("active", "suspended", "closed")
#: How many notes of a driver are kept; the oldest go first.
MOST_NOTES = 200


@record
class Driver:
    """One person or company, as decisions need it; what is personal (name, contact) is kept apart.

    ``status``: active, suspended or closed. ``groups`` are those that access rules and prices name. One who
    registered himself is not ``verified`` before his e-mail address is, and charges nothing until then.
    """

    id: str
    status: str = "active"
    company: bool = False
    groups: tuple[str, ...] = ()
    language: str | None = None
    added_at: datetime | None = None
    status_reason: str | None = None
    verified: bool = True
    email_key: str | None = None
    """By what his e-mail address is known to be taken: a digest (operations.drivers)."""

    @property
    def may_charge(self) -> bool:
        return self.status == "active" and self.verified


@record
class Box:
    """What is personal about a driver as it is kept: a Person or Notes as JSON, encrypted."""

    body: Sealed


@record
class Person:
    """What is personal about a driver, and needed by no decision; the key is the driver's id."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    street: str | None = None
    postcode: str | None = None
    city: str | None = None
    country: str | None = None


@record
class Note:
    """What somebody wrote about a driver; it is never changed."""

    at: datetime
    by: str
    text: str


@record
class Notes:
    """All that was written about one driver, oldest first."""

    entries: tuple[Note, ...] = ()

    def with_one(self, note: Note) -> Notes:
        return Notes((*self.entries, note)[-MOST_NOTES:])


def standing(driver: Driver) -> str:
    """In one word: active, unverified, suspended or closed."""
    return driver.status if driver.status != "active" or driver.verified else "unverified"


def under(token: Token, drivers: Mapping[str, Any]) -> Token:
    """The token as it holds now: one whose driver may not charge is blocked."""
    driver: Driver | None = drivers.get(token.driver) if token.driver is not None else None
    if driver is None or driver.may_charge or token.blocked:
        return token
    return evolve(token, blocked=True, blocked_reason=f"its driver is {standing(driver)}")
