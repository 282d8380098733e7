"""Making invoices: which lines a charge detail record is, what they add up to, what of it the ledger does not know yet.

Every line has its amounts in whole coins, as the bill of its session has them. The tax of an invoice is reckoned
anew from the sum of the nets at each rate (EN 16931 BR-CO-17); where that differs from the sum of the lines' taxes,
the difference is the invoice's rounding (BT-114), so that ``payable`` is the sum of what the drivers were told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from cms.contract.tariffs import BillLine, VatPart
from cms.domain import ledger
from cms.domain.cdrs import Cdr
from cms.domain.costs import rounded
from cms.domain.evolve import evolve
from cms.domain.invoices import Invoice, Item
from cms.domain.ledger import Enter, Entry
from cms.domain.record import record

_ZERO, _ONE = Decimal(0), Decimal(1)
_MILLIONTH = Decimal("0.000001")
#: Kinds of entries: what a credit note gives back, what a reminder costs (domain.ledger.SETTLING).
CREDITED, REMINDED = "credit-note", "reminder-fee"
#: How a line of a bill is called on an invoice, by the buyer's language.
TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "energy": "Energy",
        "charging-time": "Charging time",
        "idle-time": "Idle time",
        "fixed-fee": "Fee per session",
        "reservation-time": "Reservation time",
        "reservation-fixed": "Reservation fee",
        "minimum": "Minimum price",
        "maximum": "Maximum price",
        "correction": "Correction",
        "included": "Included in the plan",
    },
    "de": {
        "energy": "Energie",
        "charging-time": "Ladezeit",
        "idle-time": "Blockierzeit",
        "fixed-fee": "Grundgebühr je Ladevorgang",
        "reservation-time": "Reservierungszeit",
        "reservation-fixed": "Reservierungsgebühr",
        "minimum": "Mindestpreis",
        "maximum": "Höchstpreis",
        "correction": "Korrektur",
        "included": "Im Tarif enthalten",
    },
}


def language_of(wanted: str | None, otherwise: str) -> str:
    """One of those that invoices are written in: ``de-AT`` -> de; else that of the seller's locale; else en."""
    for tag in (wanted or "", otherwise):
        language = tag.replace("_", "-").partition("-")[0].casefold()
        if language in TEXTS:
            return language
    return "en"


# Lines


@record
class Line:
    """An item, and what the ledger knows of it: all (``booked``, as of sessions) or nothing (as of fees).

    ``taxed``: the tax that the ledger has for it where the invoice has another, at this rate.
    """

    item: Item
    booked: bool
    taxed: tuple[Decimal, Decimal] | None = None


def of_cdr(cdr: Cdr, place: str | None, language: str) -> Iterator[Line]:
    """A session as its bill has it, line by line."""
    source = f"cdr/{cdr.id}"
    for line in cdr.bill.lines:
        item = evolve(_item(source, line, language), **_facts(cdr, place))
        yield Line(item, booked=True)


def of_difference(cdr: Cdr, before: Cdr | None, place: str | None, language: str) -> Iterator[Line]:
    """What a later revision differs from the one that was billed, by rate; without a later one (``before`` alone
    is owed no more): all of it back."""
    # Both were entered in the ledger when they were made.
    old = {part.percent: part for part in before.bill.vat} if before else {}
    new = {part.percent: part for part in cdr.bill.vat}
    for percent in sorted(old.keys() | new.keys()):
        none = VatPart(percent, _ZERO, _ZERO, _ZERO)
        was, now = old.get(percent, none), new.get(percent, none)
        if was == now:
            continue
        item = _correction(f"cdr/{cdr.id}", was, now, cdr.reason, language)
        yield Line(evolve(item, **_facts(cdr, place)), booked=True)


def back(cdr: Cdr, source: str, place: str | None, language: str) -> Iterator[Line]:
    """All of a record back: another pays it now, or nobody."""
    for part in cdr.bill.vat:
        none = VatPart(part.percent, _ZERO, _ZERO, _ZERO)
        item = _correction(source, part, none, cdr.reason, language)
        yield Line(evolve(item, **_facts(cdr, place)), booked=True)


def _facts(cdr: Cdr, place: str | None) -> dict[str, object]:
    return {
        "since": cdr.started_at,
        "until": cdr.ended_at,
        "session": cdr.session,
        "energy_wh": cdr.energy_wh,
        "place": place,
        "time_zone": cdr.time_zone,
    }


def _item(source: str, line: BillLine, language: str) -> Item:
    # EN 16931 BR-27: a price is never negative, a quantity may be.
    sign = -1 if line.price < 0 else 1
    return Item(
        source=source,
        text=TEXTS[language].get(line.what, line.what),
        quantity=sign * line.quantity,
        unit=line.unit,
        price=abs(_net_price(line)),
        vat_percent=line.vat_percent,
        net=line.net,
        vat=line.vat,
        gross=line.gross,
        kind=line.what,
    )


def _net_price(line: BillLine) -> Decimal:
    """Per unit before taxes, whichever way the tariff says its prices; to a millionth."""
    if not line.quantity:
        return _ZERO
    if line.vat_percent and line.net:
        with_taxes, without = (
            abs(line.quantity * line.price - line.gross),
            line.quantity * line.price - line.net,
        )
        if with_taxes < abs(without):
            return (line.price / (1 + line.vat_percent / 100)).quantize(_MILLIONTH)
    return line.price


