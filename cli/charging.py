"""Charging profiles as people write and read them."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from cli.files import text_of
from cli.render import compact
from cli.strangers import strangers
from cli.times import duration_s, later
from cms.contract import charging
from cms.contract.refusals import Invalid


def read_profile(file: str) -> charging.Profile:
    """The profile in a file, or on stdin."""
    try:
        said = json.loads(text_of(file), parse_float=Decimal)
        profile = msgspec.convert(said, charging.Profile, strict=False)
    except (ValueError, msgspec.ValidationError) as error:
        raise Invalid(f"{file} is no charging profile: {error}") from None
    for stranger in strangers(said, msgspec.to_builtins(profile)):
        raise Invalid(f"{file} is no charging profile: nothing in one is called {stranger!r}")
    return profile


_LIMIT = re.compile(r"(?:(?P<start>[^=]+)=)?(?P<number>\d+(?:\.\d+)?)(?P<unit>A|W|kW)")


def schedule(
    limits: list[str] | None, phases: int | None, start: str | None, lasts: str | None
) -> charging.Schedule:
    """The schedule that ``--rate`` and its companions say."""
    if not limits:
        raise Invalid("What limit?", "give --rate 16A, or a profile with --file")
    found = [_limit(text) for text in limits]
    units = {unit for _, _, unit in found}
    if len(units) > 1:
        raise Invalid("the limits of a profile are all in A or all in W")
    periods = tuple(charging.Period(start_s, value, phases) for start_s, value, _ in sorted(found))
    return charging.Schedule(units.pop(), periods, utc(start), int(duration_s(lasts)) if lasts else None)


def _limit(text: str) -> tuple[int, Decimal, str]:
    match = _LIMIT.fullmatch(text.replace(" ", ""))
    if match is None:
        raise Invalid(f"{text!r} is no limit", "e.g. 16A, 11kW, 2h=6A")
    value = Decimal(match["number"]) * (1000 if match["unit"] == "kW" else 1)
    return int(duration_s(match["start"])) if match["start"] else 0, value, match["unit"].lstrip("k")


def mains(voltage: str | None, phases: int | None) -> dict[str, Any]:
    """Only what is to be converted needs both."""
    if voltage is None:
        return {}
    try:
        return {"voltage": Decimal(voltage), "phases": phases}
    except ArithmeticError:
        raise Invalid(f"{voltage!r} is no voltage", "e.g. 230") from None


def utc(text: str | None) -> datetime | None:
    return later(text).astimezone(UTC) if text else None


def plans(value: Any) -> str:
    """Schedules in a line: ``16 A, +7200 s 6 A``; two that the car may choose from with ``or`` between."""
    return " or ".join(_plan(schedule) for schedule in value or ())


def _plan(schedule: dict[str, Any]) -> str:
    steps = [
        (f"+{period['start_s']} s " if period["start_s"] else "") + _period(period, schedule["unit"])
        for period in schedule["periods"]
    ]
    lasts = f" for {schedule['duration_s']} s" if schedule["duration_s"] is not None else ""
    return ", ".join(steps) + lasts


def _period(period: dict[str, Any], unit: str) -> str:
    """Its limit and phases; the rest as its fields say it."""
    said = [] if period["limit"] is None else [f"{period['limit']} {unit}"]
    if period["phases"] is not None:
        said.append(f"{period['phases']} phase{'s' if period['phases'] > 1 else ''}")
    details = {name: value for name, value in (period["details"] or {}).items() if value not in (None, [])}
    return " ".join([*said, *(f"{name}={compact(value)}" for name, value in details.items())])
