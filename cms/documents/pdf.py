"""An invoice as PDF/A-3 with its XML within (ZUGFeRD 2, Factur-X, level EN 16931).

What people wrote goes to the template as data, never as markup.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from importlib import resources
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

import typst
from babel import Locale
from babel.dates import format_date, format_time
from babel.numbers import format_currency, format_decimal
from facturx import generate_from_binary

from cms.contract.safe import safe
from cms.documents.cii import xml
from cms.documents.words import WORDS, language_of, locale_of
from cms.domain.invoices import Invoice, Item, Party

_STANDARD: Final = "a-3b"
_UNSHOWN = re.compile(r'the text `"(.*?)"` could not be displayed', re.DOTALL)
#: So often characters that no font has are replaced one by one; then all but those of European scripts.
_PATIENCE = 12
_EUROPEAN = re.compile("[^\t\n\x20-\u052f\u2010-\u203a\u20ac]")
_STAND_IN = "?"
#: Characters of one text; words of so many may be broken.
_LONGEST = 300
_UNBROKEN = re.compile(r"\S{30,}")
#: Where factur-x writes the present moment: of the same length as what takes its place.
_PDF_TIME = re.compile(rb"(\(D(?::|\\072))\d{14}")
_XMP_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")
_LONGEST_EPC_NAME = 70
#: Pictures of QR codes are drawn in modules; the size is the template's.
_QR_BORDER = 0


def pdf(invoice: Invoice) -> bytes:
    """The same bytes for the same invoice, with the same fonts and libraries."""
    page = _set(_data(invoice), _made_at(invoice))
    language = language_of(invoice)
    title = f"{WORDS[language][invoice.kind]} {invoice.id}"
    metadata = {
        "author": safe(invoice.seller.name),
        "keywords": "Factur-X, ZUGFeRD, EN 16931",
        "title": f"{safe(invoice.seller.name)}: {title}",
        "subject": title,
    }
    made: bytes = generate_from_binary(
        page,
        xml(invoice),
        flavor="factur-x",
        level="en16931",
        pdf_metadata=metadata,
        lang=language,
        afrelationship="alternative",
        xmp_compression=False,
    )
    at = _made_at(invoice)
    made = _PDF_TIME.sub(rb"\g<1>" + f"{at:%Y%m%d%H%M%S}".encode(), made)
    return _XMP_TIME.sub(f"{at:%Y-%m-%dT%H:%M:%S}+00:00".encode(), made)


def _made_at(invoice: Invoice) -> datetime:
    return invoice.made_at.astimezone(UTC).replace(microsecond=0)


def _set(data: dict[str, Any], at: datetime) -> bytes:
    """Typeset. What no font can show is replaced: PDF/A wants every character shown."""
    text = json.dumps(data, ensure_ascii=False)
    for attempt in range(_PATIENCE + 1):
        try:
            made: Any = typst.Compiler(_template(), font_paths=_fonts()).compile(
                format="pdf", sys_inputs={"data": text}, pdf_standards=_STANDARD, timestamp=at, pdf_tags=False
            )
        except typst.TypstError as error:
            unshown = _UNSHOWN.search(str(error))
            if unshown is None or attempt == _PATIENCE:
                raise
            if attempt == _PATIENCE - 1:
                text = _EUROPEAN.sub(_STAND_IN, text)
            else:
                for sign in set(unshown[1]):
                    text = text.replace(sign, _STAND_IN) if not sign.isascii() else text
            continue
        assert isinstance(made, bytes)
        return made
    raise AssertionError("the last attempt returns or raises")


@cache
def _template() -> bytes:
    return resources.files("cms.documents").joinpath("invoice.typ").read_bytes()


@cache
def _fonts() -> typst.Fonts:
    """Those of typst, and those of the machine for other scripts."""
    return typst.Fonts()


# What the template is told: every text as it is to be printed


def _data(invoice: Invoice) -> dict[str, Any]:
    say = _Say(invoice)
    words = WORDS[say.language]
    return {
        "language": say.language,
        "title": words[invoice.kind],
        "words": words,
        "seller": _text(invoice.seller.name),
        "sender": " · ".join(_address(invoice.seller)),
        "buyer": _window(invoice, words),
        "facts": list(_facts(invoice, say, words)),
        "groups": [_group(items, say, words) for items in _grouped(invoice.items)],
        "sums": list(_sums(invoice, say, words)),
        "payable": [words["returned" if invoice.credits else "payable"], say.money(invoice.payable)],
        "remark": _text(invoice.untaxed_why)
        if any(not part.percent for part in invoice.vat) and invoice.untaxed_why
        else "",
        "terms": _terms(invoice, say, words),
        "bank": list(_bank(invoice.seller)),
        "qr": _qr(invoice),
        "columns": [
            list(_own(invoice.seller)),
            list(_reach(invoice.seller)),
            list(_taxed(invoice.seller, words)),
        ],
    }


class _Say:
    """How amounts, dates and quantities are written on an invoice."""

    def __init__(self, invoice: Invoice) -> None:
        self.language = language_of(invoice)
        self._locale = locale_of(invoice)
        self._currency = invoice.currency

    def money(self, amount: Decimal, *, exact: bool = False) -> str:
        """``exact``: all digits, as prices per kWh have them."""
        return str(
            format_currency(amount, self._currency, locale=self._locale, decimal_quantization=not exact)
        )

    def number(self, number: Decimal, digits: int = 3) -> str:
        return str(format_decimal(number, format="#,##0." + "#" * digits, locale=self._locale))

    def energy(self, kwh: Decimal) -> str:
        return f"{format_decimal(kwh, format='#,##0.00#', locale=self._locale)} kWh"

    def quantity(self, item: Item, words: dict[str, str]) -> str:
        if item.unit == "kWh":
            return self.energy(item.quantity)
        unit = words["session"] if item.unit == "reservation" else words.get(item.unit, item.unit)
        return f"{self.number(item.quantity)} {unit}"

    def percent(self, percent: Decimal) -> str:
        return f"{self.number(percent, 2)} %"

    def day(self, day: date) -> str:
        return str(format_date(day, "medium" if self.language == "de" else "d MMM y", locale=self._locale))

    def time(self, at: datetime) -> str:
        return str(format_time(at, "HH:mm", locale=self._locale))

    def span(self, item: Item) -> str:
        """When a session was, in the time of its place."""
        if item.since is None or item.until is None:
            return ""
        zone = ZoneInfo(item.time_zone)
        since, until = item.since.astimezone(zone), item.until.astimezone(zone)
        if item.session is None:
            return f"{self.day(since.date())} – {self.day(until.date())}"
        end = (
            self.time(until)
            if since.date() == until.date()
            else f"{self.day(until.date())} {self.time(until)}"
        )
        return f"{self.day(since.date())} {self.time(since)} – {end}"


def _text(text: str) -> str:
    """What somebody wrote, harmless; words that are longer than a line may be broken anywhere."""
    return _UNBROKEN.sub(lambda word: "\u200b".join(word[0]), safe(text, _LONGEST))


def _address(party: Party) -> Iterator[str]:
    yield _text(party.name)
    if party.street:
        yield _text(party.street)
    place = " ".join(part for part in (party.postcode, party.city) if part)
    if place:
        yield _text(place)


def _window(invoice: Invoice, words: dict[str, str]) -> list[str]:
    """The buyer's address; the country only where it is another than the seller's."""
    party = invoice.buyer
    name, *rest = _address(party)
    contact = [f"{words['attention']} {_text(party.contact)}"] if party.contact else []
    abroad = party.country and party.country != invoice.seller.country
    return [name, *contact, *rest, *([_country(party.country or "", language_of(invoice))] if abroad else [])]


def _country(code: str, language: str) -> str:
    return str(Locale(language).territories.get(code, code)).upper()


def _facts(invoice: Invoice, say: _Say, words: dict[str, str]) -> Iterator[list[str]]:
    yield [words["number"], invoice.id]
    yield [words["date"], say.day(invoice.issued_on)]
    yield [words["period"], f"{say.day(invoice.period_from)} – {say.day(invoice.period_to)}"]
    if invoice.driver is not None:
        yield [words["customer"], _text(invoice.driver)]
    if invoice.buyer.vat_id:
        yield [words["your-vat-id"], _text(invoice.buyer.vat_id)]
    if invoice.buyer.reference:
        yield [words["your-reference"], _text(invoice.buyer.reference)]
    if invoice.corrects is not None:
        yield [words["corrects"], invoice.corrects]
    if invoice.note:
        yield [words["reason"], _text(invoice.note)]


def _grouped(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Lines of one session, or of what is no session, together."""
    for _, same in groupby(items, key=lambda item: (item.session, item.source if item.session else "")):
        yield list(same)


