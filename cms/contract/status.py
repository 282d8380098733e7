"""The daemon about itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StationCounts:
    total: int
    online: int


@dataclass(frozen=True, slots=True)
class SessionCounts:
    active: int
    suspect: int = 0
    energy_today_wh: int = 0


@dataclass(frozen=True, slots=True)
class StatusView:
    """What ``cms status`` tells. ``cursor`` is where the event stream stands now."""

    version: str
    uptime_s: float
    ocpp_url: str
    socket: str
    database: str
    bus: str
    stations: StationCounts
    connectors: dict[str, int]
    sessions: SessionCounts
    power_w: int
    cursor: str | None = None
    quarantined: int = 0
    unknown_stations: int = 0
    health: str = "ok"
    pid: int = 0
    data_dir: str = ""
    open_enrolment: bool = False
    ocpp_tls_url: str = ""
    """Where stations connect with security profiles 2 and 3; empty when nobody listens there."""
    pay_url: str = ""
    """Where drivers without a contract pay; empty when nobody listens there."""
    notes: tuple[str, ...] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class ShowStatus:
    pass


@dataclass(frozen=True, slots=True)
class QuarantinedMessage:
    """A message that was answered and kept, but could not be placed: for a person to look at."""

    id: str
    at: datetime
    station: str
    kind: str
    reason: str
    payload: str


@dataclass(frozen=True, slots=True)
class ListQuarantine:
    station: str | None = None
    limit: int = 200
