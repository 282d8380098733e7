"""What a cell of another system's file means: times, numbers, energies, amounts, as people and programs write them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cms.contract.refusals import Invalid

_DATE = re.compile(
    r"(\d{1,4})([./-])(\d{1,2})\2(\d{4}|\d{2})"
    r"(?:[ ,T]+(\d{1,2})[:.](\d\d)(?:[:.](\d\d)(?:[.,](\d{1,9}))?)?\s*([ap])?\.?(?:m\.?)?)?",
    re.IGNORECASE,
)
_EPOCH = re.compile(r"\d{10}(?:\d{3})?")
_MAIL = re.compile(r"[A-Za-z]{3}, ")
_NUMBER = re.compile(r"([^\d.,+-]*)([+-]?[\d.,' \u00a0\u202f]*\d)\s*([^\d]*)")
_SPAN = re.compile(r"(?:(\d+) d(?:ays?)?,? )?(\d+):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?")

#: How much a unit of energy is, in Wh.
UNITS = {"wh": Decimal(1), "kwh": Decimal(1_000), "mwh": Decimal(1_000_000)}
_SIGNS = {"€": "EUR", "£": "GBP", "kr": None, "$": None}


@dataclass(frozen=True, slots=True)
class Clock:
    """How times are read. ``order``: what 3/4/2024 begins with, ``day`` or ``month``; None: that is not known.

    ``zone`` is that of times that name none; None: such times are refused. ``format`` is strptime's.
    """

    zone: ZoneInfo | None = None
    format: str | None = None
    order: str | None = None


class NoZone(Invalid):
    """A time is written without its zone, and nobody said which it is."""

    name = "Invalid"


def zone_named(name: str) -> ZoneInfo:
    """The time zone of this IANA name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(f"there is no time zone {name[:40]!r}", "a name like Europe/Berlin or UTC") from None


def instant(text: str, clock: Clock, after: datetime | None = None) -> datetime:
    """The instant that a cell names, in UTC. An hour that comes twice is the one that lies behind ``after``."""
    told = _formatted(text, clock.format) if clock.format else _date(text, clock.order)
    if told.tzinfo is not None:
        return told.astimezone(UTC)
    if clock.zone is None:
        raise NoZone(
            f"{text!r} names no time zone", "--time-zone says which it is, e.g. Europe/Berlin or UTC"
        )
    return _placed(told, clock.zone, after)


def _formatted(text: str, format: str) -> datetime:
    try:
        return datetime.strptime(text, format)
    except ValueError:
        raise Invalid(f"{text[:40]!r} is no time of the format {format!r}") from None


def _placed(local: datetime, zone: ZoneInfo, after: datetime | None) -> datetime:
    first = local.replace(tzinfo=zone).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) != local:
        raise Invalid(f"{local:%Y-%m-%d %H:%M} did not exist in {zone.key}: clocks were put forward")
    if after is not None and first < after:
        return local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return first


def _date(text: str, order: str | None) -> datetime:
    if _EPOCH.fullmatch(text):
        seconds, millis = int(text[:10]), int(text[10:] or 0)
        return datetime.fromtimestamp(seconds, UTC) + timedelta(milliseconds=millis)
    try:
        return parsedate_to_datetime(text) if _MAIL.match(text) else datetime.fromisoformat(text)
    except (ValueError, TypeError):
        return _written(text, order)


def _written(text: str, order: str | None) -> datetime:
    """A date as people write it; days come first, but where slashes leave it open."""
    found = _DATE.fullmatch(text)
    if found is None:
        raise Invalid(
            f"{text[:40]!r} is no time", "--date-format says how it is written, e.g. '%d.%m.%y %H:%M'"
        )
    one, sign, two, three, hour, minute, second, fraction, half = found.groups()
    if len(one) > 2:
        year, month, day = one, two, three
    elif sign == "/" and order is None:
        raise Invalid(f"{text[:40]!r}: day or month first?", "--date-format, e.g. '%d/%m/%Y %H:%M'")
    else:
        year, (day, month) = three, (one, two) if sign != "/" or order == "day" else (two, one)
    try:
        return datetime(
            int(year) + (2000 if len(year) == 2 else 0),
            int(month),
            int(day),
            _hour(int(hour or 0), half),
            int(minute or 0),
            int(second or 0),
            int((fraction or "0").ljust(6, "0")[:6]),
        )
    except ValueError:
        raise Invalid(f"{text[:40]!r} is no time: there is no such day or hour") from None


