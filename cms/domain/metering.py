"""Deciding on MeterValues: kept with the transaction where there is one, with the station where there is none."""

from __future__ import annotations

from cms.domain.changes import AddReading, Change, Decision, Happened, Quarantine
from cms.domain.evolve import evolve
from cms.domain.following import metered_event, quarantined, reading_row, session_event, updated, with_session
from cms.domain.masking import masked_text
from cms.domain.meters import Tally
from cms.domain.observations import Metered, Noted, Received
from cms.domain.sessions import Fact, Session, SessionStatus, moved
from cms.domain.stations import Delivered, StationState

#: What a 1.6 station writes that never learned its transaction's id (1.6 errata 3.18, libocpp #495).
NO_ID = frozenset({"0", "-1"})


def meter(
    state: StationState,
    received: Received,
    metered: Metered,
    past: Session | None = None,
    foreign: str | None = None,
) -> Decision:
    """Decide on one message. ``past`` is its closed session, ``foreign`` the station that owns its id instead."""
    if metered.transaction_id in NO_ID:
        session = _only_session_at(state, metered.evse)
        metered = evolve(metered, transaction_id=None)
    elif metered.transaction_id is not None:
        session = state.session_of(metered.transaction_id) or past
    else:
        session = None
    if session is None:
        return _loose(state, received, metered, foreign)
    readings = tuple(reading_row(session, reading, received.at) for reading in metered.readings)
    live = session.status != SessionStatus.ENDED
    if not live and session.meter_stop_wh is not None:
        return Decision(Noted(), state, readings)
    tally = Tally(session)
    tally.flags.update(metered.flags)
    for reading in metered.readings:
        tally.read(reading, received.at, live=live)
    fields = tally.fields()
    if session.status == SessionStatus.PENDING and tally.energy_wh > session.energy_wh:
        fields["status"] = moved(session.status, Fact.FLOW)
    change = updated(session, fields)
    after = change.session
    calm = after.status == session.status and after.flags == session.flags
    told = metered_event(after, received.at) if calm else session_event("session.changed", after, received.at)
    return Decision(Noted(), with_session(state, after), (change, *readings), (told,))


def _only_session_at(state: StationState, evse: int) -> Session | None:
    here = [s for s in state.sessions.values() if s.evse == evse and s.status != SessionStatus.SUSPECT]
    return here[0] if evse and len(here) == 1 else None


def _loose(state: StationState, received: Received, metered: Metered, foreign: str | None) -> Decision:
    """Values of no session: kept with the station; of an id nobody knows, told once."""
    station = state.station.id
    tid = metered.transaction_id
    changes: list[Change] = [
        AddReading(station, metered.evse, tid, None, received.at, reading) for reading in metered.readings
    ]
    key = f"loose:{tid}"
    if tid is None or key in state.recent:
        return Decision(Noted(), state, tuple(changes))
    reason = f"no transaction {tid} at this station"
    events = []
    if foreign is not None:
        reason = f"transaction {tid} belongs to station {foreign}"
        detail = {"kind": "ForeignTransaction", "reported_at": None, "detail": reason}
        events.append(Happened("station.security", received.at, station, data=detail))
    changes.append(Quarantine(station, received.action, reason, masked_text(received.raw), received.at))
    events.append(quarantined(state, received, None, reason))
    return Decision(Noted(), state.remembering(key, Delivered(b"", None)), tuple(changes), tuple(events))
