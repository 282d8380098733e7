"""Who sells: what an organisation's invoices say of itself, how they are numbered, when they are due."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from cms.domain.invoices import Party
from cms.domain.record import record

KIND = "seller"
#: Under which key the one there is lies.
KEY = "seller"

#: Member states by the letters that begin their VAT ids (Greece: EL, Northern Ireland: XI).
EU_VAT = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "EL",
        "ES",
        "FI",
        "FR",
        "HR",
        "HU",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
        "XI",
    ]
)
_SERIES = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,18}[A-Za-z0-9])?", re.ASCII)


@record
class Seller:
    """``series`` may hold ``{year}`` and ``{month}``; amounts and dates are written as in ``locale``.

    ``reminder_days``: so long after it was due the first
    reminder is sent, so long after that the second ...; ``reminder_fees`` are what each costs. ``exemption``: why
    nothing is taxed (of a small business, say).
    """

    name: str = ""
    street: str | None = None
    postcode: str | None = None
    city: str | None = None
    country: str | None = None
    vat_id: str | None = None
    tax_number: str | None = None
    email: str | None = None
    phone: str | None = None
    iban: str | None = None
    bic: str | None = None
    series: str = "{year}"
    due_days: int = 14
    locale: str = "de_DE"
    reminder_days: tuple[int, ...] = (7, 14, 14)
    reminder_fees: tuple[Decimal, ...] = ()
    exemption: str | None = None

    def fee(self, level: int) -> Decimal:
        """What the reminder of this level (1, 2 ...) costs."""
        return self.reminder_fees[level - 1] if level <= len(self.reminder_fees) else Decimal(0)


def missing(seller: Seller | None) -> list[str]:
    """What an invoice needs and is not told yet (EN 16931 BR-06, BR-09, BR-CO-26, BR-61)."""
    seller = seller or Seller()
    needed = ("name", "street", "postcode", "city", "country", "iban")
    absent = [name for name in needed if not getattr(seller, name)]
    return absent if seller.vat_id or seller.tax_number else [*absent, "vat_id"]


def party(seller: Seller) -> Party:
    """The seller as an invoice names him, with the locale it is written in."""
    return Party(
        name=seller.name,
        street=seller.street,
        postcode=seller.postcode,
        city=seller.city,
        country=seller.country,
        vat_id=seller.vat_id,
        tax_number=seller.tax_number,
        email=seller.email,
        phone=seller.phone,
        iban=seller.iban,
        bic=seller.bic,
        language=seller.locale,
    )


def series_on(seller: Seller, day: date) -> str:
    """``{year}`` -> 2026"""
    return seller.series.replace("{year}", f"{day:%Y}").replace("{month}", f"{day:%m}")


def is_series(template: str) -> bool:
    filled = template.replace("{year}", "2026").replace("{month}", "12")
    return _SERIES.fullmatch(filled) is not None


def iban_holds(iban: str) -> bool:
    """Whether the check digits of an IBAN are right (ISO 13616: modulo 97)."""
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", iban, re.ASCII):
        return False
    return int("".join(_digits(iban[4:] + iban[:4]))) % 97 == 1


def _digits(text: str) -> Iterator[str]:
    return (str(int(sign, 36)) for sign in text)
