"""Deciding on what stations report of their transactions: StartTransaction, StopTransaction, TransactionEvent.

The rules (reliability contract, sections 3.1 and 3.4): always answer, number and store, even when the token is
refused or the values are absurd; a repeated message has the effect and the answer of its first delivery; what
cannot be placed goes to quarantine word for word and is answered all the same, because a station throws a
transaction message away after its last attempt.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from cms.domain import gaps, tokens
from cms.domain.changes import (
    Change,
    Decision,
    Deliver,
    Happened,
    OpenSession,
    Quarantine,
    UpdateSession,
)
from cms.domain.evolve import evolve, with_fields
from cms.domain.following import (
    doubted,
    flag_event,
    quarantined,
    reading_row,
    session_event,
    story,
    updated,
    with_session,
)
from cms.domain.masking import masked_text
from cms.domain.meters import Tally, register_in
from cms.domain.observations import (
    Noted,
    Received,
    TokenAnswer,
    TransactionAnswer,
    TransactionPhase,
    TransactionReported,
)
from cms.domain.record import record
from cms.domain.sessions import (
    FACTS,
    Fact,
    Session,
    SessionStatus,
    flagged,
    moved,
    trusted,
    unflagged,
)
from cms.domain.stations import Delivered, StationState
from cms.domain.tokens import Ruling

DELIVERY = "transaction"
# A station whose clock says less than this has never been set: its times cannot tell a repeat from a new start.
_CLOCK_IS_SET = 2020


@record
class Facts:
    """What the decision needs besides the station's state.

    ``ruling`` is about the presented token (None: none was presented). ``past`` is the session of this
    transaction id when it is not among the open ones; ``foreign`` the station that owns the id instead.
    ``delivered`` is the record of this message's natural key when it is not among the recent ones.
    """

    new_id: Callable[[], str]
    new_number: Callable[[], int]
    ruling: Ruling | None = None
    past: Session | None = None
    foreign: str | None = None
    delivered: Delivered | None = None


def decide(state: StationState, received: Received, report: TransactionReported, facts: Facts) -> Decision:
    """Decide on one report of a transaction."""
    known = state.recent.get(report.key) or facts.delivered
    if known is not None:
        if known.digest == report.digest and not _reused_by_a_lost_clock(state, report, known):
            return Decision(known.answer or Noted(), state)
        report = evolve(report, key=other_key(report))
        if report.key in state.recent:
            return Decision(state.recent[report.key].answer or Noted(), state)
        if not _is_news(state, report, facts):
            return _conflicting(state, received, report, facts)
        report = evolve(report, flags=(*report.flags, "repeated-key"))
    if report.phase is TransactionPhase.STARTED and report.transaction_id is None:
        return _start(state, received, report, facts)
    return _event(state, received, report, facts)


def other_key(report: TransactionReported) -> str:
    """The key under which a message is remembered whose natural key was taken by other content."""
    return f"{report.key}#{report.digest.hex()[:12]}"


def _reused_by_a_lost_clock(state: StationState, report: TransactionReported, known: Delivered) -> bool:
    """A 1.6 start that looks like a repeat, from a clock that was never set, after its session was stopped."""
    if report.at is None or report.at.year >= _CLOCK_IS_SET or report.transaction_id is not None:
        return False
    return known.answer is not None and state.session_of(known.answer.transaction_id or "") is None


def _is_news(state: StationState, report: TransactionReported, facts: Facts) -> bool:
    """Same natural key, other content: a station that does not count (seqNo always 0), or a contradiction?"""
    if report.transaction_id is None:
        return True
    session = state.session_of(report.transaction_id)
    if session is None or report.at is None or report.seq_no is None:
        return False
    return report.at > (session.last_sample_at or session.started_at)


def _conflicting(
    state: StationState, received: Received, report: TransactionReported, facts: Facts
) -> Decision:
    """The first delivery stands; this one is kept for a person, and answered so that the station moves on."""
    session = state.session_of(report.transaction_id or "") or facts.past
    reason = f"contradicts an earlier message about transaction {report.transaction_id}"
    answer = TransactionAnswer(token=_told(facts))
    changes: list[Change] = [
        Quarantine(state.station.id, received.action, reason, masked_text(received.raw), received.at)
    ]
    events = [quarantined(state, received, session, reason)]
    if session is not None and "conflicting-report" not in session.flags:
        session = evolve(session, flags=flagged(session.flags, "conflicting-report"))
        changes.append(UpdateSession(session))
        events.append(flag_event(session, received.at))
        state = with_session(state, session)
    return _delivered(Decision(answer, state, tuple(changes), tuple(events)), received, report, answer)


def _start(state: StationState, received: Received, report: TransactionReported, facts: Facts) -> Decision:
    """1.6 StartTransaction: a session and its number, whatever becomes of the token."""
    number = facts.new_number()
    session = _new_session(state, received, report, facts, str(number), number)
    answer = TransactionAnswer(str(number), _told(facts))
    changes, events, state = _doubt_predecessors(state, session, received.at)
    tally = Tally(session)
    if report.meter_wh is not None:
        tally.begin(report.meter_wh, session.started_at)
    fields = tally.fields()
    gap = _gap_flagged(state, session, fields)
    session = with_fields(session, fields)
    changes.append(OpenSession(session))
    events.append(session_event("session.started", session, received.at))
    if gap is not None:
        events.append(gaps.event(session, gap, received.at))
    return _delivered(
        Decision(answer, with_session(state, session), tuple(changes), tuple(events)),
        received,
        report,
        answer,
    )


def _event(state: StationState, received: Received, report: TransactionReported, facts: Facts) -> Decision:
    """2.x TransactionEvent and 1.6 StopTransaction: what happened to a transaction that has an id."""
    transaction_id = report.transaction_id or ""
    session = state.session_of(transaction_id) or facts.past
    if session is None and report.seq_no is None:
        session = _stop_of_the_only_candidate(state, report)
        if session is None:
            return _orphan(state, received, report, facts)
    if session is not None and session.status == SessionStatus.ENDED and report.seq_no is None:
        return _conflicting(state, received, report, facts)
    opened = session is None
    changes: list[Change] = []
    events: list[Happened] = []
    if session is None:
        session = _new_session(state, received, report, facts, transaction_id, None)
        changes, events, state = _doubt_predecessors(state, session, received.at)
    fields = _follow(session, received, report, facts)
    gap = _gap_flagged(state, session, fields)
    change = OpenSession(with_fields(session, fields)) if opened else updated(session, fields)
    answer = TransactionAnswer(token=_told(facts))
    changes.append(change)
    changes += [reading_row(change.session, reading, received.at) for reading in report.readings]
    events += story(session, change, received.at)
    if gap is not None:
        events.append(gaps.event(session, gap, received.at))
    state, remembered = gaps.kept(with_session(state, change.session), change.session, received.at)
    return _delivered(
        Decision(answer, state, (*changes, *remembered), tuple(events)),
        received,
        report,
        answer,
    )


def _new_session(
    state: StationState,
    received: Received,
    report: TransactionReported,
    facts: Facts,
    transaction_id: str,
    number: int | None,
) -> Session:
    at = report.at or received.at
    flags = set(report.flags)
    if report.evse == 0:
        flags.add("connector-zero")
    elif number is not None and state.connectors and (report.evse, report.connector) not in state.connectors:
        flags.add("unknown-connector")
    if at.year < _CLOCK_IS_SET or (at - received.at).total_seconds() > 3600:
        flags.add("station-clock")
    if report.phase is not TransactionPhase.STARTED:
        flags |= {"incomplete", "no-start"}
    status = SessionStatus.PENDING
    if number is not None and facts.ruling is not None and facts.ruling.accepted:
        status = SessionStatus.CHARGING
    return Session(
        id=facts.new_id(),
        station=state.station.id,
        ocpp_version=received.ocpp_version,
        transaction_id=transaction_id,
        number=number,
        status=status,
        started_at=at,
        started_received_at=received.at,
        evse=report.evse,
        connector=report.connector,
        token=None if report.token is None else tokens.display(report.token, _token_of(facts)),
        token_kind=report.token.kind if report.token else None,
        group=_group(facts),
        authorization=facts.ruling.status if facts.ruling else None,
        offline=report.offline,
        remote_start_id=report.remote_start_id,
        reservation_id=report.reservation_id,
        flags=tuple(sorted(flags)),
    )


def _follow(
    session: Session, received: Received, report: TransactionReported, facts: Facts
) -> dict[str, Any]:
    """The session's fields after one more report. evse, token and the ids are sent once: remember them."""
    at = report.at or received.at
    live = not report.offline and session.status != SessionStatus.ENDED
    tally = Tally(session)
    tally.flags.update(report.flags)
    _begin(tally, session, report, at)
    for reading in report.readings:
        tally.read(
            reading, at if reading.at is None else received.at, live=live, once=report.seq_no is not None
        )
    late = report.seq_no is not None and session.seq_last is not None and report.seq_no < session.seq_last
    fact = None if late else FACTS.get(report.charging_state or "")
    ended: dict[str, Any] = {}
    if report.phase is TransactionPhase.ENDED:
        fact = Fact.END
        ended = _ended(session, tally, report, received, facts, at)
    elif fact is None and session.status == SessionStatus.PENDING and tally.energy_wh > session.energy_wh:
        fact = Fact.FLOW
    fields = {**tally.fields(), **_learned(session, report, facts), **_counted(session, report), **ended}
    if report.phase is TransactionPhase.STARTED and session.seq_count:
        fields |= {"started_at": at, "flags": unflagged(fields["flags"], "no-start")}
    fields["status"] = moved(session.status, fact)
    fields["flags"] = trusted(fields["flags"], session.status, fields["status"])
    if report.charging_state and not late:
        fields["charging_state"] = report.charging_state
    fields["flags"] = _judged(session, fields)
    return fields


