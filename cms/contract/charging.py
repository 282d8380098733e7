"""Charging profiles: one language for all OCPP versions, what is installed where, and orders about it.

Limits are exact decimals with at most one decimal, in the unit of their schedule (``A`` per phase or ``W``);
spans are whole seconds. ``evse`` 0 is the whole station. Discharging is negative.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from cms.contract.record import record
from cms.contract.stations import OrderTerms

#: What a profile is for. ``external`` and ``local-generation`` come from energy managers at the station.
PURPOSES = ("station-max", "tx-default", "tx", "priority", "external", "local-generation")
KINDS = ("absolute", "recurring", "relative", "dynamic")
RECURRENCIES = ("daily", "weekly")
UNITS = ("A", "W")
#: One schedule holds so many periods at most (the schemas of 2.x).
MOST_PERIODS = 1024
#: Who drives a bidirectional period (2.1 block Q).
MODES = (
    "idle",
    "charging-only",
    "central-setpoint",
    "external-setpoint",
    "external-limits",
    "central-frequency",
    "local-frequency",
    "local-load-balancing",
)
#: What a dynamic profile can be told anew (2.1 K28), in the schedule's unit; all but ``limit`` are of 2.1.
RATES = tuple(
    f"{name}{phase}"
    for name in ("limit", "discharge_limit", "setpoint", "setpoint_reactive")
    for phase in ("", "_l2", "_l3")
)
#: What a car may be allowed to do (EnergyTransferModeEnumType of 2.1).
ENERGY_TRANSFERS = (
    "AC_single_phase",
    "AC_two_phase",
    "AC_three_phase",
    "DC",
    "AC_BPT",
    "AC_BPT_DER",
    "AC_DER",
    "DC_BPT",
    "DC_ACDP",
    "DC_ACDP_BPT",
    "WPT",
)


@record
class FrequencyPoint:
    """At this grid frequency (Hz) this power (W)."""

    frequency: Decimal
    power: Decimal


@record
class SignalPoint:
    """At this aFRR signal this power (W)."""

    signal: int
    power: Decimal


@record
class Details:
    """What a period says beyond one limit: phases apart, discharging, setpoints (all 2.1)."""

    limit_l2: Decimal | None = None
    limit_l3: Decimal | None = None
    discharge_limit: Decimal | None = None
    discharge_limit_l2: Decimal | None = None
    discharge_limit_l3: Decimal | None = None
    setpoint: Decimal | None = None
    setpoint_l2: Decimal | None = None
    setpoint_l3: Decimal | None = None
    setpoint_reactive: Decimal | None = None
    setpoint_reactive_l2: Decimal | None = None
    setpoint_reactive_l3: Decimal | None = None
    mode: str | None = None
    """One of MODES; None is charging-only."""
    baseline: Decimal | None = None
    """W, for the frequency modes."""
    frequency_curve: tuple[FrequencyPoint, ...] = ()
    signal_curve: tuple[SignalPoint, ...] = ()
    preconditioning: bool | None = None
    evse_sleep: bool | None = None


@record
class Period:
    """From ``start_s`` after the schedule's start until the next period. ``phase`` only with one phase."""

    start_s: int = 0
    limit: Decimal | None = None
    phases: int | None = None
    phase: int | None = None
    details: Details | None = None


@record
class Schedule:
    """Periods in ascending order from 0. Without ``duration_s`` the last one goes on."""

    unit: str
    periods: tuple[Period, ...]
    start: datetime | None = None
    duration_s: int | None = None
    id: int | None = None
    min_rate: Decimal | None = None
    local_time: bool | None = None
    random_delay_s: int | None = None
    power_tolerance: Decimal | None = None
    limit_at_soc: Decimal | None = None
    soc: int | None = None
    """From this state of charge on (%), ``limit_at_soc`` holds (2.1)."""
    prices: dict[str, Any] = field(default_factory=dict)
    """2.x salesTariff, absolutePriceSchedule or priceLevelSchedule for the car, word for word."""


@record
class Profile:
    """A charging profile. Left out: ``id`` (ours is given), ``transaction_id`` (of the session there), starts."""

    purpose: str
    schedules: tuple[Schedule, ...]
    kind: str = "absolute"
    stack_level: int = 0
    id: int | None = None
    recurrency: str | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    transaction_id: str | None = None
    max_offline_s: int | None = None
    invalid_after_offline: bool | None = None
    dyn_interval_s: int | None = None
    dyn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProfileView:
    """A profile as it is installed. ``source``: CSO is us, others are energy managers at the station.

    ``reported_at`` is when the station itself last reported it, ``set_by`` who of us sent it.
    """

    station: str
    evse: int
    id: int
    purpose: str
    kind: str
    stack_level: int
    source: str
    transaction_id: str | None
    session: str | None
    unit: str | None
    limit: Decimal | None
    """The limit that it sets now, if it does and that can be said in one number."""
    installed_at: datetime | None
    reported_at: datetime | None
    set_by: str | None
    profile: Profile


