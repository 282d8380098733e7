"""Reservations: asked for, held by a station, used, or over (OCPP 1.6 ReserveNow, 2.x block H).

A station says that a reservation ended (2.x ReservationStatusUpdate) or only shows it by its connector's status
(1.6); so each has a timer of ours too. Use is told by the reservation's id, or seen: its token starts at its EVSE.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from cms.domain.changes import (
    Change,
    Decision,
    Happened,
    Keep,
    MeterSession,
    OpenSession,
    UpdateSession,
)
from cms.domain.evolve import evolve
from cms.domain.observations import (
    Noted,
    Observation,
    Received,
    TransactionReported,
)
from cms.domain.orders import Order, OrderAnswer
from cms.domain.record import record
from cms.domain.stations import StationState

if TYPE_CHECKING:  # intents read effects, effects read blocks
    from cms.domain.intents import Intent
    from cms.domain.sessions import Session
    from cms.domain.tokens import Ruling, Token

KIND = "reservation"
#: The order's name in orderbook.ORDERS.
RESERVE, CANCEL = "reserve", "reserve-cancel"
STATUSES = ("active", "used", "expired", "cancelled", "removed", "refused")
#: How many that are over a station's state remembers; the oldest go first.
REMEMBERED = 50
#: Clocks differ: a reservation that ends so shortly before its time has expired.
_SLACK = timedelta(minutes=2)


@record
class Reserve(Order):
    """Hold an EVSE (None: any) for a token until ``expires_at``. The same id replaces the earlier reservation.

    ``group`` is the parent whose other tokens may use it too. ``connector_type`` only without an EVSE (2.x).
    """

    id: int
    token: str
    token_kind: str
    expires_at: datetime
    evse: int | None = None
    connector_type: str | None = None
    group: str | None = None


@record
class CancelReservation(Order):
    id: int


@record
class ReservationEnded(Observation):
    """ReservationStatusUpdate. ``status``: expired, removed, no-transaction (2.1: used, but no session came)."""

    id: int
    status: str


@record
class Reservation:
    """``status`` is one of STATUSES; ``detail`` says why. ``session`` is the one that used it."""

    id: int
    token: str
    token_kind: str
    status: str
    expires_at: datetime
    evse: int | None = None
    connector_type: str | None = None
    group: str | None = None
    requested_by: str = ""
    reason: str | None = None
    at: datetime | None = None
    ended_at: datetime | None = None
    session: str | None = None
    detail: str | None = None

    @property
    def active(self) -> bool:
        return self.status == "active"


def of(state: StationState, id: int) -> Reservation | None:
    """The reservation with this id; one whose order was not answered yet too: a report may overtake the answer."""
    known: Reservation | None = state.kept_of(KIND).get(str(id))
    if known is not None:
        return known
    asking = (i for i in state.intents.values() if i.order == RESERVE and i.params.get("id") == id)
    return next((_asked(intent) for intent in asking if intent.status == "sent"), None)


def active(state: StationState) -> list[Reservation]:
    """Those the station holds now, as far as we know; the youngest last."""
    kept: Mapping[str, Reservation] = state.kept_of(KIND)
    return [reservation for reservation in kept.values() if reservation.active]


def _asked(intent: Intent) -> Reservation:
    """What an order on its way asks for."""
    fields = intent.params
    expires_at = fields["expires_at"]
    return Reservation(
        id=fields["id"],
        token=fields["token"],
        token_kind=fields["token_kind"],
        status="active",
        expires_at=datetime.fromisoformat(expires_at) if isinstance(expires_at, str) else expires_at,
        evse=fields.get("evse"),
        connector_type=fields.get("connector_type"),
        group=fields.get("group"),
        requested_by=intent.requested_by,
        reason=intent.reason,
        at=intent.sent_at or intent.created_at,
    )


def answered(
    state: StationState, intent: Intent, order: Reserve, answer: OrderAnswer, now: datetime
) -> Decision:
    """The station's answer to Reserve. What overtook it (used, ended) stands."""
    if state.kept_of(KIND).get(str(order.id)) is not None and _overtaken(state, order, intent):
        return Decision(Noted(), state)
    reservation = _asked(intent)
    if answer.verdict == "rejected":
        detail = f"the station said {answer.word}"
        return _kept(state, evolve(reservation, status="refused", ended_at=now, detail=detail), now)
    using = next((s for s in state.sessions.values() if s.reservation_id == order.id), None)
    if using is not None:
        return _kept(state, _used(reservation, using, now), now)
    return _kept(state, reservation, now)


def _overtaken(state: StationState, order: Reserve, intent: Intent) -> bool:
    """Whether what is kept under this id is about this very order and not one that it replaces."""
    known: Reservation = state.kept_of(KIND)[str(order.id)]
    return not known.active and known.at == (intent.sent_at or intent.created_at)


def cancel_answered(
    state: StationState, intent: Intent, order: CancelReservation, answer: OrderAnswer, now: datetime
) -> Decision:
    """The station's answer to CancelReservation: no means that it has no such reservation."""
    known = of(state, order.id)
    if known is None:
        return Decision(Noted(), state)
    if answer.verdict != "rejected":
        return _end(state, known, "cancelled", now, f"cancelled by {intent.requested_by}")
    if not known.active:
        return Decision(Noted(), state)
    return _end(state, known, "removed", now, "the station does not know it")


