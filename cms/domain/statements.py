"""Bank statements: the lines of an account, whichever way the bank wrote them down, and what keeps each unique."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from hashlib import sha256

from cms.contract.refusals import Invalid
from cms.domain.atrest import Sealed
from cms.domain.evolve import evolve
from cms.domain.ledger import minor
from cms.domain.record import record

#: Lines that nobody has assigned yet, whose money comes from which bank account, and which line an entry was by hand.
LINE, PAYS_FROM, BY_HAND = "bank-line", "pays-from", "bank-by-hand"
#: What banks write where they have no reference.
_NO_REFERENCE = frozenset({"", "NONREF", "NOTPROVIDED", "NOT PROVIDED"})
#: A statement has no more lines: the largest banks cut theirs long before.
MOST_LINES = 100_000
_LONGEST = 1_000


@record
class Line:
    """``amount`` in minor units, below nothing where money went out. ``reference`` is the bank's own, ``structured``
    the creditor's (ISO 11649), ``text`` what the payer wrote; ``number`` tells apart what is otherwise the same."""

    own_iban: str
    booked_on: date
    amount: int
    currency: str
    reference: str = ""
    structured: str = ""
    text: str = ""
    name: str = ""
    iban: str = ""
    number: int = 0

    @property
    def key(self) -> str:
        """The same whenever the bank tells of it again; the key of its entry in the ledger."""
        said = (self.own_iban, self.booked_on.isoformat(), str(self.amount), self.currency, self.reference)
        # A bank's reference is enough; without one everything else that was said must do.
        more = () if self.reference else (self.structured, self.text, self.name, self.iban)
        whole = "\x1f".join((*said, *more, str(self.number)))
        return f"bank/{sha256(whole.encode()).hexdigest()[:24]}"


@record
class Kept:
    """A line that waits for somebody to say whose it is; the line itself is encrypted: it names people."""

    booked_on: date
    amount: int
    currency: str
    imported_at: datetime
    body: Sealed


@record
class PaysFrom:
    """The account of the ledger that money from a bank account was for; the key is a digest of the IBAN."""

    account: str
    at: datetime


@record
class Confirmed:
    """An entry that somebody made by hand is this line of a statement; the key is a digest of the entry's."""

    line: str
    at: datetime


def numbered(lines: Iterable[Line]) -> Iterator[Line]:
    """Lines that say the same are told apart by which of them they are in their statement."""
    seen: Counter[str] = Counter()
    for line in lines:
        yield evolve(line, number=seen[line.key])
        seen[line.key] += 1


def clean(text: str | None) -> str:
    return " ".join((text or "").split())[:_LONGEST]


def reference(text: str | None) -> str:
    said = clean(text)
    return "" if said.upper() in _NO_REFERENCE else said


def amount_of(text: str, currency: str, where: str) -> int:
    """Minor units of ``1234.56``."""
    try:
        return minor(Decimal(text.strip()), currency)
    except (InvalidOperation, ValueError, ArithmeticError):
        raise Invalid(f"{where}: {text.strip()[:40]!r} is no amount in {currency[:8]!r}") from None


# CSV


#: Field -> headings under which banks have it, without case.
HEADINGS: dict[str, tuple[str, ...]] = {
    "date": ("date", "booking date", "buchungstag", "buchungsdatum", "boekdatum", "booked"),
    "amount": ("amount", "betrag", "bedrag", "montant", "umsatz"),
    "currency": ("currency", "währung", "waehrung", "valuta", "munt", "devise"),
    "text": ("remittance", "text", "verwendungszweck", "omschrijving", "description", "purpose", "libellé"),
    "name": (
        "name",
        "counterparty",
        "auftraggeber",
        "beguenstigter/zahlungspflichtiger",
        "begünstigter/auftraggeber",
        "zahlungsbeteiligter",
        "naam",
    ),
    "iban": (
        "iban",
        "counterparty iban",
        "kontonummer/iban",
        "iban zahlungsbeteiligter",
        "kontonummer",
        "tegenrekening",
    ),
    "reference": ("reference", "bank reference", "bankreferenz", "transaction id", "referenz"),
    "own_iban": ("account", "own iban", "auftragskonto", "iban auftragskonto", "rekening"),
    "structured": ("structured reference", "creditor reference", "kundenreferenz"),
}
_NEEDED = ("date", "amount")


