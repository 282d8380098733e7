"""The book of charges: what a person must look at, and money given back with a reason."""

from __future__ import annotations

from decimal import Decimal

from cms.contract.charges import ChargeView, ListCharges, RefundCharge
from cms.contract.tariffs import Money
from tests.tui.fake import NOON, FakeDaemon, small_fleet
from tests.tui.seat import seated

UNPAID = ChargeView(
    id="session-S1",
    purpose="session",
    status="unpaid",
    person=True,
    amount=Money(Decimal("12.34"), "EUR"),
    captured=Decimal(0),
    refunded=Decimal(0),
    account="receivable/ada",
    driver="ada",
    session="S1",
    invoice=None,
    station="CP-0018",
    evse=None,
    card="visa 4242",
    provider="stripe",
    provider_ref="pi_1",
    attempts=3,
    next=None,
    code="insufficient_funds",
    detail="Your card has [insufficient funds].",
    dispute=None,
    created_at=NOON,
    changed_at=NOON,
)


def with_charges() -> FakeDaemon:
    daemon = small_fleet()
    daemon.shelf[ListCharges] = [UNPAID]
    daemon.shown[RefundCharge] = UNPAID
    return daemon


async def test_an_unpaid_charge_says_why_and_money_is_given_back_with_a_reason() -> None:
    daemon = with_charges()
    async with seated(daemon, size=(160, 48)) as seat:
        seat.app.travel.open_book("charges", None)
        await seat.sees("session-S1", "unpaid", "▲", "12.34", "[insufficient funds]")
        await seat.press("R")
        await seat.sees("why:")
        await seat.type("a broken plug")
        await seat.press("enter")
        await seat.sees("cms payments charges refund session-S1 --reason 'a broken plug'")
        await seat.press("y")
        await seat.until(lambda: RefundCharge("session-S1", "a broken plug") in daemon.asked)