def _group(items: Sequence[Item], say: _Say, words: dict[str, str]) -> dict[str, Any]:
    first = items[0]
    of_session = first.session is not None
    energy = say.energy(Decimal(first.energy_wh or 0) / 1000) if of_session else ""
    return {
        "when": say.span(first) if of_session else words["other"],
        "place": _text(first.place or ""),
        "energy": energy,
        "gross": _gross(items, say, words) if of_session else "",
        "lines": [_line(item, say, words, of_session=of_session) for item in items],
    }


def _gross(items: Sequence[Item], say: _Say, words: dict[str, str]) -> str:
    """What the driver was told that the session cost."""
    gross = say.money(sum((item.gross for item in items), Decimal(0)))
    return f"{gross} {words['incl']}" if any(item.vat for item in items) else gross


def _line(item: Item, say: _Say, words: dict[str, str], *, of_session: bool) -> list[str]:
    span = "" if of_session else say.span(item)
    text = _text(item.text)
    return [
        f"{text}, {span}" if span else text,
        say.quantity(item, words),
        say.money(item.price, exact=True),
        say.percent(item.vat_percent),
        say.money(item.net),
    ]


def _sums(invoice: Invoice, say: _Say, words: dict[str, str]) -> Iterator[list[str]]:
    yield [words["sum"], say.money(invoice.net)]
    for part in invoice.vat:
        told = words["vat-at"].format(percent=say.percent(part.percent), net=say.money(part.net))
        yield [told, say.money(part.vat)]
    if invoice.rounding:
        yield [words["gross"], say.money(invoice.gross)]
        yield [words["rounding"], say.money(invoice.rounding)]


