"""DER controls: how cars and chargers that give energy back behave towards the grid (2.1 block R)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cms.contract.stations import OrderTerms

#: Control type -> the object of SetDERControl that carries its settings.
CONTROL_TYPES = {
    "EnterService": "enterService",
    "FreqDroop": "freqDroop",
    "FreqWatt": "curve",
    "FixedPFAbsorb": "fixedPFAbsorb",
    "FixedPFInject": "fixedPFInject",
    "FixedVar": "fixedVar",
    "Gradients": "gradient",
    "HFMustTrip": "curve",
    "HFMayTrip": "curve",
    "HVMustTrip": "curve",
    "HVMomCess": "curve",
    "HVMayTrip": "curve",
    "LimitMaxDischarge": "limitMaxDischarge",
    "LFMustTrip": "curve",
    "LVMustTrip": "curve",
    "LVMomCess": "curve",
    "LVMayTrip": "curve",
    "PowerMonitoringMustTrip": "curve",
    "VoltVar": "curve",
    "VoltWatt": "curve",
    "WattPF": "curve",
    "WattVar": "curve",
}


@dataclass(frozen=True, slots=True)
class DerControlView:
    """One control. ``state``: waiting, running, stopped, superseded; a default control holds where none runs."""

    station: str
    id: str
    control_type: str
    default: bool
    state: str
    start_at: datetime | None
    duration_s: float | None
    installed_at: datetime | None
    reported_at: datetime | None
    set_by: str | None
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DerAlarmView:
    """A grid alarm. ``ended_at`` null: it goes on."""

    station: str
    control_type: str
    fault: str | None
    started_at: datetime
    ended_at: datetime | None
    info: str | None


@dataclass(frozen=True, slots=True)
class ListDerControls:
    """What is set as far as we know; ``station`` null for all stations."""

    station: str | None = None


@dataclass(frozen=True, slots=True)
class ListDerAlarms:
    """Open alarms; with ``all`` also those that ended lately."""

    station: str | None = None
    all: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDerControl(OrderTerms):
    """Set a control. ``settings`` in OCPP's words, the object that belongs to the type (CONTROL_TYPES).

    One that is not the default has ``startTime`` (now, when left out) and ``duration`` in its settings.
    """

    station: str
    control_type: str
    settings: dict[str, Any]
    default: bool = False
    control: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetDerControls(OrderTerms):
    """Have the station report its controls: one by its id, or those of a type, default or not."""

    station: str
    control: str | None = None
    control_type: str | None = None
    default: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearDerControls(OrderTerms):
    """Take controls off: one by its id, or all (of a type), default or scheduled."""

    station: str
    control: str | None = None
    control_type: str | None = None
    default: bool = False
