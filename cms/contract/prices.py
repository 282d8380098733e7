"""Prices: which tariff holds where and why, what it looks like before a session, what it would have brought."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from cms.contract.record import record
from cms.contract.stations import OrderTerms
from cms.contract.tariffs import Money


@record
class RungView:
    """One rung of the ladder: what is assigned there since when, which version that is then, and why it counts or not.

    ``rung``: token, plan, group, evse, station-type, station, site-type, site, type, default.
    """

    rung: str
    place: str
    assigned: str | None
    since: datetime | None
    version: str | None
    wins: bool
    why: str


@record
class ResolutionView:
    """Which version of which tariff a session has that begins there then; null: no tariff holds."""

    station: str
    evse: int | None
    at: datetime
    tariff: str | None
    rung: str | None
    ladder: tuple[RungView, ...]


@dataclass(frozen=True, slots=True)
class ResolveTariff:
    """The ladder of a place, for a token or a driver, at an instant (else now)."""

    station: str
    evse: int | None = None
    connector: int | None = None
    token: str | None = None
    driver: str | None = None
    at: datetime | None = None


@record
class Finding:
    """What is odd about a tariff. ``level``: error (it will not do what it says) or warning."""

    level: str
    rule: str
    where: str
    words: str


@dataclass(frozen=True, slots=True)
class LintTariff:
    """What is odd about a registered tariff, or one in the ``text`` of a file."""

    tariff: str | None = None
    text: str | None = None


@record
class PriceTag:
    """What charging costs at a place for whoever begins now, as a driver reads it; prices with VAT.

    ``lines`` say each price with its conditions, ``vat`` what of them is VAT; ``text`` is what the tariff says itself
    in that language, else all of it line by line.
    """

    station: str
    evse: int | None
    tariff: str
    currency: str
    language: str
    at: datetime
    text: str
    lines: tuple[str, ...]
    vat: str | None
    valid_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class ShowPriceTag:
    """The price at a place before a session begins; in ``language`` (de, en ...), else the organisation's."""

    station: str
    evse: int | None = None
    token: str | None = None
    language: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayTariff(OrderTerms):
    """Show the price of a place on its station's display (2.x), or tell it to a 1.6 station that shows prices."""

    station: str
    evse: int | None = None
    language: str | None = None


@record
class SimulatedStation:
    """What a station's sessions brought, and would have brought; amounts with VAT in one currency."""

    id: str
    sessions: int
    energy_wh: int
    before: Money
    after: Money
    change: Money
    change_percent: Decimal | None
    unpriced: int


@record
class Simulation:
    """All stations' sessions at another price. ``skipped`` could not be priced anew; ``remarks`` say why."""

    tariff: str
    since: datetime
    until: datetime
    sessions: int
    before: Money
    after: Money
    change: Money
    change_percent: Decimal | None
    stations: tuple[SimulatedStation, ...]
    skipped: int = 0
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SimulateTariff:
    """Price sessions that ended within a time by another tariff: a registered one, or the ``text`` of a file."""

    since: datetime
    until: datetime | None = None
    tariff: str | None = None
    text: str | None = None
    site: str | None = None
    station: str | None = None


@record
class ExplainedLine:
    """One line of a price and why it is there; ``quantity`` of ``unit`` at ``price`` between two instants."""

    what: str
    tariff: str | None
    since: datetime | None
    until: datetime | None
    quantity: Decimal
    unit: str
    price: Decimal
    vat_percent: Decimal
    net: Decimal
    vat: Decimal
    gross: Decimal
    why: str


@record
class Explanation:
    """A session's price from its tariff to the last cent; ``reasons`` say what no line does."""

    session: str
    station: str
    final: bool
    source: str
    currency: str
    net: Decimal
    vat: Decimal
    gross: Decimal
    energy_wh: int
    charging_s: int
    idle_s: int
    time_zone: str
    tariffs: tuple[str, ...]
    lines: tuple[ExplainedLine, ...]
    reasons: tuple[str, ...]
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class ExplainPrice:
    """Every line of what a session costs, so far or in the end."""

    session: str
