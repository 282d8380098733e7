"""What the answers to our own charging orders teach: the register follows what the station took."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from cms.contract.charging import Schedule
from cms.domain import reports
from cms.domain.changes import Decision, Happened, Keep
from cms.domain.charging import register
from cms.domain.charging.ledger import Ledger
from cms.domain.charging.needs import ALLOWED, PLANNER
from cms.domain.charging.notices import PRIORITY, TOLD, Priority
from cms.domain.charging.orders import (
    AllowEnergyTransfer,
    ClearChargingProfiles,
    GetChargingProfiles,
    GetCompositeSchedule,
    SetChargingProfile,
    UpdateDynamicSchedule,
    UsePriorityCharging,
)
from cms.domain.charging.register import Criteria, Installed
from cms.domain.observations import Noted
from cms.domain.orders import OrderAnswer, RemoteStart
from cms.domain.record import record
from cms.domain.stations import StationState

if TYPE_CHECKING:
    from cms.domain.intents import Intent


@record
class Told:
    """A composite schedule as the station said it."""

    evse: int
    at: datetime
    schedule: Schedule


@record
class EnergyTransfer:
    """What a car may do: values of contract.charging.ENERGY_TRANSFERS."""

    modes: tuple[str, ...]


def set_answered(
    state: StationState, intent: Intent, order: SetChargingProfile, answer: OrderAnswer, now: datetime
) -> Decision:
    if answer.verdict == "rejected":
        return Decision(Noted(), state)
    ledger = Ledger(state, now)
    assert order.profile.id is not None
    # A plan made of an operator's profile stays the operator's.
    before = register.find(state, order.profile.id)
    planned = intent.requested_by == PLANNER and before is not None
    set_by = before.set_by if planned and before is not None else intent.requested_by
    new = Installed(order.evse, order.profile, installed_at=now, set_by=set_by)
    register.install(ledger, new)
    return _changed(ledger, "installed", order.evse, (new.id,), intent.requested_by)


def clear_answered(
    state: StationState, intent: Intent, order: ClearChargingProfiles, answer: OrderAnswer, now: datetime
) -> Decision:
    """Accepted or Unknown: they are gone."""
    ledger = Ledger(state, now)
    ids = () if order.id is None else (order.id,)
    criteria = Criteria(ids, order.evse, order.purpose, order.stack_level)
    gone = tuple(known.id for known in register.installed(state) if register.clearable(known, criteria))
    register.clear(ledger, criteria)
    return _changed(ledger, "cleared", order.evse, gone or ids, intent.requested_by)


def get_answered(
    state: StationState, intent: Intent, order: GetChargingProfiles, answer: OrderAnswer, now: datetime
) -> Decision:
    """Accepted: parts will come. NoProfiles: what we thought was there is not."""
    if answer.word == "Accepted":
        state, changes = reports.asked(state, order.request_id, "profiles", now)
        return Decision(Noted(), state, tuple(changes))
    ledger = Ledger(state, now)
    if answer.word == "NoProfiles" and intent.sent_at is not None:
        criteria = Criteria(order.ids, order.evse, order.purpose, order.stack_level, order.sources)
        register.reconcile(ledger, criteria, intent.sent_at)
    return Decision(Noted(), ledger.state, tuple(ledger.changes))


def composite_answered(
    state: StationState, _: Intent, order: GetCompositeSchedule, answer: OrderAnswer, now: datetime
) -> Decision:
    """Remembered beside our own calculation; not held in memory."""
    told = [one for one in answer.told if isinstance(one, Schedule)]
    if not told:
        return Decision(Noted(), state)
    kept = Keep(state.station.id, TOLD, str(order.evse), Told(order.evse, now, told[0]), now)
    return Decision(Noted(), state, (kept,))


def priority_answered(
    state: StationState, _: Intent, order: UsePriorityCharging, answer: OrderAnswer, now: datetime
) -> Decision:
    if answer.verdict == "rejected" or state.session_of(order.transaction_id) is None:
        return Decision(Noted(), state)
    ledger = Ledger(state, now)
    ledger.keep(PRIORITY, order.transaction_id, Priority(order.activate, now))
    return Decision(Noted(), ledger.state, tuple(ledger.changes))


def update_answered(
    state: StationState, intent: Intent, order: UpdateDynamicSchedule, answer: OrderAnswer, now: datetime
) -> Decision:
    known = register.find(state, order.id)
    if answer.verdict == "rejected" or known is None:
        return Decision(Noted(), state)
    ledger = Ledger(state, now)
    register.update(ledger, known, order.rates)
    return _changed(ledger, "updated", known.evse, (order.id,), intent.requested_by)


def transfer_answered(
    state: StationState, _: Intent, order: AllowEnergyTransfer, answer: OrderAnswer, now: datetime
) -> Decision:
    if answer.verdict == "rejected" or state.session_of(order.transaction_id) is None:
        return Decision(Noted(), state)
    ledger = Ledger(state, now)
    ledger.keep(ALLOWED, order.transaction_id, EnergyTransfer(order.modes))
    return Decision(Noted(), ledger.state, tuple(ledger.changes))


def start_answered(
    state: StationState, intent: Intent, order: RemoteStart, answer: OrderAnswer, now: datetime
) -> Decision:
    """The profile of a remote start waits for its session."""
    if answer.verdict == "rejected" or order.profile is None or order.evse is None:
        return Decision(Noted(), state)
    ledger = Ledger(state, now)
    new = Installed(
        order.evse,
        order.profile,
        installed_at=now,
        set_by=intent.requested_by,
        remote_start_id=order.remote_start_id,
    )
    register.install(ledger, new)
    running = [s for s in state.sessions.values() if s.remote_start_id == order.remote_start_id]
    if running:  # the session overtook the answer
        register.adopt(ledger, order.evse, running[0].transaction_id, order.remote_start_id, told=True)
    return _changed(ledger, "installed", order.evse, (new.id,), intent.requested_by)


def _changed(ledger: Ledger, change: str, evse: int | None, ids: tuple[int, ...], who: str) -> Decision:
    data = {"change": change, "evse": evse, "profiles": ids}
    told = Happened("profiles.changed", ledger.now, ledger.state.station.id, actor=who, data=data)
    return Decision(Noted(), ledger.state, tuple(ledger.changes), (told,))
