"""How a decision becomes fact: committed first, then the state is replaced. Used by every operation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cms.core import Core, Lane
from cms.domain import accounts
from cms.domain.changes import Change, Happened, Keep, OpenSession, SaveIntent, UpdateSession
from cms.domain.evolve import evolve
from cms.domain.intents import FINAL, Intent, view
from cms.domain.sessions import RUNNING, Session
from cms.domain.stations import StationState
from cms.operations.credits import reserve

# After these a session may run that did not, or the other way round.
_TURNS = (OpenSession, UpdateSession)


async def settle(
    core: Core, lane: Lane, state: StationState, changes: Sequence[Change], events: Sequence[Happened]
) -> None:
    """Make changes durable, then let ``state`` be the state. The lane's lock is held by the caller."""
    if changes or events:
        await core.store.commit(changes, events)
        for change in changes:
            if isinstance(change, _TURNS):
                index(core, change.session)
            elif type(change) is Keep and change.kind == accounts.KIND:
                reserve(core, change.key, change.value)
    lane.state = state


def index(core: Core, session: Session) -> None:
    """Keep count of a token's running sessions."""
    if session.token is None:
        return
    key = session.token.casefold()
    running = core.active.setdefault(key, set())
    if session.status in RUNNING:
        running.add(session.id)
    else:
        running.discard(session.id)
    if not running:
        del core.active[key]


def with_intent(state: StationState, intent: Intent) -> StationState:
    """The state with this intent; a final and answered one is of no more concern to decisions."""
    intents = dict(state.intents)
    if intent.status in FINAL and (intent.answered_at is not None or intent.sent_at is None):
        intents.pop(intent.id, None)
    else:
        intents[intent.id] = intent
    return evolve(state, intents=intents)


def intent_event(type: str, intent: Intent, now: datetime) -> Happened:
    return Happened(
        type, now, intent.station, intent.session, actor=intent.requested_by, data={"intent": view(intent)}
    )


async def keep(core: Core, kind: str, key: str, value: Any, *events: Happened) -> None:
    """Keep (or with None forget) what belongs to no station; ``core.books`` is held by the caller."""
    await core.store.commit((Keep("", kind, key, value, core.clock.now()),), events)
    of_kind = core.kept.setdefault(kind, {})
    of_kind.pop(key, None)
    if value is not None:
        of_kind[key] = value


async def save_intent(core: Core, lane: Lane, intent: Intent, *more: Change, created: bool = False) -> Intent:
    """Store an intent and tell of it; the lane's lock is held by the caller."""
    told = intent_event("intent.created" if created else "intent.changed", intent, core.clock.now())
    await settle(core, lane, with_intent(lane.state, intent), (SaveIntent(intent), *more), (told,))
    return intent
