"""Meter values of every version in one form: base units, exact decimals, defaults filled in."""

from __future__ import annotations

from typing import Any

from cms.domain.observations import Sample
from cms.ocpp.values import Json, exact

DEFAULT_MEASURAND = "Energy.Active.Import.Register"

#: Written unit -> (our unit, power of ten). Case as in the specification; Celcius is 1.6's own spelling.
_UNITS = {
    "kWh": ("Wh", 3),
    "MWh": ("Wh", 6),
    "kvarh": ("varh", 3),
    "kVAh": ("VAh", 3),
    "kW": ("W", 3),
    "MW": ("W", 6),
    "mW": ("W", -3),
    "kvar": ("var", 3),
    "kVA": ("VA", 3),
    "kV": ("V", 3),
    "mV": ("V", -3),
    "mA": ("A", -3),
    "Celcius": ("Celsius", 0),
}


def sample(
    raw: Any,
    item: Json,
    unit: str | None,
    multiplier: int = 0,
    signed: dict[str, Any] | None = None,
) -> Sample:
    """One sampled value; ``item`` has the fields that all versions share, ``multiplier`` is 2.x's power of ten."""
    read = item.get
    measurand = read("measurand") or DEFAULT_MEASURAND
    form = read("format") or "Raw"
    value = None if form == "SignedData" else exact(raw)
    if unit is None:
        if measurand.startswith("Energy."):
            # 1.6 section 7.29, 2.0.1 UnitOfMeasure: Wh where the measurand is an energy.
            unit = "Wh"
    elif unit in _UNITS:
        unit, exponent = _UNITS[unit]
        multiplier += exponent
    if multiplier and value is not None:
        value = value.scaleb(multiplier)
    return Sample(
        measurand,
        value,
        unit,
        read("context") or "Sample.Periodic",
        read("location") or "Outlet",
        read("phase"),
        form,
        str(raw) if value is None else None,
        signed,
    )
