"""What every report about a session comes to: its changed state, its rows, and the events that tell of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from operator import attrgetter

from cms.domain.changes import AddReading, Happened, MeterSession, OpenSession, UpdateSession
from cms.domain.evolve import evolve, with_fields
from cms.domain.observations import Reading, Received
from cms.domain.sessions import Fact, Session, SessionStatus, flagged, moved, only_moved, view
from cms.domain.stations import StationState

#: A listener holds the session as it last heard of it: a change of one of these is told with the whole session.
_PLAIN_TO_SEE = attrgetter("status", "token", "evse", "connector", "authorization", "flags", "started_at")


def story(
    before: Session, change: OpenSession | UpdateSession | MeterSession, now: datetime
) -> list[Happened]:
    """The events that tell how the session moved."""
    after = change.session
    events: list[Happened] = []
    opened = isinstance(change, OpenSession)
    if opened:
        events.append(session_event("session.started", after, now))
        if after.status != SessionStatus.ENDED:
            return events
    if after.status == SessionStatus.ENDED and (opened or before.status != SessionStatus.ENDED):
        return [*events, session_event("session.ended", after, now)]
    if not isinstance(change, MeterSession) and _PLAIN_TO_SEE(before) != _PLAIN_TO_SEE(after):
        events.append(session_event("session.changed", after, now))
    elif after.last_sample_at != before.last_sample_at or after.energy_wh != before.energy_wh:
        events.append(metered_event(after, now))
    return events


def metered_event(session: Session, now: datetime) -> Happened:
    data = {
        "evse": session.evse,
        "connector": session.connector,
        "energy_wh": session.energy_wh,
        "power_w": session.power_w,
        "soc_percent": session.soc_percent,
        "at": session.last_sample_at,
    }
    return Happened("session.metered", now, session.station, session.id, data=data)


def session_event(type: str, session: Session, now: datetime) -> Happened:
    return Happened(type, now, session.station, session.id, data={"session": view(session)})


def flag_event(session: Session, now: datetime) -> Happened:
    return Happened("session.flagged", now, session.station, session.id, data={"flags": session.flags})


def quarantined(state: StationState, received: Received, session: Session | None, reason: str) -> Happened:
    return Happened(
        "quarantine.added",
        received.at,
        state.station.id,
        session.id if session else None,
        data={"kind": received.action, "reason": reason},
    )


def with_session(state: StationState, session: Session) -> StationState:
    sessions = dict(state.sessions)
    if session.status == SessionStatus.ENDED:
        sessions.pop(session.id, None)
    else:
        sessions[session.id] = session
    return evolve(state, sessions=sessions)


def doubted(session: Session, flag: str) -> Session:
    """The session as suspect: over by all appearances, though no stop came."""
    return evolve(
        session, status=moved(session.status, Fact.DOUBT), power_w=None, flags=flagged(session.flags, flag)
    )


def updated(session: Session, fields: Mapping[str, object]) -> UpdateSession | MeterSession:
    """The change that gives these fields new values."""
    after = with_fields(session, fields)
    return MeterSession(after) if only_moved(session, after, fields) else UpdateSession(after)


def reading_row(session: Session, reading: Reading, received_at: datetime) -> AddReading:
    return AddReading(
        session.station, session.evse or 0, session.transaction_id, session.id, received_at, reading
    )
