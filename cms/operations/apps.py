"""What the back end of an app asks in the name of one driver, with that driver's rights."""

from __future__ import annotations

import asyncio

from cms.contract.apps import (
    DriverOrder,
    DriverSession,
    ListDriverSessions,
    Place,
    ShowDriverStart,
    ShowPlace,
    StartForDriver,
    StopForDriver,
)
from cms.contract.intents import IntentView, Preview
from cms.contract.refusals import Conflict, Invalid, NotFound, Refusal
from cms.contract.sessions import ListSessions, StartSession, StopSession
from cms.contract.tokens import AddToken
from cms.core import Actor, Core, Lane
from cms.domain import apps, hours, sites
from cms.domain.apps import KIND, AppUse, Started
from cms.domain.drivers import Driver, standing
from cms.domain.evolve import evolve
from cms.domain.intents import FINAL, IntentStatus, view
from cms.domain.sessions import Session
from cms.domain.sessions import view as session_view
from cms.operations import drivers, evses, sessions, tokens
from cms.operations.deciding import keep

_MOST_SESSIONS = 1_000
#: How far back the orders of a station are looked through for one whose answer was lost.
_LOOKED_THROUGH = 50


def _use(core: Core, driver: Driver) -> AppUse:
    found: AppUse | None = core.kept.get(KIND, {}).get(driver.id)
    return found or AppUse()


async def _remember(core: Core, driver: Driver, use: AppUse) -> None:
    async with core.books:
        await keep(core, KIND, driver.id, use)


async def start(core: Core, request: StartForDriver, actor: Actor) -> DriverOrder:
    """Ask the station once for each wish of the driver's, however often the app asks."""
    apps.check_key(request.key)
    driver = drivers.find(core, request.driver)
    if not driver.may_charge:
        raise Conflict(f"driver {driver.id} is {standing(driver)}: he may not charge")
    lane, evse = _place(core, request)
    async with core.turns.setdefault(f"app {driver.id}", asyncio.Lock()):
        asked = await _asked_before(core, driver, request.key, lane, evse)
        return asked or await _ask(core, request, driver, lane, evse, actor)


def _place(core: Core, request: StartForDriver) -> tuple[Lane, int]:
    """Where the driver stands."""
    if request.evse_id is not None:
        return named(core, request.evse_id)
    if request.station is None:
        raise Invalid("Where? Name an evse_id, or a station and its evse")
    lane = core.lane(request.station)
    known = evses.numbers(lane.state)
    if request.evse is None and len(known) != 1:
        raise Invalid(f"{lane.state.station.id} has several EVSEs (or none is known yet): name one of them")
    evse = known[0] if request.evse is None else request.evse
    if evse not in known:
        raise NotFound(f"{lane.state.station.id} has no EVSE {evse}")
    return lane, evse


def named(core: Core, evse_id: str) -> tuple[Lane, int]:
    """By its eMI3 id, or by what our QR codes say of one without: ``STATION*EVSE``."""
    found = evses.found(core, evse_id)
    if found is not None:
        return found
    station, _, evse = evse_id.rpartition("*")
    lane = core.lanes.get(station.casefold())
    if (
        lane is None
        or not (evse.isascii() and evse.isdecimal())
        or int(evse[:6]) not in evses.numbers(lane.state)
    ):
        raise NotFound(f"there is no EVSE {evse_id}")
    return lane, int(evse)


async def _asked_before(core: Core, driver: Driver, key: str, lane: Lane, evse: int) -> DriverOrder | None:
    """What became of this wish, where it was asked before; of another one at this place that still waits."""
    use, station = _use(core, driver), lane.state.station.id
    known = use.start(key)
    if known is not None and (known.station, known.evse) != (station, evse):
        raise Conflict(f"key {key} was that of a start at {known.station}, EVSE {known.evse}")
    waiting = use.here(station, evse)
    for start in (known, waiting):
        intent = await _intent(core, use, start) if start else None
        if start is not None and intent is not None and (start is known or _goes_on(lane, intent)):
            return _order(driver, intent, start.key, start.evse)
    return None


def _goes_on(lane: Lane, intent: IntentView) -> bool:
    """Whether the start still waits, or its session runs."""
    return intent.status not in FINAL or intent.session in lane.state.sessions


async def _intent(core: Core, use: AppUse, start: Started) -> IntentView | None:
    """The order of a start; of one whose answer was lost, the order that was given for it."""
    if start.intent is not None:
        return await _shown(core, start.station, start.intent)
    for intent in await core.store.intents(start.station, None, _LOOKED_THROUGH):
        mine = intent.order == "start" and intent.params.get("token") == use.token
        if mine and intent.created_at >= start.at:
            return intent
    return None


async def _shown(core: Core, station: str, intent_id: str) -> IntentView | None:
    lane = core.lanes.get(station.casefold())
    intent = lane.state.intents.get(intent_id) if lane else None
    return await core.store.intent(intent_id) if intent is None else view(intent)


async def _ask(
    core: Core, request: StartForDriver, driver: Driver, lane: Lane, evse: int, actor: Actor
) -> DriverOrder:
    """Remember the wish, then ask the station; forget it where nothing can come of it any more."""
    use = evolve(_use(core, driver), token=await _token(core, driver, actor))
    wish = Started(request.key, lane.state.station.id, evse, core.clock.now())
    use = use.with_start(wish)
    await _remember(core, driver, use)
    try:
        intent = await sessions.start(core, _remote_start(request, use, wish), actor)
    except Refusal as refused:
        given = await _intent(core, use, wish)
        # Without an answer nobody knows whether the station starts: it is not asked again under this key.
        if given is None or given.status == IntentStatus.REFUSED:
            await _remember(core, driver, use.without(wish.key))
        else:
            await _remember(core, driver, use.with_start(evolve(wish, intent=given.id)))
        raise _for_an_app(refused, driver) from None
    assert not isinstance(intent, Preview)
    await _remember(core, driver, use.with_start(evolve(wish, intent=intent.id)))
    return _order(driver, intent, wish.key, evse)


