"""EVSEs as places: what is registered of them, and what their QR codes say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from cms.contract.evses import (
    AdoptEvses,
    EvseView,
    ForgetEvse,
    ListEvses,
    QrView,
    SetEvse,
    ShowEvse,
    ShowQr,
)
from cms.contract.filters import keys_of, parse
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.core import Actor, Core, Lane
from cms.domain import evses, organisations, sites
from cms.domain.changes import Change, Happened, Keep
from cms.domain.evolve import evolve
from cms.domain.evses import Evse
from cms.domain.qr import filled
from cms.domain.stations import Station, StationState, with_sessions
from cms.operations.deciding import settle

#: No station has more.
_MOST = 200
_NOTHING = Evse()


def numbers(state: StationState) -> list[int]:
    """The EVSEs that the station reported, or that somebody registered."""
    told = {evse for evse, _ in state.connectors if evse}
    return sorted(told | {int(number) for number in state.kept_of(evses.KIND)})


def of(state: StationState, evse: int) -> Evse:
    """What is registered of an EVSE; nothing is an empty record."""
    found: Evse = state.kept_of(evses.KIND).get(evses.number(evse), _NOTHING)
    return found


def view(state: StationState, evse: int, shown: Evse | None = None) -> EvseView:
    known = shown or of(state, evse)
    statuses = {status for connector, status, _ in with_sessions(state) if connector.evse == evse}
    return EvseView(
        id=f"{state.station.id}:{evse}",
        station=state.station.id,
        evse=evse,
        site=state.station.site,
        evse_id=known.id,
        reference=known.reference,
        floor=known.floor,
        directions=known.directions,
        status=statuses.pop() if len(statuses) == 1 else ", ".join(sorted(statuses)) or "unknown",
        connectors=known.outlets,
        source="none" if not known.outlets else "reported" if known.reported else "registered",
    )


async def list_(core: Core, request: ListEvses, actor: Actor) -> list[EvseView]:
    chosen = parse(request.filter or "", keys_of(EvseView))
    lanes = (
        [core.lane(request.station)] if request.station else [core.lanes[key] for key in sorted(core.lanes)]
    )
    views = (view(lane.state, evse) for lane in lanes for evse in numbers(lane.state))
    return [view for view in views if chosen(view)]


async def show(core: Core, request: ShowEvse, actor: Actor) -> EvseView:
    """One EVSE; where no outlets are registered, those that the station's device model tells."""
    lane = core.lane(request.station)
    _there(lane, request.evse)
    known = of(lane.state, request.evse)
    if not known.outlets:
        told = await _reported(core, lane, request.evse)
        known = evolve(known, outlets=told.outlets, reported=True)
    return view(lane.state, request.evse, known)


def _there(lane: Lane, evse: int) -> None:
    known = numbers(lane.state)
    if evse not in known:
        told = ", ".join(map(str, known)) or "none yet"
        raise NotFound(f"{lane.state.station.id} has no EVSE {evse}", f"it has: {told}")


async def _reported(core: Core, lane: Lane, evse: int) -> Evse:
    connectors = {number for place, number in lane.state.connectors if place == evse and number}
    return evses.reported(await core.store.variables(lane.state.station.id), evse, connectors or {1})


def check_place(evse: int, connector: int) -> None:
    """What may be registered as an EVSE and a connector of it."""
    if not 0 < evse < 10_000 or not 0 < connector < 100:
        raise Invalid("EVSEs and connectors count from 1")


async def set_(core: Core, request: SetEvse, actor: Actor) -> EvseView:
    """Say what an EVSE is; it need not have been heard of."""
    check_place(request.evse, request.connector)
    lane = core.lane(request.station)
    said = asdict(request)
    async with lane.lock, core.books:
        core.lane(request.station)  # it may have been removed while we waited
        known = of(lane.state, request.evse)
        after = evses.described(known, said)
        if request.evse_id is not None:
            after = evolve(after, id=_id_said(core, lane, request))
        if known == _NOTHING and len(lane.state.kept_of(evses.KIND)) >= _MOST:
            raise Conflict(f"{request.station} has {_MOST} EVSEs already")
        await _save(core, lane, {request.evse: after}, actor, request.reason)
    return view(lane.state, request.evse)


