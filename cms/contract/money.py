"""Money as people write it: ``1.234,50 €``, ``CHF 1’234.50``. Machines are given amount and currency as they are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal
from functools import cache

#: No locale of a person: what scripts and services run in.
_NOBODYS = frozenset({"", "C", "POSIX"})


def money(amount: Decimal | str | int, currency: str | None, locale: str | None = None) -> str:
    """An amount in major units, as it is written in ``locale`` (``de_DE``; None: as this process's user does).

    Digits that the currency has no coins for are shown all the same: a price per kWh has them.
    """
    value = amount if isinstance(amount, Decimal) else Decimal(amount)
    if not value.is_finite():
        return f"{value} {currency or ''}".rstrip()
    spoken = locale or own_locale()
    if not currency:
        return _number(value, spoken)
    from babel.numbers import format_currency

    coins = _coins(currency)
    exponent = value.normalize().as_tuple().exponent
    finer = isinstance(exponent, int) and -exponent > coins
    shown = format_currency(value, currency, locale=spoken, decimal_quantization=not finer)
    return _plain(shown)


def own_locale(environment: Mapping[str, str] | None = None) -> str:
    """How the user of this process writes money, as POSIX says it: LC_ALL, LC_MONETARY, LANG; else English."""
    known = os.environ if environment is None else environment
    named = next((known[name] for name in ("LC_ALL", "LC_MONETARY", "LANG") if known.get(name)), "")
    return _known(named.partition(".")[0].partition("@")[0])


@cache
def _known(name: str) -> str:
    if name in _NOBODYS:
        return "en"
    from babel import Locale, UnknownLocaleError

    try:
        return str(Locale.parse(name))
    except (UnknownLocaleError, ValueError):
        return "en"


@cache
def _coins(currency: str) -> int:
    from babel.numbers import get_currency_precision

    return int(get_currency_precision(currency))


def _number(value: Decimal, locale: str) -> str:
    from babel.numbers import format_decimal

    return _plain(format_decimal(value, locale=locale, decimal_quantization=False))


def _plain(text: str) -> str:
    """With spaces that every terminal and every search knows."""
    return text.replace("\u00a0", " ").replace("\u202f", " ")
