"""The accounts of sessions, beside every message that moves one: counted, told, closed as bills.

``concern`` is asked of every message and costs three look-ups; all else is for sessions that have a tariff, a limit,
a prepaid token or a payment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from cms.aside import MANY
from cms.contract.refusals import Refusal
from cms.contract.sessions import Sample as SampleView
from cms.contract.stations import OrderTerms
from cms.contract.tariffs import Tariff
from cms.core import Actor, Core, Lane, StoreDown
from cms.domain import accounts, cdrs, payments, reservations, tariffs
from cms.domain.accounts import KIND, Account, News
from cms.domain.balances import KIND as BALANCE
from cms.domain.billing import KIND as PROFILE
from cms.domain.changes import (
    AddReading,
    Change,
    Decision,
    Deliver,
    Happened,
    Keep,
    MeterSession,
    OpenSession,
    SaveBill,
    UpdateSession,
)
from cms.domain.counting import Reserved
from cms.domain.datatransfer import SendData
from cms.domain.evolve import evolve
from cms.domain.observations import (
    Accounted,
    ConnectorReported,
    Metered,
    Reading,
    Received,
    Sample,
    TransactionAnswer,
    TransactionMore,
    TransactionReported,
)
from cms.domain.orders import RemoteStop
from cms.domain.plans import SUBSCRIPTION
from cms.domain.sessions import Session, SessionStatus, view
from cms.domain.stations import Delivered, StationState
from cms.domain.tariffs import USE, UpdateCost
from cms.operations import costmessages, rating
from cms.operations.billing import billed, closed, payment_begun
from cms.operations.credits import reserve
from cms.operations.intents import give
from cms.operations.openings import found_or_opened, known_tariffs, owned
from cms.operations.previews import preview
from cms.operations.signatures import noted

#: A session of a station that is only told by orders hears of its cost so often.
_COST_EVERY = timedelta(seconds=60)
#: A station's clock may be ahead by this much before its times count for nothing.
_AHEAD = timedelta(hours=1)
#: Who gives the orders that nobody asked for.
SELF = Actor("cms", "admin", frozenset())


def concern(core: Core, state: StationState, received: Received) -> bool:
    """Whether this message may have to do with money or limits."""
    kept = core.kept
    if KIND in state.kept or USE in kept or BALANCE in kept or SUBSCRIPTION in kept:
        return True
    if received.ocpp_version == "2.1" and core.access is not None and core.access.rules.budgets:
        return True
    seen = received.observation
    if type(seen) is not TransactionReported:
        return False
    if seen.more is not None or seen.remote_start_id is not None:
        return True
    return seen.token is not None and seen.token.kind == payments.DIRECT


def priced(core: Core) -> bool:
    """Whether anything has a price here, or any token a balance, or somebody is to pay before."""
    return any(core.kept.get(kind) for kind in (USE, BALANCE, PROFILE, SUBSCRIPTION))


async def follow(core: Core, state: StationState, received: Received, decision: Decision) -> Decision:
    """The decision with what it means for the accounts of the sessions it moves; ``state`` is the one before."""
    moved = set()
    for change in decision.changes:
        if isinstance(change, OpenSession | UpdateSession | MeterSession):
            moved.add(change.session.id)
            decision = await _followed(core, state, received, decision, change)
    late = {c.session for c in decision.changes if isinstance(c, AddReading) and c.session} - moved
    for session_id in late:
        decision = await _rebilled(core, received, decision, session_id)
    return decision


async def _rebilled(core: Core, received: Received, decision: Decision, session_id: str) -> Decision:
    """Readings of a session that is over: its bill is calculated anew with them."""
    session, bill = await core.store.session(session_id), await core.store.bill(session_id)
    if session is None or bill is None:
        return decision
    known = known_tariffs(core)
    bill = await _recounted(core, bill, session, decision, known)
    bill = accounts.valued(bill, session, known)
    session = evolve(session, cost=bill.total, currency=bill.currency)
    bill = noted(bill, [c.reading for c in decision.changes if isinstance(c, AddReading)])
    rated, told = await rating.again(core, session, bill, cdrs.LATE, decision.changes)
    changes = (
        *decision.changes,
        UpdateSession(session),
        SaveBill(session.station, bill, received.at),
        *rated,
    )
    return evolve(decision, changes=changes, events=(*decision.events, billed(session, received), *told))


async def _followed(
    core: Core,
    state: StationState,
    received: Received,
    decision: Decision,
    change: OpenSession | UpdateSession | MeterSession,
) -> Decision:
    session, before = change.session, state.sessions.get(change.session.id)
    report = _report_of(received, change)
    account = state.kept_of(KIND).get(session.id)
    known = account
    if account is None:
        account = await found_or_opened(core, state, session, before, report, change)
        if account is None:
            return _with_told_more(decision, session, report, received)
    elif before is not None and before.token is None and session.token is not None:
        account = await owned(core, state, account, session)
    was_final = account.final
    tariffs_ = known_tariffs(core)
    account = accounts.reserved(account, session, _used_reservation(decision, session), tariffs_)
    news = _news(received, session, report)
    following = partial(accounts.follow, account, session, news, tariffs_)
    account = await core.aside(following) if len(news.readings) > MANY else following()
    account = noted(_with_more(account, report.more if report else None), news.readings)
    ended = session.status == SessionStatus.ENDED
    if account.late and (ended or account.total is None):
        account = await _recounted(core, account, session, decision, tariffs_)
    account = accounts.valued(evolve(account, final=ended), session, tariffs_)
    told, account = _told(account, session, report, tariffs_, received)
    priced_session = evolve(session, cost=account.total, currency=account.currency)
    decision = _with_session(decision, change, priced_session)
    decision = _with_account(decision, priced_session, account, received)
    if told is not None and report is not None:
        decision = _answering(decision, report, told)
    if known is None and account.psp_ref is not None and not ended:
        decision = await payment_begun(core, decision, priced_session, account, received)
    if ended and not was_final:
        decision = await closed(core, decision, priced_session, account, received)
    elif was_final and priced_session.cost != session.cost:
        rated, made = await rating.again(core, priced_session, account, cdrs.LATE, decision.changes)
        events = (*decision.events, billed(priced_session, received), *made)
        decision = evolve(decision, changes=(*decision.changes, *rated), events=events)
    _due_orders(core, account, priced_session, received, tariffs_)
    return _with_told_more(decision, session, report, received)


def _used_reservation(decision: Decision, session: Session) -> Reserved | None:
    """Since when the session's EVSE was held for it, where this message says that it used a reservation."""
    for change in decision.changes:
        if isinstance(change, Keep) and change.kind == reservations.KIND:
            held = change.value
            if held is not None and held.session == session.id and held.at is not None:
                return Reserved(min(held.at, session.started_at), session.started_at)
    return None


