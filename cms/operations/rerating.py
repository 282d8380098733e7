"""Rating sessions again from what was measured, and those that have no price at all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cms.contract.cdrs import ListUnpriced, RerateSessions, RerateView, UnpricedView
from cms.contract.filters import keys_of, parse
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.contract.sessions import ListSessions
from cms.core import Actor, Core
from cms.domain import accounts, cdrs, costs, sites, tariffs
from cms.domain.accounts import Account
from cms.domain.cdrs import Cdr
from cms.domain.changes import Happened, SaveBill, UpdateSession
from cms.domain.evolve import evolve
from cms.domain.history import is_imported
from cms.domain.sessions import Session, SessionStatus, view
from cms.domain.signedvalues import found
from cms.domain.stands import stand_of
from cms.operations import holding, rating
from cms.operations.abilities import abilities
from cms.operations.accounts import readings_of
from cms.operations.cdrs import MAX_LIST, aware, check_limit, said, turn
from cms.operations.collecting import of_cdr
from cms.operations.openings import known_tariffs
from cms.operations.sessions import find

#: So many at once: each is a commit of its own, for which no station waits.
_MOST = 10_000
Timeline = tuple[tuple[datetime, str], ...]


async def list_unpriced(core: Core, request: ListUnpriced, actor: Actor) -> list[UnpricedView]:
    """They are counted nowhere as free: somebody is to give them a price (``cms bills rerate``)."""
    check_limit(request.limit)
    chosen = parse(request.filter or "", keys_of(UnpricedView))
    most = MAX_LIST if request.filter else request.limit
    without = await core.store.accounting.unpriced(
        aware(request.since), aware(request.until), request.station, most
    )
    views = (_unpriced(core, session) for session in without)
    return [each for each in views if chosen(each)][: request.limit]


def _unpriced(core: Core, session: Session) -> UnpricedView:
    return UnpricedView(
        session=session.id,
        station=session.station,
        evse=session.evse,
        token=session.token,
        started_at=session.started_at,
        ended_at=session.ended_at,
        energy_wh=session.energy_wh,
        why=_why(core, session),
    )


def _why(core: Core, session: Session) -> str:
    """What there would have to be, so that it had a price."""
    if not core.kept.get(tariffs.TARIFF):
        return "there is no tariff"
    lane = core.lanes.get(session.station.casefold())
    if lane is None:
        return "its station was removed"
    if holding.of_session(core, lane.state, session) is not None:
        return "a tariff holds for it now: rate it again"
    asked = holding.facts(
        core, lane.state, session.token, session.evse, session.connector, session.started_at
    )
    rungs = [f"token {asked.token}" if asked.token else "", f"station {asked.station}"]
    rungs += [f"site {asked.site}" if asked.site else "", "the organisation"]
    return f"no tariff holds for {', '.join(rung for rung in rungs if rung)}"


async def rerate(core: Core, request: RerateSessions, actor: Actor) -> list[RerateView]:
    """Each is a revision of its own, in a commit of its own: one that fails stops none before it."""
    check_limit(request.limit)
    reason = said(request.reason)
    if request.tariff is not None and request.tariff not in known_tariffs(core):
        raise NotFound(f"there is no tariff {request.tariff}", "see `cms tariffs list`")
    views = []
    for session in await _meant(core, request):
        async with turn(core, session.station):
            views.append(await _rerated(core, session.id, request, reason, actor))
    return views


async def _meant(core: Core, request: RerateSessions) -> Sequence[Session]:
    if request.sessions:
        named = [await find(core, session) for session in request.sessions]
        for session in named:
            if session.status != SessionStatus.ENDED:
                raise Conflict(f"session {session.id} has not ended: it is priced when it has")
            if is_imported(session):
                raise Conflict(f"session {session.id} was imported: it was priced where it comes from")
        return named
    if request.since is None:
        raise Invalid("which sessions?", "name them, or say --last 7d")
    asked = ListSessions(
        station=request.station,
        active=False,
        since=aware(request.since),
        until=aware(request.until),
        limit=min(request.limit, _MOST),
    )
    return [session for session in await core.store.sessions(asked) if not is_imported(session)]


async def _rerated(
    core: Core, session_id: str, request: RerateSessions, reason: str, actor: Actor
) -> RerateView:
    """The station's lane is held by the caller."""
    session = await find(core, session_id)
    account = await _counted_anew(core, session, request.tariff)
    if account is None or account.total is None:
        return _view(session, None, None, _why(core, session))
    revised = await rating.revised(core, session, account, reason, actor=actor.name)
    if revised is None:
        known = await core.store.accounting.revisions(session_id)
        return _view(session, known[-1], known[-1])
    record, known = revised
    if known and known[-1].bill.currency != record.bill.currency:
        return _view(session, known[-1], None, f"its bill is in {known[-1].bill.currency}")
    if not request.dry_run:
        await _write(core, session, account, record, known)
    return _view(session, known[-1] if known else None, record)