def _terms(invoice: Invoice, say: _Say, words: dict[str, str]) -> str:
    if invoice.credits:
        return words["note"].format(id=invoice.corrects) if invoice.corrects else words["note-alone"]
    if invoice.payable <= 0:
        return words["nothing"]
    if invoice.card is not None:
        return words["card"].format(amount=say.money(invoice.payable), card=_text(invoice.card))
    return words["pay"].format(amount=say.money(invoice.payable), due=say.day(invoice.due_on), id=invoice.id)


def _bank(seller: Party) -> Iterator[list[str]]:
    if seller.iban:
        yield ["IBAN", " ".join(seller.iban[at : at + 4] for at in range(0, len(seller.iban), 4))]
    if seller.bic:
        yield ["BIC", seller.bic]


def _own(seller: Party) -> Iterator[str]:
    yield from _address(seller)


def _reach(seller: Party) -> Iterator[str]:
    yield from (_text(text) for text in (seller.email, seller.phone) if text)


def _taxed(seller: Party, words: dict[str, str]) -> Iterator[str]:
    if seller.vat_id:
        yield f"{words['vat-id']} {seller.vat_id}"
    if seller.tax_number:
        yield f"{words['tax-number']} {_text(seller.tax_number)}"


def _qr(invoice: Invoice) -> str:
    """An EPC code (EPC069-12) that fills in a transfer, as SVG; nothing where no transfer is wanted."""
    if (
        invoice.credits
        or invoice.card is not None
        or invoice.currency != "EUR"
        or invoice.payable <= 0
        or not invoice.seller.iban
    ):
        return ""
    from segno import helpers

    code = helpers.make_epc_qr(
        name=safe(invoice.seller.name)[:_LONGEST_EPC_NAME],
        iban=invoice.seller.iban,
        amount=invoice.payable,
        text=invoice.id,
        bic=invoice.seller.bic,
        encoding="utf-8",
    )
    picture = io.BytesIO()
    code.save(picture, kind="svg", border=_QR_BORDER, xmldecl=False, svgns=True)
    return picture.getvalue().decode()
