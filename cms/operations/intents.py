"""Giving orders as intents: stored, sent when the station is there, answered, confirmed by their effect."""

from __future__ import annotations

import asyncio
import heapq
from datetime import datetime, timedelta

import msgspec

from cms.contract.intents import AwaitIntent, CancelIntent, IntentView, ListIntents, Preview, ShowIntent
from cms.contract.refusals import (
    Conflict,
    Invalid,
    NotFound,
    NotSupported,
    Refusal,
    Rejected,
    TimedOut,
    Unreachable,
)
from cms.contract.stations import OrderTerms
from cms.core import Actor, Core, Lane, StoreDown, Subscription
from cms.domain import intents, wordforword
from cms.domain.changes import SaveIntent
from cms.domain.evolve import evolve
from cms.domain.intents import FINAL, Intent, IntentStatus
from cms.domain.orderbook import ORDERS
from cms.domain.orders import Order, OrderAnswer
from cms.domain.stations import StationState
from cms.operations import due
from cms.operations.adapting import ask
from cms.operations.deciding import intent_event, save_intent, settle, with_intent
from cms.operations.learning import TAKEN, learn
from cms.operations.preparing import prepared
from cms.operations.previews import on_terms
from cms.operations.secrecy import params_of

_MAX_TIMEOUT_S = 600.0
_MAX_LIST = 10_000


async def give(
    core: Core, actor: Actor, station_id: str, name: str, order: Order, terms: OrderTerms, preview: Preview
) -> IntentView | Preview:
    """Give an order: at once when the station is there, else as the terms allow. Returns once it is answered.

    Raises Unreachable, Rejected, NotSupported as the station decides; the intent then says the same.
    """
    if terms.dry_run:
        return on_terms(preview, terms)
    if terms.timeout_s is not None and not 0 < terms.timeout_s <= _MAX_TIMEOUT_S:
        raise Invalid(f"timeout must be between 0 and {_MAX_TIMEOUT_S:.0f} s, not {terms.timeout_s:g}")
    lane = core.lane(station_id)
    async with lane.lock:
        intent = _new_intent(core, actor, lane.state, name, order, terms)
        if intent.status != IntentStatus.QUEUED:
            may_send(lane.state, intent)
        await save_intent(core, lane, intent, created=True)
    if intent.status == IntentStatus.QUEUED:
        _remind(core, intent)
        return intents.view(intent)
    return intents.view(await send(core, lane, intent, order))


def may_send(state: StationState, intent: Intent) -> None:
    """What a station that is not accepted may be sent (1.6 section 4.2, 2.0.1 B02.FR.05, B03.FR.03)."""
    station = state.station
    status = station.boot_status or station.boot_policy
    if status == "rejected":
        raise Conflict(
            f"{station.id} is rejected: nothing may be sent to it before it boots again and is accepted",
            f"cms stations set {station.id} --boot-policy accepted",
        )
    if status == "pending" and wordforword.own(intent).order in ("start", "stop"):
        raise Conflict(
            f"{station.id} is pending: no session can be started or stopped before it is accepted",
            f"cms stations set {station.id} --boot-policy accepted",
        )


def may_trigger(state: StationState, message: str) -> None:
    """No accepted station is asked for another boot (1.6 errata 3.40; 2.0.1 F06.FR.17)."""
    station = state.station
    if message.casefold() == "bootnotification" and station.boot_status == "accepted":
        raise Conflict(
            f"{station.id} is accepted: OCPP forbids asking it for another BootNotification",
            f"to ask all the same: cms stations trigger {station.id} BootNotification --force",
        )


def _new_intent(
    core: Core, actor: Actor, state: StationState, name: str, order: Order, terms: OrderTerms
) -> Intent:
    now = core.clock.now()
    station = state.station
    busy = terms.when_idle and bool(state.sessions)
    later = terms.at is not None and terms.at > now
    offline = core.stations.link(station.id) is None
    if offline and not terms.queue_s and not later and not busy:
        seen = station.last_seen_at
        since = f"; last seen {seen:%Y-%m-%d %H:%M} UTC" if seen else ""
        raise Unreachable(
            f"{station.id} is offline{since}", "add --queue 2h to keep the order until it is back"
        )
    waits = offline or busy or later
    params, secret = params_of(order)
    if secret and waits:
        raise Invalid("a password cannot be kept in a queue: send it while the station is online and idle")
    return Intent(
        id=core.mint.id(now),
        station=station.id,
        order=name,
        params=params,
        status=IntentStatus.QUEUED if waits else IntentStatus.SENT,
        requested_by=actor.name,
        reason=terms.reason,
        created_at=now,
        not_before=terms.at,
        expires_at=_expiry(now, terms) if waits else None,
        when_idle=terms.when_idle,
        sent_at=None if waits else now,
        timeout_s=core.terms.call_timeout_s if terms.timeout_s is None else terms.timeout_s,
    )


