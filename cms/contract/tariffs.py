"""Tariffs: their structure (OCPI 2.2.1 and OCPP 2.1 in our words), requests and views. Money is exact decimal text.

A tariff's content never changes under its id (2.1 I08.FR.08): other prices are another tariff.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from cms.contract.record import record
from cms.contract.stations import OrderTerms


@record
class Money:
    """An amount with its currency (ISO 4217)."""

    amount: Decimal
    currency: str


@record
class Tax:
    """Per cent of the amount before it; taxes of a higher ``stack`` are levied on the lower ones too."""

    kind: str
    percent: Decimal
    stack: int = 0


@record
class When:
    """Everything given must hold. Times of day and dates are those of the site, else of the tariff's time zone.

    ``min_*`` are inclusive, ``max_*`` exclusive; energy in Wh, power in W, current in A, spans in seconds since
    the session began. ``from_time`` after ``to_time`` runs over midnight. ``evse_kind``: AC or DC. ``reservation``
    (OCPI 2.2.1, of reservation prices only): RESERVATION, or RESERVATION_EXPIRES for one that nobody came for.
    """

    from_time: str | None = None
    to_time: str | None = None
    days: tuple[str, ...] = ()
    from_date: str | None = None
    to_date: str | None = None
    evse_kind: str | None = None
    min_energy_wh: Decimal | None = None
    max_energy_wh: Decimal | None = None
    min_current_a: Decimal | None = None
    max_current_a: Decimal | None = None
    min_power_w: Decimal | None = None
    max_power_w: Decimal | None = None
    min_time_s: int | None = None
    max_time_s: int | None = None
    min_charging_s: int | None = None
    max_charging_s: int | None = None
    min_idle_s: int | None = None
    max_idle_s: int | None = None
    payment_brand: str | None = None
    payment_recognition: str | None = None
    reservation: str | None = None


@record
class Price:
    """``amount`` per kWh, per minute, or at once, as its component says; before taxes, or as its tariff says.

    ``taxes`` precede those of its component (none: an empty list). ``step`` (Wh or seconds) is OCPI's step_size:
    what is left over of a session's total is rounded up to it, once. ``per_hour``: a price of time is per hour, as
    OCPI has it; a sixtieth of most prices is no exact number.
    """

    amount: Decimal
    when: When | None = None
    taxes: tuple[Tax, ...] | None = None
    step: int | None = None
    per_hour: bool = False


@record
class Component:
    """What is paid for one thing: the first price whose conditions hold counts."""

    prices: tuple[Price, ...]
    taxes: tuple[Tax, ...] = ()


@record
class Bound:
    """The least or the most that a session costs. Where both amounts are given both hold."""

    excl_tax: Decimal | None = None
    incl_tax: Decimal | None = None
    taxes: tuple[Tax, ...] = ()


@record
class TariffText:
    """What a driver reads. ``format``: ASCII, HTML, URI, UTF8, QRCODE."""

    content: str
    language: str | None = None
    format: str = "UTF8"


@record
class Tariff:
    """Prices of one currency. ``energy`` per kWh, ``*_time`` per minute, ``fixed_fee`` once a session.

    Sessions that begin from ``valid_from`` and before ``valid_to`` may be priced by it, to their end; a station begins
    to use it as its default then. ``time_zone`` (IANA) is meant where a site names none: stations know where they
    are. ``tax_included``: prices are gross, as drivers see them.
    """

    id: str
    currency: str
    energy: Component | None = None
    charging_time: Component | None = None
    idle_time: Component | None = None
    fixed_fee: Component | None = None
    reservation_time: Component | None = None
    reservation_fixed: Component | None = None
    min_cost: Bound | None = None
    max_cost: Bound | None = None
    texts: tuple[TariffText, ...] = ()
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    time_zone: str = "UTC"
    tax_included: bool = False


@record
class TariffView:
    """A tariff with one line for people, and where it is used now: default, stations, tokens, other ``places``.

    ``id`` is the tariff's name, or a version's where one was asked for; ``tariff`` is the version that holds now, of
    ``versions`` there are; where none ``holds``, the newest. ``places``: ``site North``, ``EVSE CP1:2`` ...
    """

    id: str
    currency: str
    summary: str
    time_zone: str
    default: bool
    stations: tuple[str, ...]
    tokens: tuple[str, ...]
    added_at: datetime
    tariff: Tariff
    version: int = 1
    versions: int = 1
    holds: bool = True
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    places: tuple[str, ...] = ()


@record
class TariffVersionView:
    """One version. ``id`` is what sessions and bills name; ``changes`` is what it changed of the one before."""

    id: str
    version: int
    holds: bool
    valid_from: datetime | None
    valid_to: datetime | None
    added_at: datetime
    summary: str
    changes: tuple[str, ...]


@record
class TariffChange:
    """What differs between two versions or tariffs, as a file would say it; null: not said there."""

    key: str
    before: str | None
    after: str | None


@record
class TariffFile:
    """A tariff as a file says it."""

    id: str
    format: str
    text: str


@record
class TariffUseView:
    """What is assigned where since when. ``place`` as in TariffView; ``version`` is what it means now."""

    id: str
    rung: str
    place: str
    tariff: str | None
    version: str | None
    since: datetime | None
    order: int = 0


@record
class CostLine:
    """One line of a calculation: ``quantity`` of ``unit`` at ``price``; amounts before rounding.

    ``what``: energy, charging-time, idle-time, fixed-fee, reservation-time, reservation-fixed, minimum, maximum.
    ``since`` and ``until`` are the first and the last moment at this price, without another one in between.
    """

    what: str
    tariff: str | None
    quantity: Decimal
    unit: str
    price: Decimal
    excl_tax: Decimal
    incl_tax: Decimal
    since: datetime | None = None
    until: datetime | None = None


@record
class BillLine:
    """One line of a bill, in the currency's smallest coins: ``net`` + ``vat`` = ``gross``, and lines sum to the bill.

    ``quantity`` (to a millionth) of ``unit`` at ``price``, which is per unit as its tariff says, between two
    instants. ``what`` as in CostLine; ``vat_percent`` is all taxes of the line together.
    """

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


@record
class VatPart:
    """What of a bill is taxed at one rate."""

    percent: Decimal
    net: Decimal
    vat: Decimal
    gross: Decimal


@record
class Bill:
    """A session's price to the smallest coin: ``gross`` is rounded once, and everything else is a part of it.

    ``kind``: normal, minimum, maximum (the tariff's bound decided).
    """

    currency: str
    lines: tuple[BillLine, ...]
    vat: tuple[VatPart, ...]
    net: Decimal
    gross: Decimal
    kind: str = "normal"


@record
class CostView:
    """What a session costs so far, or in the end (``final``); ``total`` is rounded once, taxes included.

    ``source``: central (calculated here from its readings and times) or station (2.1 costDetails). ``kind``:
    normal, minimum, maximum. ``remarks`` say what makes the figures doubtful.
    """

    session: str
    station: str
    final: bool
    source: str
    kind: str
    total: Money
    excl_tax: Decimal
    energy_wh: int
    charging_s: int
    idle_s: int
    lines: tuple[CostLine, ...]
    tariffs: tuple[str, ...]
    remarks: tuple[str, ...] = ()


@record
class CreditView:
    """A prepaid token: ``available`` is its balance less what running sessions may still take."""

    token: str
    balance: Money
    available: Money
    changed_at: datetime


@record
class InstalledTariff:
    """A tariff that a 2.1 station holds. ``kind``: DefaultTariff, DriverTariff; no EVSEs: all of them."""

    tariff: str
    kind: str
    evses: tuple[int, ...]
    valid_from: str | None
    heard_at: datetime


@dataclass(frozen=True, slots=True)
class ListStationTariffs:
    """The tariffs a station holds, as far as its answers told."""

    station: str


@dataclass(frozen=True, slots=True)
class ListTariffs:
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class ShowTariff:
    tariff: str


@dataclass(frozen=True, slots=True)
class AddTariff:
    """Register a tariff for ever; the same content again is harmless, other content under the id a conflict.

    ``text`` is a file in YAML, OCPI's JSON or ours, read instead of ``tariff``; ``id`` precedes the one in it. With
    ``revise`` other content is the tariff's next version, which holds from its ``valid_from`` (else from now) on.
    """

    tariff: Tariff | None = None
    text: str | None = None
    id: str | None = None
    revise: bool = False


@dataclass(frozen=True, slots=True)
class ListTariffVersions:
    tariff: str


@dataclass(frozen=True, slots=True)
class DiffTariffs:
    """What ``tariff`` says otherwise than ``before``: two versions, or two tariffs."""

    tariff: str
    before: str


@dataclass(frozen=True, slots=True)
class ExportTariff:
    """A tariff as a file: yaml, json, ocpi-2.2.1, ocpi-2.3.0."""

    tariff: str
    format: str = "yaml"


@dataclass(frozen=True, slots=True)
class UseTariff:
    """Sessions that begin from now on (or ``since`` then) are priced so: everywhere, or at a place, or for somebody.

    Where: ``station``, with ``evse`` or ``connector_type`` (OCPI's standard) of it; ``site``, with ``connector_type``;
    ``connector_type`` alone. For whom: ``token``, ``plan``, ``group`` of drivers; of several groups of one driver that
    with the lowest ``order`` counts. The most particular precedes (docs/prices.md). ``tariff`` is a tariff, whose
    version of the day holds, or a version, which holds whatever comes; null: no longer. What begins offline is priced
    by what held at its beginning, so a use that is backdated reaches what is still to come.
    """

    tariff: str | None = None
    station: str | None = None
    token: str | None = None
    since: datetime | None = None
    site: str | None = None
    evse: int | None = None
    connector_type: str | None = None
    group: str | None = None
    plan: str | None = None
    order: int = 0


@dataclass(frozen=True, slots=True)
class ListTariffUses:
    """What is assigned where now."""

    filter: str | None = None


@dataclass(frozen=True, slots=True)
class ShowCost:
    """What a session costs, line by line; NotFound for one without a price."""

    session: str


@dataclass(frozen=True, slots=True)
class SetCredit:
    """Make a token prepaid, or add to (with a sign) or replace its balance."""

    token: str
    amount: Decimal
    currency: str
    add: bool = False


@dataclass(frozen=True, slots=True)
class ListCredits:
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class DropCredit:
    """The token pays afterwards again."""

    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStationTariff(OrderTerms):
    """Give a tariff to a station that calculates itself (2.1 I07); EVSE 0 is all of them."""

    station: str
    tariff: str
    evse: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GetStationTariffs(OrderTerms):
    """Ask a station which tariffs it holds (2.1 I09)."""

    station: str
    evse: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearStationTariffs(OrderTerms):
    """Take tariffs from a station (2.1 I10): those named, or all; of one EVSE or of all."""

    station: str
    tariffs: tuple[str, ...] = ()
    evse: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSessionTariff(OrderTerms):
    """Price a running session by another tariff of the same currency from now on (I06, 2.1 I11)."""

    session: str
    tariff: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendCost(OrderTerms):
    """Tell a station the present cost of a running session (CostUpdated, I02)."""

    session: str