def _remote_start(request: StartForDriver, use: AppUse, wish: Started) -> StartSession:
    return StartSession(
        station=wish.station,
        token=use.token or "",
        evse=wish.evse,
        reason=f"asked by driver {request.driver}",
        max_cost=request.max_cost,
        max_energy_wh=request.max_energy_wh,
        max_time_s=request.max_time_s,
    )


def _for_an_app(refused: Refusal, driver: Driver) -> Refusal:
    """The same no, about the driver: an app does not know his token, and has no --force."""
    message = refused.message
    if message.startswith("token "):
        _, _, why = message.removeprefix("token ").partition(" ")
        message = f"driver {driver.id}: his app's token {why}"
    return type(refused)(message)


async def _token(core: Core, driver: Driver, actor: Actor) -> str:
    """What the driver presents by his app: made when he first does, and again where it was taken away.

    1.6 stations do not say what kind of token they read: nobody must be able to guess this one.
    """
    known = _use(core, driver).token
    if known is not None and known.casefold() in core.tokens:
        return known
    made = f"APP{core.mint.number():08X}{core.mint.number():08X}"
    await tokens.add(core, AddToken(made, kind="app", driver=driver.id), actor)
    return made


def _order(driver: Driver, intent: IntentView, key: str | None, evse: int | None) -> DriverOrder:
    return DriverOrder(
        id=intent.id,
        driver=driver.id,
        order=intent.order,
        key=key,
        station=intent.station,
        evse=evse,
        status=intent.status,
        detail=intent.detail,
        session=intent.session,
        created_at=intent.created_at,
    )


async def show_start(core: Core, request: ShowDriverStart, actor: Actor) -> DriverOrder:
    driver = drivers.find(core, request.driver)
    use = _use(core, driver)
    start = use.start(request.key)
    intent = await _intent(core, use, start) if start else None
    if start is None or intent is None:
        raise NotFound(f"driver {driver.id} asked for no start {request.key}")
    return _order(driver, intent, start.key, start.evse)


async def stop(core: Core, request: StopForDriver, actor: Actor) -> DriverOrder:
    driver = drivers.find(core, request.driver)
    session = await _own(core, driver, request.session)
    ordered = StopSession(session=session.id, reason=f"asked by driver {driver.id}")
    intent = await sessions.stop(core, ordered, actor)
    assert not isinstance(intent, Preview)
    return _order(driver, intent, None, session.evse)


async def _own(core: Core, driver: Driver, session_id: str) -> Session:
    """A session of this driver's; whether another's is there is not told."""
    try:
        session = await sessions.find(core, session_id)
    except NotFound:
        session = None
    token = core.tokens.get(session.token.casefold()) if session and session.token else None
    if session is None or token is None or token.driver != driver.id:
        raise NotFound(f"driver {driver.id} has no session {session_id}")
    return session


async def list_(core: Core, request: ListDriverSessions, actor: Actor) -> list[DriverSession]:
    if not 0 < request.limit <= _MOST_SESSIONS:
        raise Invalid(f"limit must be between 1 and {_MOST_SESSIONS}, not {request.limit}")
    driver = drivers.find(core, request.driver)
    found: list[Session] = []
    for token in drivers.tokens_of(core, driver.id):
        # What does not run is asked of the record; what does is known.
        if request.active and token.id.casefold() not in core.active:
            continue
        query = ListSessions(token=token.id, active=request.active, since=request.since, limit=request.limit)
        found += await core.store.sessions(query)
    found.sort(key=lambda session: session.started_at, reverse=True)
    return [_session(core, session) for session in found[: request.limit]]


def _session(core: Core, session: Session) -> DriverSession:
    seen = session_view(session)
    lane = core.lanes.get(session.station.casefold())
    site = sites.of(core.kept.get(sites.KIND, {}), lane.state.station.site) if lane else None
    return DriverSession(
        id=seen.id,
        station=seen.station,
        evse=seen.evse,
        evse_id=evses.of(lane.state, seen.evse).id if lane and seen.evse else None,
        site=site.id if site else None,
        site_name=site.name if site else None,
        status=seen.status,
        started_at=seen.started_at,
        ended_at=seen.ended_at,
        energy_wh=seen.energy_wh,
        power_w=seen.power_w,
        soc_percent=seen.soc_percent,
        cost=seen.cost,
    )


async def place(core: Core, request: ShowPlace, actor: Actor) -> Place:
    lane, evse = named(core, request.evse_id)
    seen = evses.view(lane.state, evse)
    site = sites.of(core.kept.get(sites.KIND, {}), seen.site)
    return Place(
        station=seen.station,
        evse=evse,
        evse_id=seen.evse_id,
        reference=seen.reference,
        status=seen.status,
        online=core.stations.link(seen.station) is not None,
        connectors=seen.connectors,
        floor=seen.floor,
        directions=seen.directions,
        site=site.id if site else None,
        site_name=site.name if site else None,
        street=site.street if site else None,
        postcode=site.postcode if site else None,
        city=site.city if site else None,
        country=site.country if site else None,
        latitude=site.latitude if site else None,
        longitude=site.longitude if site else None,
        time_zone=site.time_zone if site else None,
        hours=hours.told(site.hours) if site else None,
        open=sites.open_at(site, core.clock.now()) if site else True,
        operator=site.operator if site else None,
    )
