"""Tariffs and sessions made up at random: from dice, so that the same run serves the suite and the long comparison."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from cms.contract.tariffs import Bound, Component, Price, Tariff, Tax, When
from cms.domain.pricing import Facts, Reached

ZONES = (
    "Europe/Berlin",
    "UTC",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Africa/Casablanca",
)
#: Nights when the clocks go forward and back, a month's end, a day without anything.
DAYS = (
    datetime(2026, 3, 28, 20, tzinfo=UTC),
    datetime(2026, 10, 24, 20, tzinfo=UTC),
    datetime(2026, 3, 7, 22, tzinfo=UTC),
    datetime(2026, 11, 1, 0, tzinfo=UTC),
    datetime(2026, 4, 4, 10, tzinfo=UTC),
    datetime(2026, 10, 3, 10, tzinfo=UTC),
    datetime(2026, 5, 31, 18, tzinfo=UTC),
    datetime(2026, 7, 15, 6, tzinfo=UTC),
)
TIMES = ("00:00", "01:30", "02:00", "02:30", "03:00", "06:00", "08:15", "17:00", "22:00", "23:59")
WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def tariff(dice: Random) -> Tariff:
    parts: dict[str, Any] = {
        name: component(dice, name)
        for name in ("energy", "charging_time", "idle_time", "fixed_fee")
        if dice.random() < 0.7
    }
    bounds: dict[str, Any] = {}
    if dice.random() < 0.2:
        bounds["min_cost"] = Bound(incl_tax=Decimal(dice.randrange(500)) / 100)
    if dice.random() < 0.2:
        bounds["max_cost"] = Bound(incl_tax=Decimal(dice.randrange(500, 5000)) / 100)
    return Tariff(
        "T",
        dice.choice(("EUR", "EUR", "JPY", "KWD")),
        **parts,
        **bounds,
        time_zone=dice.choice(ZONES),
        tax_included=dice.random() < 0.4,
    )


def component(dice: Random, name: str) -> Component:
    prices = [price(dice, name) for _ in range(dice.choice((1, 1, 2, 3)))]
    if dice.random() < 0.7:
        prices[-1] = Price(prices[-1].amount, None, prices[-1].taxes, prices[-1].step, prices[-1].per_hour)
    return Component(tuple(prices), taxes(dice))


def taxes(dice: Random) -> tuple[Tax, ...]:
    percents = dice.choice(((), ("19",), ("20",), ("7.7",), ("5.5", "2.125"), ("33",)))
    return tuple(Tax(f"T{at}", Decimal(percent), dice.choice((0, at))) for at, percent in enumerate(percents))


def price(dice: Random, name: str) -> Price:
    timed = name.endswith("_time")
    return Price(
        Decimal(dice.randrange(10_000)) / 10 ** dice.choice((2, 3, 4)),
        when(dice) if dice.random() < 0.7 else None,
        taxes(dice) if dice.random() < 0.15 else None,
        dice.choice((1, 60, 300, 900) if timed else (1, 100, 500)) if dice.random() < 0.3 else None,
        timed and dice.random() < 0.5,
    )


def when(dice: Random) -> When:
    said: dict[str, object] = {}
    for _ in range(dice.choice((1, 1, 2))):
        match dice.randrange(9):
            case 0:
                said["from_time"] = dice.choice(TIMES)
            case 1:
                said["to_time"] = dice.choice(TIMES)
            case 2:
                said |= dict(zip(("from_time", "to_time"), dice.sample(TIMES, 2), strict=True))
            case 3:
                said["days"] = tuple(dice.sample(WEEK, dice.randrange(1, 5)))
            case 4:
                said[dice.choice(("from_date", "to_date"))] = dice.choice(
                    ("2026-06-01", "2026-03-29", "2026-10-25")
                )
            case 5:
                said[dice.choice(("min_energy_wh", "max_energy_wh"))] = Decimal(dice.randrange(1, 30_000))
            case 6:
                kind = dice.choice(("time_s", "charging_s", "idle_s"))
                said[f"{dice.choice(('min', 'max'))}_{kind}"] = dice.randrange(1, 20_000)
            case 7:
                said[dice.choice(("min_power_w", "max_power_w"))] = Decimal(dice.randrange(1, 30_000))
            case _:
                said["evse_kind"] = dice.choice(("AC", "DC"))
    return When(**said)  # type: ignore[arg-type]


def facts(dice: Random) -> Facts:
    since = dice.choice(DAYS) + timedelta(milliseconds=dice.randrange(8 * 3_600_000))
    if dice.random() < 0.5:
        since = since.replace(microsecond=0)
    span_ms = dice.randrange(1, 14 * 3_600_000)
    until = since + timedelta(milliseconds=span_ms)
    readings, energy_wh = [], 0
    for at_ms in sorted(dice.randrange(1, span_ms + 1) for _ in range(dice.randrange(10))):
        energy_wh += dice.choice((0, dice.randrange(6_000)))
        readings.append(Reached(since + timedelta(milliseconds=at_ms), energy_wh))
    final = energy_wh + dice.choice((0, 0, dice.randrange(3_000)))
    changes = sorted(dice.randrange(span_ms) for _ in range(dice.randrange(4)))
    turns = [(since, dice.choice((None, True, False)))]
    turns += [(since + timedelta(milliseconds=at), dice.choice((True, False))) for at in changes]
    zone = dice.choice((None, *ZONES))
    return Facts(since, until, final, tuple(readings), tuple(turns), dice.choice((None, "AC", "DC")), zone)