@record
class Sheet:
    """How a bank writes CSV: its headings by our fields, its dates, and what it leaves out."""

    headings: Mapping[str, str] = field(default_factory=dict)
    date_format: str = ""
    currency: str = "EUR"


_DATES = ("%Y-%m-%d", "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%d-%m-%Y", "%Y%m%d", "%Y/%m/%d")


def read_csv(text: str, mapping: Sheet) -> list[Line]:
    """The lines of a sheet. Raises Invalid that names the line."""
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        columns = _columns([cell.strip() for cell in next(rows, [])], mapping.headings)
        lines = []
        for row in rows:
            if any(cell.strip() for cell in row):
                lines.append(_line(columns, row, mapping, f"line {rows.line_num}"))
            if len(lines) > MOST_LINES:
                raise Invalid(f"a statement has at most {MOST_LINES} lines")
    except csv.Error as error:
        raise Invalid(f"line {rows.line_num}: {error}") from None
    return list(numbered(lines))


def _columns(header: list[str], given: Mapping[str, str]) -> dict[str, int]:
    """Field -> column."""
    folded = [heading.casefold() for heading in header]
    unknown = set(given) - set(HEADINGS)
    if unknown:
        raise Invalid(f"{', '.join(sorted(unknown))} is no field", f"one of {', '.join(HEADINGS)}")
    columns = {}
    for name, usual in HEADINGS.items():
        wanted = (given[name].casefold(),) if name in given else usual
        found = next((folded.index(heading) for heading in wanted if heading in folded), None)
        if found is not None:
            columns[name] = found
        elif name in given:
            raise Invalid(f"there is no column {given[name]!r}", f"there are: {', '.join(header)}")
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        raise Invalid(
            f"no column is known for {' and '.join(missing)} among {', '.join(header)[:300]}",
            "say which: --column amount=Betrag",
        )
    return columns


def _line(columns: Mapping[str, int], row: list[str], mapping: Sheet, where: str) -> Line:
    cells = {name: row[at].strip() if at < len(row) else "" for name, at in columns.items()}
    currency = (cells.get("currency") or mapping.currency).upper()
    return Line(
        own_iban=iban(cells.get("own_iban", "")),
        booked_on=_date(cells["date"], mapping.date_format, where),
        amount=amount_of(_decimal(cells["amount"]), currency, where),
        currency=currency,
        reference=reference(cells.get("reference")),
        structured=clean(cells.get("structured")),
        text=clean(cells.get("text")),
        name=clean(cells.get("name")),
        iban=iban(cells.get("iban", "")),
    )


def _decimal(text: str) -> str:
    """``1.234,56-`` and ``1,234.56`` as ``-1234.56`` and ``1234.56``: the last of the two signs parts the coins."""
    said = text.replace("\u00a0", "").replace(" ", "").replace("'", "").replace("\u2212", "-")
    if said.endswith("-"):
        said = "-" + said[:-1]
    comma, dot = said.rfind(","), said.rfind(".")
    if comma > dot:
        return said.replace(".", "").replace(",", ".")
    return said.replace(",", "") if comma >= 0 else said


def _date(text: str, format: str, where: str) -> date:
    for known in (format,) if format else _DATES:
        try:
            return datetime.strptime(text, known).date()
        except ValueError:
            continue
    raise Invalid(f"{where}: {text[:40]!r} is no date", "say how dates are written: --dates %d.%m.%Y")


def iban(text: str | None) -> str:
    return "".join((text or "").split()).upper()[:34]
