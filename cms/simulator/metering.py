"""What a station's meter values hold: as configured, and as faults have it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cms.simulator.evse import Measured

if TYPE_CHECKING:
    from cms.simulator.station import Station

REGISTER = "Energy.Active.Import.Register"


def shown(station: Station, measured: list[Measured]) -> list[Measured]:
    """Those that are wanted; at least the first, the register: the schemas want a value."""
    wanted = frozenset(station.configuration.knob("measurands").replace(" ", "").split(","))
    chosen = [one for one in measured if one.measurand in wanted] or measured[:1]
    return _bent(station, chosen) if station.faults else chosen


def _bent(station: Station, measured: list[Measured]) -> list[Measured]:
    if "bare-values" in station.faults:
        return [one for one in measured if one.measurand == REGISTER] or measured[:1]
    if "phases-only" in station.faults:
        return [bent for one in measured for bent in _by_phase(one)]
    return measured


def _by_phase(one: Measured) -> list[Measured]:
    """Power by phase without a total; currents named as voltages are."""
    if one.measurand == "Power.Active.Import":
        return [replace(one, value=round(one.value / 3), phase=phase) for phase in ("L1", "L2", "L3")]
    if one.measurand == "Current.Import" and one.phase:
        return [replace(one, phase=f"{one.phase}-N")]
    return [one]


def in_its_units(station: Station, measured: Measured) -> tuple[str, str]:
    """A value and its unit as they are written."""
    faults = station.faults
    if measured.unit == "Wh" and ("kwh" in faults or ("mixed-units" in faults and station.next_number() % 2)):
        return f"{measured.value / 1000:.3f}", "kWh"
    return f"{measured.value:g}" if measured.unit != "Wh" else str(measured.value), measured.unit
