"""Which tariff a session has: tariffs are kept for ever, their use is a history, and event times decide."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cms.contract.refusals import Invalid
from cms.contract.tariffs import Bound, Component, Price, Tariff, TariffText, Tax, When
from cms.domain.evolve import evolve
from cms.domain.money import decimal
from cms.domain.orders import Order
from cms.domain.record import record

__all__ = ["Bound", "Component", "Price", "Tariff", "TariffText", "Tax", "When"]

TARIFF, USE = "tariff", "tariff-use"
DEFAULT = "default"
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
RESERVATIONS = ("RESERVATION", "RESERVATION_EXPIRES")
FORMATS = ("ASCII", "HTML", "URI", "UTF8", "QRCODE")
#: Steps of a use that are remembered: what came offline for months still finds its tariff.
_REMEMBERED = 200
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)

#: Field of a tariff -> the unit its price is per. In this order they stand on a bill.
UNITS: dict[str, str] = {
    "energy": "kWh",
    "charging_time": "min",
    "idle_time": "min",
    "fixed_fee": "session",
    "reservation_time": "min",
    "reservation_fixed": "reservation",
}


@record
class Registered:
    """A version of a tariff and when it was added. ``family`` is the tariff's name, the id of its first version."""

    tariff: Tariff
    added_at: datetime
    family: str = ""
    version: int = 1

    @property
    def name(self) -> str:
        return self.family or self.tariff.id

    @property
    def begins(self) -> datetime | None:
        """From when it may hold: as it says, else a later version from its registration on; None: from ever."""
        if self.tariff.valid_from is not None or self.version == 1:
            return self.tariff.valid_from
        # Stations tell milliseconds at best, often seconds: a session that begins right now is meant too.
        return self.added_at.replace(microsecond=0)


@record
class Use:
    """Which tariff (or pinned version) held since when at one place or of one person, oldest first.

    ``order`` is among the groups of one driver: the lowest precedes.
    """

    steps: tuple[tuple[datetime, str | None], ...] = ()
    order: int = 0

    def at(self, when: datetime) -> str | None:
        """What held at an instant; before the first step nothing did."""
        return self.step(when)[1]

    def step(self, when: datetime) -> tuple[datetime | None, str | None]:
        """The step that held at an instant: since when, and what."""
        held: tuple[datetime | None, str | None] = (None, None)
        for step in self.steps:
            if step[0] > when:
                break
            held = step
        return held

    def changed(self, tariff: str | None, since: datetime) -> Use:
        """With one step more: what was said of this instant before is replaced."""
        others = [step for step in self.steps if step[0] != since]
        ordered = sorted([*others, (since, tariff)], key=itemgetter(0))
        return evolve(self, steps=tuple(ordered[-_REMEMBERED:]))


@record
class SetDefaultTariff(Order):
    """2.1 I07; EVSE 0 is all of them."""

    tariff: Tariff
    evse: int = 0


@record
class GetTariffs(Order):
    """2.1 I09."""

    evse: int = 0


@record
class ClearTariffs(Order):
    """2.1 I10; no ids: all."""

    tariffs: tuple[str, ...] = ()
    evse: int | None = None


@record
class ChangeTransactionTariff(Order):
    """2.1 I11."""

    transaction_id: str
    tariff: Tariff
    session: str


@record
class UpdateCost(Order):
    """CostUpdated (I02): the total including taxes."""

    transaction_id: str
    total: Decimal


def station_key(station: str) -> str:
    return f"station/{station.casefold()}"


def token_key(token: str) -> str:
    return f"token/{token.casefold()}"


