"""What is open of money, and who has which plan, as the console shows it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from cms.contract.openmatters import ListOpenMatters, OpenMatter
from cms.contract.plans import CancelPlan, ListSubscriptions, PlanStep, SubscriptionView
from cms.contract.refusals import Conflict
from cms.contract.tariffs import Money
from tests.tui.fake import small_fleet
from tests.tui.seat import seated

D = Decimal
THEN = datetime(2026, 11, 1, tzinfo=UTC)


async def test_what_waits_for_a_person_stands_above_what_is_done() -> None:
    daemon = small_fleet()
    daemon.shelf[ListOpenMatters] = [
        OpenMatter("held", "a person", "sessions are held", 0, None, None, "cms bills list --status held"),
        OpenMatter("unbilled", "a run", "sessions are not on an invoice yet", 212, Money(D("41902.18"), "EUR"),
                   date(2026, 11, 3), "cms billing run --dry-run"),
        OpenMatter("overdue", "a person", "invoices are overdue", 7, Money(D("2310.40"), "EUR"),
                   date(2026, 10, 2), "cms invoices list --status overdue"),
    ]  # fmt: skip
    async with seated(daemon) as seat:
        seat.app.travel.open_book("billing", None)
        await seat.sees("7", "invoices are overdue", "2310.40 EUR", "2026-10-02")
        await seat.sees("212", "not on an invoice yet", "✔", "sessions are held")
        shown = seat.text
        assert shown.index("are overdue") < shown.index("not on an invoice") < shown.index("are held")


async def test_a_subscription_is_cancelled_from_its_book() -> None:
    daemon = small_fleet()
    step = PlanStep(date(2026, 11, 1), "flat", THEN, "ben")
    daemon.shelf[ListSubscriptions] = [
        SubscriptionView("ada", "flat", "active", date(2026, 11, 1), None, None, date(2026, 12, 1), (step,))
    ]
    async with seated(daemon) as seat:
        seat.app.travel.open_book("subscriptions", None)
        await seat.sees("ada", "flat", "active", "2026-11-01")
        await seat.press("D")
        await seat.sees("cms plans cancel ada", "until term and notice are over")
        daemon.refusing[CancelPlan] = Conflict("plan flat can be left from 2027-11-01 on, not before")
        await seat.press("y")
        await seat.hears("can be left from 2027-11-01")
        await seat.until(lambda: any(isinstance(asked, CancelPlan) for asked in daemon.asked))
