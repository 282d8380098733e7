"""Cars: how much power they take, and when they have enough."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from random import Random

#: AC on-board chargers by how often they are met: (watts, weight).
AC_CHARGERS_W = ((3_700, 2), (7_400, 3), (11_000, 4), (22_000, 1))
BATTERIES_WH = (24_000, 40_000, 52_000, 60_000, 77_000, 100_000)
#: Share of the greatest DC power that a battery takes, by state of charge; linear in between.
DC_TAPER = ((0.0, 0.7), (0.1, 1.0), (0.5, 1.0), (0.6, 0.8), (0.8, 0.45), (0.9, 0.2), (1.0, 0.05))
#: The same for AC: constant until the cells are balanced at the end.
AC_TAPER = ((0.0, 1.0), (0.95, 1.0), (1.0, 0.15))
STEP_S = 60.0


@dataclass(slots=True)
class Car:
    """One car at one EVSE. ``soc`` and ``wants_soc`` are shares of the battery, 0 to 1."""

    battery_wh: int
    soc: float
    wants_soc: float
    ac_w: int
    dc_w: int

    @property
    def satisfied(self) -> bool:
        return self.soc >= self.wants_soc - 1e-9

    def power_w(self, offered_w: float, dc: bool) -> float:
        """What it draws now from an EVSE that offers so much."""
        if self.satisfied:
            return 0.0
        limit, taper = (self.dc_w, DC_TAPER) if dc else (self.ac_w, AC_TAPER)
        return min(offered_w, limit * _along(taper, self.soc))

    def charge(self, offered_w: float, dc: bool, seconds: float) -> float:
        """Let time pass while it charges; the energy it took, Wh."""
        taken_wh = 0.0
        while seconds > 0 and not self.satisfied:
            step_s = min(seconds, STEP_S)
            room_wh = (self.wants_soc - self.soc) * self.battery_wh
            step_wh = min(self.power_w(offered_w, dc) * step_s / 3600, room_wh)
            self.soc += step_wh / self.battery_wh
            taken_wh += step_wh
            seconds -= step_s
        return taken_wh

    def satisfied_after_s(self, offered_w: float, dc: bool) -> float:
        """How long until it has enough, at this offer; at most two days."""
        shadow = Car(self.battery_wh, self.soc, self.wants_soc, self.ac_w, self.dc_w)
        passed_s = 0.0
        while not shadow.satisfied and passed_s < 172_800:
            shadow.charge(offered_w, dc, STEP_S)
            passed_s += STEP_S
        return passed_s


def some_car(rng: Random) -> Car:
    """A car as it arrives: more or less empty, wanting to be more or less full."""
    chargers, weights = zip(*AC_CHARGERS_W, strict=True)
    soc = rng.betavariate(2, 3) * 0.8 + 0.05
    return Car(
        battery_wh=rng.choice(BATTERIES_WH),
        soc=soc,
        wants_soc=1.0 if rng.random() < 0.6 else min(1.0, soc + rng.uniform(0.1, 0.6)),
        ac_w=rng.choices(chargers, weights)[0],
        dc_w=rng.choice((46_000, 75_000, 110_000, 170_000, 240_000)),
    )


def _along(curve: tuple[tuple[float, float], ...], x: float) -> float:
    for (x0, y0), (x1, y1) in pairwise(curve):
        if x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return curve[-1][1]