async def _write(core: Core, session: Session, account: Account, record: Cdr, known: Sequence[Cdr]) -> None:
    changes, told = rating.written(record, cdrs.entered(known, await rating.marks(core, known)))
    priced = evolve(session, cost=record.gross, currency=record.bill.currency)
    event = Happened(
        "session.billed",
        record.rated_at,
        session.station,
        session.id,
        record.actor,
        {"cost": view(priced).cost},
    )
    saved = (UpdateSession(priced), SaveBill(session.station, account, record.rated_at))
    charged = of_cdr(core, record) if not known else ()
    await core.store.commit((*saved, *changes, *charged), (event, *told))


async def _counted_anew(core: Core, session: Session, tariff: str | None) -> Account | None:
    """Its account by the tariff named, or by those that hold for it now; None where there is none."""
    samples = await core.store.samples(session.id)
    account = await core.store.bill(session.id)
    timeline = _timeline(core, session, account, tariff)
    own = account.station_costs if account is not None and tariff is None else None
    if not timeline and own is None:
        return None
    if account is None:
        account = await _opened(core, session, timeline)
    signed = account.signed or bool(found((each.at, each) for each in samples))
    account = evolve(account, timeline=timeline, station_costs=own, total=None, signed=signed)
    known = known_tariffs(core)
    anew = await core.aside(lambda: accounts.recounted(account, session, readings_of(samples), known))
    return accounts.valued(anew, session, known)


def _timeline(core: Core, session: Session, account: Account | None, tariff: str | None) -> Timeline:
    """Which tariffs hold: those it was priced by, unless another one held when it began, as is known now."""
    before = account.timeline if account is not None else ()
    if tariff is not None:
        return ((session.started_at, tariff),)
    lane = core.lanes.get(session.station.casefold())
    held = holding.of_session(core, lane.state, session) if lane is not None else None
    if held is None or (before and before[0][1] == held):
        return before
    return ((session.started_at, held),)


async def _opened(core: Core, session: Session, timeline: Timeline) -> Account:
    """The account that a session would have had; when it charged is what its energy says."""
    lane = core.lanes.get(session.station.casefold())
    kind = (await abilities(core, lane.state.station.id)).kinds.get(session.evse or 0) if lane else None
    first = known_tariffs(core).get(timeline[0][1]) if timeline else None
    stand = stand_of(core.kept.get(sites.KIND, {}), lane.state if lane else None, session.evse)
    account = accounts.opened(session, timeline, costs.begin(session.started_at, first, kind, stand.zone))
    return evolve(account, charging=None, turns=((session.started_at, None),), final=True, stand=stand)


def _view(session: Session, before: Cdr | None, after: Cdr | None, why: str | None = None) -> RerateView:
    old = before.gross if before is not None else None
    new = after.gross if after is not None else None
    outcome = "unpriced" if after is None else "unchanged" if after is before else "revised"
    priced = after or before
    return RerateView(
        session=session.id,
        station=session.station,
        outcome="first" if before is None and after is not None else outcome,
        revision=priced.revision if priced is not None else None,
        currency=priced.bill.currency if priced is not None else None,
        before=old,
        after=new,
        difference=None if new is None else new - (old or 0),
        holds=after.holds if after is not None else (),
        why=why,
    )
