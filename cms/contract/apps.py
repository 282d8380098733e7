"""What the back end of an app asks in the name of one driver: start, stop, see his own, and nothing else.

Permission ``sessions.behalf`` covers all of it, and nothing but it: an API token of the role ``app`` can do no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from cms.contract.evses import Outlet
from cms.contract.tariffs import Money


@dataclass(frozen=True, slots=True)
class DriverOrder:
    """What became of a start or a stop. ``status`` as of intents; confirmed: the session began (or ended).

    ``key`` is the app's own name for a start.
    """

    id: str
    driver: str
    order: str
    key: str | None
    station: str
    evse: int | None
    status: str
    detail: str | None
    session: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DriverSession:
    """A session of a driver's, as he may see it. ``cost`` is null until it is priced, never 0."""

    id: str
    station: str
    evse: int | None
    evse_id: str | None
    site: str | None
    site_name: str | None
    status: str
    started_at: datetime
    ended_at: datetime | None
    energy_wh: int
    power_w: int | None
    soc_percent: float | None
    cost: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Place:
    """An EVSE as a driver stands before it; ``open`` is whether its site is, now."""

    station: str
    evse: int
    evse_id: str | None
    reference: str | None
    status: str
    online: bool
    connectors: tuple[Outlet, ...]
    floor: str | None
    directions: str | None
    site: str | None
    site_name: str | None
    street: str | None
    postcode: str | None
    city: str | None
    country: str | None
    latitude: float | None
    longitude: float | None
    time_zone: str | None
    hours: str | None
    open: bool
    operator: str | None


@dataclass(frozen=True, slots=True)
class DriverBill:
    """What a session of a driver's came to."""

    session: str
    started_at: datetime
    ended_at: datetime
    energy_wh: int
    total: Money
    way: str


@dataclass(frozen=True, slots=True)
class DriverAccount:
    """A driver's money, as he may see it. ``way``: how he pays; null: as his tokens do.

    ``balance`` is what he has paid before, ``available`` what of it his running sessions leave; null: he has no
    balance. ``open`` is what he owes, by currency; below 0 we owe it. ``bills`` are the last ones, newest first.
    """

    driver: str
    way: str | None
    every: str
    card: str | None
    plan: str | None
    plan_until: date | None
    next_plan: str | None
    balance: Money | None
    available: Money | None
    open: tuple[Money, ...]
    bills: tuple[DriverBill, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StartForDriver:
    """Start a session for a driver, with his rights there. ``key`` is new for each wish of his, and the same for each
    attempt at it (a double tap, a repeat after a lost answer): what has been asked once is not asked again.

    The EVSE is named by ``evse_id``, or by ``station`` and ``evse``. ``max_*``: where it ends by itself (2.1).
    """

    driver: str
    key: str
    evse_id: str | None = None
    station: str | None = None
    evse: int | None = None
    max_cost: Decimal | None = None
    max_energy_wh: Decimal | None = None
    max_time_s: int | None = None


@dataclass(frozen=True, slots=True)
class ShowDriverStart:
    """What became of a start, by the key it was given."""

    driver: str
    key: str


@dataclass(frozen=True, slots=True)
class StopForDriver:
    """Stop a session of this driver's; another's is not found."""

    driver: str
    session: str


@dataclass(frozen=True, slots=True)
class ListDriverSessions:
    """The driver's sessions, newest first; ``active`` true: those not ended, false: those ended."""

    driver: str
    active: bool | None = None
    since: datetime | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class ShowDriverAccount:
    """What a driver has, owes and was billed lately."""

    driver: str
    bills: int = 10


@dataclass(frozen=True, slots=True)
class ShowPlace:
    """The EVSE that a scanned code names."""

    evse_id: str
