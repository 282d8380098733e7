"""Energy that no session tells of: the register of an EVSE went on between the end of one and the start of the next.

Registers are cumulative. Whoever charges and tells of no session, or stops one on paper and goes on, leaves them
higher than the last stop said. What a session ended with is kept by EVSE, as an EVSE has one meter (2.0.1 part 1, 3.2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from cms.domain.changes import Change, Happened
from cms.domain.keeping import keep
from cms.domain.record import record
from cms.domain.sessions import Session, SessionStatus
from cms.domain.stations import StationState

KIND = "meter-end"
FLAG = "energy-gap"
#: What registers in whole kWh lose by rounding, and stations take for themselves between two sessions.
TOLERATED_WH = 1000
#: EVSEs of one station of which the last register is kept.
_MOST = 200


@record
class LastRegister:
    """Where the register of an EVSE stood when a session on it ended; ``at`` never lies in our future."""

    register_wh: int
    at: datetime


def before(state: StationState, session: Session, fields: Mapping[str, Any]) -> dict[str, int] | None:
    """What is missing when ``session`` learns where its meter began, by these fields: data of ``energy.gap``."""
    if session.meter_start_wh is not None and session.evse is not None:
        return None  # nearly always: it was asked when it began
    start_wh, evse = fields["meter_start_wh"], fields.get("evse", session.evse)
    if start_wh is None or not evse:
        return None
    last_wh = max(_registers(state, evse, session.id), default=start_wh)
    if start_wh - last_wh <= TOLERATED_WH:
        return None
    return {"evse": evse, "last_wh": last_wh, "start_wh": start_wh, "gap_wh": start_wh - last_wh}


def event(session: Session, gap: Mapping[str, int], now: datetime) -> Happened:
    return Happened("energy.gap", now, session.station, session.id, data=dict(gap))


def kept(state: StationState, session: Session, now: datetime) -> tuple[StationState, list[Change]]:
    """The state that remembers where the register stood at the end of this session, if it has ended."""
    if session.status != SessionStatus.ENDED or session.register_wh is None or not session.evse:
        return state, []
    key, ended = str(session.evse), LastRegister(session.register_wh, min(session.ended_at or now, now))
    last: LastRegister | None = state.kept_of(KIND).get(key)
    # What comes late from before the last end says nothing new; a register that is higher does, whatever its clock.
    if last is not None and (ended == last or (ended.at < last.at and ended.register_wh <= last.register_wh)):
        return state, []
    return keep(state, KIND, key, ended, now, _MOST)


def _registers(state: StationState, evse: int, but: str) -> Iterator[int]:
    """Where the register of this EVSE stood last, by the last end and by sessions that never got theirs."""
    last: LastRegister | None = state.kept_of(KIND).get(str(evse))
    if last is not None:
        yield last.register_wh
    for session in state.sessions.values():
        if session.evse == evse and session.id != but and session.register_wh is not None:
            yield session.register_wh
