"""What both directions of a conversation share: who it is with, in which version, on which wire, and its frames."""

from __future__ import annotations

from datetime import datetime

from cms.core import Clock
from cms.ocpp import frames
from cms.ocpp.dialect import Dialect
from cms.ocpp.messages import Ring
from cms.ocpp.ports import Hooks, Limits, Wire


class Conversation:
    """With one station, over one connection. ``closed`` is why it ended, None while it is open."""

    __slots__ = ("address", "closed", "dialect", "hooks", "limits", "now", "ring", "station", "wire")

    def __init__(
        self,
        station: str,
        dialect: Dialect,
        address: str,
        wire: Wire,
        hooks: Hooks,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self.station = station
        self.dialect = dialect
        self.address = address
        self.wire = wire
        self.hooks = hooks
        self.limits = limits
        self.now = clock.now
        self.closed: str | None = None
        self.ring = Ring(station, dialect.schemas.verdict)

    def known(self, action: str) -> str:
        """The action for metrics and logs: a station's invention would be hostile text there."""
        return action if action in self.dialect.schemas.actions else "unknown"

    def note(
        self,
        direction: str,
        kind: str,
        action: str,
        message_id: frames.MessageId,
        text: str | bytes,
        at: datetime,
        latency_ms: float | None = None,
    ) -> None:
        """Keep a frame, and show it to whoever looks at this station now."""
        self.ring.add(at, direction, kind, action, message_id, text, latency_ms)
        if self.hooks.watched(self.station):
            self.hooks.frame(self.station, self.ring.last())
