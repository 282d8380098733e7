"""What an order would do, said before it is done: the same words for the TUI, the CLI and scripts."""

from __future__ import annotations

from cms.contract.intents import Preview
from cms.domain.sessions import RUNNING, Session
from cms.domain.stations import StationState


def ending(state: StationState, evse: int | None = None) -> tuple[Session, ...]:
    """The running sessions that an order at this place ends."""
    return tuple(s for s in state.sessions.values() if s.status in RUNNING and evse in (None, 0, s.evse))


def preview(
    state: StationState,
    order: str,
    cli: str,
    ended: tuple[Session, ...],
    does: str,
    level: int | None = None,
) -> Preview:
    """Level 2 where running sessions end, else 1 (or as given: 0 looks only)."""
    impact = does
    if ended:
        told = "; ".join(_said(session) for session in ended)
        impact = f"ends {len(ended)} running session{'s' if len(ended) > 1 else ''}: {told}; {does}"
    danger = 2 if ended else 1
    return Preview(
        order=order,
        station=state.station.id,
        level=danger if level is None else level,
        impact=impact,
        cli=f"cms {cli}",
        sessions=tuple(session.id for session in ended),
    )


def _said(session: Session) -> str:
    place = f"EVSE {session.evse}" if session.evse is not None else "no EVSE yet"
    return f"{place}, {session.token or 'no token'}, {session.energy_wh / 1000:.1f} kWh"
