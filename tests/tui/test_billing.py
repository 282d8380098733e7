"""Screen 6: what is open, the lists behind it, an invoice with its working, a billing run, what if."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from cms.contract.cdrs import ListCdrs, ListUnpriced, RerateSessions, RerateView
from cms.contract.invoices import (
    BilledView,
    BillingRunView,
    ExportInvoice,
    InvoiceFile,
    ItemView,
    LeftOutView,
    ListInvoices,
    RunBilling,
    SendInvoice,
    ShowInvoice,
)
from cms.contract.openmatters import ListOpenMatters, OpenMatter
from cms.contract.prices import (
    ExplainedLine,
    ExplainPrice,
    Explanation,
    SimulatedStation,
    SimulateTariff,
    Simulation,
)
from cms.contract.tariffs import ListTariffs, Money, Tariff, TariffView
from tests.tui.fake import NOON, FakeDaemon, small_fleet
from tests.tui.seat import seated
from tests.tui.test_bills import HELD, UNPRICED
from tests.tui.test_invoices import OVERDUE
from tui.books.shape import Book
from tui.screens.billing import Billing
from tui.screens.billingrun import RUN as RUN_BOOK
from tui.screens.invoice import LINES
from tui.screens.orders import Orders
from tui.screens.tabbed import tab_bar
from tui.screens.whatif import SESSION, STATIONS
from tui.widgets.paint import width_of

D = Decimal
MATTERS = [
    OpenMatter("overdue", "a person", "invoices are overdue", 1, Money(D("1.90"), "EUR"), date(2026, 11, 1),
               "cms invoices list --status overdue"),
    OpenMatter("held", "a person", "sessions are held", 1, Money(D("2.98"), "EUR"), date(2026, 11, 22),
               "cms bills list --status held"),
    OpenMatter("unbilled", "a run", "sessions are not on an invoice yet", 212, Money(D("41902.18"), "EUR"),
               date(2026, 11, 3), "cms billing run --dry-run"),
]  # fmt: skip
ITEM = ItemView(1, "cdr/S1.1", "session", "Energy at Ulm-A8", D("9.900"), "kWh", D("0.59"), D(19), D("5.84"),
                D("1.11"), D("6.95"), NOON, NOON, "S1", 9_900, "Ulm-A8", None)  # fmt: skip
RUN = BillingRunView(
    dry_run=True,
    since=date(2026, 10, 1),
    until=date(2026, 10, 31),
    invoices=(
        BilledView(None, "invoice", "ada", "receivable/ada", 14, "EUR", D("100.00"), D("119.00")),
        BilledView(
            None, "credit-note", "ben", "receivable/ben", 1, "EUR", D("-10.00"), D("11.90"), "2026-0007"
        ),
    ),
    left_out=(LeftOutView("S9", "receivable/cem", "EUR", D("4.00"), "it is held"),),
    next=None,
)
FLAT = TariffView("flat", "EUR", "0.55/kWh", "UTC", True, (), (), NOON, Tariff("flat", "EUR"))
EXPLAINED = Explanation(
    "S1", "CP-0018", True, "central", "EUR", D("5.84"), D("1.11"), D("6.95"), 9_900, 3_600, 0, "UTC", ("DC-day.3",),
    (ExplainedLine("energy", "DC-day.3", NOON, NOON, D("9.9"), "kWh", D("0.59"), D(19), D("5.84"), D("1.11"),
                   D("6.95"), "the price of the day"),), ("by the site's tariff",),
)  # fmt: skip


def zero() -> Money:
    return Money(D("0"), "EUR")


def with_money() -> FakeDaemon:
    daemon = small_fleet()
    daemon.shelf |= {
        ListOpenMatters: list(MATTERS),
        ListInvoices: [OVERDUE],
        ListCdrs: [HELD],
        ListUnpriced: [UNPRICED],
        ListTariffs: [FLAT],
        RerateSessions: [
            RerateView("S1", "CP-0018", "revised", 2, "EUR", D("2.98"), D("2.75"), D("-0.23"), ())
        ],
    }
    daemon.shown |= {
        ShowInvoice: replace(OVERDUE, items=(ITEM,)),
        ExplainPrice: EXPLAINED,
        SendInvoice: None,
        RunBilling: RUN,
        ExportInvoice: InvoiceFile("2026-0042.pdf", "application/pdf", base64.b64encode(b"%PDF-1.7").decode()),
        SimulateTariff: Simulation(
            "flat", datetime(2026, 10, 23, tzinfo=UTC), NOON, 3, Money(D("30.00"), "EUR"), Money(D("27.50"), "EUR"),
            Money(D("-2.50"), "EUR"), D("-8.3"),
            (SimulatedStation("CP-0018", 3, 50_000, Money(D("30.00"), "EUR"), Money(D("27.50"), "EUR"),
                              Money(D("-2.50"), "EUR"), D("-8.3"), 0),),
        ),
    }  # fmt: skip
    return daemon


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def test_what_is_open_leads_to_its_list_and_an_invoice_to_the_working_of_its_lines(
    folder: Path,
) -> None:
    daemon = with_money()
    async with seated(daemon, size=(160, 48)) as seat:
        await seat.press("6")
        await seat.sees(
            "[Open]", "Invoices", "invoices are overdue", "1.90 EUR", "ready 212 (41902.18 EUR)", "held 1"
        )
        await seat.press("j", "enter")
        await seat.sees("[Invoices]", "status=overdue", "2026-0042", "Ada [Lovelace]")
        await seat.press("d")
        await seat.hears("2026-0042.pdf")
        assert (folder / "2026-0042.pdf").read_bytes() == b"%PDF-1.7"
        await seat.press("e", "c")
        await seat.hears("1 rows written")
        (sheet,) = folder.glob("cms-*invoices-*.csv")
        assert sheet.read_text().casefold().startswith("invoice,state,buyer")
        assert "2026-0042,overdue,Ada [Lovelace]" in sheet.read_text()
        await seat.press("enter")
        await seat.sees("Ada [Lovelace]", "Energy at Ulm-A8", "9.9", "0.59", "6.95", "7 days over")
        await seat.press("S")
        await seat.sees("cms invoices send 2026-0042")
        await seat.press("y")
        await seat.until(lambda: SendInvoice("2026-0042") in daemon.asked)
        await seat.press("enter")
        await seat.sees("Price of S1", "the price of the day")
        await seat.press("escape", "escape")
        await seat.sees("[Invoices]")


async def test_a_billing_run_is_shown_before_it_is_made_and_by_keys_alone(folder: Path) -> None:
    daemon = with_money()
    async with seated(daemon) as seat:
        await seat.press("6")
        await seat.sees("not on an invoice yet")
        await seat.press("G", "enter")
        await seat.sees("would make 2 documents over €107.10", "sessions left out: 1", "ada", "credit-note")
        await seat.press("B")
        await seat.sees("are numbered and owed", "cms billing run")
        assert not any(isinstance(asked, RunBilling) and not asked.dry_run for asked in daemon.asked)
        await seat.press("y")
        await seat.until(lambda: RunBilling(limit=500) in daemon.asked)


async def test_what_if_another_tariff_held_for_a_bill_and_for_a_month() -> None:
    daemon = with_money()
    async with seated(daemon, size=(120, 30)) as seat:
        await seat.press("6", "tab", "tab")
        await seat.sees("[Bills]", "S1", "2.98")
        await seat.press("w")
        await seat.sees("what if, session S1", "flat", "€2.98", "€2.75", "-€0.23")
        assert RerateSessions("what if", ("S1",), tariff="flat", dry_run=True) in daemon.asked
        await seat.press("escape", "right", "right")
        await seat.sees("[Tariffs]", "0.55/kWh")
        await seat.press("w")
        await seat.sees("what if, flat", "€27.50 by flat", "CP-0018", "-8.3")


@pytest.mark.parametrize(
    "book",
    [*Billing.contents.values(), *Orders.contents.values(), LINES, RUN_BOOK, SESSION, STATIONS],
    ids=lambda book: book.word,
)
def test_what_always_stays_of_a_list_fits_a_telephone(book: Book) -> None:
    kept = [cell for cell in book.cells if not cell.drop]
    assert sum(cell.width + 1 for cell in kept) + 1 <= 46, [cell.title for cell in kept]
    assert any(cell.grow for cell in book.cells)


def test_tabs_that_do_not_fit_keep_the_chosen_one_in_sight() -> None:
    names = ["Open", "Invoices", "Bills", "Unpriced", "Tariffs", "Charges", "Ledger"]
    for name in names:
        bar = tab_bar(names, name, 40)
        assert width_of(bar) <= 40
        assert any(span == (f"[{name}]", "strong") for span in bar)
