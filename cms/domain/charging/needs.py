"""What cars ask for (ISO 15118 over NotifyEVChargingNeeds), and the profile made of it.

The profile says what applies at the EVSE anyway, cut to what the car can take and to the number of periods that
it can read (K15.FR.02, K15.FR.07, K15.FR.08). It is sent again when the car asks again (K17), when its own
schedule goes beyond the limits (K16), and by an operator at any time.
"""

from __future__ import annotations

from dataclasses import field
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

from cms.contract.charging import MOST_PERIODS, CompositeStep, Period, Profile, Schedule
from cms.domain.charging.composite import Composite
from cms.domain.charging.limits import Limits
from cms.domain.record import record

NEEDS = "charging-needs"
PLANNER = "cms"
"""In whose name profiles for cars are sent."""
ALLOWED = "energy-transfer"
"""What the car of a transaction may do, by transaction id; with no station, what the cars of a token may do."""

#: A plan reaches no further: ISO 15118-2 gives 86,400 s to a schedule.
_HORIZON = timedelta(days=1)
_MOST = Decimal(10_000_000)
#: A line-to-line voltage is this much higher than that of a phase; no phase of a grid has more than the other.
_SQRT_3 = Decimal("1.7321")
_HIGHEST_PHASE_V = 300
_PHASES = {"AC_single_phase": 1, "AC_two_phase": 2, "AC_three_phase": 3}
_TENTH = Decimal("0.1")


@record
class Needs:
    """What the car at an EVSE asked for last. Powers in W, currents in A, energy in Wh; None: it did not say.

    ``answer`` is what we said, ``profile_id`` what was sent, ``ev_schedule`` what we said of the car's own.
    """

    evse: int
    energy_transfer: str
    reported_at: datetime | None = None
    transaction_id: str | None = None
    departure_at: datetime | None = None
    energy_wh: int | None = None
    max_current: Decimal | None = None
    max_voltage: Decimal | None = None
    max_power: Decimal | None = None
    max_schedule_tuples: int | None = None
    answer: str = "accepted"
    pending_since: datetime | None = None
    """A plan is being sent since then: another is not begun meanwhile."""
    again: bool = False
    """What the plan was made of changed while it was being sent."""
    profile_id: int | None = None
    ev_schedule: str | None = None
    said: dict[str, Any] = field(default_factory=dict)


def bidirectional(energy_transfer: str) -> bool:
    """Whether the car could give energy back, for which it needs the right to (2.1 Q01.FR.07)."""
    return "BPT" in energy_transfer or "DER" in energy_transfer


def may(energy_transfer: str, allowed: tuple[str, ...]) -> bool:
    """Whether the car may do so; where nothing is said of its rights it may charge, not discharge."""
    return energy_transfer in allowed if allowed else not bidirectional(energy_transfer)


def unit_for(energy_transfer: str, limits: Limits, applying: set[str]) -> str:
    """The unit of the plan: what the station takes and all that applies is in, else A for AC and W for DC."""
    usual = "A" if energy_transfer.startswith("AC") else "W"
    takes = limits.units or ("A", "W")
    if len(applying) == 1 and applying <= set(takes):
        return next(iter(applying))
    return usual if usual in takes else takes[0]


def car_limit(needs: Needs, unit: str) -> Decimal | None:
    """The most that the car takes: A per phase, or W of all phases; no car takes more than _MOST."""
    limit = _car_limit(needs, unit)
    return None if limit is None else min(limit, _MOST)


def _car_limit(needs: Needs, unit: str) -> Decimal | None:
    if unit == "A":
        return needs.max_current
    if needs.max_power is not None:
        return needs.max_power
    if needs.max_current is None or needs.max_voltage is None:
        return None
    phases = _PHASES.get(needs.energy_transfer)
    if phases is None:
        return needs.max_current * needs.max_voltage
    line_to_line = needs.max_voltage > _HIGHEST_PHASE_V
    phase_v = needs.max_voltage / _SQRT_3 if line_to_line else needs.max_voltage
    return needs.max_current * phase_v * phases


def horizon_s(needs: Needs, now: datetime) -> int:
    """How far the plan reaches: to the departure, a day at most."""
    leaves = needs.departure_at
    span = leaves - now if leaves is not None and leaves > now + timedelta(minutes=1) else _HORIZON
    return int(min(span, _HORIZON).total_seconds())


def plan(needs: Needs, holds: Composite, unit: str, limits: Limits, now: datetime) -> Profile | None:
    """The profile for the car, without its id; None where neither it nor anything else knows a limit."""
    most = car_limit(needs, unit)
    steps = [_cut(step, most) for step in holds.steps]
    if any(step.limit is None for step in steps):
        return None
    count = min(needs.max_schedule_tuples or MOST_PERIODS, limits.periods or MOST_PERIODS, MOST_PERIODS)
    phases = _PHASES.get(needs.energy_transfer) if unit == "A" else None
    periods = tuple(
        Period(step.start_s, step.limit, step.phases or phases) for step in _fewer(steps, max(count, 1))
    )
    start = now.replace(microsecond=0)
    schedule = Schedule(unit, periods, start, max(holds.duration_s, periods[-1].start_s + 1), 1)
    return Profile("tx", (schedule,), "absolute", transaction_id=needs.transaction_id)


def _cut(step: CompositeStep, most: Decimal | None) -> CompositeStep:
    limits = [limit for limit in (step.limit, most) if limit is not None]
    if not limits:
        return step
    lowest = max(min(limits), Decimal(0)).quantize(_TENTH, ROUND_DOWN)
    return CompositeStep(step.start_s, lowest, step.phases)


def _fewer(steps: list[CompositeStep], count: int) -> list[CompositeStep]:
    """At most so many steps: what does not fit joins the last one, whose limit is then the lowest of them."""
    same: list[CompositeStep] = []
    for step in steps:
        if not same or (step.limit, step.phases) != (same[-1].limit, same[-1].phases):
            same.append(step)
    if len(same) <= count:
        return same
    rest = same[count - 1 :]
    lowest = min(rest, key=lambda step: step.limit or Decimal(0))
    return [*same[: count - 1], CompositeStep(rest[0].start_s, lowest.limit, lowest.phases)]


def exceeds(schedule: Schedule, holds: Composite) -> bool:
    """Whether the car's schedule goes beyond what holds; both start at the same instant (K15.FR.14, K16.FR.05)."""
    for period in schedule.periods[:MOST_PERIODS]:
        limit = holds.at(period.start_s)
        if limit is not None and period.limit is not None and period.limit > limit + _TENTH:
            return True
    return False
