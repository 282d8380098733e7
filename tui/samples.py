"""Meter values as rows: all that was measured at one instant side by side, for people and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cms.contract.safe import csv_cell
from cms.contract.sessions import Sample

ENERGY = "Energy.Active.Import.Register"
POWER = "Power.Active.Import"
SOC = "SoC"
CURRENT = "Current.Import"
VOLTAGE = "Voltage"
_CONTEXTS = {
    "Sample.Periodic": "",
    "Transaction.Begin": "begin",
    "Transaction.End": "end",
    "Sample.Clock": "clock",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """One instant. Energy in kWh, power in kW, the rest as measured; phases with a slash between them."""

    at: datetime
    energy: str
    power: str
    soc: str
    current: str
    voltage: str
    context: str


def readings(samples: Iterable[Sample]) -> list[Reading]:
    """A row for each instant, in time order."""
    instants: dict[datetime, list[Sample]] = {}
    for sample in samples:
        instants.setdefault(sample.at, []).append(sample)
    return [_reading(at, of_instant) for at, of_instant in sorted(instants.items())]


def _reading(at: datetime, samples: Sequence[Sample]) -> Reading:
    context = next((s.context for s in samples), "")
    return Reading(
        at,
        _values(samples, ENERGY, 1000, 3),
        _values(samples, POWER, 1000, 2),
        _values(samples, SOC, 1, 0),
        _values(samples, CURRENT, 1, 1),
        _values(samples, VOLTAGE, 1, 0),
        _CONTEXTS.get(context, context),
    )


def power_samples(samples: Iterable[Sample]) -> list[tuple[datetime, int]]:
    """The power imported (W) over time; phases are summed where there is no total."""
    totals: dict[datetime, int] = {}
    phases: dict[datetime, int] = {}
    for sample in samples:
        if sample.measurand != POWER:
            continue
        try:
            watts = round(float(sample.value))
        except ValueError:
            continue
        if sample.phase is None:
            totals[sample.at] = watts
        else:
            phases[sample.at] = phases.get(sample.at, 0) + watts
    return sorted({**phases, **totals}.items())


def _values(samples: Sequence[Sample], measurand: str, scale: int, digits: int) -> str:
    """The total, or the phases in their order."""
    found = [s for s in samples if s.measurand == measurand]
    totals = [s for s in found if s.phase is None]
    chosen = totals[-1:] or sorted(found, key=lambda s: s.phase or "")
    return "/".join(_number(s.value, scale, digits) for s in chosen)


def _number(value: str, scale: int, digits: int) -> str:
    try:
        return f"{float(value) / scale:.{digits}f}"
    except ValueError:
        return value


def sheet_of(rows: Iterable[Reading]) -> str:
    """The rows as CSV, instants in UTC."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["at", "energy_kwh", "power_kw", "soc_percent", "current_a", "voltage_v", "context"])
    for row in rows:
        at = row.at.isoformat().replace("+00:00", "Z")
        told = [at, row.energy, row.power, row.soc, row.current, row.voltage, row.context]
        writer.writerow([csv_cell(cell) for cell in told])
    return text.getvalue()
