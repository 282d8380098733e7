"""A week as a picture: seven days by twenty-four hours, the more the darker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from tui.widgets.paint import Line

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SHADES = "░▒▓█"
EDGE = 5
"""Cells before the first hour: a blank and the name of the day."""
NARROWEST = EDGE + 24
WIDEST_CELL = 4

Grid = tuple[tuple[float | None, ...], ...]
"""Seven days from Monday, each of 24 hours; None where nothing is told."""


def grid_of(values: Iterable[tuple[str, float | None]]) -> Grid:
    """The week from ``("0-13", value)``: weekday from Monday 0, and hour."""
    known = dict(values)
    return tuple(tuple(known.get(f"{day}-{hour}") for hour in range(24)) for day in range(7))


def shade(value: float | None, peak: float) -> str:
    """One of four shades by quarters of the peak; blank where there is nothing."""
    if not value or value < 0 or peak <= 0:
        return " "
    return SHADES[min(3, int(value / peak * 4 - 1e-9))]


def heat_map(grid: Grid, width: int, told: Callable[[float], str], unit: str = "") -> list[Line]:
    """A line of hours, seven of days, and one that says what the shades mean."""
    if width < NARROWEST:
        return [((" too narrow for a week", "dim"),)]
    values = [value for day in grid for value in day if value is not None]
    peak = max(values, default=0.0)
    if peak <= 0:
        return [((" nothing in this span", "dim"),)]
    cell = min(WIDEST_CELL, (width - EDGE) // 24)
    lines: list[Line] = [((_hours(cell), "dim"),)]
    for name, day in zip(DAYS, grid, strict=True):
        lines.append(((f" {name} ", "dim"), ("".join(shade(value, peak) * cell for value in day), "busy")))
    steps = "  ".join(f"{sign} {told(peak * (part + 1) / 4)}" for part, sign in enumerate(SHADES))
    return [*lines, ((f" up to {steps} {unit}".rstrip(), "dim"),)]


def extremes(grid: Grid) -> tuple[str, str]:
    """The hour of the week with the most, and the longest time with the least, in words: ``Fri 17-18``."""
    values = [value or 0.0 for day in grid for value in day]
    if max(values) <= 0:
        return "never", "always"
    most, least = values.index(max(values)), min(values)
    return _named(most, 1), _named(*max(_runs(values, least), key=lambda run: run[1]))


def _runs(values: Sequence[float], level: float) -> Iterator[tuple[int, int]]:
    """Where the value is at this level for some hours on end: the first of them, and how many up to a day."""
    for start, value in enumerate(values):
        if value == level and (values[start - 1] != level or start == 0):
            yield start, next((n for n in range(1, 25) if values[(start + n) % 168] != level), 24)


def _named(start: int, count: int) -> str:
    """``Fri 17-18``, or over midnight ``Sat 22 to Sun 06``."""
    (day, hour), (last, end) = divmod(start, 24), divmod(start + count, 24)
    if day == last or (last == day + 1 and end == 0):
        return f"{DAYS[day]} {hour:02}-{hour + count:02}"
    return f"{DAYS[day]} {hour:02} to {DAYS[last % 7]} {end:02}"


def _hours(cell: int) -> str:
    every = 3 if cell > 1 else 6
    row = " " * EDGE
    for hour in range(0, 24, every):
        row += f"{hour:<{every * cell}}"
    return row
