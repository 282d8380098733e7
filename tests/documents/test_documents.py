"""Documents of invoices: valid by the schema, whatever people are called; typeset as data, never as markup."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from facturx import get_xml_from_pdf, xml_check_xsd
from lxml import etree
from pypdf import PdfReader

from cms.documents import PaperMill
from cms.documents.cii import xml
from cms.domain import invoicing
from cms.domain.evolve import evolve
from cms.domain.invoices import REVERSE_CHARGE, Invoice, Party
from tests.operations.test_invoices import cdr

D = Decimal
SELLER = Party(
    "Volt GmbH", "Am Markt 1", "89073", "Ulm", "DE", "DE123456789", "91/234", "rechnung@volt.example",
    "+49 731 1", "DE89370400440532013000", "COBADEFFXXX", "de_DE",
)  # fmt: skip
ANA = Party("Ana Almeida", "Hauptstr. 2", "89073", "Ulm", "DE", email="ana@example.org", language="de")
#: Markup, control and bidirectional characters, scripts that fonts may lack, words that never end.
HOSTILE = Party(
    '#import "/etc/passwd" *_$x$ [evil](y) <&>"\x07\x0b\ufffe',
    "李小龙 مرحبا \u202eabc 🚗" + "Sehr" * 60,
    city="עברית",
    country="DE",
    language="en",
)
NS = {"ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"}


def an_invoice(buyer: Party = ANA, sessions: int = 3, untaxed: bool = False, **more: object) -> Invoice:
    records = [cdr(f"S{number}", "0.13", day=1 + number % 28) for number in range(sessions)]
    records.append(cdr("R1", "4.00", percent="7"))
    lines = [line for record in records for line in invoicing.of_cdr(record, "Parkhaus, Ulm", "de")]
    items = tuple(line.item for line in (invoicing.untaxed(lines) if untaxed else lines))
    total = invoicing.sums(items, "EUR")
    made = Invoice(
        "2026", 42, "invoice", date(2026, 12, 1), date(2026, 12, 15), date(2026, 11, 1), date(2026, 11, 30),
        "ana", "receivable/ana", SELLER, buyer, "EUR", items, total.vat, total.net, total.gross,
        total.rounding, total.payable, datetime(2026, 12, 1, 9, tzinfo=UTC),
    )  # fmt: skip
    return evolve(made, **more)


@pytest.mark.parametrize(
    "invoice",
    [
        an_invoice(),
        an_invoice(HOSTILE),
        an_invoice(kind="credit-note", corrects="2026-0007", note="a faulty cable"),
        an_invoice(
            evolve(ANA, vat_id="NL123456789B01", reference="PO 7", contact="Jan"),
            untaxed=True,
        ),
        an_invoice(card="visa 4242"),
    ],
    ids=["invoice", "hostile", "credit note", "zero rated", "card"],
)
def test_the_xml_is_valid_by_the_schema_of_the_standard(invoice: Invoice) -> None:
    assert xml_check_xsd(xml(invoice), flavor="factur-x", level="en16931")


def test_the_xml_says_what_the_invoice_comes_to() -> None:
    invoice = evolve(an_invoice(untaxed=True), untaxed=REVERSE_CHARGE, untaxed_why="Reverse charge")
    root = etree.fromstring(xml(invoice))

    def said(name: str) -> list[str]:
        return [element.text for element in root.iter(f"{{{NS['ram']}}}{name}")]

    assert said("DuePayableAmount") == [str(invoice.payable)]
    assert set(said("CategoryCode")) == {"AE"} and said("ExemptionReason") == ["Reverse charge"]
    assert said("GrandTotalAmount") == [str(invoice.gross)]


async def test_the_pdf_has_the_xml_in_it_and_is_always_the_same() -> None:
    invoice, mill = an_invoice(sessions=40), PaperMill()
    made = await mill.pdf(invoice)
    assert made == await mill.pdf(invoice)
    assert get_xml_from_pdf(made)[1] == xml(invoice)
    pages = PdfReader(io.BytesIO(made)).pages
    text = "\n".join(page.extract_text() for page in pages)
    assert len(pages) > 1 and "Ana Almeida" in text and "2026-0042" in text and "Zu zahlen" in text


async def test_what_people_are_called_is_printed_and_never_obeyed() -> None:
    made = await PaperMill().pdf(an_invoice(HOSTILE, sessions=1))
    text = "".join(PdfReader(io.BytesIO(made)).pages[0].extract_text().split())
    assert '#import"/etc/passwd"*_$x$[evil](y)<&>"' in text.replace("\u200b", "")