#: The station's word for an end -> ours, and why.
_ENDS = {
    "expired": ("expired", "the station said that it expired"),
    "removed": ("removed", "the station removed it"),
    "no-transaction": ("expired", "the driver came, but no session began"),
}


def ended(state: StationState, received: Received, report: ReservationEnded) -> Decision:
    """ReservationStatusUpdate (H04): an unknown id is answered and told of, nothing more."""
    known = of(state, report.id)
    if known is None:
        data = {"id": report.id, "status": report.status, "detail": "nobody here knows this reservation"}
        told = Happened("reservation.changed", received.at, state.station.id, data=data)
        return Decision(Noted(), state, (), (told,))
    if known.status in ("used", "cancelled") and report.status != "no-transaction":
        return Decision(Noted(), state)
    status, detail = _ENDS[report.status]
    if known.status == status and known.detail == detail:
        return Decision(Noted(), state)
    return _end(state, known, status, received.at, detail)


def due_at(reservation: Reservation) -> datetime | None:
    """When it is over by itself."""
    return reservation.expires_at if reservation.active else None


def expire(state: StationState, key: str, now: datetime) -> Decision | None:
    """Our own timer: 1.6 has no message for it, a station that is offline says nothing (1.6 section 5.13, H04)."""
    known: Reservation | None = state.kept_of(KIND).get(key)
    if known is None or not known.active or now < known.expires_at:
        return None
    return _end(state, known, "expired", now, _EXPIRED[1])


def released(state: StationState, evse: int, now: datetime) -> Decision:
    """A connector that was reserved is available: an unused reservation of its EVSE is over (1.6 section 4.9)."""
    decision = Decision(Noted(), state)
    cancelling = {
        i.params.get("id") for i in state.intents.values() if i.order == CANCEL and i.status == "sent"
    }
    for held in active(state):
        if held.evse == evse and held.id not in cancelling:
            late = now >= held.expires_at - _SLACK
            status, detail = _EXPIRED if late else _FREED
            decision = joined(decision, _end(decision.state, held, status, now, detail))
    return decision


_EXPIRED = ("expired", "its time is over")
_FREED = ("removed", "the connector is free again")


def consumed(
    decision: Decision, received: Received, report: TransactionReported, ruling: Ruling | None
) -> Decision:
    """A session began, or got its token: the reservation that it used is used (H03, 1.6 section 5.13).

    By its id where the station tells it; else (2.1 allows that) by its token, or one of its group, at its EVSE.
    """
    state, session = decision.state, _session_of(decision)
    if session is None:
        return decision
    if report.reservation_id is not None:
        known = of(state, report.reservation_id)
    else:
        token = ruling.token if ruling is not None and ruling.accepted else None
        begins = not report.stops
        known = _meant(state, session, token) if begins and token is not None else None
    if known is None or known.status == "used":
        return decision
    return joined(decision, _kept(state, _used(known, session, received.at), received.at))


def _session_of(decision: Decision) -> Session | None:
    """The session that was decided on: changed after those that it puts in doubt; none for a repeat."""
    moved = (c.session for c in reversed(decision.changes) if isinstance(c, _MOVES))
    return next(moved, None)


_MOVES = (OpenSession, UpdateSession, MeterSession)


def _meant(state: StationState, session: Session, token: Token) -> Reservation | None:
    for held in active(state):
        here = held.evse in (None, 0, session.evse)
        own = held.token.casefold() == token.id.casefold()
        kin = held.group is not None and held.group == token.group
        early = held.at is not None and session.started_at < held.at - _SLACK
        if here and (own or kin) and not early and session.started_at < held.expires_at:
            return held
    return None


def _used(reservation: Reservation, session: Session, now: datetime) -> Reservation:
    return evolve(
        reservation, status="used", session=session.id, ended_at=now, detail=f"session {session.id} used it"
    )


def _end(state: StationState, known: Reservation, status: str, now: datetime, detail: str) -> Decision:
    return _kept(state, evolve(known, status=status, ended_at=now, detail=detail), now)


def _kept(state: StationState, reservation: Reservation, now: datetime) -> Decision:
    """The reservation as it is now, told of; the oldest of those that are over are forgotten."""
    station, key = state.station.id, str(reservation.id)
    state = state.keeping(KIND, key, reservation)
    changes: list[Change] = [Keep(station, KIND, key, reservation, now)]
    over = [k for k, kept in state.kept_of(KIND).items() if not kept.active]
    for old in over[:-REMEMBERED]:
        state = state.keeping(KIND, old, None)
        changes.append(Keep(station, KIND, old, None, now))
    data: dict[str, Any] = {
        "id": reservation.id,
        "status": reservation.status,
        "token": reservation.token,
        "evse": reservation.evse,
        "expires_at": reservation.expires_at,
        "detail": reservation.detail,
    }
    told = Happened(
        "reservation.changed", now, station, reservation.session, reservation.requested_by or None, data
    )
    return Decision(Noted(), state, tuple(changes), (told,))


def joined(first: Decision, then: Decision) -> Decision:
    """Both, with the answer of the first."""
    return evolve(
        first, state=then.state, changes=first.changes + then.changes, events=first.events + then.events
    )