@dataclass(frozen=True, slots=True)
class ChargingLimitView:
    """A limit that somebody else set at the station (NotifyChargingLimit)."""

    station: str
    evse: int
    source: str
    grid_critical: bool | None
    local_generation: bool | None
    reported_at: datetime
    schedules: tuple[Schedule, ...] = ()


@dataclass(frozen=True, slots=True)
class ChargingNeedsView:
    """What a car asked for, and what it was given. ``needs`` is word for word; ``answer`` what we said."""

    station: str
    evse: int
    transaction_id: str | None
    session: str | None
    energy_transfer: str
    departure_at: datetime | None
    energy_wh: int | None
    max_schedule_tuples: int | None
    answer: str
    reported_at: datetime
    profile: int | None
    ev_schedule: str | None
    """What we said of the schedule that the car made of it: accepted, rejected."""
    needs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CompositeStep:
    """``start_s`` after the composite schedule's start; no ``limit`` where nothing limits."""

    start_s: int
    limit: Decimal | None
    phases: int | None = None


@dataclass(frozen=True, slots=True)
class CompositeView:
    """What holds at an EVSE: as the station last said, and as we make it out of what is installed.

    ``left_out`` are the profiles in another unit: without voltage and phases A and W cannot be compared.
    """

    station: str
    evse: int
    unit: str
    start: datetime
    duration_s: int
    ours: tuple[CompositeStep, ...]
    left_out: tuple[int, ...]
    told_at: datetime | None
    told_start: datetime | None
    told_unit: str | None
    told_duration_s: int | None
    told: tuple[CompositeStep, ...]


@dataclass(frozen=True, slots=True)
class ListProfiles:
    """Everything that is installed as far as we know; ``station`` null for all stations."""

    station: str | None = None
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class ShowProfile:
    station: str
    profile: int


@dataclass(frozen=True, slots=True)
class ListChargingLimits:
    """Limits that others than us have set; ``station`` null for all stations."""

    station: str | None = None


@dataclass(frozen=True, slots=True)
class ListChargingNeeds:
    """What cars asked for in running sessions; ``station`` null for all stations."""

    station: str | None = None


@dataclass(frozen=True, slots=True)
class ShowComposite:
    """What holds at an EVSE now, without asking the station. ``voltage`` and ``phases`` allow A <-> W."""

    station: str
    evse: int = 0
    duration_s: int = 86_400
    unit: str | None = None
    voltage: Decimal | None = None
    phases: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetProfile(OrderTerms):
    """Install a profile. ``voltage`` and ``phases`` allow A <-> W where the station takes only the other."""

    station: str
    profile: Profile
    evse: int | None = None
    voltage: Decimal | None = None
    phases: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearProfiles(OrderTerms):
    """Take profiles off: one by ``profile`` (its id), or those that fit all criteria; none of them is all."""

    station: str
    profile: int | None = None
    evse: int | None = None
    purpose: str | None = None
    stack_level: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetProfiles(OrderTerms):
    """Have the station report what is installed (2.x). ``sources``: CSO, EMS, SO, Other ..."""

    station: str
    profiles: tuple[int, ...] = ()
    evse: int | None = None
    purpose: str | None = None
    stack_level: int | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GetComposite(OrderTerms):
    """Have the station say what holds at an EVSE."""

    station: str
    evse: int = 0
    duration_s: int = 86_400
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsePriority(OrderTerms):
    """Charge a session first, or no longer first (2.1 K21)."""

    session: str
    activate: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateProfile(OrderTerms):
    """Tell a dynamic profile its new ``rates`` (2.1 K28): names as in RATES."""

    station: str
    profile: int
    rates: dict[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowEnergyTransfer(OrderTerms):
    """Tell a station what the car of a session may do from now on (2.1 Q01): ``modes`` of ENERGY_TRANSFERS."""

    session: str
    modes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalAfrr(OrderTerms):
    """Pass on a frequency restoration signal (2.1 Q07); ``signal_at`` null is now."""

    station: str
    signal: int
    signal_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SetEnergyTransferRight:
    """What the cars of a token may do, told with its authorisation in 2.1; none takes the right away."""

    token: str
    modes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EnergyTransferRight:
    token: str
    modes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListEnergyTransferRights:
    """The tokens whose cars may do, or may not do, more than charge."""
