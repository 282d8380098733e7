"""Every state as a sign, a word and a tone; colour only repeats what the sign says."""

from __future__ import annotations

from dataclasses import dataclass

from cms.contract.intents import IntentView
from cms.contract.stations import ConnectorView, StationView


@dataclass(frozen=True, slots=True)
class Sign:
    """``tone`` names a style of the theme: good, busy, warn, bad or dim."""

    mark: str
    word: str
    tone: str


CONNECTOR: dict[str, Sign] = {
    "available": Sign("○", "available", "good"),
    "charging": Sign("●", "charging", "busy"),
    "preparing": Sign("◔", "preparing", "busy"),
    "suspended-ev": Sign("◐", "suspended EV", "busy"),
    "suspended-evse": Sign("◐", "suspended EVSE", "warn"),
    "finishing": Sign("◑", "finishing", "busy"),
    "occupied": Sign("◔", "occupied", "busy"),
    "reserved": Sign("◇", "reserved", "busy"),
    "unavailable": Sign("–", "unavailable", "warn"),
    "faulted": Sign("✖", "faulted", "bad"),
    "offline": Sign("⊘", "offline", "bad"),
    "unknown": Sign("?", "unknown", "dim"),
}

SESSION: dict[str, Sign] = {
    "pending": Sign("◔", "pending", "busy"),
    "charging": Sign("●", "charging", "busy"),
    "suspended": Sign("◐", "suspended", "busy"),
    "suspect": Sign("▲", "suspect", "warn"),
    "ended": Sign("■", "ended", "dim"),
}

TOKEN: dict[str, Sign] = {
    "accepted": Sign("✔", "accepted", "good"),
    "blocked": Sign("✖", "blocked", "bad"),
    "expired": Sign("–", "expired", "warn"),
    "unknown": Sign("?", "unknown", "warn"),
    "invalid": Sign("?", "unknown", "warn"),
    "concurrent": Sign("▲", "in use", "warn"),
}

INTENT: dict[str, Sign] = {
    "queued": Sign("…", "queued", "busy"),
    "sent": Sign("→", "sent", "busy"),
    "accepted": Sign("◔", "accepted", "busy"),
    "confirmed": Sign("✔", "confirmed", "good"),
    "refused": Sign("✖", "refused", "bad"),
    "failed": Sign("✖", "failed", "bad"),
    "expired": Sign("✖", "expired", "bad"),
    "cancelled": Sign("–", "cancelled", "dim"),
}

#: A station shows the sign of its connector that says most to a person, in this order.
LOUDEST = (
    "faulted",
    "unavailable",
    "charging",
    "suspended-evse",
    "suspended-ev",
    "preparing",
    "finishing",
    "occupied",
    "reserved",
    "available",
)
_RANK = {status: rank for rank, status in enumerate(LOUDEST)}

WARNING = Sign("▲", "warning", "warn")
FINAL = frozenset({"confirmed", "refused", "failed", "expired", "cancelled"})


def of_connector(status: str) -> Sign:
    """The sign of a connector status; one that we do not know is shown as unknown."""
    return CONNECTOR.get(status, CONNECTOR["unknown"])


def station_status(station: StationView) -> str:
    """One word for the whole station: offline, or the status of its loudest connector."""
    if not station.online:
        return "offline"
    return min((c.status for c in station.connectors), key=lambda s: _RANK.get(s, 99), default="unknown")


def of_session(status: str) -> Sign:
    return SESSION.get(status, Sign("?", status, "dim"))


def of_token(status: str) -> Sign:
    return TOKEN.get(status, Sign("?", status, "dim"))


def of_intent(intent: IntentView) -> Sign:
    return INTENT.get(intent.status, Sign("?", intent.status, "dim"))


def marks(connectors: tuple[ConnectorView, ...]) -> str:
    """One mark per connector, in order; the station itself (EVSE 0) is none."""
    return "".join(of_connector(c.status).mark for c in connectors if c.evse)