def _begin(tally: Tally, session: Session, report: TransactionReported, at: datetime) -> None:
    if session.number is not None and session.meter_start_wh is not None:
        return
    start_wh = register_in(report.readings, "Transaction.Begin")
    if start_wh is None:
        if not report.readings or session.meter_start_wh is not None:
            return
        if report.phase is not TransactionPhase.STARTED:
            tally.flags.add("no-meter-start")
        return
    tally.flags.discard("no-meter-start")
    tally.begin(start_wh, at)


def _learned(session: Session, report: TransactionReported, facts: Facts) -> dict[str, Any]:
    """What this report tells for the first time."""
    learned: dict[str, Any] = {}
    for name in ("evse", "connector", "remote_start_id", "reservation_id"):
        if getattr(session, name) is None and getattr(report, name) is not None:
            learned[name] = getattr(report, name)
    if report.token is not None and session.token is None and _may_own(report, facts):
        learned |= {
            "token": tokens.display(report.token, _token_of(facts)),
            "token_kind": report.token.kind,
            "group": _group(facts),
            "authorization": facts.ruling.status if facts.ruling else None,
        }
    if report.trigger == "StopAuthorized" and report.token is not None and session.stop_token is None:
        learned["stop_token"] = tokens.display(report.token, _token_of(facts))
    return learned


