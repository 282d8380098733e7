"""Power over time as a picture in characters: plotext where there is room for axes, else plain blocks.

The window moves in whole steps of time and the scale in round numbers, so that most of a new picture is
the old one and only few cells are sent.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta

from tui.trend import Sample
from tui.widgets.paint import Line
from tui.widgets.sparkline import spark
from tui.words import power

AXES_FROM = (40, 6)
"""Columns and rows from which there are axes."""
_STEPS_S = tuple(
    unit * count
    for unit, counts in (
        (1, (1, 2, 3, 5, 10, 15, 20, 30)),
        (60, (1, 2, 3, 5, 10, 15, 20, 30)),
        (3600, (1, 2)),
    )
    for count in counts
)


def power_chart(samples: Sequence[Sample], now: datetime, width: int, height: int) -> list[Line]:
    """The power from the first sample until now, in exactly ``height`` lines."""
    if width <= 0 or height <= 0:
        return []
    if not samples:
        return _padded([((" no power has been reported yet", "dim"),)], height)
    if width < AXES_FROM[0] or height < AXES_FROM[1]:
        values = sampled(samples, now, width - 2)[0]
        return [((f" {row}", "busy"),) for row in spark(values, height)]
    return _plotted(samples, now, width, height)


def sampled(samples: Sequence[Sample], now: datetime, count: int) -> tuple[list[int], datetime, int]:
    """The power (W) at the end of ``count`` equal steps, the start of the first, and a step's seconds."""
    span_s = max(1.0, (now - samples[0][0]).total_seconds())
    step_s = next((step for step in _STEPS_S if step * count >= span_s), _STEPS_S[-1])
    end_s = math.ceil(now.timestamp() / step_s) * step_s
    start = datetime.fromtimestamp(end_s - count * step_s, now.tzinfo)
    times = [at for at, _ in samples]
    values: list[int] = []
    for index in range(count):
        place = bisect_right(times, start + timedelta(seconds=(index + 1) * step_s))
        values.append(samples[place - 1][1] if place else 0)
    return values, start, step_s


def round_up(value: int) -> int:
    """The next of 1, 2, 3, 4, 5, 6, 8 and 10 times a power of ten."""
    if value <= 0:
        return 1
    unit: int = 10 ** (len(str(value)) - 1)
    return next(unit * n for n in (1, 2, 3, 4, 5, 6, 8, 10) if unit * n >= value)


def _plotted(samples: Sequence[Sample], now: datetime, width: int, height: int) -> list[Line]:
    import plotext  # a tenth of a second that small terminals do not pay

    most = round_up(max([1000, *(watts for _, watts in samples)]))
    marks = [power(part * most // 2).replace(".0 ", " ") for part in range(3)]
    margin = max(map(len, marks))
    # Two samples fit into a cell.
    values, start, step_s = sampled(samples, now, 2 * (width - margin - 2))
    last = len(values) - 1
    first = next((place for place, watts in enumerate(values) if watts), last)
    ticks = [0, last // 2, last]
    at = [start + timedelta(seconds=place * step_s) for place in ticks]
    figure = plotext.figure
    figure.clear()
    plotext.terminal.limit(False, False)
    figure.theme("colorless")
    figure.plot_size(width - 1, height)
    figure.axes(False, side=1)
    figure.draw(figure.signal(list(range(first, last + 1)), values[first:], marker="hd").fillx())
    rulers = (figure.ruler("x"), figure.ruler("y"))
    rulers[0].lim(0, last)
    rulers[0].ticks(ticks, [f"{time.astimezone():%H:%M}" for time in at])
    rulers[1].lim(0, most)
    rulers[1].ticks([0, most // 2, most], [f"{mark:>{margin}}" for mark in marks])
    drawn = plotext.uncolorize(str(figure.build())).splitlines()
    return _padded([_toned(row, margin, y >= height - 2) for y, row in enumerate(drawn[:height])], height)


def _toned(row: str, margin: int, is_axis: bool) -> Line:
    return ((row, "dim"),) if is_axis else ((row[: margin + 1], "dim"), (row[margin + 1 :], "busy"))


def _padded(lines: list[Line], height: int) -> list[Line]:
    return (lines + [()] * height)[:height]
