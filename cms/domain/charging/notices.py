"""What stations tell about charging profiles and limits, and what follows from it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import cms.domain.charging.needs as ev
from cms.contract.charging import MOST_PERIODS, Profile, Schedule
from cms.domain import reports
from cms.domain.changes import Decision, Happened
from cms.domain.charging import register
from cms.domain.charging.composite import Foreign, Place
from cms.domain.charging.ledger import Ledger
from cms.domain.charging.needs import Needs
from cms.domain.charging.register import Criteria
from cms.domain.evolve import evolve
from cms.domain.observations import (
    Answer,
    Booted,
    Noted,
    Observation,
    Received,
    TransactionPhase,
    TransactionReported,
)
from cms.domain.record import record
from cms.domain.stations import StationState

LIMIT = "charging-limit"
PRIORITY = "priority-charging"
TOLD = "composite-schedule"

#: What a station can make us remember of each.
_MOST_LIMITS = 50
_MOST_PRIORITIES = 200


@record
class ProfilesReported(Observation):
    """ReportChargingProfiles: one part, the profiles of one EVSE from one source."""

    request_id: int
    evse: int
    source: str
    profiles: tuple[Profile, ...]
    more: bool = False


@record
class LimitNotified(Observation):
    """NotifyChargingLimit: somebody else than us limits the station or an EVSE."""

    evse: int
    source: str
    schedules: tuple[Schedule, ...] = ()
    grid_critical: bool | None = None
    local_generation: bool | None = None


@record
class LimitCleared(Observation):
    """ClearedChargingLimit. ``evse`` None: wherever this source has limited."""

    source: str
    evse: int | None = None


@record
class NeedsNotified(Observation):
    """NotifyEVChargingNeeds."""

    needs: Needs


@record
class EvScheduleNotified(Observation):
    """NotifyEVChargingSchedule: what the car will do from ``at`` on; None: now."""

    evse: int
    schedule: Schedule
    at: datetime | None = None


@record
class PriorityNotified(Observation):
    """NotifyPriorityCharging (2.1)."""

    transaction_id: str
    active: bool


@record
class UpdatePulled(Observation):
    """PullDynamicScheduleUpdate (2.1): which rates hold for this profile now?"""

    profile_id: int


@record
class NeedsAnswer(Answer):
    """``status``: accepted, rejected, processing, none (there is nothing to plan)."""

    status: str


@record
class ScheduleAnswer(Answer):
    accepted: bool


@record
class UpdateAnswer(Answer):
    """The present rates by their names in contract.charging.RATES; None for a profile that we do not know."""

    rates: dict[str, Decimal] | None


@record
class Limit:
    """A limit that somebody else set. ``schedules`` has at most one: the others only tell what was merged."""

    evse: int
    source: str
    reported_at: datetime
    schedules: tuple[Schedule, ...] = ()
    grid_critical: bool | None = None
    local_generation: bool | None = None


@record
class Priority:
    """Whether a transaction is charged first."""

    active: bool
    at: datetime


def reported(state: StationState, received: Received, part: ProfilesReported) -> Decision:
    """What the station says is installed; with the last part, what it did not say is not (K09)."""
    state, changes, report = reports.part(
        state, part.request_id, "profiles", received.at, items=len(part.profiles), more=part.more
    )
    ledger = Ledger(state, received.at)
    register.report(ledger, part.evse, part.source, part.profiles)
    if report.complete:
        criteria, asked_at = _asked(state, part.request_id)
        if criteria is not None and asked_at is not None:
            register.reconcile(ledger, criteria, asked_at)
    data = {
        "evse": part.evse,
        "source": part.source,
        "profiles": [p.id for p in part.profiles],
        "more": part.more,
    }
    told = Happened("profiles.reported", received.at, state.station.id, data=data)
    return Decision(Noted(), ledger.state, (*changes, *ledger.changes), (told,))


def _asked(state: StationState, request_id: int) -> tuple[Criteria | None, datetime | None]:
    """What a report answers to, and when it was asked for; nothing where nobody of us asked."""
    for intent in state.intents.values():
        params = intent.params
        if intent.order == "profiles-get" and params.get("request_id") == request_id:
            criteria = Criteria(
                tuple(params.get("ids") or ()),
                params.get("evse"),
                params.get("purpose"),
                params.get("stack_level"),
                tuple(params.get("sources") or ()),
            )
            return criteria, intent.sent_at
    return None, None


def limited(state: StationState, received: Received, seen: LimitNotified) -> Decision:
    """Somebody else limits: shown, and part of what holds; never ours to change (K11, K12)."""
    schedules = tuple(
        evolve(schedule, periods=schedule.periods[:MOST_PERIODS]) for schedule in seen.schedules[:1]
    )
    limit = Limit(seen.evse, seen.source, received.at, schedules, seen.grid_critical, seen.local_generation)
    ledger = Ledger(state, received.at)
    ledger.keep(LIMIT, f"{seen.source}|{seen.evse}", limit)
    ledger.bound(LIMIT, _MOST_LIMITS)
    return _decided(
        ledger,
        "charging.limited",
        evse=seen.evse,
        source=seen.source,
        grid_critical=seen.grid_critical,
        limit=_first_limit(schedules),
        unit=schedules[0].unit if schedules else None,
    )


def _first_limit(schedules: tuple[Schedule, ...]) -> str | None:
    periods = schedules[0].periods if schedules else ()
    return str(periods[0].limit) if periods and periods[0].limit is not None else None


def unlimited(state: StationState, received: Received, seen: LimitCleared) -> Decision:
    """The limit of a source is released (K13), with the profiles that stood for it."""
    ledger = Ledger(state, received.at)
    for key, limit in state.kept_of(LIMIT).items():
        if limit.source == seen.source and seen.evse in (None, limit.evse):
            ledger.drop(LIMIT, key)
    register.release(ledger, seen.source, seen.evse)
    return _decided(ledger, "charging.unlimited", evse=seen.evse, source=seen.source)


def prioritized(state: StationState, received: Received, seen: PriorityNotified) -> Decision:
    """A transaction is charged first, or no longer (2.1 K21, K22)."""
    ledger = Ledger(state, received.at)
    session = state.session_of(seen.transaction_id)
    if session is not None:
        ledger.keep(PRIORITY, seen.transaction_id, Priority(seen.active, received.at))
        ledger.bound(PRIORITY, _MOST_PRIORITIES)
    return _decided(
        ledger,
        "charging.priority",
        session.id if session else None,
        transaction_id=seen.transaction_id,
        active=seen.active,
    )


def pulled(state: StationState, received: Received, seen: UpdatePulled) -> Decision:
    """The present rates of a dynamic profile of ours (2.1 K28.FR.07, K28.FR.12)."""
    known = register.find(state, seen.profile_id)
    if known is None or not known.ours or known.profile.kind != "dynamic":
        return Decision(UpdateAnswer(None), state)
    return Decision(UpdateAnswer(register.rates_of(known.profile)), state)


def _decided(ledger: Ledger, type: str, session: str | None = None, **data: object) -> Decision:
    told = Happened(type, ledger.now, ledger.state.station.id, session, data=data)
    return Decision(Noted(), ledger.state, tuple(ledger.changes), (told,))


def follow(decision: Decision, received: Received) -> Decision:
    """What a boot, or the beginning or the end of a transaction, does to what is installed."""
    seen = received.observation
    if type(seen) is Booted:
        return _after_boot(decision, received)
    if type(seen) is not TransactionReported or not _concerned(decision.state):
        return decision
    transaction_id = seen.transaction_id or getattr(decision.answer, "transaction_id", None)
    if transaction_id is None:
        return decision
    ledger = Ledger(decision.state, received.at)
    if seen.phase is TransactionPhase.ENDED:
        _end(ledger, transaction_id)
    elif seen.phase is TransactionPhase.STARTED or seen.remote_start_id is not None:
        told = received.ocpp_version != "1.6"
        register.adopt(ledger, seen.evse, transaction_id, seen.remote_start_id, told=told)
    return _with(decision, ledger)


_OF_TRANSACTIONS = frozenset({register.KIND, ev.NEEDS, PRIORITY, ev.ALLOWED})


def _concerned(state: StationState) -> bool:
    return not _OF_TRANSACTIONS.isdisjoint(state.kept)


def _end(ledger: Ledger, transaction_id: str) -> None:
    register.end_transaction(ledger, transaction_id)
    ledger.drop(PRIORITY, transaction_id)
    ledger.drop(ev.ALLOWED, transaction_id)
    for key, needs in ledger.state.kept_of(ev.NEEDS).items():
        if needs.transaction_id == transaction_id:
            ledger.drop(ev.NEEDS, key)


def _after_boot(decision: Decision, received: Received) -> Decision:
    """Profiles of transactions are gone; in 2.1 a transaction may be resumed, and its profile sent again (E17)."""
    if received.ocpp_version == "2.1" or register.KIND not in decision.state.kept:
        return decision
    ledger = Ledger(decision.state, received.at)
    register.forget_transactions(ledger)
    return _with(decision, ledger)


def _with(decision: Decision, ledger: Ledger) -> Decision:
    if not ledger.changes:
        return decision
    return evolve(decision, state=ledger.state, changes=(*decision.changes, *ledger.changes))


def foreign(state: StationState) -> list[Foreign]:
    """The limits of others, as they take part in what holds."""
    return [
        Foreign(limit.evse, limit.reported_at, limit.schedules, limit.local_generation is True)
        for limit in state.kept_of(LIMIT).values()
    ]


def place_of(state: StationState, evse: int) -> Place:
    """Whose composite schedule is meant at this EVSE: that of the session that runs there."""
    running = [s for s in state.sessions.values() if s.evse == evse and evse and s.status != "suspect"]
    if not running:
        return Place(evse)
    session = max(running, key=lambda one: one.started_at)
    priority: Priority | None = state.kept_of(PRIORITY).get(session.transaction_id)
    return Place(evse, session.transaction_id, session.started_at, priority is not None and priority.active)
