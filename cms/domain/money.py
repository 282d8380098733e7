"""Exact amounts: whole numbers where they are whole, fractions where they are not, and coins at the very end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Context, Decimal
from fractions import Fraction
from functools import lru_cache
from math import lcm

Exact = int | Fraction
Number = int | Decimal | Fraction

#: Currencies whose smallest coin is not a hundredth (ISO 4217).
_DECIMALS = dict.fromkeys(("JPY", "KRW", "CLP", "ISK", "VND", "XAF", "XOF", "PYG", "UGX"), 0) | dict.fromkeys(
    ("BHD", "JOD", "KWD", "OMR", "TND", "IQD", "LYD"), 3
)
#: Wide enough for the dearest price and the wildest meter.
_WIDE = Context(prec=60)


def times(value: Exact, scale: int) -> Exact:
    """In smaller units."""
    if scale == 1:
        return exact(value)
    if value.denominator == 1:
        return value.numerator * scale
    return exact(value * scale)


def parts(value: Exact, scale: int) -> Fraction:
    """In larger units."""
    return Fraction(value, scale) if type(value) is int else Fraction(value) / scale


def minor_units(currency: str) -> int:
    """How many decimals the currency's smallest coin has (ISO 4217)."""
    return _DECIMALS.get(currency, 2)


def exact(value: Number) -> Exact:
    """The same value, as an int where it is whole."""
    if type(value) is int:
        return value
    found = value if type(value) is Fraction else Fraction(value)
    return found.numerator if found.denominator == 1 else found


def nearest(top: int, bottom: int) -> int:
    """The whole number nearest to a quotient, halves away from zero."""
    if bottom == 1:
        return top
    nearest = (2 * abs(top) + bottom) // (2 * bottom)
    return nearest if top >= 0 else -nearest


def added(parts: Iterable[Exact]) -> Fraction:
    """Their sum, brought to one denominator once."""
    known = [(part.numerator, part.denominator) for part in parts]
    if len(known) == 1:
        return Fraction(*known[0])
    bottom = lcm(*(below for _, below in known))
    return Fraction(sum(top * (bottom // below) for top, below in known), bottom)


def decimal(value: Exact, places: int = 6) -> Decimal:
    """To so many decimals, halves away from zero."""
    return _WIDE.scaleb(Decimal(nearest(value.numerator * 10**places, value.denominator)), -places)


@lru_cache(maxsize=16_384)
def money(coins: int, currency: str) -> Decimal:
    """Whole coins as an amount."""
    return _WIDE.scaleb(Decimal(coins), -_DECIMALS.get(currency, 2))


def rounded(amount: Number, currency: str) -> Decimal:
    """In the currency's smallest coin, halves up (those of a credit down)."""
    places = _DECIMALS.get(currency, 2)
    return decimal(exact(amount), places)


def shared(coins: int, parts: Sequence[tuple[int, int]]) -> list[int]:
    """Coins divided as ``parts`` are (numerator and denominator, in coins, summing to about as many).

    The largest remainders get what is left over.
    """
    floors, left = [], coins
    for top, bottom in parts:
        floors.append(top // bottom)
        left -= floors[-1]
    if left:
        remainders = [(-((top % bottom) << 64) // bottom, place) for place, (top, bottom) in enumerate(parts)]
        for _, place in sorted(remainders)[:left]:
            floors[place] += 1
    return floors
