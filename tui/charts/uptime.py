"""Whether a station was connected, over time: what its events tell, and a strip of cells that shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from cms.contract.events import Event
from tui.widgets.paint import Line

CONNECTED, DISCONNECTED = "station.connected", "station.disconnected"
TELLING = (CONNECTED, DISCONNECTED)

UP, PART, DOWN, UNKNOWN = ("█", "good"), ("▄", "warn"), ("▁", "bad"), ("·", "dim")
LEGEND = "█ connected  ▄ part of the time  ▁ not connected  · not known"
#: A cell with so much of it is full: a link that is made anew is no trouble.
FULL = 0.995


@dataclass(frozen=True, slots=True)
class Uptime:
    """``cells``: how much of each equal span it was connected, 0 to 1, or None where nobody knows.

    ``share``: of the time that is known; None when none is. ``breaks``: how often the link was lost.
    """

    cells: tuple[float | None, ...]
    share: float | None
    known_s: float
    connected_s: float
    breaks: int


Stretch = tuple[datetime, datetime, bool]
"""From, until, connected."""


def stretches(
    events: Iterable[Event],
    since: datetime,
    until: datetime,
    online: bool | None = None,
    known_from: datetime | None = None,
) -> list[Stretch]:
    """The known time between ``since`` (``known_from`` if that is later) and ``until``, piece by piece.

    The events may reach back further. Before its first one a station was connected where that event ended it;
    where it began, the time before is not known, unless the record was read from ``known_from`` on only. Without
    any event it was what it is now (``online``), where that is known.
    """
    turns = sorted((event.at, event.type == CONNECTED) for event in events if event.type in TELLING)
    since = since if known_from is None else max(since, known_from)
    if not turns:
        return [] if online is None or until <= since else [(since, until, online)]
    times = [at for at, _ in turns] + [until]
    states = [up for _, up in turns]
    if known_from is not None or not turns[0][1]:
        times.insert(0, min(since, times[0]))
        states.insert(0, not turns[0][1])
    pieces = [
        (max(begin, since), min(end, until), up)
        for begin, end, up in zip(times[:-1], times[1:], states, strict=True)
    ]
    return [piece for piece in pieces if piece[0] < piece[1]]


def uptime(
    events: Iterable[Event],
    since: datetime,
    until: datetime,
    count: int,
    online: bool | None = None,
    known_from: datetime | None = None,
) -> Uptime:
    """How much of each of ``count`` equal spans of time a station was connected, and of the whole."""
    pieces = stretches(events, since, until, online, known_from)
    step = (until - since) / max(1, count)
    cells = [_share(pieces, since + step * place, since + step * (place + 1)) for place in range(count)]
    known = sum((end - begin for begin, end, _ in pieces), timedelta())
    connected = sum((end - begin for begin, end, up in pieces if up), timedelta())
    breaks = sum(before[2] and not after[2] for before, after in pairwise(pieces))
    known_s, connected_s = known.total_seconds(), connected.total_seconds()
    return Uptime(tuple(cells), connected_s / known_s if known_s else None, known_s, connected_s, breaks)


def _share(pieces: Sequence[Stretch], since: datetime, until: datetime) -> float | None:
    known = up = 0.0
    for begin, end, connected in pieces:
        overlap_s = (min(end, until) - max(begin, since)).total_seconds()
        if overlap_s > 0:
            known += overlap_s
            up += overlap_s if connected else 0.0
    return up / known if known else None


def cell(share: float | None) -> tuple[str, str]:
    """The sign of one cell and its tone."""
    if share is None:
        return UNKNOWN
    return UP if share >= FULL else DOWN if share <= 1 - FULL else PART


def strip_of(known: Uptime) -> tuple[tuple[str, str], ...]:
    """The cells in a row; neighbours of one tone are one piece."""
    line: list[tuple[str, str]] = []
    for sign, tone in map(cell, known.cells):
        if line and line[-1][1] == tone:
            line[-1] = (line[-1][0] + sign, tone)
        else:
            line.append((sign, tone))
    return tuple(line)


def uptime_strip(
    events: Iterable[Event], since: datetime, until: datetime, width: int, online: bool | None = None
) -> Line:
    """One station's link from ``since`` until ``until`` in exactly ``width`` cells."""
    return strip_of(uptime(events, since, until, max(0, width), online)) if width > 0 else ()


def uptimes(
    told: Iterable[Sequence[Event]],
    stations: Mapping[str, bool],
    since: datetime,
    until: datetime,
    count: int,
    limit: int,
) -> dict[str, Uptime]:
    """The links of stations (and whether each is online now), the least connected first, the unknown last.

    ``told`` are the latest events of each kind of all stations; where they are ``limit``, what lies before the
    oldest of them is not known.
    """
    kinds = [list(events) for events in told]
    known_from = max((events[0].at for events in kinds if len(events) >= limit), default=None)
    by_station: dict[str | None, list[Event]] = {}
    for event in (event for events in kinds for event in events):
        by_station.setdefault(event.station, []).append(event)
    known = {
        key: uptime(by_station.get(key, ()), since, until, count, online, known_from)
        for key, online in stations.items()
    }
    return dict(sorted(known.items(), key=lambda item: (item[1].share is None, item[1].share or 0, item[0])))
