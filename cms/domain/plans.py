"""Subscription plans: versions, who has which since when, and what a month of them comes to.

Days and months are those of the organisation's calendar. Amounts are whole minor units, energy is whole Wh.

Pro rata: what of a month's fee is due by the end of its n-th day is ``fee x n / days of the month``, rounded half up
to the coin. A part of a month costs the difference of its two ends, so that the parts of a month always come to its
fee. Included energy is divided likewise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from cms.contract.plans import Plan, PlanStep
from cms.contract.refusals import Invalid
from cms.domain import organisations
from cms.domain.evolve import evolve
from cms.domain.ledger import minor
from cms.domain.record import record

__all__ = ["Plan", "PlanStep"]

PLAN, SUBSCRIPTION = "plan", "subscription"
#: Steps of a subscription that are remembered.
MOST_STEPS = 500
MOST_VERSIONS = 200
_DAY = timedelta(days=1)
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_HIGHEST_FEE = Decimal(100_000)
_MOST_WH = 100_000_000


@record
class Offer:
    """All versions of one plan, by the day they begin to hold; nobody signs up from ``closed_on`` on."""

    id: str
    versions: tuple[Plan, ...]
    closed_on: date | None = None

    def on(self, day: date) -> Plan | None:
        """The version that holds on a day."""
        held = None
        for plan in self.versions:
            if begins(plan) > day:
                break
            held = plan
        return held

    def open_on(self, day: date) -> bool:
        return self.on(day) is not None and (self.closed_on is None or day < self.closed_on)


def begins(plan: Plan) -> date:
    assert plan.valid_from is not None, "a version that is offered has its day"
    return plan.valid_from


@record
class Subscription:
    """Which plan a driver has since when, oldest first; a step without a plan ends it."""

    driver: str
    steps: tuple[PlanStep, ...] = ()

    def on(self, day: date) -> PlanStep | None:
        """The step that holds on a day; None before the first."""
        held = None
        for step in self.steps:
            if step.since > day:
                break
            held = step
        return held

    def plan_on(self, day: date) -> str | None:
        held = self.on(day)
        return held.plan if held is not None else None

    def after(self, day: date) -> PlanStep | None:
        """The next step that is to come."""
        return next((step for step in self.steps if step.since > day), None)

    def with_step(self, step: PlanStep) -> Subscription:
        """From its day on this is what holds: what was to come then is dropped."""
        before = tuple(known for known in self.steps if known.since < step.since)
        return evolve(self, steps=(*before, step)[-MOST_STEPS:])


def zone(kept: Mapping[str, Mapping[str, Any]]) -> ZoneInfo:
    """Whose days and months count: the organisation's."""
    own = organisations.own(kept)
    return ZoneInfo(own.time_zone if own is not None else "UTC")


def day_of(kept: Mapping[str, Mapping[str, Any]], at: datetime) -> date:
    return at.astimezone(zone(kept)).date()


def check(plan: Plan) -> None:
    """Raise Invalid for a plan that cannot be offered."""
    if not _ID.fullmatch(plan.id):
        raise Invalid(f"{plan.id[:40]!r} cannot be a plan's id", "1 to 32 of a-z, 0-9 and '-', e.g. flat-50")
    if not 0 < len(plan.name) <= 100 or not plan.name.isprintable():
        raise Invalid("a plan's name has 1 to 100 printable characters")
    if not _CURRENCY.fullmatch(plan.currency):
        raise Invalid(f"the currency must be three capitals as in ISO 4217, not {plan.currency[:10]!r}")
    if not plan.fee.is_finite() or not 0 <= plan.fee <= _HIGHEST_FEE:
        raise Invalid(f"a month costs 0 to {_HIGHEST_FEE}, not {plan.fee}")
    try:
        minor(plan.fee, plan.currency)
    except ValueError as error:
        raise Invalid(f"the fee: {error}") from None
    if not plan.vat_percent.is_finite() or not 0 <= plan.vat_percent <= 100:
        raise Invalid(f"the tax is 0 to 100 per cent, not {plan.vat_percent}")
    if plan.vat_percent != round(plan.vat_percent, 3):
        raise Invalid(f"the tax has at most three decimals, not {plan.vat_percent}")
    check_day(plan.valid_from)
    bounds = (("included_wh", _MOST_WH), ("term_months", 120), ("notice_days", 366))
    for name, most in bounds:
        if not 0 <= getattr(plan, name) <= most:
            raise Invalid(f"{name} is 0 to {most}, not {getattr(plan, name)}")


# The calendar

#: Calendars have an end; plans have one sooner.
_FIRST_YEAR, _LAST_YEAR = 2000, 2200


def check_day(day: date | None) -> None:
    """Raise Invalid for a day without years around it."""
    if day is not None and not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise Invalid(f"a day lies between {_FIRST_YEAR} and {_LAST_YEAR}, not in the year {day.year}")


