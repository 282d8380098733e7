"""Plans from their offer to the lines of an invoice, on a core of small real parts."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from cms.contract.billingprofiles import SetBillingProfile
from cms.contract.drivers import AddDriver, EraseDriver, ExportDriver
from cms.contract.openmatters import ListOpenMatters
from cms.contract.plans import (
    AddPlan,
    CancelPlan,
    ChangePlan,
    ClosePlan,
    ListPlans,
    ListSubscriptions,
    Plan,
    ShowPlan,
    SignUp,
    SubscriptionView,
)
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.contract.tariffs import Bill, BillLine, VatPart
from cms.domain.cdrs import AddCdr, Cdr, Payer
from cms.domain.evolve import evolve
from cms.domain.invoices import AddInvoice, Invoice, Item, Party
from cms.operations import billingprofiles, drivers, openmatters, plans, privacy, subscriptions
from tests.operations.small import ANA, Small

D = Decimal
NOVEMBER = (date(2026, 11, 1), date(2026, 11, 30))


def at(day: int, hour: int = 12, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


@pytest.fixture(autouse=True)
async def ada(small: Small) -> None:
    small.clock.time = at(1)
    await drivers.add(small.core, AddDriver("ada"), ANA)


async def offer(small: Small, id: str = "flat", fee: str = "30.00", **fields: Any) -> None:
    plan = Plan(id, id.title(), D(fee), "EUR", D(19), **fields)
    await plans.add(small.core, AddPlan(plan), ANA)


async def signs(small: Small, plan: str = "flat", **fields: Any) -> SubscriptionView:
    return await subscriptions.sign_up(small.core, SignUp("ada", plan, **fields), ANA)


async def changes(small: Small, plan: str, **fields: Any) -> SubscriptionView:
    return await subscriptions.change(small.core, ChangePlan("ada", plan, **fields), ANA)


async def cancels(small: Small, **fields: Any) -> SubscriptionView:
    return await subscriptions.cancel(small.core, CancelPlan("ada", **fields), ANA)


async def charged(
    small: Small, session: str, ended_at: datetime, kwh: str, account: str = "receivable/ada"
) -> Cdr:
    """The record of a session at 0.50 a kWh and a start fee of 1.00, with 19 % tax."""
    energy = (D(kwh) * D("0.50") * D("1.19")).quantize(D("0.01"))
    start = D("1.19")

    def line(what: str, quantity: Decimal, unit: str, price: str, gross: Decimal) -> BillLine:
        net = (gross / D("1.19")).quantize(D("0.01"))
        return BillLine(what, "T1", None, None, quantity, unit, D(price), D(19), net, gross - net, gross)

    lines = (
        line("energy", D(kwh), "kWh", "0.50", energy),
        line("fixed-fee", D(1), "session", "1.00", start),
    )
    net = sum((one.net for one in lines), D(0))
    gross = energy + start
    bill = Bill("EUR", lines, (VatPart(D(19), net, gross - net, gross),), net, gross)
    wh = int(D(kwh) * 1000)
    record = Cdr(
        session=session,
        revision=1,
        reason="the session ended",
        rated_at=ended_at,
        station="CP1",
        evse=1,
        connector=1,
        evse_id=None,
        site=None,
        token="CARD1",
        token_kind=None,
        payer=Payer("invoice", account, "ada"),
        started_at=ended_at,
        ended_at=ended_at,
        time_zone="UTC",
        energy_wh=wh,
        meter_start_wh=0,
        meter_stop_wh=wh,
        charging_s=0,
        idle_s=0,
        tariffs=("T1",),
        source="central",
        bill=bill,
    )
    await small.core.store.commit((AddCdr(record),), ())
    return record


async def lines(small: Small, *cdrs: Cdr) -> dict[str, tuple[Decimal, Decimal]]:
    """Source -> quantity and amount, of November when it is over."""
    small.clock.time = max(small.clock.time, at(1, month=12))
    found = await plans.fees(small.core, "ada", NOVEMBER, cdrs, "EUR")
    assert all(item.gross == item.net + item.vat for item in found)
    return {item.source: (item.quantity, item.gross) for item in found}


def invoice_of(items: list[Item], cdr: Cdr) -> Invoice:
    """An invoice with these items and a session."""
    session = evolve(items[0], source=cdr.ref, session=cdr.session)
    nothing, party = D(0), Party("Volt")
    return Invoice("2026", 1, "invoice", date(2026, 12, 1), date(2026, 12, 15), *NOVEMBER, "ada", "receivable/ada",
                   party, party, "EUR", (session, *items), (), nothing, nothing, nothing, nothing,
                   at(1, month=12))  # fmt: skip


async def test_a_plan_is_offered_versioned_and_found_again_after_a_restart(small: Small) -> None:
    await offer(small, included_wh=100_000)
    await offer(small, included_wh=100_000)
    await offer(small, fee="35.00", valid_from=date(2026, 12, 1))
    with pytest.raises(Conflict, match="never changes"):
        await offer(small, fee="36.00", valid_from=date(2026, 12, 1))
    await small.restart()
    [seen] = await plans.list_(small.core, ListPlans(), ANA)
    assert (seen.fee.amount, seen.status, len(seen.versions)) == (D("30.00"), "open", 2)
    small.clock.time = at(1, month=12)
    assert (await plans.show(small.core, ShowPlan("flat"), ANA)).fee.amount == D("35.00")


async def test_a_plan_names_a_tariff_that_there_is(small: Small) -> None:
    with pytest.raises(NotFound):
        await offer(small, tariff="nowhere")


async def test_nobody_signs_up_for_a_closed_plan_and_its_members_stay(small: Small) -> None:
    await offer(small)
    assert (await signs(small)).plan == "flat"
    assert (await plans.close(small.core, ClosePlan("flat"), ANA)).status == "closed"
    [member] = await subscriptions.members(small.core, ListSubscriptions("flat"), ANA)
    assert (member.driver, member.status) == ("ada", "active")
    await drivers.add(small.core, AddDriver("ben"), ANA)
    with pytest.raises(Conflict, match="closed since"):
        await subscriptions.sign_up(small.core, SignUp("ben", "flat"), ANA)


async def test_signing_up_twice_is_harmless_and_for_another_plan_a_change(small: Small) -> None:
    await offer(small)
    await offer(small, "more", "60.00")
    first = await signs(small)
    assert await signs(small) == first
    with pytest.raises(Conflict, match="has plan flat"):
        await signs(small, "more")
    changed = await changes(small, "more", since=date(2026, 11, 11))
    assert (changed.plan, changed.until, changed.next) == ("flat", date(2026, 11, 10), "more")


async def test_a_cheaper_plan_waits_for_term_and_notice_and_a_dearer_one_does_not(small: Small) -> None:
    await offer(small, term_months=12, notice_days=14)
    await offer(small, "less", "10.00")
    await offer(small, "more", "60.00")
    await signs(small)
    with pytest.raises(Conflict, match="2027-11-01"):
        await changes(small, "less", since=date(2026, 12, 1))
    assert (await changes(small, "less")).until == date(2027, 10, 31)
    assert (await changes(small, "more", since=date(2026, 12, 1))).next == "more"
    assert (await changes(small, "less", now=True, reason="our mistake")).plan == "less"


async def test_cancelling_keeps_to_the_term_unless_somebody_says_why(small: Small) -> None:
    await offer(small, term_months=1, notice_days=3)
    await signs(small)
    assert (await cancels(small)).until == date(2026, 11, 30)
    with pytest.raises(Conflict, match="--now"):
        await _refused_with_hint(small, until=date(2026, 11, 9))
    with pytest.raises(Invalid, match="why"):
        await cancels(small, now=True)
    done = await cancels(small, now=True, reason="moved abroad")
    assert (done.status, done.until) == ("ending", date(2026, 11, 1))
    small.clock.time = at(2)
    assert subscriptions.subscription(small.core, "ada").status == "ended"
    with pytest.raises(Conflict, match="no plan"):
        await cancels(small)


async def _refused_with_hint(small: Small, **fields: Any) -> None:
    try:
        await cancels(small, **fields)
    except Conflict as refused:
        raise Conflict(f"{refused.message} {refused.hint}") from None


async def test_a_month_has_a_fee_and_gives_back_the_energy_that_it_includes(small: Small) -> None:
    await offer(small, included_wh=30_000)
    await signs(small)
    first = await charged(small, "S1", at(5), "20")
    second = await charged(small, "S2", at(9), "20")
    assert await lines(small, first, second) == {
        "fee/ada/flat/2026-11": (D(1), D("30.00")),
        "included/ada/2026-11/S1": (D(-20), D("-11.90")),
        "included/ada/2026-11/S2": (D(-10), D("-5.95")),
    }


async def test_sessions_that_were_paid_before_count_too_and_those_of_other_days_do_not(small: Small) -> None:
    await offer(small, included_wh=30_000)
    small.clock.time = at(16)
    await signs(small)
    await charged(small, "S0", at(5), "20", "prepaid/ada")
    await charged(small, "S1", at(17), "4", "prepaid/ada")
    await charged(small, "S2", at(20), "4", "waived")
    assert await lines(small) == {
        "fee/ada/flat/2026-11": (D(1), D("15.00")),
        "included/ada/2026-11/S1": (D(-4), D("-2.38")),
    }


async def test_a_month_that_is_not_over_costs_nothing_yet(small: Small) -> None:
    await offer(small)
    await signs(small)
    period = (date(2026, 11, 1), date(2026, 11, 29))
    assert await plans.fees(small.core, "ada", period, (), "EUR") == []
    assert await plans.fees(small.core, "ada", NOVEMBER, (), "USD") == []


async def test_months_that_no_run_billed_are_billed_by_the_next(small: Small) -> None:
    await offer(small)
    await signs(small)
    december = (date(2026, 12, 1), date(2026, 12, 31))
    assert await plans.fees(small.core, "ada", december, (), "EUR") == [], "no month is over yet"
    small.clock.time = datetime(2027, 1, 1, 12, tzinfo=UTC)
    found = await plans.fees(small.core, "ada", december, (), "EUR")
    assert [item.source for item in found] == ["fee/ada/flat/2026-11", "fee/ada/flat/2026-12"]


async def test_a_change_and_a_cancellation_within_a_month_cost_their_days(small: Small) -> None:
    await offer(small)
    await offer(small, "more", "60.00")
    await signs(small)
    small.clock.time = at(11)
    await changes(small, "more")
    small.clock.time = at(20)
    await cancels(small, now=True, reason="sold the car")
    assert await lines(small) == {
        "fee/ada/flat/2026-11": (D(1), D("10.00")),
        "fee/ada/more/2026-11": (D(1), D("20.00")),
    }


async def test_who_charges_free_pays_no_fee(small: Small) -> None:
    await offer(small)
    await signs(small)
    await billingprofiles.set_(small.core, SetBillingProfile("ada", way="free"), ANA)
    assert await lines(small) == {}


async def test_what_a_driver_pays_and_had_is_in_his_export(small: Small) -> None:
    await offer(small)
    await signs(small)
    await billingprofiles.set_(small.core, SetBillingProfile("ada", way="card", company="Engines"), ANA)
    told = await privacy.export(small.core, ExportDriver("ada"), ANA)
    assert (told.billing.company, told.billing.way, told.subscription.plan) == ("Engines", "card", "flat")


async def test_who_is_erased_leaves_his_plan_first_and_it_stays_under_an_alias(small: Small) -> None:
    await offer(small)
    await signs(small)
    await billingprofiles.set_(small.core, SetBillingProfile("ada", company="Engines"), ANA)
    small.clock.time = at(3)
    with pytest.raises(Conflict, match="has plan flat"):
        await privacy.erase(small.core, EraseDriver("ada"), ANA)
    await cancels(small, until=date(2026, 11, 2), now=True, reason="is to be erased")
    done = await privacy.erase(small.core, EraseDriver("ada"), ANA)
    await small.restart()
    [known] = plans.subscriptions(small.core).values()
    assert known.driver == done.alias
    assert [(step.since.day, step.plan, step.reason) for step in known.steps] == [
        (1, "flat", None),
        (3, None, None),
    ]
    assert small.core.kept.get("billing-profile", {}) == {}
    assert await small.core.store.kept("", "billing-contact") == {}
    assert await lines(small) == {}


async def test_a_subscription_that_has_not_begun_can_be_taken_back(small: Small) -> None:
    await offer(small)
    assert (await signs(small, since=date(2026, 12, 1))).status == "coming"
    assert (await cancels(small)).status == "ended"


async def test_cancelling_or_changing_twice_is_harmless_and_signing_up_again_takes_it_back(
    small: Small,
) -> None:
    await offer(small, term_months=3, notice_days=14)
    await offer(small, "less", "10.00")
    await signs(small)
    first = await cancels(small)
    small.clock.time = at(25)
    assert (await cancels(small)).until == first.until == date(2027, 1, 31)
    again = await signs(small)
    assert (again.status, again.until, again.steps[-1].bound_until) == ("active", None, date(2027, 2, 1))
    pending = await changes(small, "less")
    small.clock.time = at(26)
    assert await changes(small, "less") == pending
    with pytest.raises(Conflict, match="has plan flat"):
        await signs(small, "less")


async def test_what_comes_late_takes_what_was_left_of_the_month(small: Small) -> None:
    await offer(small, included_wh=30_000)
    await signs(small)
    first = await charged(small, "S1", at(5), "20")
    small.clock.time = at(1, month=12)
    made = await plans.fees(small.core, "ada", NOVEMBER, (first,), "EUR")
    await small.core.store.commit((AddInvoice(invoice_of(made, first)),), ())
    assert await lines(small) == {}
    late = await charged(small, "S0", at(3), "20")
    assert await lines(small, late) == {"included/ada/2026-11/S0": (D(-10), D("-5.95"))}


async def test_a_fee_says_its_first_and_its_last_day(small: Small) -> None:
    await offer(small)
    small.clock.time = at(16)
    await signs(small)
    small.clock.time = at(1, month=12)
    [part] = await plans.fees(small.core, "ada", NOVEMBER, (), "EUR")
    small.clock.time = datetime(2027, 1, 1, tzinfo=UTC)
    [_, whole] = await plans.fees(small.core, "ada", (date(2026, 12, 1), date(2026, 12, 31)), (), "EUR")
    days = [
        (item.since and item.since.day, item.until and item.until.day, item.unit) for item in (part, whole)
    ]
    assert days == [(16, 30, "session"), (1, 31, "month")]


@pytest.mark.parametrize("day", [date.min, date.max])
async def test_a_day_that_no_calendar_goes_on_from_is_refused(small: Small, day: date) -> None:
    await offer(small)
    with pytest.raises(Invalid):
        await signs(small, since=day)
    await signs(small)
    for asked in (
        lambda: offer(small, "more", valid_from=day),
        lambda: changes(small, "flat", since=day),
        lambda: cancels(small, until=day),
        lambda: plans.close(small.core, ClosePlan("flat", day), ANA),
        lambda: openmatters.list_(small.core, ListOpenMatters(day), ANA),
    ):
        with pytest.raises(Invalid):
            await asked()
