"""Budgets while sessions run: counted with every message that moves one, and acted upon when they are used up.

What a session took is kept in the same commit as its end; of running ones it is in memory, and found again after a
start in the sessions themselves. Where nobody made a budget nothing of this happens.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from cms.contract.access import Rule
from cms.contract.charging import Period, Profile, Schedule, SetProfile
from cms.contract.refusals import Refusal
from cms.contract.sessions import ListSessions
from cms.contract.stations import OrderTerms
from cms.core import Core, StoreDown
from cms.domain.access import Rules
from cms.domain.changes import Change, Decision, Happened, Keep, MeterSession, OpenSession, UpdateSession
from cms.domain.evolve import evolve
from cms.domain.history import is_imported
from cms.domain.observations import Received
from cms.domain.orders import RemoteStop
from cms.domain.sessions import RUNNING, Session
from cms.domain.stations import StationState
from cms.domain.usage import KEPT, KIND, Acted, Ledger, Rulebook, Spent, counted, used_up
from cms.operations import charging
from cms.operations.access_rulings import rulebook, spent_by
from cms.operations.accounts import SELF
from cms.operations.intents import give
from cms.operations.previews import preview

# A station that does not do what it was told is told again after a minute, two, four ... an hour.
_AGAIN = timedelta(minutes=1)
_SELDOM = timedelta(hours=1)
# A month, and the time zones; of how many sessions a budget that is made now is told.
_LONGEST, _MOST = timedelta(days=33), 100_000
# Where a station takes only amperes: less than is meant with one phase, never more.
_VOLTAGE, _PHASES = Decimal(230), 3


def budgets(core: Core) -> Rulebook | None:
    """The rules, where there is any budget among them."""
    book = rulebook(core)
    return book if book is not None and book.rules.budgets else None


def follow(core: Core, received: Received, decision: Decision) -> Decision:
    """The decision with what ended sessions took of budgets, for the same commit."""
    book = budgets(core)
    if book is None:
        return decision
    kept = [
        Keep("", KIND, spent.session, spent, received.at)
        for session in _moved(decision)
        if (spent := _spent(core, book, decision.state, session, received.at)) is not None and spent.ended
    ]
    return evolve(decision, changes=(*decision.changes, *kept)) if kept else decision


def followed(core: Core, received: Received, decision: Decision) -> None:
    """It is committed: count it, and act where a budget is used up."""
    book = budgets(core)
    if book is None:
        return
    for session in _moved(decision):
        spent = _spent(core, book, decision.state, session, received.at)
        if spent is not None:
            before = book.ledger.get(session.id)
            book.ledger.put(spent)
            if spent.ended:
                core.kept.setdefault(KIND, {})[spent.session] = spent
                if before is None or not before.ended:
                    _over(core, book, session, spent)
            else:
                _look(core, book, session, spent)


def _moved(decision: Decision) -> Iterator[Session]:
    for change in decision.changes:
        if isinstance(change, OpenSession | UpdateSession | MeterSession):
            yield change.session


def _spent(core: Core, book: Rulebook, state: StationState, session: Session, now: datetime) -> Spent | None:
    """What the session took by now; None where it counts towards no budget."""
    spent = book.ledger.get(session.id)
    if spent is None:
        spent = spent_by(core, state.station, session)
        if spent is None or not book.ledger.budgets(spent):
            return None
    return counted(spent, session, now)


def _look(core: Core, book: Rulebook, session: Session, spent: Spent) -> None:
    """Act upon a session whose budget is used up, and again where nothing came of it."""
    if session.status not in RUNNING:
        return
    now = core.clock.now()
    for rule in book.ledger.budgets(spent):
        used = book.ledger.used(rule, spent.facts(), spent.began_at)
        why = used_up(rule, used, running=True)
        acted = book.acted.get((session.id, rule.id), Acted(0, now))
        if why is None or now < acted.again_at:
            continue
        wait = min(_AGAIN * 2**acted.times, _SELDOM)
        book.acted[session.id, rule.id] = Acted(min(acted.times + 1, 10), now + wait)
        core.spawn(_act(core, book, session, rule, why, first=acted.times == 0))


def _over(core: Core, book: Rulebook, session: Session, spent: Spent) -> None:
    """It ended, perhaps by itself at the limit that the station was told: that is told of like a stop of ours."""
    for rule in book.ledger.budgets(spent):
        acted = book.acted.pop((session.id, rule.id), None)
        why = used_up(rule, book.ledger.used(rule, spent.facts(), spent.began_at), running=True)
        if why is not None and acted is None:
            core.spawn(_tell(core, session, rule, why))


async def _act(core: Core, book: Rulebook, session: Session, rule: Rule, why: str, *, first: bool) -> None:
    """Stop the session, or limit it; a station that cannot limit it is told to stop it."""
    assert rule.budget is not None
    reason = f"{why} (rule {rule.id})"
    try:
        if first:
            await _tell(core, session, rule, why)
        if rule.budget.then == "limit" and await _limited(core, session, rule.budget.power_w or 0, reason):
            # It holds as long as the session does.
            book.acted[session.id, rule.id] = Acted(1, datetime.max.replace(tzinfo=core.clock.now().tzinfo))
            return
        await _stop(core, session, reason)
    except (Refusal, StoreDown):
        return  # the order says why; it is given again in a while


async def _tell(core: Core, session: Session, rule: Rule, why: str) -> None:
    """An event: nothing hangs on it, so a record that cannot be written now goes without."""
    data = {"rule": rule.id, "reason": why, "then": rule.budget.then if rule.budget else "stop"}
    told = Happened("session.budget", core.clock.now(), session.station, session.id, data=data)
    with contextlib.suppress(StoreDown):
        await core.store.commit((), (told,))


async def _limited(core: Core, session: Session, power_w: int, reason: str) -> bool:
    """Whether the station took a limit for the session."""
    schedule = Schedule("W", (Period(0, Decimal(power_w)),))
    profile = Profile("tx", (schedule,), transaction_id=session.transaction_id)
    request = SetProfile(
        station=session.station,
        profile=profile,
        evse=session.evse,
        voltage=_VOLTAGE,
        phases=_PHASES,
        reason=reason,
    )
    try:
        await charging.set_(core, request, SELF)
    except Refusal:
        return False
    return True


async def _stop(core: Core, session: Session, reason: str) -> None:
    lane = core.lane(session.station)
    shown = preview(lane.state, "stop", f"sessions stop {session.id}", (), reason)
    order = RemoteStop(session.transaction_id)
    await give(core, SELF, session.station, "stop", order, OrderTerms(reason=reason), shown)


async def watch(core: Core) -> None:
    """Once a minute: time passes without a message, and others use up what is shared."""
    book = budgets(core)
    if book is None:
        return
    now = core.clock.now()
    for spent in book.ledger.running():
        lane = core.lanes.get(spent.station)
        session = lane.state.sessions.get(spent.session) if lane is not None else None
        if session is None:
            book.ledger.drop(spent.session)
            continue
        by_now = counted(spent, session, now)
        book.ledger.put(by_now)
        _look(core, book, session, by_now)


async def counted_before(core: Core, rule: Rule) -> None:
    """A new budget counts what ended before it was made; ``core.books`` is held by the caller."""
    now = core.clock.now()
    known, ledger = core.kept.setdefault(KIND, {}), Ledger(Rules((rule,)))
    found: dict[str, Spent] = {}
    for session in await core.store.sessions(ListSessions(active=False, since=now - _LONGEST, limit=_MOST)):
        lane = core.lanes.get(session.station.casefold()) if not is_imported(session) else None
        spent = spent_by(core, lane.state.station, session) if lane is not None else None
        if spent is not None and session.id not in known and ledger.budgets(spent):
            found[session.id] = counted(spent, session, now)
    if found:
        await core.store.commit([Keep("", KIND, key, spent, now) for key, spent in found.items()], ())
        known.update(found)


async def forget_old(core: Core) -> None:
    """What began before every period that somebody may still ask about."""
    before = core.clock.now() - KEPT
    async with core.books:
        old = [key for key, spent in core.kept.get(KIND, {}).items() if spent.began_at < before]
        if not old:
            return
        changes: list[Change] = [Keep("", KIND, key, None, core.clock.now()) for key in old]
        await core.store.commit(changes, ())
        for key in old:
            core.kept[KIND].pop(key, None)
            if core.access is not None:
                core.access.ledger.drop(key)