def _report_of(
    received: Received, change: OpenSession | UpdateSession | MeterSession
) -> TransactionReported | None:
    """The report, where it is about this session: it may doubt another one on the way."""
    seen = received.observation
    if not isinstance(seen, TransactionReported):
        return None
    own = seen.transaction_id == change.session.transaction_id
    return seen if own or isinstance(change, OpenSession) else None


def _news(received: Received, session: Session, report: TransactionReported | None) -> News:
    seen = received.observation
    at, state = received.at, None
    readings: tuple[Reading, ...] = ()
    match seen:
        case TransactionReported():
            at = seen.at or received.at
            readings = seen.readings if report is not None else ()
            state = seen.charging_state if report is not None else None
        case Metered():
            times = [reading.at for reading in seen.readings if reading.at is not None]
            at, readings = max(times, default=received.at), seen.readings
        case ConnectorReported():
            at = seen.at or received.at
    if session.status == SessionStatus.ENDED and session.ended_at is not None:
        at = session.ended_at
    return News(at if at <= received.at + _AHEAD else received.at, readings, state)


def _with_more(account: Account, more: TransactionMore | None) -> Account:
    if more is None:
        return account
    return evolve(
        account,
        station_costs=more.costs or account.station_costs,
        reported_limit=more.limit or account.reported_limit,
    )


