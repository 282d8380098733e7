"""Power of a site: the sum of its sessions, from the meter values of the record."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from cms.contract.events import Event
from cms.contract.sessions import SessionView
from tui.trend import Sample, recalled


def site_power(
    metered: Iterable[Event], sessions: Mapping[str, SessionView], stations: Collection[str]
) -> list[Sample]:
    """What these stations drew (W) since the first of these ``session.metered`` events, as steps in time order.

    ``sessions`` are the known ones of the whole fleet, as the mirror holds them. For ``chart.power_chart``.
    """
    here = {key: session for key, session in sessions.items() if session.station in stations}
    return recalled((event for event in metered if event.station in stations), here)