def _expiry(now: datetime, terms: OrderTerms) -> datetime:
    start = max(terms.at or now, now)
    return start + timedelta(seconds=terms.queue_s or (86_400 if terms.when_idle else 3_600))


def _remind(core: Core, intent: Intent) -> None:
    for when in (intent.not_before, intent.expires_at, intent.effect_due_at):
        if when is not None:
            core.wake(when, intent.station, intent.id)


async def send(core: Core, lane: Lane, intent: Intent, order: Order) -> Intent:
    """Send a stored order and store the answer; the lane is free meanwhile, the station may talk."""
    try:
        order = await prepared(core, lane, order)
        order, answer = await ask(core, lane, order, intent.timeout_s)
    except Refusal as refused:
        await _not_done(core, lane, intent, refused)
        raise
    async with lane.lock:
        now = core.clock.now()
        current = lane.state.intents.get(intent.id, intent)
        current = intents.answered(current, answer, now, lane.state, core.terms.begins_within)
        await _store_answer(core, lane, current, order, answer, now)
    _remind(core, current)
    if current.status == IntentStatus.REFUSED:
        cannot = answer.word in ("NotSupported", "NotImplemented")
        kind = NotSupported if cannot else Rejected
        raise kind(f"{intent.station} refused {intent.order}: {_said(answer)}")
    return current


def _said(answer: OrderAnswer) -> str:
    """The station's word; where it was asked for several things, its word for each it refused."""
    refused = [f"{v.name} {v.status}" for v in answer.variables if v.status not in TAKEN]
    return ", ".join(refused) or answer.said


async def _not_done(core: Core, lane: Lane, intent: Intent, refused: Refusal) -> None:
    async with lane.lock:
        current = lane.state.intents.get(intent.id, intent)
        if current.status == IntentStatus.CONFIRMED:  # its effect overtook the answer that never came
            await save_intent(core, lane, evolve(current, answered_at=core.clock.now()))
            return
        status = IntentStatus.REFUSED if isinstance(refused, Rejected) else IntentStatus.FAILED
        ended = evolve(current, status=status, answered_at=core.clock.now(), detail=refused.message)
        await save_intent(core, lane, ended)


async def _store_answer(
    core: Core, lane: Lane, intent: Intent, order: Order, answer: OrderAnswer, now: datetime
) -> None:
    """The intent and what else the answer taught us, in one commit."""
    learned = learn(core, with_intent(lane.state, intent), intent, order, answer, now)
    moved = intent_event("intent.changed", intent, now)
    await settle(core, lane, learned.state, (SaveIntent(intent), *learned.changes), (moved, *learned.events))


async def flush(core: Core, station_id: str) -> None:
    """Send the queued orders of a station that are due now, one after the other."""
    lane = core.lanes.get(station_id.casefold())
    if lane is None:
        return
    while (due := await _take_due(core, lane)) is not None:
        order = msgspec.convert(due.params, ORDERS[due.order], strict=False)
        try:
            await send(core, lane, due, order)
        except (Refusal, StoreDown):
            continue  # the intent says why


async def _take_due(core: Core, lane: Lane) -> Intent | None:
    async with lane.lock:
        now = core.clock.now()
        for intent in lane.state.intents.values():
            if intent.status == IntentStatus.QUEUED and _due(core, lane.state, intent, now):
                return await save_intent(core, lane, evolve(intent, status=IntentStatus.SENT, sent_at=now))
    return None


def _due(core: Core, state: StationState, intent: Intent, now: datetime) -> bool:
    if core.stations.link(intent.station) is None or not _accepted_enough(state, intent):
        return False
    if intent.not_before is not None and now < intent.not_before:
        return False
    if intent.expires_at is not None and now >= intent.expires_at:
        return False
    return not (intent.when_idle and state.sessions)


def _accepted_enough(state: StationState, intent: Intent) -> bool:
    try:
        may_send(state, intent)
    except Conflict:
        return False
    return True


async def look_again(core: Core, station_id: str, intent_id: str) -> None:
    """The agenda's call: an instant came that the intent waited for."""
    lane = core.lanes.get(station_id.casefold())
    if lane is None:
        return
    if intent_id not in lane.state.intents:
        await due.look(core, lane, intent_id)
        return
    async with lane.lock:
        intent = lane.state.intents.get(intent_id)
        late = intents.overdue(intent, core.clock.now()) if intent else None
        if late is not None:
            await save_intent(core, lane, late)
            return
    if intent is not None and intent.status == IntentStatus.QUEUED:
        await flush(core, station_id)


