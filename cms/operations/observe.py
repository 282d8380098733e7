"""Observation -> decision: the whole inbound map on one page.

A message is decided under its station's lock, made durable, and only then answered. What a decision needs is in
memory; the record is asked only about what is unusual: a transaction that is not open, a key that is taken.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from cms.contract.refusals import NotFound
from cms.core import Clash, Core, Lane
from cms.domain import datatransfer as transfers
from cms.domain import (
    der,
    effects,
    intents,
    jobs,
    metering,
    monitoring,
    notices,
    reports,
    reservations,
    streams,
    swaps,
    tokens,
    transactions,
)
from cms.domain import iso15118 as contracts
from cms.domain.changes import (
    Change,
    Decision,
    Happened,
    MeterSession,
    OpenSession,
    SaveIntent,
    UpdateSession,
)
from cms.domain.charging import notices as charging
from cms.domain.charging.needs import ALLOWED
from cms.domain.customers import CustomerTold
from cms.domain.displays import DisplaysTold
from cms.domain.evolve import evolve
from cms.domain.iso15118 import ChainAsked, ContractCertificateAsked, ContractPresented, StandingAsked
from cms.domain.jobs import FirmwarePublished
from cms.domain.monitoring import MonitorsReported
from cms.domain.observations import (
    Alive,
    AliveAnswer,
    Answer,
    Booted,
    ConnectorReported,
    DataTransferred,
    EventsNotified,
    FirmwareProgressed,
    LogProgressed,
    Metered,
    NotYet,
    Observation,
    Received,
    ReportReceived,
    SecurityEventRaised,
    TokenAnswer,
    TokenPresented,
    TransactionPhase,
    TransactionReported,
)
from cms.domain.payments import SettlementNotified, VatNumberPresented
from cms.domain.reservations import ReservationEnded
from cms.domain.sessions import Session
from cms.domain.signing import CertificateRequested
from cms.domain.stations import StationState
from cms.domain.streams import StreamClosed, StreamOpened, StreamSampled
from cms.domain.swaps import BatterySwapped
from cms.domain.tokens import Presented, Ruling
from cms.domain.transactions import DELIVERY, Facts
from cms.domain.wordforword import own
from cms.operations import (
    access_budgets,
    access_outside,
    access_rulings,
    accounts,
    boots,
    cards,
    credits,
    customers,
    datatransfer,
    displays,
    iso15118,
    needs,
    payments,
    prices,
    quirks,
    security,
    signing,
    suspicion,
)
from cms.operations.deciding import settle, with_intent
from cms.operations.identifying import known
from cms.operations.intents import flush

# A random number or a natural key may be taken; more often than this it is a bug.
_ATTEMPTS = 4


async def observe(core: Core, station_id: str, received: Received) -> Answer:
    """Decide on what a station said, durably, and return the answer. Raises StoreDown: then do not answer."""
    lane = core.lanes.get(station_id.casefold())
    if lane is None:
        raise NotFound(f"station {station_id} was removed")
    if type(received.observation) is Alive and not lane.state.intents:
        return _not_yet(lane.state, received) or AliveAnswer(received.at)
    ask = _ASKED_FIRST.get(type(received.observation))
    if ask is not None:
        if (refusal := _not_yet(lane.state, received)) is not None:
            return refusal
        named = evolve(received, station=lane.state.station.id)
        received = evolve(received, observation=await ask(core, named, received.observation))
    if core.outside is not None and _not_yet(lane.state, received) is None:
        said = await access_outside.asked(core, lane.state, received)
        received = received if said is None else evolve(received, outside=said)
    async with lane.lock:
        refusal = _not_yet(lane.state, received)
        if refusal is not None:
            return refusal
        decision = await _settled(core, lane, received)
    _send_waiting(core, lane)
    follow_up = _FOLLOW_UPS.get(type(received.observation))
    if follow_up is not None:
        follow_up(core, lane, received.observation)
    return decision.answer


def _not_yet(state: StationState, received: Received) -> NotYet | None:
    """Before acceptance only boots and what we asked for are processed (1.6 J errata 3.10, 2.x B02.FR.09)."""
    station = state.station
    status = station.boot_status or station.boot_policy
    if status == "accepted" or isinstance(received.observation, Booted):
        return None
    waiting = (own(intent) for intent in state.intents.values() if intent.status in ("sent", "accepted"))
    asked = any(
        intent.order == "trigger" and effects.triggers(str(intent.params.get("message")), received.action)
        for intent in waiting
    )
    return None if asked or _part_of_report(state, received.observation) else NotYet()


def _part_of_report(state: StationState, seen: Any) -> bool:
    """Whether this is a part of a report that was asked for (B02.FR.09)."""
    if not isinstance(seen, ReportReceived | MonitorsReported):
        return False
    report = state.kept_of(reports.KIND).get(str(seen.request_id))
    asking = any(own(intent).params.get("request_id") == seen.request_id for intent in state.intents.values())
    return asking or (report is not None and report.asked_at is not None)


async def _settled(core: Core, lane: Lane, received: Received) -> Decision:
    budgeted = access_budgets.budgets(core) is not None
    for attempt in range(_ATTEMPTS):
        decision = await _decide(core, lane.state, received, thorough=attempt > 0)
        if decision.changes and accounts.concern(core, lane.state, received):
            decision = await accounts.follow(core, lane.state, received, decision)
        if budgeted:
            decision = access_budgets.follow(core, received, decision)
        decision = _with_confirmations(charging.follow(decision, received), received)
        try:
            await settle(core, lane, decision.state, decision.changes, decision.events)
        except Clash:
            continue
        if budgeted:
            access_budgets.followed(core, received, decision)
        return decision
    raise RuntimeError(
        f"{received.action} of {lane.state.station.id} clashes with the record again and again"
    )


async def _decide(core: Core, state: StationState, received: Received, *, thorough: bool) -> Decision:
    seen = received.observation
    match seen:
        case Metered():
            return await _metered(core, state, received, seen)
        case TransactionReported():
            return await _transaction(core, state, received, seen, thorough=thorough)
        case Alive():
            return Decision(AliveAnswer(received.at), state)
        case TokenPresented():
            decision = await _presented(core, state, received, seen)
            return (
                await prices.presented(core, state, received, decision) if accounts.priced(core) else decision
            )
        case Booted():
            return jobs.booted(await security.booted(core, state, received, seen), received)
    look_up = _LOOKING_UP.get(type(seen))
    if look_up is not None:
        return await look_up(core, state, received, seen)
    decision = _NOTICES[type(seen)](state, received, seen)
    # A notice whose key is taken in the record is a repeat: answered, nothing more.
    return Decision(decision.answer, state) if thorough else decision


#: What is decided from the station's state alone.
_NOTICES: dict[type, Callable[[StationState, Received, Any], Decision]] = {
    ConnectorReported: notices.connector,
    EventsNotified: notices.events,
    ReportReceived: notices.report,
    SecurityEventRaised: notices.security,
    FirmwareProgressed: jobs.firmware,
    FirmwarePublished: jobs.published,
    LogProgressed: jobs.log,
    DataTransferred: transfers.decided,
    MonitorsReported: monitoring.report,
    StreamOpened: streams.opened,
    StreamClosed: streams.closed,
    StreamSampled: streams.sampled,
    ReservationEnded: reservations.ended,
    BatterySwapped: swaps.swapped,
    StandingAsked: contracts.standing,
    ChainAsked: contracts.chain,
    ContractCertificateAsked: contracts.contract_certificate,
    charging.ProfilesReported: charging.reported,
    charging.LimitNotified: charging.limited,
    charging.LimitCleared: charging.unlimited,
    charging.PriorityNotified: charging.prioritized,
    charging.UpdatePulled: charging.pulled,
    der.ControlsReported: der.reported,
    der.GridAlarmed: der.alarmed,
    der.ControlMoved: der.moved,
}


#: What others must be asked before anything can be decided; the lane is free meanwhile. Their word is in the
#: observation that comes back.
_ASKED_FIRST: dict[type, Callable[[Core, Received, Any], Awaitable[Observation]]] = {
    ContractPresented: iso15118.standing_of_contract,
    StandingAsked: iso15118.standing,
    ChainAsked: iso15118.chain,
    ContractCertificateAsked: iso15118.contract_certificate,
    DataTransferred: datatransfer.asked,
    VatNumberPresented: payments.vat_asked,
}

#: What needs more than the state: other records, our own keys, somebody else's answer. Called under the lane's
#: lock: whatever takes longer than the record is begun here and done by ``core.spawn``.
_LOOKING_UP: dict[type, Callable[[Core, StationState, Received, Any], Awaitable[Decision]]] = {
    CustomerTold: customers.told,
    DisplaysTold: displays.told,
    CertificateRequested: signing.requested,
    ContractPresented: prices.contract_presented,
    SettlementNotified: payments.settlement,
    VatNumberPresented: payments.vat_number,
    charging.NeedsNotified: needs.notified,
    charging.EvScheduleNotified: needs.scheduled,
}


def _after_boot(core: Core, lane: Lane, _: Booted) -> None:
    quirks.after_boot(core, lane.state)
    boots.after_boot(core, lane.state)


#: What a message makes us begin, once it is decided: by ``core.spawn``, for its answer does not wait.
_FOLLOW_UPS: dict[type, Callable[[Core, Lane, Any], None]] = {
    Booted: _after_boot,
    TransactionReported: needs.resumed,
    charging.LimitNotified: needs.limits_changed,
    charging.LimitCleared: needs.limits_changed,
}


async def _metered(core: Core, state: StationState, received: Received, seen: Metered) -> Decision:
    tid = seen.transaction_id
    if tid is None or tid in metering.NO_ID or state.session_of(tid) is not None:
        return metering.meter(state, received, seen)
    past, foreign = await _past(core, state, received, tid)
    return metering.meter(state, received, seen, past, foreign)


async def _transaction(
    core: Core, state: StationState, received: Received, report: TransactionReported, *, thorough: bool
) -> Decision:
    past, foreign, delivered, doubts = None, None, None, None
    recent = state.recent.get(report.key)
    known = recent is not None and recent.digest == report.digest
    transaction_id = report.transaction_id
    unusual = thorough or report.phase is not TransactionPhase.STARTED
    if transaction_id and unusual and not known and state.session_of(transaction_id) is None:
        past, foreign = await _past(core, state, received, transaction_id)
    if thorough:
        delivered = await core.store.delivered(state.station.id, DELIVERY, report.key)
        if delivered is not None and delivered.digest != report.digest:
            again = await core.store.delivered(state.station.id, DELIVERY, transactions.other_key(report))
            delivered = again or delivered
    ruling = _ruling(core, state, received, report)
    if ruling is not None:
        ruling, report = await access_rulings.ruled_report(core, state, received, report, ruling)
        if report.token is not None and not (report.stops or report.is_history(received.at)):
            ruling = await payments.honoured(core, ruling, report.token)
        ruling, report, doubts = suspicion.judged(core, state, received, report, ruling)
        unknown = ruling.status is tokens.Authorization.UNKNOWN
        if unknown and report.token is not None and report.phase is not TransactionPhase.ENDED:
            cards.noticed(core, report.token, state.station.id, report.evse)
    facts = _facts(core, ruling=ruling, past=past, foreign=foreign, delivered=delivered)
    decision = transactions.decide(state, received, report, facts)
    if report.reservation_id is not None or (report.token is not None and state.kept_of(reservations.KIND)):
        decision = reservations.consumed(decision, received, report, ruling)
    return decision if ruling is None else suspicion.followed(core, decision, received, ruling, doubts)


async def _past(
    core: Core, state: StationState, received: Received, transaction_id: str
) -> tuple[Session | None, str | None]:
    """A session of this station that is not open, or else the station that owns the number (1.6)."""
    past = await core.store.session_of(state.station.id, transaction_id)
    if past is not None or received.ocpp_version != "1.6" or not transaction_id.isdecimal():
        return past, None
    number = int(transaction_id)
    owner = await core.store.station_of_number(number) if 0 < number < 2**31 else None
    return None, owner


def _facts(core: Core, **known: object) -> Facts:
    now = core.clock.now
    return Facts(new_id=lambda: core.mint.id(now()), new_number=core.mint.number, **known)  # type: ignore[arg-type]


def _ruling(
    core: Core, state: StationState, received: Received, report: TransactionReported
) -> Ruling | None:
    presented = report.token
    if presented is None:
        return None
    token = known(core, presented) or quirks.token_behind(core, state, presented.id)
    ends, history = report.stops, report.is_history(received.at)
    running = None if ends or history else _others(core, state, report, tokens.display(presented, token))
    at = None if ends or token is None or not token.limited else _presented_at(state, report)
    ruling = tokens.rule(token, presented, report.at if history and report.at else received.at, running, at)
    ruling = access_outside.ruled(core, received, ruling, presented, received.outside)
    return ruling if ends or history else credits.credited(core, state, received, ruling, report)


def _presented_at(state: StationState, report: TransactionReported) -> Presented:
    """2.x tells the EVSE once: later it is the session's."""
    session = state.session_of(report.transaction_id) if report.transaction_id else None
    evse = report.evse if report.evse is not None or session is None else session.evse
    return Presented(state.station.id, evse, starts=True)