def check(tariff: Tariff) -> None:
    """Raise Invalid for a tariff that no session could be priced by."""
    if not 0 < len(tariff.id) <= 60 or not tariff.id.isprintable():
        raise Invalid("a tariff id has 1 to 60 printable characters")
    if not _CURRENCY.fullmatch(tariff.currency):
        raise Invalid(f"the currency must be three capitals as in ISO 4217, not {tariff.currency!r}")
    try:
        ZoneInfo(tariff.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(f"there is no time zone {tariff.time_zone!r}", "e.g. Europe/Berlin") from None
    for name, component in components(tariff):
        if not component.prices:
            raise Invalid(f"{tariff.id}: {name} has no price")
        _check_taxes(tariff, component.taxes)
        for price in component.prices:
            _check_price(tariff, name, price)
    for bound in (tariff.min_cost, tariff.max_cost):
        if bound is not None:
            _check_taxes(tariff, bound.taxes)
            amounts = [amount for amount in (bound.excl_tax, bound.incl_tax) if amount is not None]
            if not amounts:
                raise Invalid(f"{tariff.id}: a least or most cost needs an amount")
            for amount in amounts:
                _check_amount(tariff, "a least or most cost", amount)
    for text in tariff.texts:
        if text.format not in FORMATS or not 0 < len(text.content) <= 1024:
            raise Invalid(
                f"{tariff.id}: a text has 1 to 1024 characters and a format of {', '.join(FORMATS)}"
            )


#: Nobody writes more decimals; exact arithmetic with millions of them would take for ever.
_DECIMALS = 30


def _sane(amount: Decimal) -> bool:
    exponent = amount.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -_DECIMALS and abs(amount) <= 10**9


def _check_price(tariff: Tariff, name: str, price: Price) -> None:
    _check_amount(tariff, name, price.amount)
    _check_taxes(tariff, price.taxes or ())
    if price.step is not None and not 0 <= price.step <= 10**9:
        raise Invalid(f"{tariff.id}: {name}: a step is a number of Wh or seconds, not {price.step}")
    if price.per_hour and UNITS[name] != "min":
        raise Invalid(f"{tariff.id}: {name}: only a price of time is per hour")
    if price.when is not None:
        _check_when(tariff, price.when)
        if price.when.reservation is not None and not name.startswith("reservation"):
            raise Invalid(f"{tariff.id}: {name}: only a price of a reservation depends on one")


def _check_amount(tariff: Tariff, name: str, amount: Decimal) -> None:
    if not _sane(amount):
        raise Invalid(f"{tariff.id}: {name}: {str(amount)[:40]} is no price")


def _check_taxes(tariff: Tariff, taxes: tuple[Tax, ...]) -> None:
    for tax in taxes:
        if not _sane(tax.percent) or not 0 <= tax.percent <= 100 or not 0 < len(tax.kind) <= 20:
            raise Invalid(f"{tariff.id}: a tax has a name of 1 to 20 characters and 0 to 100 per cent")
    if len(taxes) > 5:
        raise Invalid(f"{tariff.id}: at most five taxes")


def _check_when(tariff: Tariff, when: When) -> None:
    for clock in (when.from_time, when.to_time):
        if clock is not None and not _CLOCK.fullmatch(clock):
            raise Invalid(f"{tariff.id}: {clock!r} is no time of day", "write HH:MM")
    for day in (when.from_date, when.to_date):
        if day is not None:
            try:
                date.fromisoformat(day)
            except ValueError:
                raise Invalid(f"{tariff.id}: {day!r} is no date", "write YYYY-MM-DD") from None
    if not set(when.days) <= set(DAYS):
        raise Invalid(f"{tariff.id}: days are {', '.join(DAYS)}")
    if when.evse_kind not in (None, "AC", "DC"):
        raise Invalid(f"{tariff.id}: evse_kind is AC or DC, not {when.evse_kind!r}")
    if when.reservation not in (None, *RESERVATIONS):
        raise Invalid(f"{tariff.id}: reservation is {' or '.join(RESERVATIONS)}, not {when.reservation!r}")
    for name in ("energy_wh", "power_w", "current_a"):
        for bound in (getattr(when, f"min_{name}"), getattr(when, f"max_{name}")):
            if bound is not None and not _sane(bound):
                raise Invalid(f"{tariff.id}: {str(bound)[:40]} is no amount to depend on")


def components(tariff: Tariff) -> Iterator[tuple[str, Component]]:
    """Its components by name, in the order of a bill."""
    for name in UNITS:
        component = getattr(tariff, name)
        if component is not None:
            yield name, component


def clock(text: str) -> time:
    return time.fromisoformat(text)


def text_for(tariff: Tariff, language: str | None = None) -> TariffText:
    """What a driver is shown: the tariff's text in his language, else its first, else a line made of its prices."""
    wanted = (language or "").partition("-")[0].casefold()
    for text in tariff.texts if wanted else ():
        if (text.language or "").partition("-")[0].casefold() == wanted:
            return text
    return tariff.texts[0] if tariff.texts else TariffText(summary(tariff)[:1024])


def summary(tariff: Tariff) -> str:
    """All prices on one line, taxes included: ``0.30 EUR/kWh + 0.05 EUR/min idle``."""
    parts = [f"{_range(tariff, c)} {tariff.currency}{_per(name, c)}" for name, c in components(tariff)]
    return " + ".join(parts) or "free"


_PER = {
    "energy": "/kWh",
    "charging_time": "/min",
    "idle_time": "/min idle",
    "fixed_fee": " per session",
    "reservation_time": "/min reserved",
    "reservation_fixed": " per reservation",
}


def _per(name: str, component: Component) -> str:
    return _PER[name].replace("/min", "/h") if _hourly(component) else _PER[name]


def _hourly(component: Component) -> bool:
    """Whether all its prices are per hour; else they are shown per minute."""
    return all(price.per_hour for price in component.prices)


def _range(tariff: Tariff, component: Component) -> str:
    scale = 60 if not _hourly(component) else 1
    prices = sorted(
        {gross(tariff, component, price) / (scale if price.per_hour else 1) for price in component.prices}
    )
    ends = [prices[0]] if len(prices) == 1 else [prices[0], prices[-1]]
    return "-".join(shown(price) for price in ends)


def gross(tariff: Tariff, component: Component, price: Price) -> Decimal:
    """A price as drivers see it: with its taxes."""
    return price.amount if tariff.tax_included else with_taxes(price.amount, taxes_of(component, price))


def plain(tariff: Tariff) -> Tariff:
    """The same prices as OCPP 2.1 has words for: before taxes, per minute, with the same taxes in all of a component.

    What drivers pay stays the same, to nine decimals of a price. There is no word for steps, and none for
    reservations that nobody came for.
    """
    changed = {name: _plain(tariff, component) for name, component in components(tariff)}
    return evolve(tariff, tax_included=False, **changed)


def _plain(tariff: Tariff, component: Component) -> Component | None:
    said = [p for p in component.prices if p.when is None or p.when.reservation != RESERVATIONS[1]]
    if not said:
        return None
    taxes = taxes_of(component, said[0])
    return Component(
        tuple(Price(_plain_amount(tariff, component, price, taxes), price.when) for price in said), taxes
    )


def _plain_amount(tariff: Tariff, component: Component, price: Price, taxes: tuple[Tax, ...]) -> Decimal:
    own = taxes_of(component, price)
    if own == taxes and not tariff.tax_included and not price.per_hour:
        return price.amount
    gross = Fraction(price.amount) * (1 if tariff.tax_included else tax_factor(own))
    return decimal(gross / tax_factor(taxes) / (60 if price.per_hour else 1), 9).normalize() + 0


def taxes_of(component: Component, price: Price) -> tuple[Tax, ...]:
    return component.taxes if price.taxes is None else price.taxes


def shown(amount: Decimal) -> str:
    """At least two decimals, at most four, as prices are written."""
    text = f"{amount:.4f}"
    return text[:-2] if text.endswith("00") else text


def with_taxes(amount: Decimal, taxes: tuple[Tax, ...]) -> Decimal:
    """The amount with its taxes; those of one stack are levied on what is below it (2.1 TaxRateType)."""
    total = amount
    for stack in sorted({tax.stack for tax in taxes}):
        total += sum((total * tax.percent / 100 for tax in taxes if tax.stack == stack), Decimal(0))
    return total


def tax_factor(taxes: tuple[Tax, ...]) -> Fraction:
    """What taxes make of 1, exactly."""
    factor = Fraction(1)
    for stack in sorted({tax.stack for tax in taxes}):
        factor *= 1 + sum((Fraction(tax.percent) for tax in taxes if tax.stack == stack), Fraction(0)) / 100
    return factor


def known(kept: Mapping[str, Any], tariff_id: str | None) -> Tariff | None:
    """A registered tariff by its id."""
    found = kept.get(tariff_id) if tariff_id is not None else None
    return found.tariff if found is not None else None
