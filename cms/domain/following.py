"""What every report about a session comes to: its changed state, its rows, and the events that tell of it."""

from __future__ import annotations

from datetime import datetime

from cms.domain.changes import AddReading, Happened, MeterSession, UpdateSession
from cms.domain.evolve import evolve
from cms.domain.observations import Reading, Received
from cms.domain.sessions import Fact, Session, SessionStatus, flagged, moved, only_moved, view
from cms.domain.stations import StationState


def story(before: Session, after: Session, now: datetime, *, opened: bool) -> list[Happened]:
    """The events that tell how the session moved."""
    events: list[Happened] = []
    if opened:
        events.append(session_event("session.started", after, now))
        if after.status != SessionStatus.ENDED:
            return events
    if after.status == SessionStatus.ENDED and (opened or before.status != SessionStatus.ENDED):
        return [*events, session_event("session.ended", after, now)]
    calm = ("status", "token", "evse", "connector", "authorization", "flags", "started_at")
    if any(getattr(before, name) != getattr(after, name) for name in calm):
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


def updated(before: Session, after: Session) -> UpdateSession | MeterSession:
    return MeterSession(after) if only_moved(before, after) else UpdateSession(after)


def reading_row(session: Session, reading: Reading, received_at: datetime) -> AddReading:
    return AddReading(
        session.station, session.evse or 0, session.transaction_id, session.id, received_at, reading
    )
