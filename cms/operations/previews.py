"""What an order would do, said before it is done: the same words for the TUI, the CLI and scripts."""

from __future__ import annotations

import shlex
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from cms.contract.intents import Preview
from cms.contract.payments import Limit
from cms.contract.stations import OrderTerms
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


def line(verb: str, *words: object, **flags: object) -> str:
    """A command line without its ``cms``: each word quoted for a shell, flags in order; None and False are not said."""
    said = [verb, *(shlex.quote(word_of(word)) for word in words if word is not None)]
    for name, value in flags.items():
        if value is None or value is False:
            continue
        said.append(f"--{name.rstrip('_').replace('_', '-')}")
        if value is not True:
            said.append(shlex.quote(word_of(value)))
    return " ".join(said)


def word_of(value: object) -> str:
    """As the command line reads it: times in UTC, numbers without an exponent."""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def on_terms(shown: Preview, terms: OrderTerms) -> Preview:
    """The same with the terms of the order in its command line."""
    queue = None if terms.queue_s is None else f"{terms.queue_s:g}s"
    timeout = None if terms.timeout_s is None else f"{terms.timeout_s:g}s"
    said = line("", when_idle=terms.when_idle, at=terms.at, queue=queue, timeout=timeout, reason=terms.reason)
    return replace(shown, cli=shown.cli + said)


def limits(limit: Limit | None) -> dict[str, object]:
    """Where a session ends by itself, as flags."""
    if limit is None:
        return {}
    energy, span = limit.max_energy_wh, limit.max_time_s
    return {
        "max_cost": limit.max_cost,
        "max_kwh": None if energy is None else energy / 1000,
        "max_time": None if span is None else f"{span}s",
        "max_soc": limit.max_soc,
    }


def _said(session: Session) -> str:
    place = f"EVSE {session.evse}" if session.evse is not None else "no EVSE yet"
    return f"{place}, {session.token or 'no token'}, {session.energy_wh / 1000:.1f} kWh"
