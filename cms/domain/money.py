"""Exact amounts: whole numbers where they are whole, fractions where they are not, and coins at the very end."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal
from fractions import Fraction

Exact = int | Fraction
Number = int | Decimal | Fraction

#: Currencies whose smallest coin is not a hundredth (ISO 4217).
_DECIMALS = dict.fromkeys(("JPY", "KRW", "CLP", "ISK", "VND", "XAF", "XOF", "PYG", "UGX"), 0) | dict.fromkeys(
    ("BHD", "JOD", "KWD", "OMR", "TND", "IQD", "LYD"), 3
)
#: Wide enough for the dearest price and the wildest meter.
_WIDE = Context(prec=60)


def minor_units(currency: str) -> int:
    """How many decimals the currency's smallest coin has (ISO 4217)."""
    return _DECIMALS.get(currency, 2)


def exact(value: Number) -> Exact:
    """The same value, as an int where it is whole."""
    if type(value) is int:
        return value
    found = value if type(value) is Fraction else Fraction(value)
    return found.numerator if found.denominator == 1 else found


def whole(value: Exact) -> int:
    """The nearest whole number, halves away from zero."""
    if type(value) is int:
        return value
    top, bottom = abs(value.numerator), value.denominator
    nearest = (2 * top + bottom) // (2 * bottom)
    return nearest if value.numerator >= 0 else -nearest


def decimal(value: Exact, places: int = 6) -> Decimal:
    """To so many decimals, halves away from zero."""
    return _WIDE.scaleb(Decimal(whole(value * 10**places)), -places)


def money(coins: int, currency: str) -> Decimal:
    """Whole coins as an amount."""
    return _WIDE.scaleb(Decimal(coins), -_DECIMALS.get(currency, 2))


def rounded(amount: Number, currency: str) -> Decimal:
    """In the currency's smallest coin, halves up (those of a credit down)."""
    places = _DECIMALS.get(currency, 2)
    return decimal(exact(amount), places)


def shared(coins: int, parts: Sequence[Exact]) -> list[int]:
    """Coins divided as ``parts`` (in coins, summing to about as many) are: the largest remainders get what is left."""
    floors = [part.__floor__() for part in parts]
    left = coins - sum(floors)
    order = sorted(range(len(parts)), key=lambda index: (floors[index] - parts[index], index))
    for index in order[:left]:
        floors[index] += 1
    return floors
