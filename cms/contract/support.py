"""A caller on the telephone: who is it, and everything that answers him."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cms.contract.drivers import DriverView
from cms.contract.record import record
from cms.contract.sessions import SessionView
from cms.contract.tokens import TokenView


@record
class FoundDriver:
    """A driver, or a token of nobody (``driver`` is null), and what of him matched: ``by`` names the field."""

    driver: str | None
    name: str | None
    token: str | None
    by: str
    matched: str


@record
class Try:
    """One time a token was presented: where, and what the station was told. ``rule``: the access rule that decided."""

    at: datetime
    token: str
    station: str
    status: str
    rule: str | None = None


@record
class Right:
    """An access rule that is about him, his tokens or his groups, with its conditions in words."""

    rule: str
    effect: str
    subject: str
    says: str


@record
class SupportCard:
    """All about one caller. ``driver`` is null where nobody owns the token.

    ``now`` are his sessions that run, ``last`` the latest that are over; ``sessions_30d`` and ``energy_30d_wh``
    count those that began in the last thirty days. ``tries`` are newest first, as far as events tell of them.
    """

    driver: DriverView | None
    tokens: tuple[TokenView, ...]
    now: tuple[SessionView, ...]
    last: tuple[SessionView, ...]
    tries: tuple[Try, ...]
    rights: tuple[Right, ...]
    sessions_30d: int
    energy_30d_wh: int


@dataclass(frozen=True, slots=True)
class FindDrivers:
    """By any piece of what a caller says: name, e-mail, telephone, driver id, card number or what is printed on it."""

    text: str
    limit: int = 20


@dataclass(frozen=True, slots=True)
class ShowSupportCard:
    """Of a driver, or of the one to whom a token or a piece of text belongs, where that is clear."""

    who: str