def _hour(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError
    return hour % 12 + (12 if half.lower() == "p" else 0)


def order_of(texts: Iterable[str]) -> str | None:
    """Whether dates with slashes begin with the day or the month, where one of them shows it."""
    for text in texts:
        found = _DATE.fullmatch(text.strip())
        if found is None or found[2] != "/" or len(found[1]) > 2:
            continue
        if int(found[1]) > 12:
            return "day"
        if int(found[3]) > 12:
            return "month"
    return None


def span(text: str) -> timedelta:
    """How long something took: ``1:02:03`` or a number of seconds with its unit, ``90 min``, ``5400 s``."""
    found = _SPAN.fullmatch(text)
    if found is not None:
        days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    number, _, unit = text.partition(" ")
    sizes = {"s": 1, "sec": 1, "min": 60, "m": 60, "h": 3600}
    try:
        return timedelta(seconds=float(number) * sizes[unit.strip().casefold()])
    except (KeyError, ValueError, OverflowError):
        raise Invalid(f"{text[:20]!r} is no duration", "e.g. 1:02:03 or 90 min") from None


def number(text: str, decimal: str) -> tuple[Decimal, str]:
    """A number and what is written beside it: ``12,5 kWh``, ``€ 4.90``; ``decimal`` is ``.`` or ``,``."""
    found = _NUMBER.fullmatch(text.strip())
    if found is None:
        raise Invalid(f"{text[:30]!r} is no number")
    before, digits, behind = found.groups()
    whole_part, _, _ = digits.partition(decimal)
    for sign in "., '\u00a0\u202f".replace(decimal, ""):
        if sign in digits:
            if not re.fullmatch(rf"[+-]?\d{{1,3}}(?:{re.escape(sign)}\d{{3}})+", whole_part):
                raise Invalid(f"{text[:30]!r} is no number with {decimal!r} as decimal sign", "--decimal")
            digits = digits.replace(sign, "")
    try:
        return Decimal(digits.replace(decimal, ".")), (before.strip() or behind.strip())
    except InvalidOperation:
        raise Invalid(f"{text[:30]!r} is no number") from None


def decimal_of(texts: Iterable[str], sheet: bool) -> str | None:
    """The decimal sign that these numbers are written with; None where they leave it open.

    ``sheet``: cells are separated by semicolons, as sheet programs do where the comma is the decimal sign.
    """
    open_comma = False
    for text in texts:
        dot, comma = text.rfind("."), text.rfind(",")
        if dot >= 0 and comma >= 0:
            return "." if dot > comma else ","
        if comma >= 0:
            digits = re.match(r"\d*", text[comma + 1 :])
            if text.count(",") == 1 and (
                digits is None or len(digits[0]) != 3 or text.lstrip("-").startswith("0,")
            ):
                return ","
            open_comma = open_comma or text.count(",") == 1
        elif text.count(".") > 1:
            return ","
    if open_comma:
        return "," if sheet else None
    return "."


def energy_wh(text: str, decimal: str, unit: str | None) -> Decimal:
    """The energy in a cell; its own unit counts before that of its column."""
    value, beside = number(text, decimal)
    size = UNITS.get(beside.casefold()) if beside else UNITS.get((unit or "").casefold())
    if size is None:
        what = f"{beside[:10]!r} is no unit of energy" if beside else "its energy has no unit"
        raise Invalid(what, "--unit says which it is: Wh, kWh or MWh")
    return value * size


def amount(text: str, decimal: str, currency: str | None) -> tuple[Decimal, str | None]:
    """An amount and its currency: ``4,90 €``, ``EUR 4.90``, or our own ``{"amount": "4.90", "currency": "EUR"}``."""
    if text.startswith("{"):
        try:
            told = json.loads(text)
            return Decimal(told["amount"]), str(told["currency"])
        except (ValueError, KeyError, TypeError, InvalidOperation):
            raise Invalid(f"{text[:40]!r} is no amount") from None
    value, beside = number(text, decimal)
    own = _SIGNS.get(beside, beside.upper() if len(beside) == 3 and beside.isalpha() else None)
    return value, own or currency


def whole(text: str, what: str) -> int:
    """A whole number, also as sheets write it: ``1.0``."""
    digits = text.removesuffix(".0")
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 10):
        raise Invalid(f"{what} is a whole number, not {text[:20]!r}")
    return int(digits)