def _correction(source: str, was: VatPart, now: VatPart, reason: str, language: str) -> Item:
    net, vat = now.net - was.net, now.vat - was.vat
    return Item(
        source=source,
        text=f"{TEXTS[language]['correction']}: {reason}",
        quantity=-_ONE if net < 0 else _ONE,
        unit="session",
        price=abs(net),
        vat_percent=was.percent,
        net=net,
        vat=vat,
        gross=net + vat,
        kind="correction",
    )


def untaxed(lines: Iterable[Line]) -> list[Line]:
    """The same without taxes: the buyer owes them (reverse charge)."""
    return [_untaxed(line) for line in lines]


def _untaxed(line: Line) -> Line:
    i = line.item
    if i.vat_percent == 0:
        return line
    without = evolve(i, vat_percent=_ZERO, vat=_ZERO, gross=i.net)
    return Line(without, line.booked, (i.vat_percent, i.vat) if line.booked else None)


def turned(lines: Iterable[Line]) -> list[Line]:
    """What is to be given back as positive amounts: the lines of a credit note."""
    return [
        Line(flipped(line.item), line.booked, line.taxed and (line.taxed[0], -line.taxed[1]))
        for line in lines
    ]


def flipped(item: Item) -> Item:
    return evolve(item, quantity=-item.quantity, net=-item.net, vat=-item.vat, gross=-item.gross)


# Sums


@record
class Sums:
    """What lines come to: ``payable`` = ``gross`` + ``rounding`` = the sum of the lines' gross."""

    vat: tuple[VatPart, ...]
    net: Decimal
    gross: Decimal
    rounding: Decimal
    payable: Decimal


def sums(items: Sequence[Item], currency: str) -> Sums:
    """EN 16931 BR-CO-10 to BR-CO-17: taxes from the sums at each rate, halves of a coin up."""
    nets: dict[Decimal, Decimal] = {}
    for item in items:
        nets[item.vat_percent] = nets.get(item.vat_percent, _ZERO) + item.net
    parts = []
    for percent, net in sorted(nets.items()):
        vat = rounded(net * percent / 100, currency)
        parts.append(VatPart(percent, net, vat, net + vat))
    net = sum(nets.values(), _ZERO)
    gross = net + sum((part.vat for part in parts), _ZERO)
    payable = sum((item.gross for item in items), _ZERO)
    return Sums(tuple(parts), net, gross, payable - gross, payable)


# The ledger


def entries(invoice: Invoice, lines: Sequence[Line]) -> Iterator[Enter]:
    """What the ledger does not know of an invoice's lines: those that no session brought, taxes that the buyer
    owes himself, and what the rounding moves between revenue and tax."""
    book = _Book(invoice)
    fees = [line for line in lines if not line.booked]
    for number, line in enumerate(fees, 1):
        yield from book.move(f"item/{number}/net", "item", invoice.account, ledger.REVENUE, line.item.net)
        tax = ledger.tax_account(line.item.vat_percent)
        yield from book.move(f"item/{number}/tax", "item", invoice.account, tax, line.item.vat)
    for percent, amount in _owed_by_buyer(lines):
        tax = ledger.tax_account(percent)
        yield from book.move(f"reverse/{percent:f}", "reverse-charge", tax, invoice.account, amount)
    for part in invoice.vat:
        said = sum((i.vat for i in invoice.items if i.vat_percent == part.percent), _ZERO)
        tax = ledger.tax_account(part.percent)
        name = f"rounding/{part.percent:f}"
        yield from book.move(name, "rounding", ledger.REVENUE, tax, part.vat - said)


def assigned(note: Invoice, lines: Sequence[Line]) -> Iterator[Enter]:
    """The ledger has given back already what a later record of a session is less: it pays the invoice that the
    session was on."""
    booked = sum((line.item.gross for line in lines if line.booked), _ZERO)
    book = _Book(note, ledger.of_invoice(note.corrects or ""))
    yield from book.move("assigned", CREDITED, note.account, ledger.CORRECTIONS, booked)
    yield from _Book(note).move("taken", "correction", ledger.CORRECTIONS, note.account, booked)


def credited(note: Invoice, corrected: Invoice) -> Iterator[Enter]:
    """What a credit note takes back of an invoice: as that stands in the ledger, rounding and all."""
    book, taxes = _Book(note, f"invoice/{corrected.id}"), _ZERO
    for part in note.vat:
        tax = ledger.tax_account(part.percent)
        name = f"tax/{part.percent:f}"
        yield from book.move(name, CREDITED, note.account, tax, part.vat)
        taxes += part.vat
    yield from book.move("net", CREDITED, note.account, ledger.REVENUE, note.payable - taxes)


def _owed_by_buyer(lines: Iterable[Line]) -> Iterator[tuple[Decimal, Decimal]]:
    taxed = sorted(line.taxed for line in lines if line.taxed is not None)
    for percent, same in groupby(taxed, key=lambda pair: pair[0]):
        yield percent, sum((amount for _, amount in same), _ZERO)


class _Book:
    """Writes down what an invoice moves; a credit note moves it the other way."""

    def __init__(self, invoice: Invoice, ref: str | None = None) -> None:
        self._invoice = invoice
        self._ref = ref or ledger.of_invoice(invoice.id)
        self._at: datetime = invoice.made_at

    def move(self, name: str, kind: str, debit: str, credit: str, amount: Decimal) -> Iterator[Enter]:
        coins = ledger.minor(-amount if self._invoice.credits else amount, self._invoice.currency)
        if coins == 0:
            return
        if coins < 0:
            debit, credit = credit, debit
        key = f"invoice/{self._invoice.id}/{name}"
        currency = self._invoice.currency
        yield Enter(Entry(key, self._at, debit, credit, abs(coins), currency, kind, self._ref))
