"""Which tariff a session has: tariffs are kept for ever, their use is a history, and event times decide."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cms.contract.refusals import Invalid
from cms.contract.tariffs import Bound, Component, Price, Tariff, TariffText, Tax, When
from cms.domain.evolve import evolve
from cms.domain.orders import Order
from cms.domain.record import record

__all__ = ["Bound", "Component", "Price", "Tariff", "TariffText", "Tax", "When"]

TARIFF, USE = "tariff", "tariff-use"
DEFAULT = "default"
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
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
            _check_amount(tariff, name, price.amount)
            if price.when is not None:
                _check_when(tariff, price.when)
    for bound in (tariff.min_cost, tariff.max_cost):
        if bound is not None:
            _check_taxes(tariff, bound.taxes)
            if bound.excl_tax is None and bound.incl_tax is None:
                raise Invalid(f"{tariff.id}: a least or most cost needs an amount")
    for text in tariff.texts:
        if text.format not in FORMATS or not 0 < len(text.content) <= 1024:
            raise Invalid(
                f"{tariff.id}: a text has 1 to 1024 characters and a format of {', '.join(FORMATS)}"
            )


def _check_amount(tariff: Tariff, name: str, amount: Decimal) -> None:
    if not amount.is_finite() or abs(amount) > 10**9:
        raise Invalid(f"{tariff.id}: {name}: {amount} is no price")


def _check_taxes(tariff: Tariff, taxes: tuple[Tax, ...]) -> None:
    for tax in taxes:
        if not tax.percent.is_finite() or not 0 <= tax.percent <= 100 or not 0 < len(tax.kind) <= 20:
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


def components(tariff: Tariff) -> Iterator[tuple[str, Component]]:
    """Its components by name, in the order of a bill."""
    for name in UNITS:
        component = getattr(tariff, name)
        if component is not None:
            yield name, component


def clock(text: str) -> time:
    return time.fromisoformat(text)


def text_for(tariff: Tariff) -> TariffText:
    """What a driver is shown: the tariff's own first text, else a line made of its prices."""
    return tariff.texts[0] if tariff.texts else TariffText(summary(tariff)[:1024])


def summary(tariff: Tariff) -> str:
    """All prices on one line, taxes included: ``0.30 EUR/kWh + 0.05 EUR/min idle``."""
    parts = [f"{_range(component)} {tariff.currency}{_PER[name]}" for name, component in components(tariff)]
    return " + ".join(parts) or "free"


_PER = {
    "energy": "/kWh",
    "charging_time": "/min",
    "idle_time": "/min idle",
    "fixed_fee": " per session",
    "reservation_time": "/min reserved",
    "reservation_fixed": " per reservation",
}


def _range(component: Component) -> str:
    prices = sorted({with_taxes(price.amount, component.taxes) for price in component.prices})
    ends = [prices[0]] if len(prices) == 1 else [prices[0], prices[-1]]
    return "-".join(shown(price) for price in ends)


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


def known(kept: Mapping[str, Any], tariff_id: str | None) -> Tariff | None:
    """A registered tariff by its id."""
    found = kept.get(tariff_id) if tariff_id is not None else None
    return found.tariff if found is not None else None