def _id_said(core: Core, lane: Lane, request: SetEvse) -> str | None:
    """The id as it is kept; ``core.books`` is held, so that it stays the only one."""
    if not request.evse_id:
        return None
    evse_id = evses.read_id(request.evse_id, parties(core, lane.state.station))
    taken = found(core, evse_id)
    if taken is not None and taken != (lane, request.evse):
        raise Conflict(f"EVSE id {evse_id} is that of {taken[0].state.station.id}, EVSE {taken[1]}, already")
    return evse_id


def parties(core: Core, station: Station) -> tuple[str, ...]:
    """Whose EVSE ids may be at a station: its site's party, else its organisation's; nobody said: anybody's."""
    site = sites.of(core.kept.get(sites.KIND, {}), station.site)
    own = organisations.own(core.kept)
    said = (site.party if site else None) or (own.party if own else None)
    return (said,) if said else ()


def found(core: Core, evse_id: str) -> tuple[Lane, int] | None:
    """Where the EVSE with this eMI3 id is."""
    wanted = evses.same_id(evse_id)
    for lane, number, evse in _registered(core):
        if evse.id is not None and evses.same_id(evse.id) == wanted:
            return lane, number
    return None


def taken(core: Core) -> dict[str, str]:
    """Whose each EVSE id is, by the id without separators."""
    return {
        evses.same_id(evse.id): f"{lane.state.station.id}, EVSE {number}"
        for lane, number, evse in _registered(core)
        if evse.id is not None
    }


def _registered(core: Core) -> Iterator[tuple[Lane, int, Evse]]:
    for lane in core.lanes.values():
        for number, evse in lane.state.kept_of(evses.KIND).items():
            yield lane, int(number), evse


async def _save(
    core: Core, lane: Lane, changed: dict[int, Evse], actor: Actor, reason: str | None = None
) -> None:
    """Keep what changed with the station; its lock is held."""
    state, now = lane.state, core.clock.now()
    changes: list[Change] = []
    for number, evse in changed.items():
        if evse != of(state, number):
            value = None if evse == _NOTHING else evse
            state = state.keeping(evses.KIND, evses.number(number), value)
            changes.append(Keep(state.station.id, evses.KIND, evses.number(number), value, now))
    if not changes:
        return
    data = {"evses": sorted(changed)} | ({} if reason is None else {"reason": reason})
    told = Happened("station.changed", now, state.station.id, actor=actor.name, data=data)
    await settle(core, lane, state, changes, (told,))


async def adopt(core: Core, request: AdoptEvses, actor: Actor) -> list[EvseView]:
    """Register what the device model tells of EVSEs of which no outlets (or only reported ones) are known."""
    lane = core.lane(request.station)
    told = {number: await _reported(core, lane, number) for number in numbers(lane.state)}
    async with lane.lock, core.books:
        core.lane(request.station)  # it may have been removed while we waited
        changed = {n: _adopted(core, lane, n, evse) for n, evse in told.items()}
        await _save(core, lane, changed, actor)
    return [view(lane.state, number) for number in numbers(lane.state)]


def _adopted(core: Core, lane: Lane, number: int, told: Evse) -> Evse:
    known = of(lane.state, number)
    if told.outlets and (known.reported or not known.outlets):
        known = evolve(known, outlets=told.outlets, reported=True)
    allowed = parties(core, lane.state.station)
    ours = told.id is not None and (not allowed or told.id.rpartition("*E")[0] in allowed)
    if known.id is None and told.id is not None and ours and found(core, told.id) is None:
        known = evolve(known, id=told.id)
    return known


async def forget(core: Core, request: ForgetEvse, actor: Actor) -> None:
    lane = core.lane(request.station)
    async with lane.lock:
        if evses.number(request.evse) not in lane.state.kept_of(evses.KIND):
            raise NotFound(f"nothing is registered of {request.station} EVSE {request.evse}")
        await _save(core, lane, {request.evse: _NOTHING}, actor)


async def qr(core: Core, request: ShowQr, actor: Actor) -> QrView:
    """What the QR code on an EVSE says; an EVSE without an id is named by its station."""
    lane = core.lane(request.station)
    _there(lane, request.evse)
    station, known = lane.state.station.id, of(lane.state, request.evse)
    own = organisations.own(core.kept)
    text = filled(
        core.terms.qr_url,
        organisation=own.id if own else core.organisation,
        station=station,
        evse=str(request.evse),
        evse_id=known.id or f"{station}*{request.evse}",
    )
    return QrView(f"{station}:{request.evse}", station, request.evse, known.id, text)
