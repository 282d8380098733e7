"""Reservations: an EVSE held for a token until some time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cms.contract.stations import OrderTerms


@dataclass(frozen=True, slots=True)
class ReservationView:
    """One reservation. ``status``: active, used, expired, cancelled, removed, refused; ``detail`` says why.

    ``evse`` is null where the station chooses; ``session`` is the one that used it.
    """

    id: int
    station: str
    status: str
    token: str
    evse: int | None
    connector_type: str | None
    group: str | None
    expires_at: datetime
    requested_by: str
    reason: str | None
    created_at: datetime | None
    ended_at: datetime | None
    session: str | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class ListReservations:
    """The latest reservations, youngest first; ``active`` true: those that are held now."""

    station: str | None = None
    active: bool | None = None
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class ShowReservation:
    """``station`` where two have one with this number."""

    reservation: int
    station: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddReservation(OrderTerms):
    """Hold an EVSE of a station for a token until ``expires_at``.

    Without ``evse`` the station chooses (2.x: one with a ``connector_type``, as OCPP spells it, e.g. cCCS2).
    ``with_group``: the other tokens of its group may use it too. ``reservation`` replaces that one (same id).
    ``force``: although the token, or the station by its own word, could not.
    """

    station: str
    token: str
    expires_at: datetime
    evse: int | None = None
    connector_type: str | None = None
    with_group: bool = False
    reservation: int | None = None
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelReservation(OrderTerms):
    """Give a reservation up. ``station`` where two have one with this number, or nobody here knows it."""

    reservation: int
    station: str | None = None
