"""The power of a session over its time, from its samples: as measured, else from how its register rose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from cli.plots import over_time
from cli.render import Row

_POWER, _REGISTER = "Power.Active.Import", "Energy.Active.Import.Register"
_PHASES = ("L1", "L2", "L3")
_STEPS = 240
#: Power is derived from the register only over spans in which it means something, in seconds.
_SHORTEST_S = 5.0

Point = tuple[datetime, float]
"""An instant and W (or Wh)."""


def power_curve(session: Row, samples: Iterable[Row], width: int) -> list[str]:
    """The lines of its picture in kW, from its start to its end, or to its last sample."""
    told = list(samples)
    points = list(measured(told, _POWER)) or list(_risen(list(measured(told, _REGISTER))))
    if not points:
        return ["no sample tells its power"]
    start = datetime.fromisoformat(session["started_at"])
    end = datetime.fromisoformat(session["ended_at"]) if session["ended_at"] else points[-1][0]
    steps = [start + (end - start) * n / _STEPS for n in range(1, _STEPS + 1)]
    watts = _held(points, steps)
    titles = [f"{at.astimezone():%H:%M}" for at in (start, *steps)]
    return over_time([each / 1000 for each in watts], titles, lambda kw: f"{kw:g} kW", width)


def measured(samples: Sequence[Row], measurand: str) -> Iterator[Point]:
    """What the samples of each instant tell: the total at the outlet, else the sum of its phases."""
    found: dict[str, dict[str | None, float]] = {}
    for sample in samples:
        if sample["measurand"] == measurand and sample["location"] == "Outlet" and sample["format"] == "Raw":
            value = _number(sample["value"])
            if value is not None:
                found.setdefault(sample["at"], {})[sample["phase"]] = value
    for at, by_phase in sorted((datetime.fromisoformat(at), values) for at, values in found.items()):
        phases = [by_phase[phase] for phase in _PHASES if phase in by_phase]
        if None in by_phase or phases:
            yield at, by_phase[None] if None in by_phase else sum(phases)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _risen(register: Sequence[Point]) -> Iterator[Point]:
    """The mean power between readings of a register, at the later one."""
    for (before, low), (at, high) in pairwise(register):
        seconds = (at - before).total_seconds()
        if seconds >= _SHORTEST_S and high >= low:
            yield at, (high - low) * 3600 / seconds


def _held(points: Sequence[Point], steps: Sequence[datetime]) -> list[float]:
    """The value at each step: the last one told before it."""
    values, place, last = [], 0, 0.0
    for step in steps:
        while place < len(points) and points[place][0] <= step:
            last = points[place][1]
            place += 1
        values.append(last)
    return values
