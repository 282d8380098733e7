"""Subscription plans: what a month costs, what is in it, who has which plan since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from cms.contract.record import record
from cms.contract.tariffs import Money


@record
class Plan:
    """One version of a plan: it holds for all its members from ``valid_from`` until the next one does.

    ``fee`` is that of a whole calendar month, taxes of ``vat_percent`` included. ``included_wh`` is the energy of a
    month that costs nothing more. ``tariff`` is what members charge by; null: what everybody does. ``term_months``
    is how long a member stays at least, ``notice_days`` how long he stays after he cancels.
    """

    id: str
    name: str
    fee: Decimal
    currency: str
    vat_percent: Decimal = Decimal(0)
    included_wh: int = 0
    tariff: str | None = None
    term_months: int = 0
    notice_days: int = 0
    valid_from: date | None = None


@record
class PlanView:
    """A plan as it is today (or as its first version will be). ``status``: open, coming, closed (nobody signs up any
    more); ``versions`` are all of them, oldest first."""

    id: str
    name: str
    status: str
    fee: Money
    vat_percent: Decimal
    included_wh: int
    tariff: str | None
    term_months: int
    notice_days: int
    valid_from: date
    closed_on: date | None
    members: int
    versions: tuple[Plan, ...]


@record
class PlanStep:
    """From this day on a driver has this plan; null: none. ``bound_until``: the first day he may be without it."""

    since: date
    plan: str | None
    asked_at: datetime
    by: str
    reason: str | None = None
    bound_until: date | None = None


@record
class SubscriptionView:
    """Which plan a driver has. ``status``: active, coming (it begins later), ending (its end is known), ended.

    ``until`` is its last day, ``next`` the plan after it, ``free_from`` the first day he could be without it if he
    cancelled now.
    """

    driver: str
    plan: str | None
    status: str
    since: date | None
    until: date | None
    next: str | None
    free_from: date | None
    steps: tuple[PlanStep, ...]


@dataclass(frozen=True, slots=True)
class ListPlans:
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class ShowPlan:
    plan: str


@dataclass(frozen=True, slots=True)
class AddPlan:
    """Offer a plan, or (with a later ``valid_from``) a new version of one. What a version says never changes: the
    same again is harmless, anything else about the same day a conflict. Without ``valid_from`` it holds from today.
    """

    plan: Plan


@dataclass(frozen=True, slots=True)
class ClosePlan:
    """Nobody signs up any more, from today or a day to come; its members stay."""

    plan: str
    on: date | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ListSubscriptions:
    """Who has, had or will have a plan; with ``plan`` those of it now."""

    plan: str | None = None
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class ShowSubscription:
    driver: str


@dataclass(frozen=True, slots=True)
class SignUp:
    """A driver who has no plan gets one: today, or from a day of which nothing is invoiced yet."""

    driver: str
    plan: str
    since: date | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ChangePlan:
    """Another plan instead: at once where its month costs as much or more, else when the present one may be left.

    ``now``: in spite of term and notice, with a reason.
    """

    driver: str
    plan: str
    since: date | None = None
    now: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class CancelPlan:
    """End a subscription: on its last day as term and notice have it, or on ``until`` where that is later.

    ``now``: today is the last day, in spite of term and notice, with a reason.
    """

    driver: str
    until: date | None = None
    now: bool = False
    reason: str | None = None
