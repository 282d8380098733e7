"""Sessions: the record of them, and orders to start and stop one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from cms.contract.checks import CheckView
from cms.contract.filters import keys_of, parse
from cms.contract.intents import IntentView, Preview
from cms.contract.refusals import Conflict, Invalid, NotFound, NotSupported
from cms.contract.sessions import (
    ListSamples,
    ListSessions,
    ListStationSamples,
    Sample,
    SessionView,
    ShowSession,
    StartSession,
    StopSession,
)
from cms.core import Actor, Core
from cms.domain import checks, tokens
from cms.domain.changes import UpdateSession
from cms.domain.checks import Check
from cms.domain.following import doubted, session_event, with_session
from cms.domain.observations import TokenRef
from cms.domain.orders import RemoteStart, RemoteStop
from cms.domain.sessions import RUNNING, Session, SessionStatus, view
from cms.domain.stations import StationState
from cms.domain.tokens import Presented
from cms.operations import access_outside, access_rulings
from cms.operations.credits import has_credit
from cms.operations.deciding import settle
from cms.operations.identifying import asked_for, spoken
from cms.operations.intents import give
from cms.operations.payments import limit_of
from cms.operations.previews import limits, line, preview
from cms.operations.profiling import for_a_start
from cms.operations.stations import check_place, version_of

MAX_LIST = 100_000


async def list_(core: Core, request: ListSessions, actor: Actor) -> list[SessionView]:
    if not 0 < request.limit <= MAX_LIST:
        raise Invalid(f"limit must be between 1 and {MAX_LIST}, not {request.limit}")
    if request.status is not None and request.status not in set(SessionStatus):
        raise Invalid(f"status must be one of {', '.join(SessionStatus)}, not {request.status!r}")
    chosen = parse(request.filter or "", keys_of(SessionView))
    return [seen for session in await core.store.sessions(request) if chosen(seen := view(session))]


async def find(core: Core, session_id: str) -> Session:
    """A session by its id, or by the number of a running one."""
    for lane in core.lanes.values():
        if session_id in lane.state.sessions:
            return lane.state.sessions[session_id]
    stored = await core.store.session(session_id)
    if stored is not None:
        return stored
    running = [
        session
        for lane in core.lanes.values()
        for session in lane.state.sessions.values()
        if session.transaction_id == session_id
    ]
    if len(running) != 1:
        raise NotFound(f"there is no session {session_id}", "see `cms sessions list`")
    return running[0]


async def show(core: Core, request: ShowSession, actor: Actor) -> SessionView:
    session = await find(core, request.session)
    return replace(view(session), check=_check(core, session))


def _check(core: Core, session: Session) -> CheckView | None:
    """What the session's station said of it last."""
    lane = core.lanes.get(session.station.casefold())
    check: Check | None = lane.state.kept_of(checks.KIND).get(session.transaction_id) if lane else None
    return CheckView(check.at, check.ongoing, check.messages_in_queue) if check else None


async def samples(core: Core, request: ListSamples, actor: Actor) -> list[Sample]:
    return await core.store.samples((await find(core, request.session)).id)


async def station_samples(core: Core, request: ListStationSamples, actor: Actor) -> list[Sample]:
    if not 0 < request.limit <= MAX_LIST:
        raise Invalid(f"limit must be between 1 and {MAX_LIST}, not {request.limit}")
    station = core.lane(request.station).state.station.id
    return await core.store.station_samples(station, request.limit)


async def start(core: Core, request: StartSession, actor: Actor) -> IntentView | Preview:
    """Ask a station to start a session; the driver's rights are checked first."""
    check_place(request.evse, request.connector)
    lane = core.lane(request.station)
    token = asked_for(core, request.token)
    kind = token.kind if token else "central"
    running = len(core.active.get(request.token.casefold(), ()))
    here = Presented(lane.state.station.id, request.evse, starts=True)
    presented = TokenRef(request.token, kind if token else None)
    ruling = tokens.rule(token, presented, core.clock.now(), running, here)
    ruling = await access_outside.ruled_order(core, lane.state, ruling, presented, request.evse)
    ruling = await access_rulings.ruled(core, lane.state, ruling, core.clock.now(), request.evse)
    if not ruling.accepted and not request.force and not request.dry_run:
        raise Conflict(
            f"token {request.token} is {access_rulings.refused(ruling)}: no session can be started with it",
            "add --force to ask the station all the same",
        )
    if token is not None and not request.force and not request.dry_run and not has_credit(core, token):
        raise Conflict(
            f"token {token.id} has nothing left to pay with",
            f"cms payments credits set {token.id} AMOUNT --add",
        )
    evse = request.evse
    if evse is None and request.connector is not None:
        if version_of(core, lane) != "1.6":
            raise Invalid("a connector needs its EVSE: give --evse too")
        evse = request.connector  # 1.6 counts connectors per station
    if evse is None:
        evse = _only_evse(lane.state)
    profile = None
    if request.profile is not None:
        profile = await for_a_start(core, lane, evse, request.profile)
    limit = limit_of(request)
    if limit is not None and version_of(core, lane) != "2.1":
        raise NotSupported(
            f"OCPP {version_of(core, lane)} cannot be told where a session ends", "OCPP 2.1 can"
        )
    shown = preview(
        lane.state,
        "start",
        line(
            "sessions start",
            lane.state.station.id,
            token=request.token,
            evse=evse or None,
            force=request.force,
            **limits(limit),
        ),
        (),
        f"starts a session for {request.token}"
        + (f" on EVSE {evse}" if evse else " on an EVSE that the station chooses"),
        level=1,
    )
    order = RemoteStart(spoken(token, request.token), kind, core.mint.number(), evse, profile, limit)
    return await give(core, actor, request.station, "start", order, request, shown)


def _only_evse(state: StationState) -> int | None:
    """Many 1.6 stations refuse a remote start without a connector: name it where there is only one."""
    evses = {evse for evse, _ in state.connectors if evse}
    return evses.pop() if len(evses) == 1 else None


async def stop(core: Core, request: StopSession, actor: Actor) -> IntentView | Preview:
    session = await find(core, request.session)
    if session.status == SessionStatus.ENDED:
        raise Conflict(f"session {session.id} ended already at {session.ended_at:%Y-%m-%d %H:%M:%S} UTC")
    lane = core.lane(session.station)
    shown = preview(
        lane.state,
        "stop",
        f"sessions stop {session.id}",
        (session,) if session.status in RUNNING else (),
        "the driver's car stops charging",
        level=2,
    )
    order = RemoteStop(session.transaction_id)
    return await give(core, actor, session.station, "stop", order, request, shown)


async def doubt_stale(core: Core, before: datetime) -> int:
    """Sessions nobody has heard of since ``before`` become suspect. Returns how many."""
    count = 0
    for stale in await core.store.stale_sessions(before):
        lane = core.lanes.get(stale.station.casefold())
        if lane is None:
            continue
        async with lane.lock:
            session = lane.state.sessions.get(stale.id)
            if session is None or (session.last_sample_at or session.started_at) >= before:
                continue
            after = doubted(session, "silent")
            told = session_event("session.changed", after, core.clock.now())
            await settle(core, lane, with_session(lane.state, after), (UpdateSession(after),), (told,))
            count += 1
    return count
