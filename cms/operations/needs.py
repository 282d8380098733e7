"""What cars ask for: answered at once, and followed by a profile made of what applies (K15, K16, K17)."""

from __future__ import annotations

from datetime import datetime, timedelta

from cms.contract.charging import Profile
from cms.contract.intents import Preview
from cms.contract.refusals import Refusal
from cms.contract.stations import OrderTerms
from cms.core import Actor, Core, Lane, StoreDown
from cms.domain import quirks
from cms.domain.changes import Decision, Happened
from cms.domain.charging import needs as ev
from cms.domain.charging import register
from cms.domain.charging.answers import EnergyTransfer
from cms.domain.charging.ledger import Ledger
from cms.domain.charging.needs import ALLOWED, Needs
from cms.domain.charging.notices import (
    EvScheduleNotified,
    LimitCleared,
    LimitNotified,
    NeedsAnswer,
    NeedsNotified,
    ScheduleAnswer,
)
from cms.domain.charging.orders import SetChargingProfile
from cms.domain.charging.register import Installed
from cms.domain.evolve import evolve
from cms.domain.observations import Received, TokenAnswer, TransactionReported
from cms.domain.sessions import RUNNING, Session
from cms.domain.stations import StationState
from cms.domain.tokens import Token
from cms.operations.deciding import settle
from cms.operations.intents import give
from cms.operations.profiling import complete, holds, limits

_PLANNER = Actor(ev.PLANNER, "system", frozenset())
#: A car waits so long for its profile (K15.FR.07); then the next request begins anew.
_WITHIN = timedelta(seconds=60)
#: What changes while a plan is being sent is planned again, so often.
_ROUNDS = 3
#: What a station can make us remember.
_MOST_EVSES = 64


async def notified(core: Core, state: StationState, received: Received, seen: NeedsNotified) -> Decision:
    """NotifyEVChargingNeeds. Rejected without a session, and for what the car may not do (2.1 Q01.FR.07)."""
    needs = evolve(seen.needs, reported_at=received.at)
    session = _session(state, needs.evse)
    before: Needs | None = state.kept_of(ev.NEEDS).get(str(needs.evse))
    if session is None:
        return _told(Ledger(state, received.at), needs, None, "rejected")
    needs = evolve(needs, transaction_id=session.transaction_id)
    answer = _answer(core, state, session, needs)
    busy = _busy(before, received.at)
    plans = answer == "accepted"
    ledger = Ledger(state, received.at)
    since = before.pending_since if busy and before is not None else received.at
    kept = evolve(needs, answer=answer, pending_since=since if busy or plans else None)
    ledger.keep(ev.NEEDS, str(needs.evse), kept)
    ledger.bound(ev.NEEDS, _MOST_EVSES)
    if plans and not busy:
        core.spawn(negotiate(core, state.station.id, needs.evse))
    return _told(ledger, kept, session, answer)


def _told(ledger: Ledger, needs: Needs, session: Session | None, answer: str) -> Decision:
    data = {
        "evse": needs.evse,
        "energy_transfer": needs.energy_transfer,
        "departure_at": needs.departure_at,
        "energy_wh": needs.energy_wh,
        "answer": answer,
    }
    station = ledger.state.station.id
    told = Happened("charging.needs", ledger.now, station, session.id if session else None, data=data)
    return Decision(NeedsAnswer(answer), ledger.state, tuple(ledger.changes), (told,))


def _session(state: StationState, evse: int) -> Session | None:
    running = [s for s in state.sessions.values() if s.evse == evse and s.status in RUNNING]
    return max(running, key=lambda session: session.started_at, default=None)


def _busy(needs: Needs | None, now: datetime) -> bool:
    """Whether a plan is on its way: one that never arrived holds nobody up for longer than a car waits."""
    if needs is None or needs.pending_since is None:
        return False
    return now - needs.pending_since < _WITHIN


def _answer(core: Core, state: StationState, session: Session, needs: Needs) -> str:
    """accepted, rejected, or none: nothing limits, so there is nothing to plan (2.1 K18.FR.24)."""
    if not ev.may(needs.energy_transfer, allowed(core, state, session)):
        return "rejected"
    known = ev.car_limit(needs, "A") is not None or ev.car_limit(needs, "W") is not None
    return "accepted" if known or register.installed(state) else "none"


