"""Power of a site, the sum of its sessions, from the meter values of the record; and power as lines to read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from cms.contract.events import Event
from cms.contract.sessions import SessionView
from tui import words
from tui.trend import Sample, recalled


def site_power(
    metered: Iterable[Event], sessions: Mapping[str, SessionView], stations: Collection[str]
) -> list[Sample]:
    """What these stations drew (W) since the first of these ``session.metered`` events, as steps in time order.

    ``sessions`` are the known ones of the whole fleet, as the mirror holds them. For ``chart.power_chart``.
    """
    here = {key: session for key, session in sessions.items() if session.station in stations}
    return recalled((event for event in metered if event.station in stations), here)


def power_lines(samples: Sequence[Sample]) -> list[str]:
    """The peak and how many there are, then every sample (W) in time order."""
    if not samples:
        return ["no power has been reported yet"]
    at, most = max(samples, key=lambda sample: sample[1])
    head = f"peak {words.power(most)} at {words.moment(at)}, {words.counted(len(samples), 'sample')}"
    return [head, "", *(f"{words.moment(at)}  {watts / 1000:10.2f} kW" for at, watts in samples)]
