"""Battery swapping (2.1 block S)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from cms.contract.record import record
from cms.contract.stations import OrderTerms


@record
class SwapView:
    """One exchange. ``status``: requested, in (the old one came), out (the new one went), timeout (nobody took it).

    ``came`` and ``went`` are serial numbers.
    """

    id: int
    token: str
    status: str
    began_at: datetime
    heard_at: datetime
    came: tuple[str, ...]
    went: tuple[str, ...]
    requested_by: str | None


@record
class BatteryView:
    """A battery as last heard of; ``id`` is its serial number. ``inside``: it is in the station, at this EVSE."""

    id: str
    evse: int
    inside: bool
    soc_percent: Decimal | None
    soh_percent: Decimal | None
    heard_at: datetime
    produced: datetime | None
    vendor_info: str | None


@dataclass(frozen=True, slots=True)
class ListSwaps:
    """The latest exchanges at a station, oldest first."""

    station: str


@dataclass(frozen=True, slots=True)
class ListBatteries:
    """The batteries a station told of."""

    station: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSwap(OrderTerms):
    """Let the holder of a token swap batteries (S02); refused for a token that may not charge."""

    station: str
    token: str