async def _recounted(
    core: Core, account: Account, session: Session, decision: Decision, known: Mapping[str, Tariff]
) -> Account:
    """Calculated anew from everything that was measured, with what this message brings."""
    stored = await core.store.samples(session.id)
    new = [
        change.reading
        for change in decision.changes
        if isinstance(change, AddReading) and change.session == session.id
    ]

    def recounted() -> Account:
        return accounts.recounted(account, session, readings_of(stored) + new, known)

    return await core.aside(recounted) if len(stored) + len(new) > MANY else recounted()


#: What the record writes for a value that was read. What was not read is shown as it came, and ``Decimal`` would take
#: much of that for a number: NaN, 1_000, full-width digits.
_READ = re.compile(r"-?\d+(\.\d+)?(E[+-]?\d+)?", re.ASCII)


def readings_of(samples: Iterable[SampleView]) -> list[Reading]:
    """Samples of the record as readings again, an instant each."""
    by_instant: dict[Any, list[Sample]] = {}
    for seen in samples:
        if seen.format != "Raw" or not _READ.fullmatch(seen.value):
            continue
        value = Decimal(seen.value)
        sample = Sample(seen.measurand, value, seen.unit, seen.context, seen.location, seen.phase)
        by_instant.setdefault(seen.at, []).append(sample)
    return [Reading(at, tuple(taken)) for at, taken in by_instant.items()]


def _told(
    account: Account,
    session: Session,
    report: TransactionReported | None,
    known: Mapping[str, Tariff],
    received: Received,
) -> tuple[Accounted | None, Account]:
    """What the station is told in its answer: nothing to 1.6, and each thing when it is due."""
    if report is None or received.ocpp_version == "1.6":
        return None, account
    total = account.total if session.status == SessionStatus.ENDED or account.running else None
    limit = None
    if account.unsaid is not None and session.status != SessionStatus.ENDED:
        told = accounts.lower(account.unsaid, account.reported_limit)
        limit = told if accounts.given(told) else None
        account = evolve(account, unsaid=None)
    text = None
    if account.texts and account.tariff is not None and account.tariff != account.told_text:
        text = tariffs.text_for(known[account.tariff])
        account = evolve(account, told_text=account.tariff)
    if total is None and limit is None and text is None:
        return None, account
    return Accounted(total, limit, text), account


def _with_session(decision: Decision, change: Change, session: Session) -> Decision:
    """The session with its cost, in the change, in the state and in what is told of it."""
    saved = OpenSession(session) if isinstance(change, OpenSession) else UpdateSession(session)
    state = decision.state
    if session.id in state.sessions:
        state = evolve(state, sessions={**state.sessions, session.id: session})
    return evolve(
        decision,
        state=state,
        changes=tuple(saved if known is change else known for known in decision.changes),
        events=tuple(_with_cost(event, session) for event in decision.events),
    )


def _with_cost(event: Happened, session: Session) -> Happened:
    if event.session != session.id:
        return event
    if "session" in event.data:
        return evolve(event, data={**event.data, "session": view(session)})
    if event.type == "session.metered":
        return evolve(event, data={**event.data, "cost": view(session).cost})
    return event


def _with_account(decision: Decision, session: Session, account: Account, received: Received) -> Decision:
    """The account kept while the session runs, and filed as its bill when it is over."""
    station = session.station
    if account.final:
        state = decision.state.keeping(KIND, session.id, None)
        kept = (
            Keep(station, KIND, session.id, None, received.at),
            SaveBill(station, account, received.at),
        )
        return evolve(decision, state=state, changes=(*decision.changes, *kept))
    state = decision.state.keeping(KIND, session.id, account)
    change = Keep(station, KIND, session.id, account, received.at)
    return evolve(decision, state=state, changes=(*decision.changes, change))


def _answering(decision: Decision, report: TransactionReported, told: Accounted) -> Decision:
    """The answer with what is told, also as it is remembered for a repeated delivery."""
    if not isinstance(decision.answer, TransactionAnswer):
        return decision
    answer = evolve(decision.answer, account=told)
    key = next((change.key for change in decision.changes if isinstance(change, Deliver)), report.key)
    known = decision.state.recent.get(key)
    state = decision.state
    if known is not None:
        state = evolve(state, recent={**state.recent, key: Delivered(known.digest, answer)})
    changes = tuple(
        evolve(change, answer=answer) if isinstance(change, Deliver) else change
        for change in decision.changes
    )
    return evolve(decision, answer=answer, state=state, changes=changes)


