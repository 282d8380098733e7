"""What a 2.x station keeps and a 1.6 station does not know."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Monitor:
    """One variable monitor. ``name`` is the variable's name in the configuration; ``entry`` its component and
    variable as they are sent. ``origin`` is an eventNotificationType.
    """

    id: int
    name: str
    entry: dict[str, Any]
    type: str
    value: float
    severity: int
    origin: str = "CustomMonitor"
    in_transactions: bool = False
    reference: str | None = None
    """What a delta is measured from."""
    alarmed: bool = False
    event_id: int | None = None
    due_s: float = 0.0
    """Until a periodic monitor speaks again."""


@dataclass(slots=True)
class Stream:
    """A periodic event stream (2.1 N11 to N15): ``values`` of them, or what there is after ``interval_s``."""

    id: int
    monitor: int
    interval_s: int
    values: int
    task: asyncio.Task[None] | None = None


@dataclass(slots=True)
class Control:
    """A DER control (2.1 block R): ``field`` is where SetDERControl carries it."""

    id: str
    type: str
    is_default: bool
    field: str
    told: dict[str, Any]
    superseded: bool = False

    @property
    def priority(self) -> int:
        return int(self.told["priority"])


@dataclass(slots=True)
class Kept:
    """``costs`` by transaction; ``tariffs`` by EVSE; ``needs``: EVSEs whose car awaits a schedule."""

    monitors: dict[int, Monitor] = field(default_factory=dict)
    monitoring_base: str = "All"
    monitoring_level: int = 9
    watching: asyncio.Task[None] | None = None
    displays: dict[int, dict[str, Any]] = field(default_factory=dict)
    costs: dict[str, float] = field(default_factory=dict)
    tariffs: dict[int, dict[str, Any]] = field(default_factory=dict)
    needs: set[int] = field(default_factory=set)
    streams: dict[int, Stream] = field(default_factory=dict)
    controls: dict[str, Control] = field(default_factory=dict)
    energy_transfers: dict[str, list[str]] = field(default_factory=dict)
    signal: int = 0
    """The last aFRR signal (2.1 Q07)."""

    def transaction_over(self, transaction_id: str) -> None:
        """What was said for this transaction alone is over with it (O02)."""
        if not self.displays:
            return
        gone = [id for id, told in self.displays.items() if told.get("transactionId") == transaction_id]
        for message_id in gone:
            del self.displays[message_id]
