"""One invoice: who is to pay what until when, and its lines; a line shows its working."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any

from textual.widget import Widget

from cms.contract.invoices import ExportInvoice, InvoiceFile, InvoiceView, ItemView, ShowInvoice
from cms.contract.money import money
from cms.contract.refusals import Refusal
from tui import filing, words
from tui.books.invoices import INVOICES
from tui.books.shape import Book, Cell, field
from tui.screens.book import BookPlace
from tui.screens.events import as_json
from tui.widgets.lines import Lines
from tui.widgets.live_table import LiveTable
from tui.widgets.paint import Line, Span

MARKS_SEEN = 3


def plain(number: Any) -> str:
    """A decimal without zeros that say nothing."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


LINES = Book(
    "invoice",
    "Invoice",
    "the lines of an invoice",
    ItemView,
    lambda station: None,
    lambda row: f"{row.number:06d}",
    (
        Cell("#", 3, field("number"), right=True),
        Cell("Date", 10, lambda row: words.minute(row.since)[:10] if row.since else "", drop=4),
        Cell("Session", 14, field("session"), drop=5),
        Cell("What", 20, field("text"), grow=True),
        Cell("Quantity", 9, lambda row: plain(row.quantity), right=True, drop=1),
        Cell("Unit", 4, field("unit"), drop=1),
        Cell("Price", 8, lambda row: plain(row.price), right=True, drop=2),
        Cell("Net", 9, lambda row: f"{row.net:f}", right=True, drop=6),
        Cell("VAT %", 5, lambda row: plain(row.vat_percent), right=True, drop=7),
        Cell("Gross", 9, lambda row: f"{row.gross:f}", right=True),
        Cell("Credited", 10, field("credited_by", "warn"), drop=8),
    ),
    "it has no line",
    ("invoice.", "payment.", "charge.", "ledger."),
    INVOICES.acts,
)


class Invoice(BookPlace):
    """The acts of the list of invoices work here too, on this one."""

    place = "invoice"

    def __init__(self, invoice: str) -> None:
        super().__init__(replace(LINES, ask=lambda station: ShowInvoice(invoice), rows=self._taken_in), None)
        self.invoice = invoice
        self.view: InvoiceView | None = None

    def _taken_in(self, view: InvoiceView) -> list[Any]:
        self.view = view
        return list(view.items)

    def body(self) -> Iterable[Widget]:
        yield Lines(id="facts", classes="values")
        yield from super().body()

    def crumbs(self) -> list[str]:
        return ["Billing", "Invoices", self.invoice]

    def hear(self, rows: Any) -> None:
        super().hear(rows)
        if self.view is not None:
            self.query_one("#facts", Lines).show(invoice_lines(self.view))

    def row(self) -> Any | None:
        """What acts are about: the invoice, whichever of its lines the cursor stands on."""
        return self.view

    def line(self) -> ItemView | None:
        """The line under the cursor."""
        return self.rows.get(self.list_table().cursor_id or "")

    def session_here(self) -> str | None:
        line = self.line()
        return line.session if line else None

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        """The working of a session's line is its price explained; of a fee, all that is known of it."""
        event.prevent_default()
        line = self.rows.get(event.key)
        if line is None:
            return
        if line.session:
            self.console.reading.read_price(self, line.session)
        else:
            self.console.travel.open_paper(f"Line {line.number} of {self.invoice}", as_json(asdict(line)))

    def export_document(self) -> None:
        self.console.say(f"{self.invoice}: making the PDF …", "busy")
        self.console.reading.fetch(self, "document", lambda ask: ask(ExportInvoice(self.invoice)))

    def take(self, what: str, found: Any | Refusal) -> None:
        if isinstance(found, Refusal):
            self.console.say(words.sentence(found), "warn")
        elif isinstance(found, InvoiceFile):
            say_document(self, found)


def say_document(place: BookPlace, found: InvoiceFile) -> None:
    """Write a document, and say where it is."""
    name = found.name.replace("/", "-")
    place.console.say(*filing.told(name, base64.b64decode(found.content), name))


def invoice_lines(view: InvoiceView) -> list[Line]:
    """Who pays, how much and until when; taxes by rate; what became of it."""
    late = f", {view.overdue_days} days over" if view.overdue_days else ""
    kind = "credit note" if view.kind == "credit-note" else "invoice"
    first: Line = (
        (f" {view.buyer}", "strong"),
        f" · {kind} of {view.issued_on} · due {view.due_on}",
        (late, "bad"),
        f" · {view.status}",
    )
    taxes = ", ".join(f"{plain(part.percent)} % {money(part.vat, view.currency)}" for part in view.vat)
    second: Line = (
        f" net {money(view.net, view.currency)} + VAT {taxes or '0'} = {money(view.gross, view.currency)}",
        f", rounded by {money(view.rounding, view.currency)}" if view.rounding else "",
        f" · to pay {money(view.payable, view.currency)}",
        (f" · open {money(view.open, view.currency)}", "warn" if view.open > 0 else "good"),
    )
    lines = [first, second]
    if view.corrects:
        lines.append(((f" corrects {view.corrects}", "warn"),))
    told: list[Span] = [
        (f" {words.minute(mark.at)} {mark.what}{f' ({mark.detail})' if mark.detail else ''} ", "dim")
        for mark in view.marks[-MARKS_SEEN:]
    ]
    return [*lines, *((span,) for span in told)]