def allowed(core: Core, state: StationState, session: Session) -> tuple[str, ...]:
    """What the car may do: as was said of its session, else of its token; nothing where nobody said."""
    said: EnergyTransfer | None = state.kept_of(ALLOWED).get(session.transaction_id)
    if said is None and session.token is not None:
        said = core.kept.get(ALLOWED, {}).get(session.token.casefold())
    return said.modes if said else ()


def with_right(core: Core, answer: TokenAnswer, token: Token | None) -> TokenAnswer:
    """The answer to a driver with what his cars may do, where that is known (2.1 Q01.FR.01)."""
    right: EnergyTransfer | None = core.kept[ALLOWED].get(token.id.casefold()) if token else None
    return evolve(answer, energy_transfer=right.modes) if right and answer.status == "accepted" else answer


async def negotiate(core: Core, station_id: str, evse: int, *, asked: bool = True) -> None:
    """Send the car its profile; again when its needs changed meanwhile. Not ``asked``: only one that says more."""
    for turn in range(_ROUNDS):
        lane = core.lanes.get(station_id.casefold())
        if lane is None:
            return
        async with lane.lock:  # what the car said is being made durable while this begins
            needs: Needs | None = lane.state.kept_of(ev.NEEDS).get(str(evse))
        if needs is None:
            return
        sent = await _send(core, lane, needs, asked=asked or turn > 0)
        if await _done(core, lane, needs, sent):
            return


async def _send(core: Core, lane: Lane, needs: Needs, *, asked: bool) -> int | None:
    """The id of the profile that the station took; its intent says why when it did not."""
    order = await _order(core, lane, needs)
    if order is None:
        return None
    if not asked and _says_nothing_new(lane.state, needs, order.profile):
        return needs.profile_id
    nothing = Preview("profile-set", lane.state.station.id, 0, "", "")
    terms = OrderTerms(reason="the car asked for it" if asked else "the limits changed")
    try:
        await give(core, _PLANNER, lane.state.station.id, "profile-set", order, terms, nothing)
    except (Refusal, StoreDown):
        return None
    return order.profile.id


async def _order(core: Core, lane: Lane, needs: Needs) -> SetChargingProfile | None:
    """What applies at the EVSE without our own plans, cut to what the car takes."""
    told = await limits(core, lane.state)
    state, now = lane.state, core.clock.now()
    applying = [one for one in register.installed(state) if one.set_by != ev.PLANNER]
    applying = [one for one in applying if one.evse in (0, needs.evse) and one.profile.schedules]
    unit = ev.unit_for(needs.energy_transfer, told, {one.profile.schedules[0].unit for one in applying})
    applies = holds(state, needs.evse, now, ev.horizon_s(needs, now), unit, planned=False)
    profile = ev.plan(needs, applies, unit, told, now)
    if profile is None:
        return None
    level = _level(applying, needs)
    profile = evolve(profile, stack_level=min(level, told.stack_level or level))
    try:
        evse, profile = complete(core, lane, needs.evse, profile, told)
    except Refusal:
        return None  # the session ended, or the station takes nothing of the kind
    return SetChargingProfile(evse, profile)


def _says_nothing_new(state: StationState, needs: Needs, plan: Profile) -> bool:
    """Whether a plan made anew is the one that is installed: one limit for as long as can be planned."""
    known = register.find(state, needs.profile_id) if needs.profile_id is not None else None
    if known is None:
        return False
    (before,), (after,) = known.profile.schedules, plan.schedules
    return before.unit == after.unit and len(after.periods) == 1 and before.periods == after.periods


def _level(applying: list[Installed], needs: Needs) -> int:
    """The place of an operator's profile for this session: the plan takes its place and its limits."""
    own = [one.profile for one in applying if one.profile.transaction_id == needs.transaction_id]
    return max((profile.stack_level for profile in own if profile.purpose == "tx"), default=0)


