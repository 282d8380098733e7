"""Where a session ends by itself, as flags: cost, energy, time, state of charge."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer

from cli.times import duration_s
from cms.contract.refusals import Invalid

MaxCost = Annotated[str | None, typer.Option("--max-cost", metavar="AMOUNT", help="With taxes (2.1).")]
MaxKwh = Annotated[str | None, typer.Option("--max-kwh", metavar="KWH", help="(2.1)")]
MaxTime = Annotated[str | None, typer.Option("--max-time", metavar="DURATION", help="e.g. 2h (2.1).")]
MaxSoc = Annotated[int | None, typer.Option("--max-soc", metavar="PERCENT", help="(2.1)")]


def ends(cost: str | None, kwh: str | None, time: str | None, soc: int | None) -> dict[str, Any]:
    """The same as fields of a request."""
    return {
        "max_cost": None if cost is None else decimal(cost),
        "max_energy_wh": None if kwh is None else decimal(kwh) * 1000,
        "max_time_s": None if time is None else int(duration_s(time)),
        "max_soc": soc,
    }


def decimal(text: str) -> Decimal:
    """An exact number. Raises Invalid."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise Invalid(f"{text!r} is no number") from None
    if not number.is_finite():
        raise Invalid(f"{text!r} is no number")
    return number
