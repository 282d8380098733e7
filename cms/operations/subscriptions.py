"""Subscriptions: which driver has which plan since when; signed up for, changed, left, none of it twice."""

from __future__ import annotations

from datetime import date, timedelta

from cms.contract.filters import keys_of, parse
from cms.contract.plans import (
    CancelPlan,
    ChangePlan,
    ListSubscriptions,
    PlanStep,
    ShowSubscription,
    SignUp,
    SubscriptionView,
)
from cms.contract.refusals import Conflict, Invalid
from cms.core import Actor, Core
from cms.domain import plans
from cms.domain.drivers import Driver
from cms.domain.evolve import evolve
from cms.domain.plans import Offer, Subscription
from cms.operations.deciding import keep
from cms.operations.drivers import find, said
from cms.operations.plans import offer_of, offers, subscriptions, today, told

_DAY = timedelta(days=1)


async def members(core: Core, request: ListSubscriptions, actor: Actor) -> list[SubscriptionView]:
    chosen = parse(request.filter or "", keys_of(SubscriptionView))
    if request.plan is not None:
        offer_of(core, request.plan)
    views = (_subscription(core, one) for _, one in sorted(subscriptions(core).items()))
    return [view for view in views if chosen(view) and request.plan in (None, view.plan)]


async def show(core: Core, request: ShowSubscription, actor: Actor) -> SubscriptionView:
    return subscription(core, find(core, request.driver).id)


def subscription(core: Core, driver_id: str) -> SubscriptionView:
    """A driver's; one who never had a plan has an empty one."""
    return _subscription(core, subscriptions(core).get(driver_id) or Subscription(driver_id))


def _subscription(core: Core, known: Subscription) -> SubscriptionView:
    day = today(core)
    step, to_come = known.on(day), known.after(day)
    plan = step.plan if step is not None else None
    leaves = to_come is not None and to_come.plan != plan
    return SubscriptionView(
        driver=known.driver,
        plan=plan,
        status=_status(known, plan, to_come),
        since=step.since if step is not None and plan is not None else None,
        until=to_come.since - _DAY if to_come is not None and plan is not None and leaves else None,
        next=to_come.plan if to_come is not None else None,
        free_from=_free_from(core, step, day) if step is not None and plan is not None else None,
        steps=known.steps,
    )


def _status(known: Subscription, plan: str | None, to_come: PlanStep | None) -> str:
    if plan is None:
        coming = to_come is not None and to_come.plan is not None
        return "coming" if coming else "ended" if known.steps else "none"
    return "ending" if to_come is not None and to_come.plan is None else "active"


def _free_from(core: Core, step: PlanStep, day: date) -> date | None:
    offer = offers(core).get(step.plan or "")
    plan = offer.on(day) if offer is not None else None
    return None if plan is None else plans.free_from(step.bound_until, plan, day)


async def sign_up(core: Core, request: SignUp, actor: Actor) -> SubscriptionView:
    plans.check_day(request.since)
    async with core.books:
        driver = _member(core, request.driver)
        since = request.since or today(core)
        known = subscriptions(core).get(driver.id) or Subscription(driver.id)
        held, to_come = known.on(since), known.after(since)
        if held is not None and held.plan == request.plan:
            if to_come is not None:
                await _step(core, known, _stays(core, held, since, actor, request.reason), actor)
            return subscription(core, driver.id)
        there = held if held is not None and held.plan is not None else to_come
        if there is not None and there.plan is not None:
            hint = f"cms plans change {driver.id} {request.plan}"
            raise Conflict(f"driver {driver.id} has plan {there.plan} from {there.since} on", hint)
        await _step(core, known, _joined(core, request.plan, since, actor, request.reason), actor)
    return subscription(core, driver.id)


def _stays(core: Core, held: PlanStep, since: date, actor: Actor, reason: str | None) -> PlanStep:
    """Who was to leave his plan keeps it, and its term goes on."""
    at = max(since, held.since)
    return evolve(held, since=at, asked_at=core.clock.now(), by=actor.name, reason=said(reason, "reason"))


async def change(core: Core, request: ChangePlan, actor: Actor) -> SubscriptionView:
    plans.check_day(request.since)
    async with core.books:
        driver = _member(core, request.driver)
        known, day = subscriptions(core).get(driver.id) or Subscription(driver.id), today(core)
        held = known.on(request.since or day)
        if held is None or held.plan is None:
            hint = f"cms plans sign-up {driver.id} {request.plan}"
            raise Conflict(f"driver {driver.id} has no plan on {request.since or day}", hint)
        if held.plan == request.plan:
            raise Conflict(f"driver {driver.id} has plan {held.plan} already")
        to_come = known.after(day)
        if to_come is not None and not request.now and _says(to_come, request):
            return _subscription(core, known)
        earliest = day if _dearer(core, held, request.plan, day) else _free_from(core, held, day) or day
        since = _chosen(request.since, earliest, day, request.now, request.reason, f"plan {held.plan}")
        await _step(core, known, _joined(core, request.plan, since, actor, request.reason), actor)
    return subscription(core, driver.id)


