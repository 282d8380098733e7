"""Orders of smart charging. ``evse`` is a 1.6 connector too; 0 is the whole station."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from cms.contract.charging import Profile
from cms.domain.orders import Order
from cms.domain.record import record


@record
class SetChargingProfile(Order):
    """The profile has its id, its transaction id and its starts."""

    evse: int
    profile: Profile


@record
class ClearChargingProfiles(Order):
    """By id alone, or by the criteria that are not None; none at all clears everything (K10.FR.02)."""

    id: int | None = None
    evse: int | None = None
    purpose: str | None = None
    stack_level: int | None = None


@record
class GetChargingProfiles(Order):
    """Something is always asked for: ids, or criteria (K09.FR.03)."""

    request_id: int
    ids: tuple[int, ...] = ()
    evse: int | None = None
    purpose: str | None = None
    stack_level: int | None = None
    sources: tuple[str, ...] = ()


@record
class GetCompositeSchedule(Order):
    evse: int
    duration_s: int
    unit: str | None = None


@record
class UsePriorityCharging(Order):
    transaction_id: str
    activate: bool


@record
class UpdateDynamicSchedule(Order):
    """``rates``: names of contract.charging.RATES."""

    id: int
    rates: dict[str, Decimal]


@record
class AllowEnergyTransfer(Order):
    transaction_id: str
    modes: tuple[str, ...]


@record
class SignalAfrr(Order):
    at: datetime
    signal: int
