"""The book of invoices."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from cms.contract.invoices import CreditInvoice, InvoiceView, ListInvoices
from cms.contract.tariffs import VatPart
from tests.tui.fake import FakeDaemon, small_fleet
from tests.tui.seat import seated

D = Decimal
OVERDUE = InvoiceView(
    invoice="2026-0042",
    kind="invoice",
    status="overdue",
    driver="ada",
    buyer="Ada [Lovelace]",
    issued_on=date(2026, 11, 1),
    due_on=date(2026, 11, 15),
    period_from=date(2026, 10, 1),
    period_to=date(2026, 10, 31),
    sessions=2,
    energy_wh=20_500,
    currency="EUR",
    net=D("10.00"),
    gross=D("11.90"),
    rounding=D(0),
    payable=D("11.90"),
    open=D("1.90"),
    overdue_days=7,
    reminders=0,
    sent_at=None,
    corrects=None,
    note=None,
    vat=(VatPart(D(19), D("10.00"), D("1.90"), D("11.90")),),
)


def with_invoices() -> FakeDaemon:
    daemon = small_fleet()
    daemon.shelf[ListInvoices] = [OVERDUE]
    daemon.shown[CreditInvoice] = None
    return daemon


async def test_an_invoice_says_how_it_stands_and_is_credited_after_a_yes() -> None:
    daemon = with_invoices()
    async with seated(daemon, size=(160, 48)) as seat:
        seat.app.travel.open_book("invoices", None)
        await seat.sees("2026-0042", "overdue", "Ada [Lovelace]", "11.90", "1.90", "20.5")
        await seat.press("C")
        await seat.type("wrong customer")
        await seat.press("enter")
        await seat.sees("cms invoices void 2026-0042 --reason 'wrong customer'")
        await seat.press("y")
        await seat.until(lambda: CreditInvoice("2026-0042", "wrong customer") in daemon.asked)