def _says(step: PlanStep, request: ChangePlan) -> bool:
    """Whether what is to come is what is asked for."""
    return step.plan == request.plan and request.since in (None, step.since)


def _dearer(core: Core, held: PlanStep, wanted: str, day: date) -> bool:
    """Whether a month of the wanted plan costs as much or more: then nobody is held back."""
    there = offers(core).get(held.plan or "")
    now, then = there.on(day) if there else None, offer_of(core, wanted).on(day)
    return now is None or (then is not None and then.currency == now.currency and then.fee >= now.fee)


async def cancel(core: Core, request: CancelPlan, actor: Actor) -> SubscriptionView:
    plans.check_day(request.until)
    async with core.books:
        driver = find(core, request.driver)
        known, day = subscriptions(core).get(driver.id) or Subscription(driver.id), today(core)
        held = known.on(day)
        if held is None or held.plan is None:
            held = known.after(day)  # it is to begin yet
        if held is None or held.plan is None:
            raise Conflict(f"driver {driver.id} has no plan", f"cms plans member {driver.id}")
        ends = known.after(held.since)
        if ends is not None and ends.plan is None and request.until is None and not request.now:
            return _subscription(core, known)
        earliest = max(_free_from(core, held, day) or day + _DAY, held.since)
        asked = request.until + _DAY if request.until is not None else None
        since = _chosen(asked, earliest, day + _DAY, request.now, request.reason, f"plan {held.plan}")
        reason = said(request.reason, "reason")
        await _step(core, known, PlanStep(since, None, core.clock.now(), actor.name, reason), actor)
    return subscription(core, driver.id)


def _chosen(
    asked: date | None, earliest: date, at_once: date, now: bool, reason: str | None, what: str
) -> date:
    """The first day of what is to come: as asked, where term and notice allow it; else with a reason."""
    if now:
        if not reason:
            raise Invalid(f"{what} ends in spite of term and notice: why?", "give --reason")
        return asked or at_once
    if asked is not None and asked < earliest:
        hint = "give a later day, or --now with --reason"
        raise Conflict(f"{what} can be left from {earliest} on, not from {asked}", hint)
    return asked or earliest


def _member(core: Core, driver_id: str) -> Driver:
    driver = find(core, driver_id)
    if driver.status == "closed":
        raise Conflict(f"driver {driver.id} is closed")
    return driver


def _joined(core: Core, plan_id: str, since: date, actor: Actor, reason: str | None) -> PlanStep:
    """The step by which somebody is a member from a day on."""
    offer = offer_of(core, plan_id)
    plan = offer.on(since)
    if plan is None or not offer.open_on(since):
        raise Conflict(f"nobody signs up for plan {offer.id} on {since}: {_why_not(offer, since)}")
    bound = plans.months_later(since, plan.term_months) if plan.term_months else None
    return PlanStep(since, plan_id, core.clock.now(), actor.name, said(reason, "reason"), bound)


def _why_not(offer: Offer, day: date) -> str:
    if offer.closed_on is not None and offer.closed_on <= day:
        return f"it is closed since {offer.closed_on}"
    return f"it begins on {offer.versions[0].valid_from}"


async def _step(core: Core, known: Subscription, step: PlanStep, actor: Actor) -> None:
    """Write a step down. What is invoiced stays as it was; ``core.books`` is held by the caller."""
    await _check_unbilled(core, known, step.since)
    after = known.with_step(step)
    data = {"driver": known.driver, "plan": step.plan, "since": step.since, "was": known.plan_on(step.since)}
    await keep(core, plans.SUBSCRIPTION, known.driver, after, told(core, "plan.changed", actor, data))


async def _check_unbilled(core: Core, known: Subscription, since: date) -> None:
    """No day of which the fee is invoiced may get another plan."""
    if since < today(core) - timedelta(days=366):
        raise Invalid(f"{since} is more than a year ago")
    first = plans.month_of(since)[0]
    sources = [
        plans.fee_source(known.driver, part)
        for month in plans.months(first, today(core) + 31 * _DAY)
        for part in plans.parts(known, offers(core), month)
    ]
    billed = await core.store.accounting.billed_among(sources)
    if billed:
        raise Conflict(
            f"the fee is invoiced already: {', '.join(sorted(billed))}",
            "choose a day of a month that is not, and correct the invoice by a credit note",
        )
