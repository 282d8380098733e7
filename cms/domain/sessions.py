"""A charging session: its states as one table, and how reports move it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SessionStatus(StrEnum):
    """``suspect``: it never got a stop, though something says it is over; a late stop still ends it."""

    PENDING = "pending"
    CHARGING = "charging"
    SUSPENDED = "suspended"
    SUSPECT = "suspect"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Session:
    """One session. Energy is whole Wh; times are UTC as the station said, ``*_received_at`` are ours.

    ``transaction_id`` is the station's word for it (1.6: ``number`` as text). ``epoch_*`` follow a register
    that restarts (domain.meters). ``seq_*`` tell whether all 2.x events have come.
    """

    id: str
    station: str
    ocpp_version: str
    transaction_id: str
    number: int | None
    status: str
    started_at: datetime
    started_received_at: datetime
    evse: int | None = None
    connector: int | None = None
    token: str | None = None
    token_kind: str | None = None
    group: str | None = None
    authorization: str | None = None
    ended_at: datetime | None = None
    ended_received_at: datetime | None = None
    stop_reason: str | None = None
    stop_token: str | None = None
    meter_start_wh: int | None = None
    meter_stop_wh: int | None = None
    energy_wh: int = 0
    energy_source: str = "none"
    register_wh: int | None = None
    register_at: datetime | None = None
    epoch_start_wh: int | None = None
    epoch_peak_wh: int | None = None
    epoch_wh: int = 0
    interval_wh: int = 0
    interval_at: datetime | None = None
    power_w: int | None = None
    soc_percent: float | None = None
    last_sample_at: datetime | None = None
    charging_state: str | None = None
    offline: bool = False
    remote_start_id: int | None = None
    reservation_id: int | None = None
    seq_start: int | None = None
    seq_end: int | None = None
    seq_last: int | None = None
    seq_count: int = 0
    flags: tuple[str, ...] = ()
