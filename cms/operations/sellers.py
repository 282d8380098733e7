"""Who sells: what invoices say of the organisation. Without it there are none."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from decimal import Decimal
from typing import Any

from cms.contract.invoices import SellerView, SetSeller, ShowSeller
from cms.contract.refusals import Conflict, Invalid
from cms.core import Actor, Core
from cms.domain import sellers
from cms.domain.changes import Happened
from cms.domain.countries import country
from cms.domain.evolve import with_fields
from cms.domain.sellers import Seller
from cms.operations.deciding import keep

_LONGEST = 200
_MOST_LEVELS = 3
_DEAREST = Decimal(1000)
_VAT = re.compile(r"[A-Z]{2}[A-Z0-9+*]{2,13}", re.ASCII)
_BIC = re.compile(r"[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?", re.ASCII)
_EMAIL = re.compile(r"[^@\s<>\",;:\\]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_LOCALE = re.compile(r"[a-z]{2,3}_[A-Z]{2}", re.ASCII)


async def show(core: Core, request: ShowSeller, actor: Actor) -> SellerView:
    return _view(known(core) or Seller())


async def set_(core: Core, request: SetSeller, actor: Actor) -> SellerView:
    told = {field.name: getattr(request, field.name) for field in fields(request)}
    said = {name: _said(name, value) for name, value in told.items() if value is not None}
    async with core.books:
        seller = with_fields(known(core) or Seller(), said) if said else known(core) or Seller()
        now = core.clock.now()
        told_of = Happened("seller.changed", now, actor=actor.name, data={"changed": sorted(said)})
        await keep(core, sellers.KIND, sellers.KEY, seller, told_of)
    return _view(seller)


def known(core: Core) -> Seller | None:
    """What was said; None where nobody said anything."""
    found: Seller | None = core.kept.get(sellers.KIND, {}).get(sellers.KEY)
    return found


def ready(core: Core) -> Seller:
    """The seller, complete; Conflict otherwise."""
    seller = known(core)
    missing = sellers.missing(seller)
    if seller is None or missing:
        flags = " ".join(f"--{name.replace('_', '-')}" for name in missing)
        raise Conflict(
            f"an invoice must say who sells: {', '.join(missing)} missing", f"cms billing seller set {flags}"
        )
    return seller


def _view(seller: Seller) -> SellerView:
    said = {field.name: getattr(seller, field.name) for field in fields(seller)}
    return SellerView(**said, missing=tuple(sellers.missing(seller)))


def _said(name: str, value: Any) -> Any:
    """One field, checked. Raises Invalid."""
    if isinstance(value, str):
        value = value.strip()
        if len(value) > _LONGEST or (value and not value.isprintable()):
            raise Invalid(f"{name} has at most {_LONGEST} printable characters")
        if not value:
            return _EMPTY.get(name)
    check = _CHECKS.get(name)
    return value if check is None else check(value)


def _matching(pattern: re.Pattern[str], what: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        plain = text.replace(" ", "")
        if not pattern.fullmatch(plain):
            raise Invalid(f"{text!r} is not {what}")
        return plain

    return check


def _iban(text: str) -> str:
    plain = text.replace(" ", "").upper()
    if not sellers.iban_holds(plain):
        raise Invalid(f"{text!r} is no IBAN: its check digits do not hold")
    return plain


def _series(text: str) -> str:
    if not sellers.is_series(text):
        raise Invalid(
            f"{text!r} cannot name a series",
            "up to 20 of A-Z, a-z, 0-9, '.', '_' and '-', with {year} and {month}",
        )
    return text


def _due_days(days: int) -> int:
    if not 0 <= days <= 365:
        raise Invalid(f"an invoice is due after 0 to 365 days, not {days}")
    return days


def _reminder_days(days: tuple[int, ...]) -> tuple[int, ...]:
    if len(days) > _MOST_LEVELS or any(not 1 <= count <= 365 for count in days):
        raise Invalid(f"there are at most {_MOST_LEVELS} reminders, 1 to 365 days apart")
    return days


def _reminder_fees(fees: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
    cents = Decimal("0.01")
    for fee in fees:
        if not fee.is_finite() or not 0 <= fee <= _DEAREST or fee != fee.quantize(cents):
            raise Invalid(f"a reminder costs 0 to {_DEAREST} in whole cents, not {fee}")
    if len(fees) > _MOST_LEVELS:
        raise Invalid(f"there are at most {_MOST_LEVELS} reminders")
    return fees


_EMPTY: dict[str, Any] = {"name": "", "series": "{year}", "locale": "de_DE"}
_CHECKS: dict[str, Callable[[Any], Any]] = {
    "country": country,
    "vat_id": _matching(_VAT, "a VAT id, e.g. DE123456789"),
    "bic": _matching(_BIC, "a BIC, e.g. COBADEFFXXX"),
    "email": _matching(_EMAIL, "an e-mail address"),
    "locale": _matching(_LOCALE, "a locale, e.g. de_DE"),
    "iban": _iban,
    "series": _series,
    "due_days": _due_days,
    "reminder_days": _reminder_days,
    "reminder_fees": _reminder_fees,
}
