"""Energy from meter readings, with its provenance; implausible data is flagged and kept, never dropped.

A session's energy comes from the best there is: the difference of the cumulative register, else the sum of
intervals. A register that falls is followed in epochs: what the old epoch delivered is kept, the new one counts
from where it began, and when the register jumps back up to where it fell from, the old epoch goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from cms.domain.observations import Reading, Sample
from cms.domain.sessions import Session

REGISTER = "Energy.Active.Import.Register"
CURRENT = "Current.Import"
INTERVAL = "Energy.Active.Import.Interval"
POWER = "Power.Active.Import"
SOC = "SoC"

# No public station delivers 400 kW for long; 50 kWh of slack forgives coarse clocks and late first samples.
_PLAUSIBLE_WH_PER_HOUR = 480_000
_PLAUSIBLE_SLACK_WH = 50_000
# Power is derived from the register only over spans in which it means something.
_DERIVE_MIN_S, _DERIVE_MAX_S = 5.0, 3600.0


class EnergySource(StrEnum):
    NONE = "none"
    REGISTER = "register"
    INTERVAL = "interval"
    LAST_SAMPLE = "last-sample"


@dataclass(slots=True)
class Gist:
    """What one reading says about billing and the live picture: whole Wh, W, percent."""

    register_wh: int | None = None
    interval_wh: int | None = None
    power_w: int | None = None
    soc_percent: float | None = None
    unreadable: bool = False
    """A value that should be a number is none."""


_PHASES = ("L1", "L2", "L3")
_LOOKED_AT = frozenset({REGISTER, INTERVAL, POWER})
_LOCATION_RANK = {"Outlet": 0, "Cable": 1, "Inlet": 2, "Body": 3, "EV": 4, "Upstream": 5}


def gist(samples: Iterable[Sample]) -> Gist:
    """The total at the outlet where there is one; otherwise the sum of its phases (J02, conformance MV-10)."""
    found = Gist()
    best: dict[str, tuple[int, Decimal]] = {}
    phases: dict[tuple[str, int], dict[str, Decimal]] = {}
    for sample in samples:
        value, measurand = sample.value, sample.measurand
        if value is None:
            found.unreadable = found.unreadable or sample.format == "Raw"
            continue
        if measurand == SOC:
            found.soc_percent = float(value)
        elif measurand in _LOOKED_AT:
            rank = _LOCATION_RANK.get(sample.location, 6)
            if sample.phase is None:
                if measurand not in best or rank < best[measurand][0]:
                    best[measurand] = (rank, value)
            elif sample.phase[:2] in _PHASES and "-L" not in sample.phase:
                phases.setdefault((measurand, rank), {})[sample.phase[:2]] = value
    for (measurand, rank), parts in phases.items():
        if measurand not in best:
            best[measurand] = (rank, sum(parts.values(), Decimal(0)))
    if REGISTER in best:
        found.register_wh = round(best[REGISTER][1])
    if INTERVAL in best:
        found.interval_wh = round(best[INTERVAL][1])
    if POWER in best:
        found.power_w = round(best[POWER][1])
    return found


def current_a(samples: Iterable[Sample]) -> Decimal | None:
    """The current of all phases at the outlet (OCPI min_current, max_current); None where nobody measured it."""
    whole: Decimal | None = None
    phases: dict[str, Decimal] = {}
    for sample in samples:
        if sample.measurand != CURRENT or sample.value is None or sample.location != "Outlet":
            continue
        if sample.phase is None:
            whole = sample.value
        elif sample.phase[:2] in _PHASES and "-L" not in sample.phase:
            phases[sample.phase[:2]] = sample.value
    return sum(phases.values(), Decimal(0)) if phases else whole


class Tally:
    """The meter side of one session while readings are applied to it."""

    __slots__ = (
        "energy_wh",
        "epoch_peak_wh",
        "epoch_start_wh",
        "epoch_wh",
        "flags",
        "interval_at",
        "interval_wh",
        "last_sample_at",
        "meter_start_wh",
        "power_w",
        "register_at",
        "register_wh",
        "soc_percent",
        "source",
    )

    def __init__(self, session: Session) -> None:
        self.meter_start_wh = session.meter_start_wh
        self.register_wh = session.register_wh
        self.register_at = session.register_at
        self.epoch_start_wh = session.epoch_start_wh
        self.epoch_peak_wh = session.epoch_peak_wh
        self.epoch_wh = session.epoch_wh
        self.interval_wh = session.interval_wh
        self.interval_at = session.interval_at
        self.power_w = session.power_w
        self.soc_percent = session.soc_percent
        self.last_sample_at = session.last_sample_at
        self.energy_wh = session.energy_wh
        self.source = session.energy_source
        self.flags = set(session.flags)

    def begin(self, meter_wh: int, at: datetime) -> None:
        """The register when the session began."""
        self.meter_start_wh = meter_wh
        if self.epoch_start_wh is None or (self.epoch_peak_wh is None and meter_wh <= self.epoch_start_wh):
            self.epoch_start_wh = meter_wh
        if self.register_wh is None:
            self.register_wh, self.register_at = meter_wh, at
        self._settle()

    def read(self, reading: Reading, received_at: datetime, *, live: bool, once: bool = False) -> None:
        """Take one reading; ``live`` ones also move the present power and state of charge."""
        at = reading.at or received_at
        seen = gist(reading.samples)
        if seen.unreadable:
            self.flags.add("unreadable-value")
        newest = self.last_sample_at is None or at >= self.last_sample_at
        if newest:
            self.last_sample_at = at
            if seen.soc_percent is not None:
                self.soc_percent = seen.soc_percent
        if seen.interval_wh is not None and (once or self.interval_at is None or at > self.interval_at):
            self.interval_wh += seen.interval_wh
            self.interval_at = max(at, self.interval_at or at)
        power_w = seen.power_w
        if seen.register_wh is not None:
            if power_w is None and newest:
                power_w = self._derived_power(seen.register_wh, at)
            self.register(seen.register_wh, at)
        if live and newest and power_w is not None:
            self.power_w = power_w
        self._settle()

    def register(self, register_wh: int, at: datetime) -> None:
        """Follow the cumulative register to a new value."""
        last, last_at = self.register_wh, self.register_at
        if last is None or last_at is None:
            if self.meter_start_wh is None:
                self.meter_start_wh = register_wh
            if self.epoch_start_wh is None:
                self.epoch_start_wh = register_wh
            self.register_wh, self.register_at = register_wh, at
        elif at < last_at:
            self._late_register(register_wh)
        elif register_wh < last:
            self._fall(register_wh, last, at)
        else:
            if self.epoch_peak_wh is not None and register_wh >= self.epoch_peak_wh > last:
                self.epoch_start_wh, self.epoch_peak_wh = self.epoch_peak_wh, None
            elif not plausible(register_wh - last, at - last_at):
                self.flags.add("implausible-jump")
            self.register_wh, self.register_at = register_wh, at

    def _fall(self, register_wh: int, last: int, at: datetime) -> None:
        if register_wh == 0 and last > 0:
            # Some firmwares send 0 while they cannot read the meter: a gap, not a reset.
            self.flags.add("register-zero")
            return
        self.flags.add("register-decreased")
        self.epoch_wh += last - (self.epoch_start_wh if self.epoch_start_wh is not None else last)
        self.epoch_peak_wh = last
        self.epoch_start_wh = 0 if "register-zero" in self.flags else register_wh
        self.register_wh, self.register_at = register_wh, at

    def _late_register(self, register_wh: int) -> None:
        # An older sample that came late can only tell that the session began lower than we knew.
        start = self.epoch_start_wh
        one_epoch = self.epoch_peak_wh is None and "no-meter-start" in self.flags
        if one_epoch and start is not None and self.meter_start_wh == start > register_wh:
            self.epoch_start_wh = self.meter_start_wh = register_wh

    def _derived_power(self, register_wh: int, at: datetime) -> int | None:
        if self.register_wh is None or self.register_at is None or register_wh < self.register_wh:
            return None
        seconds = (at - self.register_at).total_seconds()
        if not _DERIVE_MIN_S <= seconds <= _DERIVE_MAX_S:
            return None
        return round((register_wh - self.register_wh) * 3600 / seconds)

    def _settle(self) -> None:
        if self.register_wh is not None and self.epoch_start_wh is not None:
            by_register = self.epoch_wh + self.register_wh - self.epoch_start_wh
            if by_register > 0 or self.interval_wh <= 0:
                self.energy_wh, self.source = max(by_register, 0), EnergySource.REGISTER
                return
        if self.interval_wh > 0:
            self.energy_wh, self.source = self.interval_wh, EnergySource.INTERVAL

    def end(self, meter_wh: int | None, at: datetime) -> int | None:
        """Take the register at the stop. Below the start it is kept but not believed. Returns the stop value."""
        self.power_w = None
        if meter_wh is None:
            return self.register_wh
        if self.meter_start_wh is not None and meter_wh < self.meter_start_wh:
            self.flags.add("meter-stop-below-start")
            if self.energy_wh > 0:
                self.source = EnergySource.INTERVAL if self.interval_wh else EnergySource.LAST_SAMPLE
            return meter_wh
        if self.register_wh is not None and self.epoch_peak_wh is None and meter_wh < self.register_wh:
            # The stop value is what a bill rests on: a sample above it was wrong, not the stop.
            self.flags.add("register-decreased")
            self.register_wh, self.register_at = meter_wh, at
            self._settle()
            return meter_wh
        self.register(meter_wh, max(at, self.register_at) if self.register_at else at)
        self._settle()
        return meter_wh

    def fields(self) -> dict[str, Any]:
        """The session's fields that readings move."""
        return {
            "meter_start_wh": self.meter_start_wh,
            "register_wh": self.register_wh,
            "register_at": self.register_at,
            "epoch_start_wh": self.epoch_start_wh,
            "epoch_peak_wh": self.epoch_peak_wh,
            "epoch_wh": self.epoch_wh,
            "interval_wh": self.interval_wh,
            "interval_at": self.interval_at,
            "power_w": self.power_w,
            "soc_percent": self.soc_percent,
            "last_sample_at": self.last_sample_at,
            "energy_wh": self.energy_wh,
            "energy_source": self.source,
            "flags": tuple(sorted(self.flags)),
        }


def plausible(energy_wh: int, span: timedelta) -> bool:
    """Whether a station can have delivered this much in this time."""
    hours = max(span.total_seconds(), 0.0) / 3600
    return energy_wh <= _PLAUSIBLE_SLACK_WH + _PLAUSIBLE_WH_PER_HOUR * hours


def register_in(readings: Sequence[Reading], context: str) -> int | None:
    """The register in the first reading with this context (Transaction.Begin, Transaction.End)."""
    for reading in readings:
        for sample in reading.samples:
            if sample.measurand == REGISTER and sample.context == context and sample.value is not None:
                return gist(s for s in reading.samples if s.context == context).register_wh
    return None
