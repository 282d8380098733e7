"""A running or past session in a line of figures, and who charges: the same words wherever a session is shown."""

from __future__ import annotations

from cms.contract.sessions import SessionView
from tui import signs, words
from tui.mirror import Mirror
from tui.screens.place import NARROW, Place
from tui.widgets.paint import Line, Span

#: What a station said when it was asked for a transaction (2.x).
CHECKED = {
    True: "the station says it goes on",
    False: "the station says it is over",
    None: "the station could not say",
}


def payer_of(mirror: Mirror, session: SessionView) -> str:
    """The driver to whom the session's token belongs, else the token."""
    if session.token is None:
        return ""
    token = mirror.tokens.get(session.token)
    return (token.driver if token else None) or session.token


def cost_of(session: SessionView) -> str:
    """What it costs so far; nothing while it has no price."""
    return "" if session.cost is None else str(session.cost["amount"])


def figures(place: Place, session: SessionView) -> Line:
    """One line: who, how long, energy, power, state of charge, cost, what is odd; the id where there is room."""
    sign = signs.of_session(session.status)
    lasted = words.lasting(session.started_at, session.ended_at or place.console.now())
    parts = [
        *([f"session {session.id}"] if place.app.size.width >= NARROW else []),
        payer_of(place.mirror, session) or "no token",
        f"{lasted} h",
        words.energy(session.energy_wh),
    ]
    if session.ended_at is None:
        parts.append(words.power(session.power_w or 0))
    if session.soc_percent is not None:
        parts.append(f"SoC {words.percent(session.soc_percent)}")
    if session.cost is not None:
        parts.append(f"{session.cost['amount']} {session.cost['currency']}")
    if session.check is not None:
        parts.append(CHECKED[session.check.ongoing])
    line: list[Span] = [(f" {sign.mark} ", sign.tone), " · ".join(parts)]
    if session.flags:
        line.append((f" · {', '.join(session.flags)}", "warn"))
    return tuple(line)
