"""CAMT.053 (ISO 20022, BankToCustomerStatement, versions 02 to 08): what of it a payment can be known by.

The file is somebody else's: it is read element by element, and one with a document type (entities, anything from
elsewhere), with too many elements or too deep ones is refused before any of it is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from xml.parsers import expat

from cms.contract.refusals import Invalid
from cms.domain.statements import MOST_LINES, Line, amount_of, clean, iban, numbered, reference

_DEEPEST = 40
_MOST_ELEMENTS = 10_000_000
_LONGEST_TEXT = 10_000
#: CdtDbtInd -> sign.
_SIGNS = {"CRDT": 1, "DBIT": -1}


class _Node:
    """An element below an entry: its text, attributes, and children by name."""

    __slots__ = ("attributes", "children", "text")

    def __init__(self, attributes: dict[str, str]) -> None:
        self.attributes = attributes
        self.children: list[tuple[str, _Node]] = []
        self.text = ""

    def all(self, path: str) -> Iterator[_Node]:
        """Every element at this path, ``Refs/EndToEndId``."""
        name, _, rest = path.partition("/")
        for known, child in self.children:
            if known == name:
                yield from child.all(rest) if rest else (child,)

    def first(self, *paths: str) -> _Node | None:
        """What is at the first of these paths where there is anything."""
        return next((node for path in paths for node in self.all(path)), None)

    def said(self, *paths: str) -> str:
        node = self.first(*paths)
        return node.text.strip() if node is not None else ""


def read(text: str) -> list[Line]:
    """The booked lines of all statements of a file."""
    reader = _Reader()
    reader.parse(text)
    if not reader.statements:
        raise Invalid("this is no CAMT.053 statement", "export BankToCustomerStatement (camt.053), or CSV")
    return list(numbered(reader.lines))


class _Reader:
    """Builds one entry at a time, and makes its lines as soon as it ends."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.statements = 0
        self._path: list[str] = []
        self._open: list[_Node] = []
        self._elements = 0
        self._own = _Node({})
        self._parser = expat.ParserCreate()
        self._parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.buffer_text = True

    def parse(self, text: str) -> None:
        try:
            self._parser.Parse(text.encode("utf-8", "replace"), True)
        except expat.ExpatError as error:
            raise Invalid(f"the statement is no XML: {error}") from None

    def _doctype(self, *_: Any) -> None:
        raise Invalid("a statement has no document type: this file is refused")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        self._elements += 1
        if self._elements > _MOST_ELEMENTS or len(self._path) >= _DEEPEST:
            raise Invalid("the statement has too many elements, or too deep ones")
        self._path.append(name)
        if name == "Stmt" and len(self._path) == 3:
            self.statements += 1
            self._own = _Node({})
        if self._open or name in ("Ntry", "Acct"):
            node = _Node(attributes)
            if self._open:
                self._open[-1].children.append((name, node))
            self._open.append(node)

    def _text(self, text: str) -> None:
        if self._open and len(self._open[-1].text) < _LONGEST_TEXT:
            self._open[-1].text += text

    def _end(self, tag: str) -> None:
        name = self._path.pop()
        if not self._open:
            return
        node = self._open.pop()
        if self._open or self._path[1:] not in (["BkToCstmrStmt", "Stmt"],):
            return
        if name == "Acct":
            self._own = node
        elif name == "Ntry":
            self.lines += _lines(node, iban(self._own.said("Id/IBAN", "Id/Othr/Id")))
            if len(self.lines) > MOST_LINES:
                raise Invalid(f"a statement has at most {MOST_LINES} lines")


def _lines(entry: _Node, own: str) -> Iterator[Line]:
    """One line, or one for each payment of a batch whose payments have amounts of their own."""
    if entry.said("Sts/Cd", "Sts") != "BOOK":
        return  # pending, or for information: it is told again when it is booked
    details = list(entry.all("NtryDtls/TxDtls"))
    whole = _line(entry, details[0] if len(details) == 1 else None, own, entry)
    parts = [_line(entry, part, own, _amount(part)) for part in details if _amount(part) is not None]
    same = sum(part.amount for part in parts) == whole.amount and len(parts) == len(details) > 1
    yield from parts if same and all(part.currency == whole.currency for part in parts) else (whole,)


def _amount(details: _Node) -> _Node | None:
    """The element in which ``Amt`` stands: since version 08 the payment itself, before that its amount details."""
    if details.first("Amt") is not None:
        return details
    return details.first("AmtDtls/TxAmt")


def _line(entry: _Node, details: _Node | None, own: str, holder: _Node | None) -> Line:
    amount = holder.first("Amt") if holder is not None else None
    assert holder is not None
    if amount is None:
        raise Invalid("an entry of the statement has no amount")
    currency = amount.attributes.get("Ccy", "")
    sign = _SIGNS.get((details.said("CdtDbtInd") if details is not None else "") or entry.said("CdtDbtInd"))
    if sign is None or not currency:
        raise Invalid("an entry of the statement says neither credit nor debit, or no currency")
    day = _day(entry.said("BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm"))
    of: _Node = details if details is not None else _Node({})
    side = "Dbtr" if sign > 0 else "Cdtr"
    texts = [*of.all("RmtInf/Ustrd"), *of.all("AddtlTxInf")] or [*entry.all("AddtlNtryInf")]
    refs = (of.said("Refs/AcctSvcrRef"), entry.said("AcctSvcrRef"), of.said("Refs/TxId"))
    return Line(
        own_iban=own,
        booked_on=day,
        amount=sign * amount_of(amount.text, currency, f"entry of {day}"),
        currency=currency,
        reference=_joined(refs, of),
        structured=clean(of.said("RmtInf/Strd/CdtrRefInf/Ref")),
        text=clean(" ".join(node.text for node in texts)),
        name=clean(of.said(f"RltdPties/{side}/Nm", f"RltdPties/{side}/Pty/Nm")),
        iban=iban(of.said(f"RltdPties/{side}Acct/Id/IBAN")),
    )


def _joined(refs: tuple[str, ...], details: _Node) -> str:
    """The bank's reference; with the payer's own, which tells the payments of one batch apart."""
    first = next(filter(None, map(reference, refs)), "")
    theirs = reference(details.said("Refs/EndToEndId"))
    return " ".join(filter(None, (first, theirs if first else "")))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise Invalid(f"{text[:40]!r} is no day of a statement") from None


Read = Callable[[str], list[Line]]