def _may_own(report: TransactionReported, facts: Facts) -> bool:
    """Whether the presented token can be the session's: who stops it, and a master pass, pays for nothing (C16)."""
    if report.phase is TransactionPhase.ENDED:
        return False
    token = _token_of(facts)
    return report.trigger != "StopAuthorized" or token is None or not token.master


def _counted(session: Session, report: TransactionReported) -> dict[str, Any]:
    """Bookkeeping of 2.x sequence numbers, constant in the length of the session."""
    if report.seq_no is None:
        return {}
    counted: dict[str, Any] = {
        "seq_count": session.seq_count + 1,
        "seq_last": max(session.seq_last or 0, report.seq_no),
    }
    if report.phase is TransactionPhase.STARTED:
        counted["seq_start"] = report.seq_no
    if report.phase is TransactionPhase.ENDED:
        counted["seq_end"] = report.seq_no
    return counted


def _ended(
    session: Session,
    tally: Tally,
    report: TransactionReported,
    received: Received,
    facts: Facts,
    at: datetime,
) -> dict[str, Any]:
    if session.status == SessionStatus.ENDED:
        tally.flags.add("second-end")
        return {}
    tally.flags.discard("no-stop")
    end_wh = report.meter_wh
    if end_wh is None:
        end_wh = register_in(report.readings, "Transaction.End")
    if at < session.started_at:
        tally.flags.add("stop-before-start")
    elif (at - received.at).total_seconds() > 3600:
        tally.flags.add("station-clock")
    return {
        "ended_at": at,
        "ended_received_at": received.at,
        "meter_stop_wh": tally.end(end_wh, at),
        # Absent means Local: 1.6 J errata 2.6, 2.0.1 E06.
        "stop_reason": report.stop_reason or "Local",
        "stop_token": session.stop_token
        if report.token is None
        else tokens.display(report.token, _token_of(facts)),
    }


