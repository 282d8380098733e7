"""Power over time in block characters: one colour, one or two rows, newest at the right."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

_BLOCKS = " ▁▂▃▄▅▆▇█"


def resample(samples: Sequence[tuple[datetime, int]], width: int) -> list[int]:
    """Means of ``width`` equal spans of time; a span without a sample keeps the value before it."""
    if not samples or width <= 0:
        return []
    start, end = samples[0][0], samples[-1][0]
    span_s = (end - start).total_seconds()
    if span_s <= 0:
        return [samples[-1][1]]
    width = min(width, max(2, len(samples)))
    buckets: list[list[int]] = [[] for _ in range(width)]
    for at, value in samples:
        place = int((at - start).total_seconds() / span_s * width)
        buckets[min(place, width - 1)].append(value)
    means: list[int] = []
    for bucket in buckets:
        means.append(sum(bucket) // len(bucket) if bucket else means[-1])
    return means


def spark(values: Sequence[int], rows: int = 1, *, spaced: bool = False) -> list[str]:
    """The values as ``rows`` lines of blocks, scaled from zero to their maximum; top line first.

    ``spaced`` leaves an eighth above, so that the rows of a table do not melt into each other.
    """
    peak = max(values, default=0)
    if peak <= 0:
        return ["".join("▁" for _ in values) if row == rows - 1 else " " * len(values) for row in range(rows)]
    steps = rows * 8 - spaced
    heights = [max(1, round(max(0, value) / peak * steps)) for value in values]
    return [
        "".join(_BLOCKS[min(8, max(0, height - 8 * (rows - 1 - row)))] for height in heights)
        for row in range(rows)
    ]


def bar(part: int, whole: int, width: int) -> str:
    """A horizontal bar in eighths of a cell; anything above nothing is seen."""
    if whole <= 0 or part <= 0:
        return ""
    eighths = max(1, round(part / whole * width * 8))
    full, rest = divmod(min(eighths, width * 8), 8)
    return "█" * full + ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")[rest]
