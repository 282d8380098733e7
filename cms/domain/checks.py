"""Asking a 2.x station what it knows of a transaction, and whether messages wait in its queue (E14)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from cms.domain.changes import Decision, Happened, UpdateSession
from cms.domain.evolve import evolve
from cms.domain.following import doubted, flag_event, session_event, with_session
from cms.domain.keeping import keep
from cms.domain.observations import Noted
from cms.domain.orders import Order, OrderAnswer
from cms.domain.record import record
from cms.domain.sessions import Session, flagged, unflagged
from cms.domain.stations import StationState

if TYPE_CHECKING:
    from cms.domain.intents import Intent

KIND = "check"
#: The key of what was asked without a transaction: the station's whole queue.
WHOLE = ""
#: How many answers of a station are remembered; the oldest go first.
REMEMBERED = 50
_FLAG = "not-ongoing"


@record
class CheckTransaction(Order):
    """GetTransactionStatus; without an id about the station's queue as a whole."""

    transaction_id: str | None = None


@record
class Check:
    """What a station said. ``ongoing`` is None where it did not say, or was not asked about a transaction."""

    at: datetime
    messages_in_queue: bool
    ongoing: bool | None = None


def answered(
    state: StationState, intent: Intent, order: CheckTransaction, answer: OrderAnswer, now: datetime
) -> Decision:
    """The answer is remembered; a session that we think open and the station does not is flagged, never ended.

    Its end may wait in the station's queue (E14.FR.02). Where nothing waits, none will come: it is suspect.
    """
    if answer.verdict == "rejected":
        return Decision(Noted(), state)
    check = Check(now, answer.answer.get("messagesInQueue") is True, answer.answer.get("ongoingIndicator"))
    state, changes = keep(state, KIND, order.transaction_id or WHOLE, check, now, REMEMBERED)
    events: list[Happened] = []
    session = state.session_of(order.transaction_id) if order.transaction_id else None
    if session is not None:
        after = _reconciled(session, check)
        if after is not session:
            state = with_session(state, after)
            changes.append(UpdateSession(after))
            events += [session_event("session.changed", after, now), flag_event(after, now)]
    return Decision(Noted(), state, tuple(changes), tuple(events))


def _reconciled(session: Session, check: Check) -> Session:
    if check.ongoing is False:
        if not check.messages_in_queue:
            return doubted(session, _FLAG)
        return evolve(session, flags=flagged(session.flags, _FLAG))
    if check.ongoing and _FLAG in session.flags:
        return evolve(session, flags=unflagged(session.flags, _FLAG))
    return session
