"""Power and other figures over time as a picture: plotext where there is room for axes, else plain blocks.

The window moves in whole steps of time and the scale in round numbers, so that most of a new picture is
the old one and only few cells are sent.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta

from tui.trend import Sample
from tui.widgets.paint import Line, clean
from tui.widgets.sparkline import spark
from tui.words import power

AXES_FROM = (40, 6)
"""Columns and rows from which there are axes."""
_STEPS_S = tuple(
    unit * count
    for unit, counts in (
        (1, (1, 2, 3, 5, 10, 15, 20, 30)),
        (60, (1, 2, 3, 5, 10, 15, 20, 30)),
        (3600, (1, 2, 3, 6, 12, 24)),
    )
    for count in counts
)
_FINE_STEPS_S = (
    *range(1, 10),
    *range(10, 60, 5),
    *range(60, 600, 30),
    *range(600, 7200, 300),
    *_STEPS_S[-6:],
)
"""For what does not move: more steps to choose from, so that the picture fills its place."""
_DAY_S = 24 * 3600


def power_chart(
    samples: Sequence[Sample], now: datetime, width: int, height: int, steps_s: Sequence[int] = _STEPS_S
) -> list[Line]:
    """The power from the first sample until now, in exactly ``height`` lines."""
    if width <= 0 or height <= 0:
        return []
    if not samples:
        return _padded([((" no power has been reported yet", "dim"),)], height)
    if width < AXES_FROM[0] or height < AXES_FROM[1]:
        values = sampled(samples, now, width - 2, steps_s)[0]
        return [((f" {row}", "busy"),) for row in spark(values, height)]
    return _plotted(samples, now, width, height, steps_s)


def power_curve(
    samples: Sequence[Sample], width: int, height: int, until: datetime | None = None
) -> list[Line]:
    """The power of a session from its first sample until its last, or until its end, in ``height`` lines."""
    end = until or (samples[-1][0] if samples else datetime.min)
    return power_chart(samples, end, width, height, _FINE_STEPS_S)


def steps_chart(
    values: Sequence[float | None], titles: Sequence[str], unit: str, width: int, height: int
) -> list[Line]:
    """Figures of spans that follow each other, each as wide as the others, in exactly ``height`` lines.

    ``titles`` name the spans; the first, the middle and the last stand below.
    """
    if width <= 0 or height <= 0:
        return []
    figures = [max(0.0, value or 0.0) for value in values]
    if not any(figures):
        return _padded([((" nothing in this span", "dim"),)], height)
    if width < AXES_FROM[0] or height < AXES_FROM[1]:
        tall = [round(1000 * value) for value in spread(figures, width - 2)]
        return [((f" {row}", "busy"),) for row in spark(tall, height)]
    most = round_up(math.ceil(max(figures)))
    marks = [f"{part * most / 2:,.4g} {unit}".rstrip() for part in range(3)]
    margin = max(map(len, marks))
    points = spread(figures, 2 * (width - margin - 2))
    last = len(points) - 1
    named = sorted({0, len(titles) // 2, len(titles) - 1})
    ticks = [(round(place / max(1, len(titles) - 1) * last), titles[place]) for place in named]
    return _drawn(points, 0, most, marks, ticks, width, height)


def spread(values: Sequence[float], count: int) -> list[float]:
    """The values over ``count`` places, each as long as the others."""
    return [values[place * len(values) // count] for place in range(max(0, count))]


def sampled(
    samples: Sequence[Sample], now: datetime, count: int, steps_s: Sequence[int] = _STEPS_S
) -> tuple[list[int], datetime, int]:
    """The power (W) at the end of ``count`` equal steps, the start of the first, and a step's seconds."""
    span_s = max(1.0, (now - samples[0][0]).total_seconds())
    step_s = next((step for step in steps_s if step * count >= span_s), steps_s[-1])
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


def _plotted(
    samples: Sequence[Sample], now: datetime, width: int, height: int, steps_s: Sequence[int]
) -> list[Line]:
    most = round_up(max([1000, *(watts for _, watts in samples)]))
    marks = [power(part * most // 2).replace(".0 ", " ") for part in range(3)]
    margin = max(map(len, marks))
    # Two samples fit into a cell.
    values, start, step_s = sampled(samples, now, 2 * (width - margin - 2), steps_s)
    last = len(values) - 1
    first = next((place for place, watts in enumerate(values) if watts), last)
    shape = _clock(last * step_s)
    at = {place: start + timedelta(seconds=place * step_s) for place in (0, last // 2, last)}
    ticks = [(place, time.astimezone().strftime(shape)) for place, time in at.items()]
    return _drawn(values, first, most, marks, ticks, width, height)


def _clock(span_s: int) -> str:
    """How instants of such a span are told apart."""
    return "%H:%M" if span_s <= _DAY_S else "%a %H:%M" if span_s <= 7 * _DAY_S else "%m-%d"


def _drawn(
    values: Sequence[float],
    first: int,
    most: int,
    marks: Sequence[str],
    ticks: Sequence[tuple[int, str]],
    width: int,
    height: int,
) -> list[Line]:
    """The values from the ``first`` on, filled to the ground; ``marks`` name nothing, half and ``most``."""
    import plotext  # a tenth of a second that small terminals do not pay

    # plotext paints what it is told, and stumbles over half a control sequence: names and currencies are others'.
    marks = [clean(mark, None) for mark in marks]
    ticks = [(place, clean(title, None)) for place, title in ticks]
    margin, last = max(map(len, marks)), len(values) - 1
    figure = plotext.figure
    figure.clear()
    plotext.terminal.limit(False, False)
    figure.theme("colorless")
    figure.plot_size(width - 1, height)
    figure.axes(False, side=1)
    figure.draw(figure.signal(list(range(first, last + 1)), list(values[first:]), marker="hd").fillx())
    rulers = (figure.ruler("x"), figure.ruler("y"))
    rulers[0].lim(0, last)
    rulers[0].ticks([place for place, _ in ticks], [title for _, title in ticks])
    rulers[1].lim(0, most)
    rulers[1].ticks([0, most / 2, most], [f"{mark:>{margin}}" for mark in marks])
    drawn = plotext.uncolorize(str(figure.build())).splitlines()
    return _padded([_toned(row, margin, y >= height - 2) for y, row in enumerate(drawn[:height])], height)


def _toned(row: str, margin: int, is_axis: bool) -> Line:
    return ((row, "dim"),) if is_axis else ((row[: margin + 1], "dim"), (row[margin + 1 :], "busy"))


def _padded(lines: list[Line], height: int) -> list[Line]:
    return (lines + [()] * height)[:height]
