"""Charging sessions as clients see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from cms.contract.charging import Profile
from cms.contract.checks import CheckView
from cms.contract.stations import OrderTerms


@dataclass(frozen=True, slots=True)
class SessionView:
    """One session. Energy is whole Wh; ``energy_source`` says how it was derived (domain.meters).

    ``status``: pending, charging, suspended, ended, suspect. ``cost`` is null until it is priced, never 0.
    """

    id: str
    station: str
    evse: int | None
    connector: int | None
    token: str | None
    status: str
    started_at: datetime
    ended_at: datetime | None
    energy_wh: int
    meter_start_wh: int | None
    meter_stop_wh: int | None
    power_w: int | None
    stop_reason: str | None
    flags: tuple[str, ...]
    cost: dict[str, Any] | None
    transaction_id: str | None = None
    energy_source: str = "none"
    soc_percent: float | None = None
    last_sample_at: datetime | None = None
    authorization: str | None = None
    stop_token: str | None = None
    offline: bool = False
    remote_start_id: int | None = None
    ocpp_version: str | None = None
    check: CheckView | None = None
    """What the station said of it when it was asked last; only where one session is shown."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One measured value. ``value`` is the exact decimal in ``unit`` after normalising k-prefixes."""

    at: datetime
    measurand: str
    value: str
    unit: str | None
    context: str = "Sample.Periodic"
    location: str = "Outlet"
    phase: str | None = None
    format: str = "Raw"
    evse: int | None = None
    signed: dict[str, Any] | None = None
    """A signed value, byte for byte as the station sent it."""


@dataclass(frozen=True, slots=True)
class ListSessions:
    """Sessions, newest first; ``active`` true gives those not ended, false those ended."""

    station: str | None = None
    token: str | None = None
    status: str | None = None
    active: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    filter: str | None = None
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class ShowSession:
    session: str


@dataclass(frozen=True, slots=True)
class ListSamples:
    """All meter samples of a session in time order."""

    session: str


@dataclass(frozen=True, slots=True)
class ListStationSamples:
    """The latest meter samples that a station sent outside its sessions (its main meter too), oldest first."""

    station: str
    limit: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSession(OrderTerms):
    """Ask a station to start charging for a token; ``force`` where the token would be refused.

    ``profile`` is a tx profile without a transaction id, for the session to come. ``max_*`` are where it ends by
    itself (2.1 F07): cost with taxes, Wh, seconds, per cent.
    """

    station: str
    token: str
    evse: int | None = None
    connector: int | None = None
    force: bool = False
    profile: Profile | None = None
    max_cost: Decimal | None = None
    max_energy_wh: Decimal | None = None
    max_time_s: int | None = None
    max_soc: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopSession(OrderTerms):
    session: str