def _others(core: Core, state: StationState, report: TransactionReported, shown: str) -> int:
    """How many other sessions the token runs; one on this connector is about to be doubted, not counted."""
    running = core.active.get(shown.casefold())
    if not running:
        return 0
    own = {
        session.id
        for session in state.sessions.values()
        if session.transaction_id == report.transaction_id
        or (report.transaction_id is None and session.evse == report.evse)
    }
    return len(running - own)


async def _presented(core: Core, state: StationState, received: Received, seen: TokenPresented) -> Decision:
    """Authorize: a stateless read; the answer does not wait for anything (class D)."""
    token = known(core, seen.token) or quirks.token_behind(core, state, seen.token.id)
    if token is None and core.sightings.deaf(state.station.id.casefold(), received.at):
        return Decision(TokenAnswer(tokens.Authorization.INVALID), state)  # somebody tries card numbers (T6)
    here = Presented(state.station.id) if token is not None and token.limited else None
    ruling = tokens.rule(token, seen.token, received.at, at=here)
    ruling = access_outside.ruled(core, received, ruling, seen.token, received.outside)
    ruling = await access_rulings.ruled_presented(core, state, ruling, received.at)
    ruling = await payments.honoured(core, ruling, seen.token)
    told = Happened(
        "token.presented",
        received.at,
        state.station.id,
        data={"token": tokens.display(seen.token, ruling.token), "status": ruling.status},
    )
    if ruling.status is tokens.Authorization.UNKNOWN:
        cards.noticed(core, seen.token, state.station.id)
    answer = needs.with_right(core, ruling.answer(), token) if ALLOWED in core.kept else ruling.answer()
    return Decision(answer, state, (), (access_rulings.told_why(told, ruling),))


def _with_confirmations(decision: Decision, received: Received) -> Decision:
    """Orders whose effect this message is are confirmed in the same commit."""
    if not decision.state.intents:
        return decision
    session = next(
        (c.session.id for c in decision.changes if isinstance(c, OpenSession | UpdateSession | MeterSession)),
        None,
    )
    state, changes, events = decision.state, list[Change](decision.changes), list(decision.events)
    for intent in decision.state.intents.values():
        done = intents.confirm(intent, received, session, decision.state)
        if done is not None:
            state = with_intent(state, done)
            changes.append(SaveIntent(done))
            data = {"intent": intents.view(done)}
            events.append(Happened("intent.changed", received.at, intent.station, done.session, data=data))
    return evolve(decision, state=state, changes=tuple(changes), events=tuple(events))


def _send_waiting(core: Core, lane: Lane) -> None:
    """A boot or the end of a session may be what a waiting order waits for."""
    if lane.state.intents and any(intent.status == "queued" for intent in lane.state.intents.values()):
        core.spawn(flush(core, lane.state.station.id))
