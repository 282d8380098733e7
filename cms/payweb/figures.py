"""Amounts, energy, times and places as drivers read them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_datetime
from babel.numbers import format_decimal, get_currency_precision

from cms.contract.adhoc import AdHocView, Offer
from cms.contract.apps import Place
from cms.contract.money import money
from cms.contract.prices import PriceTag
from cms.contract.tariffs import Bill, BillLine, Money

#: Status of an EVSE -> (the word for it, how it is to be seen: good, busy, bad).
_STATUS = {
    "available": ("free", "good"),
    "preparing": ("free", "good"),
    "reserved": ("reserved_place", "busy"),
    "unavailable": ("out_of_order", "bad"),
    "faulted": ("out_of_order", "bad"),
    "unknown": ("unknown", "busy"),
}


def standing(offer: Offer) -> tuple[str, str]:
    """(The word for how an EVSE is, how that is to be seen)."""
    if not offer.online:
        return "offline", "bad"
    if not offer.open:
        return "closed", "busy"
    told = {_STATUS.get(status.strip(), ("occupied", "busy")) for status in offer.status.split(",")}
    # Several connectors: one that is free is enough.
    return min(told, key=lambda one: ("good", "busy", "bad").index(one[1]))


def amount(value: Money | None, language: str) -> str:
    """``12,30 €``."""
    return "" if value is None else money(value.amount, value.currency, language)


def coins(value: Decimal, currency: str, language: str) -> str:
    """The same of an amount whose currency is known."""
    return money(value, currency, language)


def number(value: Decimal | int, language: str, places: int = 2) -> str:
    """A number with so many places at most."""
    pattern = "#,##0" + ("." + "#" * places if places else "")
    return str(format_decimal(value, format=pattern, locale=language))


def kwh(energy_wh: int, language: str) -> str:
    """``12,34 kWh``."""
    return f"{format_decimal(Decimal(energy_wh) / 1000, format='#,##0.00', locale=language)} kWh"


def kw(power_w: int, language: str) -> str:
    return f"{format_decimal(Decimal(power_w) / 1000, format='#,##0.0', locale=language)} kW"


def lasted(begin: datetime, end: datetime) -> str:
    """Hours and minutes: ``1:05 h``, ``12 min``."""
    minutes = max(int((end - begin).total_seconds() // 60), 0)
    return f"{minutes // 60}:{minutes % 60:02} h" if minutes >= 60 else f"{minutes} min"


def when(at: datetime, time_zone: str, language: str) -> str:
    """On the clocks of the place."""
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = ZoneInfo("UTC")
    return str(format_datetime(at.astimezone(zone), "medium", locale=language))


def minor(value: Decimal, currency: str) -> int:
    """Whole smallest coins, as providers count."""
    return int(value.scaleb(get_currency_precision(currency)).to_integral_value())


def share(view: AdHocView) -> int:
    """How many per cent of what is reserved are used."""
    if view.cost is None or not view.reserved.amount:
        return 0
    return max(0, min(100, int(view.cost.amount * 100 / view.reserved.amount)))


def address(offer: Offer) -> str:
    """Street, postcode and city in one line."""
    city = " ".join(part for part in (offer.postcode, offer.city) if part)
    return ", ".join(part for part in (offer.street, city) if part)


#: OCPI's names of plugs -> what is printed beside them; the others are said as they are.
_PLUGS = {
    "IEC_62196_T1": "Type 1",
    "IEC_62196_T1_COMBO": "CCS 1",
    "IEC_62196_T2": "Type 2",
    "IEC_62196_T2_COMBO": "CCS",
    "CHADEMO": "CHAdeMO",
    "SAE_J3400": "NACS",
    "DOMESTIC_F": "Schuko",
}


def plugs(place: Place, language: str) -> str:
    """``CCS 150 kW, Type 2 22 kW``."""
    told = [
        f"{_PLUGS.get(outlet.standard, outlet.standard.replace('_', ' '))}"
        + (f" {number(Decimal(outlet.power_w) / 1000, language, 1)} kW" if outlet.power_w else "")
        for outlet in place.connectors
        if outlet.standard
    ]
    return ", ".join(dict.fromkeys(told))


def own_words(tag: PriceTag) -> str | None:
    """What a tariff says of itself; None where its text is nothing but its prices."""
    generated = {"\n".join(tag.lines), "\n".join((*tag.lines, tag.vat or ""))}
    return None if tag.text in generated else tag.text


def merged(bill: Bill) -> list[BillLine]:
    """The lines of a receipt: those of the same thing at the same price are one."""
    found: dict[tuple[str, Decimal, Decimal, str], BillLine] = {}
    for line in bill.lines:
        key = (line.what, line.price, line.vat_percent, line.unit)
        known = found.get(key)
        found[key] = line if known is None else _sum(known, line)
    return list(found.values())


def before_tax(bill: Bill) -> bool:
    """Whether the prices of its lines are without VAT: tariffs have either."""
    whole = sum((line.price * line.quantity for line in bill.lines), Decimal(0))
    return abs(whole - bill.net) < abs(whole - bill.gross)


def _sum(one: BillLine, other: BillLine) -> BillLine:
    return BillLine(
        one.what,
        one.tariff,
        one.since,
        other.until,
        one.quantity + other.quantity,
        one.unit,
        one.price,
        one.vat_percent,
        one.net + other.net,
        one.vat + other.vat,
        one.gross + other.gross,
    )