def month_of(day: date) -> tuple[date, date]:
    """The first day of its month, and of the next."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)


def months(since: date, until: date) -> Iterator[tuple[date, date]]:
    """All months from that of ``since`` that are over by the end of ``until``."""
    first, following = month_of(since)
    while following <= until + _DAY:
        yield first, following
        first, following = month_of(following)


def months_later(day: date, count: int) -> date:
    """The same day so many months later; the last of the month where there is none."""
    index = day.year * 12 + day.month - 1 + count
    first = date(index // 12, index % 12 + 1, 1)
    last = month_of(first)[1] - _DAY
    return min(first.replace(day=min(day.day, last.day)), last)


def free_from(bound_until: date | None, plan: Plan, today: date) -> date:
    """The first day that somebody who cancels today may be without the plan."""
    earliest = today + timedelta(days=max(plan.notice_days, 1))
    return earliest if bound_until is None else max(earliest, bound_until)


# What a month comes to


def due(whole: int, days: int, of: int) -> int:
    """What of a whole is due after so many days of so many: halves up."""
    return (2 * whole * days + of) // (2 * of)


@record
class Part:
    """Days of one month on which one version of a plan holds; ``until`` is the first day after."""

    plan: Plan
    since: date
    until: date
    number: int = 1
    """Which part of this plan in this month."""

    @property
    def fee(self) -> int:
        """In minor units, taxes included."""
        return self._share(minor(self.plan.fee, self.plan.currency))

    @property
    def whole(self) -> bool:
        """Whether it is all of its month."""
        return (self.since, self.until) == month_of(self.since)

    @property
    def included_wh(self) -> int:
        return self._share(self.plan.included_wh)

    def _share(self, whole: int) -> int:
        first, following = month_of(self.since)
        of = (following - first).days
        return due(whole, (self.until - first).days, of) - due(whole, (self.since - first).days, of)

    @property
    def month(self) -> str:
        return f"{self.since:%Y-%m}"


def fee_source(driver: str, part: Part) -> str:
    """What an invoice bills once: ``fee/ana/flat/2026-11``, a further part ``fee/ana/flat/2026-11/2``."""
    key = f"fee/{driver}/{part.plan.id}/{part.month}"
    return key if part.number == 1 else f"{key}/{part.number}"


def parts(subscription: Subscription, offers: Mapping[str, Offer], month: tuple[date, date]) -> list[Part]:
    """The month cut where the plan, or its version, changes; days without a plan are in none."""
    first, following = month
    cuts = {first, following}
    cuts |= {step.since for step in subscription.steps}
    for offer in _held(subscription, offers):
        cuts |= {begins(plan) for plan in offer.versions}
    days = sorted(day for day in cuts if first <= day <= following)
    found: list[Part] = []
    for since, until in pairwise(days):
        name = subscription.plan_on(since)
        plan = offers[name].on(since) if name is not None and name in offers else None
        if plan is None:
            continue
        if found and found[-1].until == since and found[-1].plan == plan:
            found[-1] = evolve(found[-1], until=until)
            continue
        number = 1 + sum(known.plan.id == plan.id for known in found)
        found.append(Part(plan, since, until, number))
    return found


def _held(subscription: Subscription, offers: Mapping[str, Offer]) -> Iterator[Offer]:
    for name in {step.plan for step in subscription.steps if step.plan is not None}:
        if name in offers:
            yield offers[name]


# Included energy


@record
class Energy:
    """One line of a session's bill for energy. ``room`` is what the whole session came to, taxes included: no more
    than that is ever given back, whatever its tariff's maximum took off."""

    session: str
    wh: Decimal
    gross: int
    room: int


@record
class Covered:
    """How much of an energy line (by its place) the plan includes, and what that comes to, taxes included."""

    line: int
    wh: Decimal
    gross: int


def cover(lines: Sequence[Energy], included_wh: Decimal) -> list[Covered]:
    """Which lines are covered, in their order, until nothing is left. Never more than a line or its session cost."""
    left, room, found = included_wh, dict[str, int](), list[Covered]()
    for index, line in enumerate(lines):
        open_ = room.setdefault(line.session, line.room)
        if left <= 0:
            break
        if line.wh <= 0 or line.gross <= 0 or open_ <= 0:
            continue
        wh = min(left, line.wh)
        gross = min(_part_of(line, wh), open_)
        left -= wh
        if gross > 0:
            room[line.session] = open_ - gross
            found.append(Covered(index, wh, gross))
    return found


def _part_of(line: Energy, wh: Decimal) -> int:
    """What so much of it costs, halves up; the whole line costs what it says."""
    if wh >= line.wh:
        return line.gross
    share = Decimal(line.gross) * wh / line.wh
    return min(int(share + Decimal("0.5")), line.gross)