def _gap_flagged(state: StationState, session: Session, fields: dict[str, Any]) -> dict[str, int] | None:
    """What the meter delivered between the last session and this one, told of by none; flagged in its fields."""
    gap = gaps.before(state, session, fields)
    if gap is not None:
        fields["flags"] = flagged(fields["flags"], gaps.FLAG)
    return gap


def _judged(session: Session, fields: dict[str, Any]) -> tuple[str, ...]:
    """Its flags: complete when start and end are there and no number between them is missing (2.x)."""
    flags: tuple[str, ...] = fields["flags"]
    if session.number is not None:
        return flags
    ended = fields["status"] == SessionStatus.ENDED
    first = fields.get("seq_start", session.seq_start)
    last = fields.get("seq_end", session.seq_end) if ended else fields.get("seq_last", session.seq_last)
    count = fields.get("seq_count", session.seq_count)
    if first is not None and last is not None and count >= last - first + 1:
        return unflagged(flags, "incomplete") if "incomplete" in flags else flags
    return flagged(flags, "incomplete") if ended else flags


def _doubt_predecessors(
    state: StationState, session: Session, now: datetime
) -> tuple[list[Change], list[Happened], StationState]:
    """A connector serves one car: an older session on it that never stopped becomes suspect, not lost."""
    changes: list[Change] = []
    events: list[Happened] = []
    for older in state.sessions.values():
        same_place = session.evse is not None and (older.evse, older.connector) == (
            session.evse,
            session.connector,
        )
        if same_place and older.status != SessionStatus.SUSPECT and older.started_at <= session.started_at:
            changed = doubted(older, "no-stop")
            changes.append(UpdateSession(changed))
            events.append(session_event("session.changed", changed, now))
            state = with_session(state, changed)
    return changes, events, state


def _stop_of_the_only_candidate(state: StationState, report: TransactionReported) -> Session | None:
    """A stop for id 0 or -1 (libocpp #495): the only open session with this token and a lower meter."""
    if report.transaction_id not in ("0", "-1"):
        return None
    candidates = [
        session
        for session in state.sessions.values()
        if (report.token is None or (session.token or "").casefold() == report.token.id.casefold())
        and (
            report.meter_wh is None
            or session.meter_start_wh is None
            or session.meter_start_wh <= report.meter_wh
        )
    ]
    return candidates[0] if len(candidates) == 1 else None


def _orphan(state: StationState, received: Received, report: TransactionReported, facts: Facts) -> Decision:
    """A stop that belongs to no session of this station: kept, answered, and nobody else's session is touched."""
    reason = f"no transaction {report.transaction_id} at this station"
    events = []
    if facts.foreign is not None:
        reason = f"transaction {report.transaction_id} belongs to station {facts.foreign}"
        detail = {"kind": "ForeignTransaction", "reported_at": None, "detail": reason}
        events.append(Happened("station.security", received.at, state.station.id, data=detail))
    answer = TransactionAnswer(token=_told(facts))
    kept = Quarantine(state.station.id, received.action, reason, masked_text(received.raw), received.at)
    events.append(quarantined(state, received, None, reason))
    return _delivered(Decision(answer, state, (kept,), tuple(events)), received, report, answer)


def _delivered(
    decision: Decision, received: Received, report: TransactionReported, answer: TransactionAnswer
) -> Decision:
    """Remember the message by its natural key, first of all changes: a Clash on it stops the rest."""
    state = decision.state.remembering(report.key, Delivered(report.digest, answer))
    deliver = Deliver(state.station.id, DELIVERY, report.key, report.digest, answer, received.at)
    return Decision(decision.answer, state, (deliver, *decision.changes), decision.events)


def _told(facts: Facts) -> TokenAnswer | None:
    return facts.ruling.answer() if facts.ruling else None


def _token_of(facts: Facts) -> tokens.Token | None:
    return facts.ruling.token if facts.ruling else None


def _group(facts: Facts) -> str | None:
    token = _token_of(facts)
    return token.group if token else None
