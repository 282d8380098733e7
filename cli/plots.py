"""Pictures for terminals, as lines of text: figures over time by plotext, bars, a week as a heat map.

Pure: values in, lines out. They hold no colour and no control characters, so they are the same in a pipe.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from cli.render import width_of
from cms.contract.safe import safe

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SHADES = " ░▒▓█"
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_MOST_BARS = 50
_NARROWEST = 30

Told = Callable[[float], str]
"""How a value is written, with its unit."""


def over_time(
    values: Sequence[float | None], titles: Sequence[str], told: Told, width: int, height: int = 14
) -> list[str]:
    """Figures that follow each other, filled to the ground; the first, middle and last title stand below."""
    figures = [max(0.0, value or 0.0) for value in values]
    if not any(figures):
        return ["nothing in this span"]
    import plotext  # a tenth of a second

    most = round_up(max(figures))
    marks = [told(most * part / 2) for part in range(3)]
    margin = max(map(len, marks))
    # Two values fit into a cell.
    places = max(2, 2 * (max(width, _NARROWEST) - margin - 2))
    points = [figures[place * len(figures) // places] for place in range(places)]
    named = sorted({0, len(titles) // 2, len(titles) - 1})
    figure = plotext.figure
    figure.clear()
    plotext.terminal.limit(False, False)
    figure.theme("colorless")
    figure.plot_size(max(width, _NARROWEST) - 1, height)
    figure.axes(False, side=1)
    figure.draw(figure.signal(list(range(places)), points, marker="hd").fillx())
    across, up = figure.ruler("x"), figure.ruler("y")
    across.lim(0, places - 1)
    across.ticks(
        [round(place / max(1, len(titles) - 1) * (places - 1)) for place in named],
        [titles[place] for place in named],
    )
    up.lim(0, most)
    up.ticks([0, most / 2, most], [f"{mark:>{margin}}" for mark in marks])
    return [line.rstrip() for line in plotext.uncolorize(str(figure.build())).splitlines()[:height]]


def bars(values: Sequence[tuple[str, float | None]], told: Told, width: int) -> list[str]:
    """A bar for each name, the longest as long as there is room; of very many the first ones."""
    shown = [(safe(name), value or 0.0) for name, value in values[:_MOST_BARS]]
    most = max((value for _, value in shown), default=0.0)
    if most <= 0:
        return ["nothing in this span"]
    names = [_cut(name, max(8, width // 3)) for name, _ in shown]
    left = max(map(width_of, names))
    right = max(len(told(value)) for _, value in shown)
    room = max(4, width - left - right - 2)
    lines = [
        f"{name}{' ' * (left - width_of(name))} {_bar(value / most * room):<{room}} {told(value):>{right}}"
        for name, (_, value) in zip(names, shown, strict=True)
    ]
    rest = len(values) - len(shown)
    return [*lines, f"and {rest} more"] if rest > 0 else lines


def heat_map(values: Sequence[tuple[str, float | None]], told: Told, width: int) -> list[str]:
    """Seven days by twenty-four hours of ``("0-13", value)``, the more the darker, and what the shades mean."""
    known = {key: value or 0.0 for key, value in values}
    most = max(known.values(), default=0.0)
    if most <= 0:
        return ["nothing in this span"]
    cell = max(1, min(4, (width - 4) // 24))
    every = 3 if cell > 1 else 6
    hours = "".join(f"{hour:<{every * cell}}" for hour in range(0, 24, every))
    lines = [f"    {hours}".rstrip()]
    for day, name in enumerate(DAYS):
        shades = (_shade(known.get(f"{day}-{hour}", 0.0) / most) for hour in range(24))
        lines.append(f"{name} {''.join(shade * cell for shade in shades)}".rstrip())
    steps = "  ".join(f"{sign} {told(most * (part + 1) / 4)}" for part, sign in enumerate(_SHADES[1:]))
    return [*lines, f"up to {steps}"]


def _shade(share: float) -> str:
    return _SHADES[math.ceil(min(share, 1.0) * 4 - 1e-9)] if share > 0 else _SHADES[0]


def _bar(cells: float) -> str:
    whole, rest = divmod(round(cells * 8), 8)
    return (_EIGHTHS[8] * whole + (_EIGHTHS[rest] if rest else "")) or (_EIGHTHS[1] if cells > 0 else "")


def _cut(text: str, width: int) -> str:
    while width_of(text) > width:
        text = text[:-2] + "…"
    return text


def round_up(value: float) -> float:
    """The next of 1, 2, 3, 4, 5, 6, 8 and 10 times a power of ten."""
    unit = 10.0 ** math.floor(math.log10(value))
    return next(unit * n for n in (1, 2, 3, 4, 5, 6, 8, 10) if unit * n >= value * (1 - 1e-9))
