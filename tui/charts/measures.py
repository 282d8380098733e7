"""What may be looked at of a usage report: each measure with its value, its unit and how a change of it reads.

What a measure counts is the daemon's to say (docs/usage.md); here it is only written for people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cms.contract.usage import Usage, UsageReport
from tui.words import NONE

Value = Callable[[Usage, str], float | None]


@dataclass(frozen=True, slots=True)
class Scale:
    """A value divided by ``factor`` is in ``unit``, and is written with so many ``places``."""

    factor: float = 1
    unit: str = ""
    places: int = 0

    def figure(self, value: float | None) -> str:
        """The figure without its unit; a dot where there is none."""
        return NONE if value is None else f"{value / self.factor:,.{self.places}f}"

    def told(self, value: float | None) -> str:
        """The figure with its unit."""
        figure = self.figure(value)
        return figure if figure == NONE or not self.unit else f"{figure} {self.unit}"


@dataclass(frozen=True, slots=True)
class Measure:
    """``scales``: from which peak on which scale; ``share``: it is a part of a whole and changes by points."""

    word: str
    heading: str
    value: Value
    scales: tuple[tuple[float, Scale], ...]
    share: bool = False

    def scale(self, values: Iterable[float | None], currency: str = "") -> Scale:
        """The scale that fits these values; money is in the report's first currency."""
        peak = max((abs(value) for value in values if value is not None), default=0.0)
        found = next(scale for least, scale in reversed(self.scales) if peak >= least)
        return Scale(found.factor, currency, found.places) if self.word == "revenue" else found


COUNT = ((0.0, Scale()),)
ENERGY = ((0.0, Scale(1e3, "kWh", 1)), (1e7, Scale(1e6, "MWh", 1)))
POWER = ((0.0, Scale(1e3, "kW", 1)), (1e7, Scale(1e6, "MW", 2)))
MONEY = ((0.0, Scale(1, "", 2)), (1e6, Scale(1, "", 0)))
SHARE = ((0.0, Scale(0.01, "%", 1)),)


def _revenue(usage: Usage, currency: str) -> float | None:
    if usage.revenue is None:
        return None
    return float(sum(money.amount for money in usage.revenue if money.currency == currency))


MEASURES = {
    measure.word: measure
    for measure in (
        Measure("energy", "Energy", lambda usage, _: usage.energy_wh, ENERGY),
        Measure("sessions", "Sessions", lambda usage, _: usage.sessions, COUNT),
        Measure("revenue", "Revenue", _revenue, MONEY),
        Measure("utilisation", "Utilised", lambda usage, _: usage.utilisation, SHARE, True),
        Measure("success", "Success", lambda usage, _: usage.success, SHARE, True),
        Measure("peak", "Peak", lambda usage, _: usage.peak_w, POWER),
    )
}
UPTIME = "uptime"
"""Looked at by station only: it is read from the events of their links."""
WORDS = (*MEASURES, UPTIME)


def currency_of(report: UsageReport) -> str:
    """The currency that takes most money of the span; the others are told beside it."""
    revenue = report.total.revenue or ()
    return max(revenue, key=lambda money: money.amount).currency if revenue else ""


def change(now: float | None, before: float | None, *, share: bool = False) -> str:
    """How a value moved: ``+6 %``, a share in points ``-0.6 pp``, ``new`` where there was nothing before."""
    if now is None or before is None:
        return NONE
    if share:
        return f"{(now - before) * 100:+.1f} pp"
    if not before:
        return "new" if now else "="
    moved = (now - before) / before * 100
    return "=" if not round(moved) else f"{moved:+,.0f} %"