#: Triggers that speak of the tariff; the id alone comes with every message.
_TARIFF_NEWS = frozenset({"TariffChanged", "TariffNotAccepted"})


def _costs_alone(more: TransactionMore) -> TransactionMore:
    return TransactionMore(costs=more.costs, tariff=more.tariff)


def _with_told_more(
    decision: Decision, session: Session, report: TransactionReported | None, received: Received
) -> Decision:
    """What only 2.1 tells goes into the record as an event: nothing is decided by it."""
    more = report.more if report is not None else None
    if report is None or more is None or (more == _costs_alone(more) and report.trigger not in _TARIFF_NEWS):
        return decision
    data = {
        "trigger": report.trigger,
        "limit": more.limit,
        "tariff": more.tariff,
        "preconditioning": more.preconditioning,
        "evse_sleep": more.evse_sleep,
        "operation_mode": more.operation_mode,
    }
    told = Happened("session.told", received.at, session.station, session.id, data=data)
    return evolve(decision, events=(*decision.events, told))


def _due_orders(
    core: Core, account: Account, session: Session, received: Received, known: Mapping[str, Tariff]
) -> None:
    """Orders that the new cost makes due: a limit we keep ourselves, and the cost where no answer carries it."""
    why = None if account.stopped else accounts.reached(account, session)
    if why is not None:
        core.spawn(_stop(core, session, why))
    message = costmessages.due(account, session, received, known)
    if message is not None:
        core.spawn(_send_message(core, session, account, message))
    silent = isinstance(received.observation, Metered) and received.ocpp_version != "1.6"
    if silent and account.running and account.total is not None and not account.final:
        last = account.sent_at
        if last is None or received.at - last >= _COST_EVERY:
            core.spawn(_send_cost(core, session, account))


async def _changed(core: Core, session: Session, **fields: Any) -> bool:
    """Change an open account; False where it is closed, or says so already."""
    lane = core.lanes.get(session.station.casefold())
    if lane is None:
        return False
    async with lane.lock:
        account = lane.state.kept_of(KIND).get(session.id)
        if account is None or all(getattr(account, name) == value for name, value in fields.items()):
            return False
        await keep_account(core, lane, session.station, evolve(account, **fields))
    return True


async def keep_account(
    core: Core, lane: Lane, station: str, account: Account, *more: Change, events: Sequence[Happened] = ()
) -> None:
    """Commit an open account; the lane's lock is held by the caller."""
    change = Keep(station, KIND, account.session, account, core.clock.now())
    await core.store.commit((change, *more), tuple(events))
    reserve(core, account.session, account)
    lane.state = lane.state.keeping(KIND, account.session, account)


async def _stop(core: Core, session: Session, why: str) -> None:
    """The station cannot keep this limit: we end the session, once."""
    if not await _changed(core, session, stopped=True):
        return
    lane = core.lane(session.station)
    shown = preview(lane.state, "stop", f"sessions stop {session.id}", (), why)
    try:
        await give(
            core,
            SELF,
            session.station,
            "stop",
            RemoteStop(session.transaction_id),
            OrderTerms(reason=why),
            shown,
        )
    except (Refusal, StoreDown):
        await _changed(core, session, stopped=False)  # it is tried again with the next message


async def _send_message(core: Core, session: Session, account: Account, message: SendData) -> None:
    if account.final or await _changed(core, session, sent_at=core.clock.now()):
        await costmessages.send(core, session, message)


async def _send_cost(core: Core, session: Session, account: Account) -> None:
    if account.total is None or not await _changed(core, session, sent_at=core.clock.now()):
        return
    lane = core.lane(session.station)
    shown = preview(lane.state, "cost", f"tariffs tell {session.id}", (), "nothing changes", level=0)
    order = UpdateCost(session.transaction_id, account.total)
    try:
        await give(core, SELF, session.station, "cost", order, OrderTerms(), shown)
    except (Refusal, StoreDown):
        return  # the intent says why, and the next one is due in a minute
