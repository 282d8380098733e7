"""Who pays how: subscription plans, who has which, and the billing profiles of drivers."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

from cms.contract import billingprofiles, openmatters, plans
from cms.contract.intents import Preview
from tui import words
from tui.books.shape import Book, Cell, field, order
from tui.orders import Draft, Target
from tui.widgets.paint import Span

_PLANS = {"open": "good", "coming": "busy", "closed": "dim"}
_SUBSCRIPTIONS = {"active": "good", "coming": "busy", "ending": "warn", "ended": "dim", "none": "dim"}


def _status(tones: dict[str, str]) -> Callable[[Any], Span]:
    return lambda row: (row.status, tones.get(row.status, ""))


def _fee(row: Any) -> Span:
    return f"{row.fee.amount} {row.fee.currency}"


def _kwh(row: Any) -> Span:
    return f"{row.included_wh / 1000:g}" if row.included_wh else ""


def _day(name: str) -> Callable[[Any], Span]:
    return lambda row: words.day(getattr(row, name))


def _foretold(verb: str, does: str, option: str = "") -> Callable[[Draft], Preview]:
    """What becomes of the driver under the cursor."""

    def foretell(draft: Draft) -> Preview:
        driver, text = draft.target.row.driver, draft.text.strip()
        said = f" {option} {shlex.quote(text)}".replace("  ", " ") if text else ""
        line = f"cms {verb.format(driver=shlex.quote(driver))}{said}"
        return Preview(draft.act.name, "", 1, does.format(driver=driver, text=text), line)

    return foretell


PLANS = Book(
    "plans",
    "Plans",
    "what a month of each costs, and what is in it",
    plans.PlanView,
    lambda station: plans.ListPlans(),
    lambda row: row.id,
    (
        Cell("Plan", 14, field("id")),
        Cell("State", 7, _status(_PLANS)),
        Cell("Name", 18, field("name"), grow=True),
        Cell("A month", 12, _fee, right=True),
        Cell("kWh", 7, _kwh, right=True),
        Cell("Members", 7, field("members"), right=True),
        Cell("Tariff", 12, field("tariff"), drop=1),
        Cell("Term", 4, lambda row: str(row.term_months) if row.term_months else "", right=True, drop=2),
        Cell("Notice", 6, lambda row: str(row.notice_days) if row.notice_days else "", right=True, drop=3),
    ),
    "no plan is offered: cms plans add",
    ("plan.",),
    opened=lambda row: plans.ShowPlan(row.id),
)


def _change(target: Target, text: str) -> plans.ChangePlan:
    return plans.ChangePlan(target.row.driver, text.strip())


SUBSCRIPTIONS = Book(
    "subscriptions",
    "Subscriptions",
    "who has which plan",
    plans.SubscriptionView,
    lambda station: plans.ListSubscriptions(),
    lambda row: row.driver,
    (
        Cell("Driver", 16, field("driver"), grow=True),
        Cell("Plan", 14, field("plan")),
        Cell("State", 7, _status(_SUBSCRIPTIONS)),
        Cell("Since", 10, _day("since")),
        Cell("Until", 10, _day("until")),
        Cell("Next", 14, field("next"), drop=1),
        Cell("Free from", 10, _day("free_from"), drop=2),
    ),
    "nobody has a plan: cms plans sign-up",
    ("plan.", "driver.erased"),
    (
        order("M", "other plan", "give the driver under the cursor another plan, as soon as his allows",
              "Change the plan of", _change, "plan:", at_row=True,
              foretell=_foretold("plans change {driver}",
                                 "{driver} has {text} at once where it costs as much or more, else from the day "
                                 "on which he may leave his plan")),
        order("D", "cancel", "end the subscription under the cursor as term and notice have it",
              "Cancel the plan of", lambda target, _: plans.CancelPlan(target.row.driver), at_row=True,
              foretell=_foretold("plans cancel {driver}",
                                 "{driver} keeps his plan until term and notice are over")),
    ),
    opened=lambda row: plans.ShowSubscription(row.driver),
)  # fmt: skip

PROFILES = Book(
    "billing-profiles",
    "Billing profiles",
    "how drivers pay",
    billingprofiles.BillingProfileView,
    lambda station: billingprofiles.ListBillingProfiles(),
    lambda row: row.driver,
    (
        Cell("Driver", 16, field("driver")),
        Cell("Pays", 9, lambda row: row.way or ("as tokens", "dim")),
        Cell("Billed", 8, field("every")),
        Cell("Plan", 14, field("plan")),
        Cell("Card", 18, field("card"), drop=1),
        Cell("Company", 18, field("company"), grow=True),
        Cell("VAT number", 14, field("vat_id"), drop=2),
    ),
    "nobody said how a driver pays: cms drivers billing set",
    ("billing.profile", "plan.", "driver.erased"),
)

_WAITS = {"a person": "bad", "a run": "busy", "a payment": "warn"}
_ORDER = {who: place for place, who in enumerate(_WAITS)}


def _count(row: Any) -> Span:
    return (str(row.count), _WAITS.get(row.waits_for, "")) if row.count else ("✔", "good")


def _amount(row: Any) -> Span:
    return "" if row.amount is None else f"{row.amount.amount} {row.amount.currency}"


BILLING = Book(
    "billing",
    "Billing",
    "what of money is open, and whom it waits for",
    openmatters.OpenMatter,
    lambda station: openmatters.ListOpenMatters(),
    # What is open comes first, and of that what waits for a person.
    lambda row: f"{not row.count:d} {_ORDER.get(row.waits_for, len(_ORDER))} {row.matter}",
    (
        Cell("Open", 6, _count, right=True),
        Cell("What", 18, field("what"), grow=True),
        Cell("Amount", 14, _amount, right=True),
        Cell("Since", 10, _day("oldest"), drop=1),
        Cell("Waits for", 9, field("waits_for"), drop=2),
        Cell("See", 40, field("command", "dim"), drop=3),
    ),
    "nothing is told",
    ("cdr.", "session.billed", "charge.changed", "plan.", "billing.profile"),
    called=lambda row: str(row.what),
)

BOOKS = (BILLING, PLANS, SUBSCRIPTIONS, PROFILES)
