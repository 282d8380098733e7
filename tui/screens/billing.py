"""Billing: what needs doing first, then every list of money behind it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from cms.contract.cdrs import CdrView, UnpricedView
from cms.contract.invoices import ExportInvoice, InvoiceFile, InvoiceView, SellerView, ShowSeller
from cms.contract.openmatters import ListOpenMatters, OpenMatter
from cms.contract.refusals import Refusal
from cms.contract.tariffs import TariffView
from tui import filing
from tui.books.balances import ACCOUNTS, BALANCES, LEDGER, STATEMENTS
from tui.books.bills import BILLS, UNPRICED
from tui.books.charges import CHARGES
from tui.books.invoices import INVOICES
from tui.books.money import PAYMENTS, TARIFF_USES, TARIFFS
from tui.books.plans import BILLING
from tui.books.shape import Book
from tui.screens.tabbed import Tabbed
from tui.widgets.live_table import LiveTable
from tui.widgets.paint import Line, Span

#: Where the objects of an open matter are listed, and by which filter.
MATTERS: dict[str, tuple[str, str]] = {
    "held": ("Bills", "status=held"),
    "disputed": ("Bills", "status=disputed"),
    "unpriced": ("Unpriced", ""),
    "overdue": ("Invoices", "status=overdue"),
    "disputed-invoices": ("Invoices", "status=disputed"),
    "invoices": ("Invoices", "open>0"),
    "charges": ("Charges", "person=true"),
    "under-way": ("Charges", "person=false"),
    "statement-lines": ("Bank", ""),
    "overdrawn": ("Balances", "balance.amount<0"),
}
#: Those that are a book of their own.
BOOKS_OF_MATTERS = {"closed": "subscriptions", "no-card": "billing-profiles"}
#: What the line under the bar counts, in this order: matter, word, tone where there is one.
COUNTS = (
    ("unbilled", "ready", "busy"),
    ("held", "held", "warn"),
    ("unpriced", "unpriced", "bad"),
    ("invoices", "open", ""),
    ("overdue", "overdue", "bad"),
    ("disputed", "disputed", "bad"),
    ("charges", "charges", "bad"),
)


def kind_of(matter: OpenMatter) -> str:
    """Its name without the currency that it carries where there are several."""
    return matter.matter.removesuffix(f"-{matter.amount.currency}") if matter.amount else matter.matter


class Billing(Tabbed):
    """Tabs over the books of money; the first one says what is open."""

    place = "billing"
    title_words = "Billing"
    contents: ClassVar[Mapping[str, Book]] = {
        "Open": BILLING,
        "Invoices": INVOICES,
        "Bills": BILLS,
        "Unpriced": UNPRICED,
        "Tariffs": TARIFFS,
        "Uses": TARIFF_USES,
        "Charges": CHARGES,
        "Payments": PAYMENTS,
        "Balances": BALANCES,
        "Bank": STATEMENTS,
        "Ledger": LEDGER,
        "Accounts": ACCOUNTS,
    }

    def __init__(self, tab: str = "") -> None:
        super().__init__(tab)
        self._matters: list[OpenMatter] = []
        self._counting = False
        """Whether what is open is read: the daemon looks through all bills for it."""

    # ---- what is open

    def read(self) -> None:
        super().read()
        if self.book is not BILLING and not self._counting:
            self._counting = True
            self.console.reading.fetch(self, "matters", lambda ask: ask(ListOpenMatters()))

    def hear(self, rows: Any) -> None:
        super().hear(rows)
        if self.book is BILLING:
            self._matters = list(rows)
            self.draw_frame()

    def take(self, what: str, found: Any | Refusal) -> None:
        if what == "matters":
            self._counting = False
        if isinstance(found, Refusal):
            if what != "matters":  # who may not see what is open sees the list he asked for
                super().take(what, found)
        elif what == "matters":
            self._matters = list(found)
            self.draw_frame()
        elif isinstance(found, InvoiceFile):
            name = found.name.replace("/", "-")
            self.console.say(*filing.told(name, base64.b64decode(found.content), name))
        elif isinstance(found, SellerView):
            self.console.travel.open_paper("Seller", seller_lines(found))

    def summary_line(self) -> Line:
        spans: list[Span] = []
        for name, word, tone in COUNTS:
            alike = [matter for matter in self._matters if kind_of(matter) == name]
            count = sum(matter.count for matter in alike)
            if not count and name not in ("unbilled", "held", "overdue"):
                continue
            worth = " + ".join(
                f"{matter.amount.amount} {matter.amount.currency}" for matter in alike if matter.amount
            )
            spans.append((f"{' ·' if spans else ''} {word} {count:,}", tone if count else "dim"))
            if worth and self.app.size.width >= WORTH_FROM:
                spans.append((f" ({worth})", "dim"))
        return tuple(spans) if self._matters else (("", "dim"),)

    # ---- going on from a row

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        row = self.views().get(event.key)
        go = OPENERS.get(type(row))
        if go is not None:
            event.prevent_default()
            go(self, row)

    def session_here(self) -> str | None:
        """The session of the row, whose price can be explained."""
        return getattr(self.row(), "session", None)

    def open_matter(self, matter: OpenMatter) -> None:
        kind = kind_of(matter)
        if kind in MATTERS:
            self.open_tab(*MATTERS[kind])
        elif kind in BOOKS_OF_MATTERS:
            self.console.travel.open_book(BOOKS_OF_MATTERS[kind], None)
        elif kind == "unbilled":
            self.console.travel.open_billing_run()
        elif kind == "seller":
            self.console.reading.fetch(self, "seller", lambda ask: ask(ShowSeller()))
        else:  # of a newer daemon: all that it tells
            self.open_row(matter.matter, matter)

    def open_invoice(self, row: InvoiceView) -> None:
        self.console.travel.open_invoice(row.invoice)

    def open_price(self, row: CdrView) -> None:
        self.console.reading.read_price(self, row.session)

    # ---- documents, what if

    def export_document(self) -> None:
        """The invoice under the cursor as PDF."""
        row = self.row()
        if not isinstance(row, InvoiceView):
            self.console.say("put the cursor on an invoice first", "warn")
            return
        self.console.say(f"{row.invoice}: making the PDF …", "busy")
        self.console.reading.fetch(self, "document", lambda ask: ask(ExportInvoice(row.invoice)))

    def what_if(self) -> None:
        """What the bill under the cursor, or the last month, would come to by another tariff."""
        match self.row():
            case CdrView(session=session) | UnpricedView(session=session):
                self.console.travel.open_what_if(session=session)
            case TariffView(id=tariff):
                self.console.travel.open_what_if(tariff=tariff)
            case _:
                self.console.say("put the cursor on a bill or a tariff first", "warn")


#: Columns from which the line under the bar tells amounts beside counts.
WORTH_FROM = 120

OPENERS: dict[type[Any], Callable[[Billing, Any], None]] = {
    OpenMatter: Billing.open_matter,
    InvoiceView: Billing.open_invoice,
    CdrView: Billing.open_price,
}


def seller_lines(seller: SellerView) -> list[str]:
    """Who sells, as invoices say it, and what is missing."""
    told = [
        ("name", seller.name), ("street", seller.street), ("postcode", seller.postcode), ("city", seller.city),
        ("country", seller.country), ("VAT id", seller.vat_id), ("tax number", seller.tax_number),
        ("e-mail", seller.email), ("IBAN", seller.iban), ("series", seller.series),
    ]  # fmt: skip
    lines = [f"{name:<12} {value or ''}" for name, value in told]
    if seller.missing:
        lines += ["", f"missing: {', '.join(seller.missing)}", "say it with: cms billing seller set"]
    return lines