class Agenda:
    """Instants at which an intent must be looked at again."""

    def __init__(self) -> None:
        self._due: list[tuple[datetime, str, str]] = []
        self._changed = asyncio.Event()

    def add(self, when: datetime, station: str, intent: str) -> None:
        heapq.heappush(self._due, (when, station, intent))
        self._changed.set()

    async def run(self, core: Core) -> None:
        """Look at intents as their time comes, for ever. Wall clocks jump: never sleep long on one."""
        for lane in core.lanes.values():
            for intent in lane.state.intents.values():
                _remind(core, intent)
        due.remember(core)
        while True:
            now = core.clock.now()
            while self._due and self._due[0][0] <= now:
                _, station, intent_id = heapq.heappop(self._due)
                core.spawn(look_again(core, station, intent_id))
            self._changed.clear()
            wait_s = min(5.0, max(0.05, (self._due[0][0] - now).total_seconds())) if self._due else None
            try:
                await asyncio.wait_for(self._changed.wait(), wait_s)
            except TimeoutError:
                continue


async def recover(core: Core) -> None:
    """After a start: orders that were on their way have an unknown outcome; they are not sent again."""
    now = core.clock.now()
    for lane in core.lanes.values():
        for intent in list(lane.state.intents.values()):
            after = intents.after_restart(intent, now)
            if after is not intent:
                async with lane.lock:
                    await save_intent(core, lane, after)


def check_limit(limit: int) -> None:
    if not 0 < limit <= _MAX_LIST:
        raise Invalid(f"limit must be between 1 and {_MAX_LIST}, not {limit}")


async def list_(core: Core, request: ListIntents, actor: Actor) -> list[IntentView]:
    check_limit(request.limit)
    if request.status is not None and request.status not in set(IntentStatus):
        raise Invalid(f"status must be one of {', '.join(IntentStatus)}, not {request.status!r}")
    return await core.store.intents(request.station, request.status, request.limit)


async def show(core: Core, request: ShowIntent, actor: Actor) -> IntentView:
    for lane in core.lanes.values():
        if request.intent in lane.state.intents:
            return intents.view(lane.state.intents[request.intent])
    found = await core.store.intent(request.intent)
    if found is None:
        raise NotFound(f"there is no intent {request.intent}", "see `cms intents list`")
    return found


async def outcome(core: Core, request: AwaitIntent, actor: Actor) -> IntentView:
    """Wait for the end of an intent. Raises Rejected, TimedOut or Conflict when it did not end well."""
    view = await show(core, ShowIntent(request.intent), actor)
    subscription = core.bus.subscribe()
    try:
        async with asyncio.timeout(request.wait_s):
            # What was told a moment before we listened becomes the state in this very turn of the loop.
            await asyncio.sleep(0)
            view = await show(core, ShowIntent(request.intent), actor)
            while view.status not in FINAL:
                told = await _heard_of(subscription, request.intent)
                if told is None:  # it overflowed: listen again, then look
                    subscription = core.bus.subscribe()
                # Events are told before the state is replaced: what was told is newer than what is shown.
                view = told or await show(core, ShowIntent(request.intent), actor)
    except TimeoutError:
        view = await show(core, ShowIntent(request.intent), actor)
        if view.status not in FINAL:
            raise TimedOut(
                f"{view.station}: {view.order} is {view.status}, its effect was not seen "
                f"within {request.wait_s:g} s",
                f"cms intents show {view.id}",
            ) from None
    finally:
        subscription.close()
    return _ended_well(view)


async def _heard_of(subscription: Subscription, intent_id: str) -> IntentView | None:
    """Wait until something is told of the intent, and return it; None when the subscription ended."""
    async for event in subscription:
        told = event.data.get("intent")
        if isinstance(told, IntentView) and told.id == intent_id:
            return told
    return None


def _ended_well(view: IntentView) -> IntentView:
    if view.status == IntentStatus.CONFIRMED:
        return view
    message = f"{view.station}: {view.order} {view.status}: {view.detail or 'no reason given'}"
    if view.status == IntentStatus.REFUSED:
        raise Rejected(message)
    if view.status == IntentStatus.CANCELLED:
        raise Conflict(message)
    raise TimedOut(message)


async def cancel(core: Core, request: CancelIntent, actor: Actor) -> IntentView:
    """Withdraw an order that was not sent yet."""
    view = await show(core, ShowIntent(request.intent), actor)
    lane = core.lane(view.station)
    async with lane.lock:
        intent = lane.state.intents.get(request.intent)
        if intent is None or intent.status != IntentStatus.QUEUED:
            raise Conflict(f"intent {request.intent} is {view.status}: only a queued one can be cancelled")
        detail = f"cancelled by {actor.name}"
        cancelled = evolve(intent, status=IntentStatus.CANCELLED, detail=detail)
        return intents.view(await save_intent(core, lane, cancelled))