async def _done(core: Core, lane: Lane, planned: Needs, profile_id: int | None) -> bool:
    """Note what was sent; False when the car asked anew meanwhile."""
    async with lane.lock:
        current: Needs | None = lane.state.kept_of(ev.NEEDS).get(str(planned.evse))
        if current is None:
            return True
        same = current.reported_at == planned.reported_at and not current.again
        ledger = Ledger(lane.state, core.clock.now())
        noted = evolve(
            current,
            pending_since=None if same else core.clock.now(),
            again=False,
            profile_id=profile_id or current.profile_id,
        )
        ledger.keep(ev.NEEDS, str(planned.evse), noted)
        try:
            await settle(core, lane, ledger.state, ledger.changes, ())
        except StoreDown:
            return True
    return same


async def scheduled(
    core: Core, state: StationState, received: Received, seen: EvScheduleNotified
) -> Decision:
    """NotifyEVChargingSchedule: what goes beyond the limits is rejected, and the car is told them again (K16)."""
    start = seen.at or received.at
    periods = seen.schedule.periods
    span_s = min((periods[-1].start_s if periods else 0) + 1, 7 * 86_400)
    limit = holds(state, seen.evse, start, max(span_s, 1), seen.schedule.unit)
    accepted = not ev.exceeds(seen.schedule, limit)
    ledger = Ledger(state, received.at)
    session = _session(state, seen.evse)
    needs: Needs | None = state.kept_of(ev.NEEDS).get(str(seen.evse))
    if needs is None and session is not None:
        needs = Needs(seen.evse, "", received.at, session.transaction_id)
    if needs is not None:
        again = not accepted and not _busy(needs, received.at)
        word = "accepted" if accepted else "rejected"
        since = received.at if again else needs.pending_since
        noted = evolve(needs, ev_schedule=word, pending_since=since)
        ledger.keep(ev.NEEDS, str(seen.evse), noted)
        ledger.bound(ev.NEEDS, _MOST_EVSES)
        if again:
            core.spawn(negotiate(core, state.station.id, seen.evse))
    data = {"evse": seen.evse, "accepted": accepted}
    told = Happened(
        "charging.schedule", received.at, state.station.id, session.id if session else None, data=data
    )
    return Decision(ScheduleAnswer(accepted), ledger.state, tuple(ledger.changes), (told,))


def resumed(core: Core, lane: Lane, report: TransactionReported) -> None:
    """A session that goes on after a power loss gets its profile again."""
    if report.trigger != "TxResumed" or report.transaction_id is None:
        return
    if register.KIND in lane.state.kept and quirks.of(lane.state).automatic_commands:
        core.spawn(_resend(core, lane, report.transaction_id))


def limits_changed(core: Core, lane: Lane, notice: LimitNotified | LimitCleared) -> None:
    """A limit that the station was given by others, or not any more."""
    plan_again(core, lane, notice.evse)


def plan_again(core: Core, lane: Lane, evse: int | None) -> None:
    """The limits of an EVSE (0 or None: of all) changed: cars with a plan of ours get another (K11, K16)."""
    if not quirks.of(lane.state).automatic_commands:
        return
    for needs in lane.state.kept_of(ev.NEEDS).values():
        if evse in (None, 0, needs.evse) and needs.profile_id is not None:
            core.spawn(_again(core, lane, needs.evse))


async def _again(core: Core, lane: Lane, evse: int) -> None:
    async with lane.lock:
        needs: Needs | None = lane.state.kept_of(ev.NEEDS).get(str(evse))
        if needs is None or needs.again:
            return
        now = core.clock.now()
        busy = _busy(needs, now)
        ledger = Ledger(lane.state, now)
        ledger.keep(
            ev.NEEDS, str(evse), evolve(needs, pending_since=needs.pending_since if busy else now, again=busy)
        )
        await settle(core, lane, ledger.state, ledger.changes, ())
    if not busy:
        await negotiate(core, lane.state.station.id, evse, asked=False)


async def _resend(core: Core, lane: Lane, transaction_id: str) -> None:
    """A transaction went on after a boot: a station that does not keep its profile gets it again (2.1 E17)."""
    told = await limits(core, lane.state)
    if told.tx_persistent:
        return
    station = lane.state.station.id
    terms, nothing = OrderTerms(reason="the session was resumed"), Preview("profile-set", station, 0, "", "")
    for known in register.installed(lane.state):
        if known.ours and known.profile.transaction_id == transaction_id:
            order = SetChargingProfile(known.evse, known.profile)
            try:
                await give(core, _PLANNER, station, "profile-set", order, terms, nothing)
            except (Refusal, StoreDown):
                return  # the intent says why
