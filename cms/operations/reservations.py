"""Reservations: hold an EVSE for a token, give it up again, and see what became of it."""

from __future__ import annotations

import shlex

from cms.contract.filters import keys_of, parse
from cms.contract.intents import IntentView, Preview
from cms.contract.refusals import Conflict, Invalid, NotFound, NotSupported
from cms.contract.reservations import (
    AddReservation,
    CancelReservation,
    ListReservations,
    ReservationView,
    ShowReservation,
)
from cms.core import Actor, Core, Lane
from cms.domain import reservations, tokens
from cms.domain.observations import TokenRef
from cms.domain.reservations import Reservation, Reserve
from cms.domain.tokens import Presented, Token
from cms.operations import access_rulings
from cms.operations.identifying import asked_for, spoken
from cms.operations.intents import give
from cms.operations.previews import preview
from cms.operations.stations import check_place

_HIGHEST = 2**31 - 1
#: What a station tells of reservations that name no EVSE: the 1.6 key and the 2.x variable.
_ANY_EVSE = {"reserveconnectorzerosupported", "reservationctrlr.nonevsespecific"}


def view(station: str, reservation: Reservation) -> ReservationView:
    return ReservationView(
        id=reservation.id,
        station=station,
        status=reservation.status,
        token=reservation.token,
        evse=reservation.evse,
        connector_type=reservation.connector_type,
        group=reservation.group,
        expires_at=reservation.expires_at,
        requested_by=reservation.requested_by,
        reason=reservation.reason,
        created_at=reservation.at,
        ended_at=reservation.ended_at,
        session=reservation.session,
        detail=reservation.detail,
    )


def _all(core: Core, station: str | None) -> list[ReservationView]:
    return [
        view(lane.state.station.id, reservation)
        for lane in core.lanes_of(station)
        for reservation in lane.state.kept_of(reservations.KIND).values()
    ]


async def list_(core: Core, request: ListReservations, actor: Actor) -> list[ReservationView]:
    chosen = parse(request.filter or "", keys_of(ReservationView))
    found = [
        seen
        for seen in _all(core, request.station)
        if (request.active is None or (seen.status == "active") is request.active) and chosen(seen)
    ]
    return sorted(found, key=lambda seen: (seen.created_at or seen.expires_at, seen.id), reverse=True)


async def show(core: Core, request: ShowReservation, actor: Actor) -> ReservationView:
    lane = _where(core, request.reservation, request.station)
    known = lane.state.kept_of(reservations.KIND).get(str(request.reservation))
    if known is None:
        raise NotFound(
            f"there is no reservation {request.reservation} at {lane.state.station.id}",
            "see `cms reservations list`",
        )
    return view(lane.state.station.id, known)


def _where(core: Core, id: int, station: str | None) -> Lane:
    """The station that holds, or held, the reservation with this number."""
    if station is not None:
        return core.lane(station)
    found = [lane for lane in core.lanes.values() if str(id) in lane.state.kept_of(reservations.KIND)]
    held = [lane for lane in found if lane.state.kept_of(reservations.KIND)[str(id)].active] or found
    if not held:
        raise NotFound(f"there is no reservation {id}", "see `cms reservations list`")
    if len(held) > 1:
        stations = ", ".join(sorted(lane.state.station.id for lane in held))
        raise Invalid(f"several stations have a reservation {id}: {stations}", "say which with --station")
    return held[0]


async def add(core: Core, request: AddReservation, actor: Actor) -> IntentView | Preview:
    lane = core.lane(request.station)
    check_place(request.evse)
    evse = request.evse or None
    if evse is not None and request.connector_type is not None:
        raise Invalid("an EVSE, or a type of connector: not both")
    if request.expires_at <= core.clock.now():
        raise Invalid(f"{request.expires_at:%Y-%m-%d %H:%M:%S %Z} is past: a reservation ends later than now")
    token = asked_for(core, request.token)
    if not request.force:
        await _check_token(core, lane, request, token)
        if evse is None:
            await _check_any_evse(core, lane)
    group = token.group if token is not None else None
    if request.with_group and group is None:
        raise Invalid(f"token {request.token} has no group", "leave --with-group out")
    order = Reserve(
        id=_number(core, request),
        token=spoken(token, request.token),
        token_kind=token.kind if token is not None else "central",
        expires_at=request.expires_at,
        evse=evse,
        connector_type=request.connector_type,
        group=group if request.with_group else None,
    )
    shown = _preview(lane, request, order)
    return await give(core, actor, lane.state.station.id, reservations.RESERVE, order, request, shown)


async def _check_token(core: Core, lane: Lane, request: AddReservation, token: Token | None) -> None:
    """Nobody is to find an EVSE reserved for a card that may not charge there."""
    here = Presented(lane.state.station.id, request.evse, starts=True)
    presented = TokenRef(request.token, token.kind if token else None)
    ruling = tokens.rule(token, presented, core.clock.now(), at=here)
    ruling = await access_rulings.ruled(core, lane.state, ruling, core.clock.now(), request.evse or None)
    if not ruling.accepted:
        raise Conflict(
            f"token {request.token} is {access_rulings.refused(ruling)}: nothing can be reserved for it",
            "add --force to reserve all the same",
        )


async def _check_any_evse(core: Core, lane: Lane) -> None:
    """1.6 section 5.13, 2.0.1 H01.FR.18: without an EVSE only where the station can choose one."""
    station = lane.state.station.id
    for variable in await core.store.variables(station):
        no = variable.value is not None and variable.value.casefold() == "false"
        if variable.name.casefold() in _ANY_EVSE and no:
            raise NotSupported(
                f"{station} reserves no unspecified EVSE: its {variable.name} is false",
                "name one with --evse, or add --force",
            )


def _number(core: Core, request: AddReservation) -> int:
    if request.reservation is None:
        return core.mint.number()
    if not 0 < request.reservation <= _HIGHEST:
        raise Invalid(f"a reservation has a number from 1 to {_HIGHEST}, not {request.reservation}")
    return request.reservation


def _preview(lane: Lane, request: AddReservation, order: Reserve) -> Preview:
    station = lane.state.station.id
    place = (
        f"EVSE {order.evse}" if order.evse else f"any {order.connector_type or ''} EVSE".replace("  ", " ")
    )
    words = ["reservations add", station, "--token", shlex.quote(request.token)]
    words += ["--until", f"{order.expires_at:%Y-%m-%dT%H:%M:%SZ}"]
    words += ["--evse", str(order.evse)] if order.evse else []
    words += ["--connector-type", shlex.quote(order.connector_type)] if order.connector_type else []
    words += ["--with-group"] if request.with_group else []
    does = f"holds {place} for {request.token} until {order.expires_at:%Y-%m-%d %H:%M} UTC"
    return preview(lane.state, reservations.RESERVE, " ".join(words), (), does, level=1)


async def cancel(core: Core, request: CancelReservation, actor: Actor) -> IntentView | Preview:
    """Sent whatever we think of it: the station's word counts (it may hold one that we believe to be over)."""
    lane = _where(core, request.reservation, request.station)
    station = lane.state.station.id
    known = reservations.of(lane.state, request.reservation)
    does = f"gives up the reservation of {known.token}" if known else "gives up what the station holds"
    cli = f"reservations cancel {request.reservation}"
    shown = preview(lane.state, reservations.CANCEL, cli, (), does, level=1)
    order = reservations.CancelReservation(request.reservation)
    return await give(core, actor, station, reservations.CANCEL, order, request, shown)
