"""A station as we keep it, and everything its next decision needs: held in memory, replaced after commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cms.domain.connectors import Connector, told
from cms.domain.evolve import evolve
from cms.domain.observations import TransactionAnswer
from cms.domain.record import record
from cms.domain.sessions import Session

if TYPE_CHECKING:  # effects read blocks, blocks read this: only the name is needed here
    from cms.domain.intents import Intent

# How many deliveries a station's state remembers.
RECENT = 12
_NOTHING: Mapping[str, Any] = {}
BOOT_POLICIES = ("accepted", "pending", "rejected")


@record
class Station:
    """A registered station. ``id`` is the registered spelling; identities compare without case.

    ``password_digest`` is the keyed HMAC-SHA256 of its generated password (None: profile 0, no password).
    ``boot_policy`` is what the next BootNotification is answered; ``boot_status`` what the last one was.
    """

    id: str
    site: str | None = None
    security_profile: int = 1
    password_digest: bytes | None = None
    boot_policy: str = "accepted"
    note: str | None = None
    enrolled_at: datetime | None = None
    ocpp_version: str | None = None
    vendor: str | None = None
    model: str | None = None
    serial: str | None = None
    firmware: str | None = None
    boot_status: str | None = None
    booted_at: datetime | None = None
    last_seen_at: datetime | None = None


@record
class Delivered:
    """A message we have already decided: its digest and the answer to repeat (None: the empty answer)."""

    digest: bytes
    answer: TransactionAnswer | None


@record
class StationState:
    """What deciding about one station needs. ``sessions`` are those not ended, ``intents`` those not final.

    ``recent`` holds the last deliveries by ``kind:key``, so that a usual retransmission needs no look-up.
    """

    station: Station
    connectors: Mapping[tuple[int, int], Connector] = field(default_factory=dict)
    sessions: Mapping[str, Session] = field(default_factory=dict)
    intents: Mapping[str, Intent] = field(default_factory=dict)
    recent: Mapping[str, Delivered] = field(default_factory=dict)
    kept: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By kind and key (domain.kept.KINDS); no empty mappings."""

    def kept_of(self, kind: str) -> Mapping[str, Any]:
        """What is kept of this kind, by key, oldest first."""
        return self.kept.get(kind, _NOTHING)

    def keeping(self, kind: str, key: str, value: Any) -> StationState:
        """With this kept under its key; None forgets it. A new or changed one is the youngest."""
        of_kind = {k: v for k, v in self.kept_of(kind).items() if k != key}
        if value is not None:
            of_kind[key] = value
        kept = {k: v for k, v in self.kept.items() if k != kind}
        if of_kind:
            kept[kind] = of_kind
        return evolve(self, kept=kept)

    def remembering(self, key: str, delivered: Delivered) -> StationState:
        """With one delivery more among the recent ones; the oldest is forgotten (it stays in the record)."""
        recent = dict(self.recent)
        recent[key] = delivered
        while len(recent) > RECENT:
            del recent[next(iter(recent))]
        return evolve(self, recent=recent)

    def session_of(self, transaction_id: str) -> Session | None:
        """The open session with this transaction id."""
        for session in self.sessions.values():
            if session.transaction_id == transaction_id:
                return session
        return None


def with_sessions(state: StationState) -> list[tuple[Connector, str, Session | None]]:
    """Each connector in order, its status as shown, and the session that runs on it (a suspect one at need)."""
    running: dict[tuple[int | None, int | None], Session] = {}
    for session in sorted(state.sessions.values(), key=lambda s: s.started_at):
        place = (session.evse, session.connector)
        if session.status != "suspect" or place not in running:
            running[place] = session
    shown = []
    for (evse, number), connector in sorted(state.connectors.items()):
        here = running.get((evse, number)) or running.get((evse, None))
        alive = here is not None and here.status != "suspect"
        status = told(
            connector.status, here.status if here and alive else None, here.charging_state if here else None
        )
        shown.append((connector, status, here))
    return shown
