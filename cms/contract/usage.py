"""How much a network is used: one report of all measures, grouped by time, by place, by driver or by tariff.

What each measure counts, and how a session that spans midnight is shared out, is defined in docs/usage.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from cms.contract.record import record
from cms.contract.tariffs import Money

#: What a report may be grouped by -> what one row of it is.
GROUPINGS = {
    "hour": "an hour of the local clock",
    "day": "a local day",
    "week": "a local week, which begins on Monday",
    "month": "a local month",
    "site": "a site",
    "station": "a station",
    "connector": "a connector of a station",
    "driver": "a driver",
    "tariff": "a tariff",
    "hour-of-week": "one of the 168 hours of a week; 0-13 is Monday from 13:00 to 14:00",
}

#: The groupings whose rows follow each other in time.
TIMES = ("hour", "day", "week", "month")

#: A measure that people choose -> the fields of Usage that tell it.
MEASURES = {
    "sessions": ("sessions",),
    "energy": ("energy_wh", "peak_w"),
    "revenue": ("revenue", "unpriced"),
    "utilisation": ("connected_s", "charging_s", "available_s", "utilisation"),
    "success": ("starts", "failed", "success"),
}


@record
class Usage:
    """All measures of one group. Energy is whole Wh, times are whole seconds summed over EVSEs.

    ``sessions`` is how many began. ``revenue`` is gross, one amount for each currency; null for those who may not read
    bills. ``connected_s`` is how long cars were connected, ``charging_s`` how long of that energy flowed,
    ``available_s`` how long EVSEs were in service; null where no EVSEs belong to the group (drivers, tariffs).
    ``utilisation`` is connected_s / available_s. ``success`` is the share of ``starts`` that delivered energy; a start
    of which nobody knows yet counts nowhere. ``peak_w`` is the highest mean power of an hour; null where hours are not
    kept. ``unpriced`` sessions are over and have no price: they are no part of ``revenue``. ``running``: not over yet.
    """

    sessions: int
    energy_wh: int
    revenue: tuple[Money, ...] | None
    connected_s: int
    charging_s: int
    available_s: int | None
    utilisation: float | None
    starts: int
    failed: int
    success: float | None
    peak_w: int | None
    unpriced: int = 0
    running: int = 0


@record
class UsageRow:
    """One group: ``key`` for programs, ``title`` for people; from ``since`` to ``until`` where it is a span of time.

    Keys: ``2026-05-01T13:00+02:00`` (hour), ``2026-05-01``, ``2026-W18``, ``2026-05``, a site, a station,
    ``STATION/EVSE/CONNECTOR``, a driver, a tariff, ``0-13``; empty where there is none (no site, no driver, no tariff).
    """

    key: str
    title: str
    since: datetime | None
    until: datetime | None
    usage: Usage
    before: Usage | None = None
    """The same group in the span before; null where nobody asked to compare."""


@record
class UsageReport:
    """Groups in order: of time by time, others by energy, the largest first. ``total`` is of all of them.

    ``since`` and ``until`` are the bounds of the span as the zone ``time_zone`` has them; each session counts on the
    local day of its own site. ``before`` is the total of the span before, as long, where one asked to compare.
    """

    by: str
    since: datetime
    until: datetime
    time_zone: str
    rows: tuple[UsageRow, ...]
    total: Usage
    before: Usage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowUsage:
    """Usage from ``since`` to ``until``, or of the ``last`` so many days (``30d``), weeks, months, hours or years.

    ``by`` is one of GROUPINGS. Without a span: the last 30 days. An instant is taken to the beginning of its local day
    (of its hour where ``by`` is hour), an end to the next one. ``since_day`` and ``until_day`` are days of the report's
    own clock, the second no part of it. ``compare``: with the span before.
    """

    by: str = "day"
    since: datetime | None = None
    until: datetime | None = None
    last: str | None = None
    site: str | None = None
    station: str | None = None
    driver: str | None = None
    tariff: str | None = None
    compare: bool = False
    since_day: date | None = None
    until_day: date | None = None
