"""Subscription plans: offered, signed up for, changed, left; and what a month of one comes to on an invoice.

Fees are billed in arrears: those of a month by the first billing run whose period reaches its last day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from cms.contract.filters import keys_of, parse
from cms.contract.plans import (
    AddPlan,
    CancelPlan,
    ChangePlan,
    ClosePlan,
    ListPlans,
    ListSubscriptions,
    Plan,
    PlanStep,
    PlanView,
    ShowPlan,
    ShowSubscription,
    SignUp,
    SubscriptionView,
)
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.contract.tariffs import BillLine
from cms.core import Actor, Core
from cms.domain import billing, plans
from cms.domain.cdrs import Cdr
from cms.domain.changes import Happened
from cms.domain.costs import rounded
from cms.domain.drivers import Driver
from cms.domain.evolve import evolve
from cms.domain.invoices import Item
from cms.domain.ledger import major, minor
from cms.domain.plans import Covered, Energy, Offer, Part, Subscription
from cms.domain.tariffs import TARIFF
from cms.operations.deciding import keep
from cms.operations.drivers import find, registered, said

_MOST = 1_000
_DAY = timedelta(days=1)
#: An energy line of a bill (domain.costs).
_ENERGY = "energy"


def today(core: Core) -> date:
    """In the organisation's calendar."""
    return plans.day_of(core.kept, core.clock.now())


def offers(core: Core) -> Mapping[str, Offer]:
    """All plans by id."""
    return core.kept.get(plans.PLAN, {})


def subscriptions(core: Core) -> Mapping[str, Subscription]:
    """By driver."""
    return core.kept.get(plans.SUBSCRIPTION, {})


# Plans


async def list_(core: Core, request: ListPlans, actor: Actor) -> list[PlanView]:
    chosen = parse(request.filter or "", keys_of(PlanView))
    views = (_view(core, offer) for _, offer in sorted(offers(core).items()))
    return [view for view in views if chosen(view)]


async def show(core: Core, request: ShowPlan, actor: Actor) -> PlanView:
    return _view(core, _offer(core, request.plan))


def _offer(core: Core, plan_id: str) -> Offer:
    found = offers(core).get(plan_id)
    if found is None:
        raise NotFound(f"there is no plan {plan_id}", "see `cms plans list`")
    return found


def _view(core: Core, offer: Offer) -> PlanView:
    day = today(core)
    plan = offer.on(day) or offer.versions[0]
    closed = offer.closed_on is not None and offer.closed_on <= day
    return PlanView(
        id=offer.id,
        name=plan.name,
        status="closed" if closed else "open" if offer.open_on(day) else "coming",
        fee=plan.fee,
        currency=plan.currency,
        vat_percent=plan.vat_percent,
        included_wh=plan.included_wh,
        tariff=plan.tariff,
        term_months=plan.term_months,
        notice_days=plan.notice_days,
        valid_from=plans.begins(plan),
        closed_on=offer.closed_on,
        members=sum(one.plan_on(day) == offer.id for one in subscriptions(core).values()),
        versions=offer.versions,
    )


async def add(core: Core, request: AddPlan, actor: Actor) -> PlanView:
    """What a version says never changes: invoices were written by it."""
    asked = request.plan
    plans.check(asked)
    async with core.books:
        day = today(core)
        plan = evolve(asked, valid_from=asked.valid_from or day)
        if plan.tariff is not None and plan.tariff not in core.kept.get(TARIFF, {}):
            raise NotFound(f"there is no tariff {plan.tariff}", "see `cms tariffs list`")
        known = offers(core).get(plan.id)
        if known is not None and plan in known.versions:
            return _view(core, known)
        offer = _with_version(known, plan, day) if known is not None else Offer(plan.id, (plan,))
        if known is None and len(offers(core)) >= _MOST:
            raise Conflict(f"there are {_MOST} plans already")
        data = {"plan": plan.id, "version": len(offer.versions), "valid_from": plan.valid_from}
        await keep(core, plans.PLAN, plan.id, offer, _told(core, "plan.added", actor, data))
    return _view(core, offer)


def _with_version(known: Offer, plan: Plan, day: date) -> Offer:
    """A further version: its day is yet to come or today, and after all others."""
    last = known.versions[-1]
    if plans.begins(plan) <= plans.begins(last):
        raise Conflict(
            f"plan {plan.id} has a version from {last.valid_from} on, which never changes",
            "give a later valid_from, or another id",
        )
    if plans.begins(plan) < day:
        raise Conflict(f"a new version of plan {plan.id} holds from today at the earliest")
    if plan.currency != last.currency:
        raise Conflict(
            f"plan {plan.id} is in {last.currency}", "give the plan in another currency its own id"
        )
    if len(known.versions) >= plans.MOST_VERSIONS:
        raise Conflict(f"plan {plan.id} has {plans.MOST_VERSIONS} versions already")
    return evolve(known, versions=(*known.versions, plan))


async def close(core: Core, request: ClosePlan, actor: Actor) -> PlanView:
    async with core.books:
        offer, day = _offer(core, request.plan), today(core)
        on = request.on or day
        if on < day:
            raise Invalid(f"plan {offer.id} can be closed from today on, not from {on}")
        if offer.closed_on is not None and offer.closed_on <= day:
            return _view(core, offer)
        offer = evolve(offer, closed_on=on)
        data = {"plan": offer.id, "closed_on": on, "reason": request.reason}
        await keep(core, plans.PLAN, offer.id, offer, _told(core, "plan.closed", actor, data))
    return _view(core, offer)


def _told(core: Core, type: str, actor: Actor, data: Mapping[str, object]) -> Happened:
    return Happened(type, core.clock.now(), actor=actor.name, data=dict(data))


# Subscriptions


async def members(core: Core, request: ListSubscriptions, actor: Actor) -> list[SubscriptionView]:
    chosen = parse(request.filter or "", keys_of(SubscriptionView))
    if request.plan is not None:
        _offer(core, request.plan)
    views = (_subscription(core, one) for _, one in sorted(subscriptions(core).items()))
    return [view for view in views if chosen(view) and request.plan in (None, view.plan)]


async def show_subscription(core: Core, request: ShowSubscription, actor: Actor) -> SubscriptionView:
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
        return "coming" if to_come is not None else "ended" if known.steps else "none"
    return "ending" if to_come is not None and to_come.plan is None else "active"


def _free_from(core: Core, step: PlanStep, day: date) -> date | None:
    offer = offers(core).get(step.plan or "")
    plan = offer.on(day) if offer is not None else None
    return None if plan is None else plans.free_from(step.bound_until, plan, day)


async def sign_up(core: Core, request: SignUp, actor: Actor) -> SubscriptionView:
    async with core.books:
        driver = _member(core, request.driver)
        since = request.since or today(core)
        known = subscriptions(core).get(driver.id) or Subscription(driver.id)
        held = known.plan_on(since)
        if held == request.plan and known.after(since) is None:
            return _subscription(core, known)
        if held is not None:
            hint = f"cms plans change {driver.id} {request.plan}"
            raise Conflict(f"driver {driver.id} has plan {held} on {since}", hint)
        await _step(core, known, _joined(core, request.plan, since, actor, request.reason), actor)
    return subscription(core, driver.id)


async def change(core: Core, request: ChangePlan, actor: Actor) -> SubscriptionView:
    async with core.books:
        driver = _member(core, request.driver)
        known, day = subscriptions(core).get(driver.id) or Subscription(driver.id), today(core)
        held = known.on(request.since or day)
        if held is None or held.plan is None:
            hint = f"cms plans sign-up {driver.id} {request.plan}"
            raise Conflict(f"driver {driver.id} has no plan on {request.since or day}", hint)
        if held.plan == request.plan:
            raise Conflict(f"driver {driver.id} has plan {held.plan} already")
        earliest = day if _dearer(core, held, request.plan, day) else _free_from(core, held, day) or day
        since = _chosen(request.since, earliest, day, request.now, request.reason, f"plan {held.plan}")
        await _step(core, known, _joined(core, request.plan, since, actor, request.reason), actor)
    return subscription(core, driver.id)


def _dearer(core: Core, held: PlanStep, wanted: str, day: date) -> bool:
    """Whether a month of the wanted plan costs as much or more: then nobody is held back."""
    there = offers(core).get(held.plan or "")
    now, then = there.on(day) if there else None, _offer(core, wanted).on(day)
    return now is None or (then is not None and then.currency == now.currency and then.fee >= now.fee)


async def cancel(core: Core, request: CancelPlan, actor: Actor) -> SubscriptionView:
    async with core.books:
        driver = find(core, request.driver)
        known, day = subscriptions(core).get(driver.id) or Subscription(driver.id), today(core)
        held = known.on(day)
        if held is None or held.plan is None:
            held = known.after(day)  # it is to begin yet
        if held is None or held.plan is None:
            raise Conflict(f"driver {driver.id} has no plan", f"cms plans member {driver.id}")
        earliest = max(_free_from(core, held, day) or day + _DAY, held.since)
        asked = request.until + _DAY if request.until is not None else None
        since = _chosen(asked, earliest, day + _DAY, request.now, request.reason, f"plan {held.plan}")
        await _step(core, known, PlanStep(since, None, core.clock.now(), actor.name, request.reason), actor)
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
    offer = _offer(core, plan_id)
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
    await keep(core, plans.SUBSCRIPTION, known.driver, after, _told(core, "plan.changed", actor, data))


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


# What a month comes to


def subscribers(core: Core) -> list[str]:
    """Registered drivers who have, had or will have a plan: whoever makes invoices asks ``fees`` of each."""
    known = registered(core)
    return sorted(driver for driver in subscriptions(core) if driver in known)


async def fees(
    core: Core, driver_id: str, period: tuple[date, date], cdrs: Sequence[Cdr], currency: str
) -> list[Item]:
    """The plan's lines of an invoice in this currency: fees of all months that are over by the end of the period and
    were not billed yet, and what they include of the sessions of those months (negative lines).

    ``period``: first and last day, in the organisation's calendar. ``cdrs``: the records that the invoice bills;
    those of the same months that were billed or paid before count too.
    """
    known = subscriptions(core).get(driver_id)
    if known is None or not known.steps or billing.way_of(core.kept, driver_id) == "free":
        return []
    since = max(known.steps[0].since, period[1] - timedelta(days=400))
    items: list[Item] = []
    for month in plans.months(since, period[1]):
        held = plans.parts(known, offers(core), month)
        items += await _unbilled(
            core, [_fee(core, driver_id, part) for part in held if part.plan.currency == currency]
        )
        items += await _included(core, driver_id, held, cdrs, currency)
    return items


async def _unbilled(core: Core, items: Sequence[Item]) -> list[Item]:
    billed = await core.store.accounting.billed_among([item.source for item in items])
    return [item for item in items if item.source not in billed and item.gross]


def _fee(core: Core, driver_id: str, part: Part) -> Item:
    plan = part.plan
    gross = major(part.fee, plan.currency)
    net = _net(gross, plan.vat_percent, plan.currency)
    return Item(
        source=plans.fee_source(driver_id, part),
        text=plan.name,
        quantity=Decimal(1),
        unit="month",
        price=net,
        vat_percent=plan.vat_percent,
        net=net,
        vat=gross - net,
        gross=gross,
        since=_midnight(core, part.since),
        until=_midnight(core, part.until),
    )


def _net(gross: Decimal, percent: Decimal, currency: str) -> Decimal:
    return rounded(gross / (1 + percent / 100), currency)


def _midnight(core: Core, day: date) -> datetime:
    return datetime.combine(day, time(), plans.zone(core.kept))


async def _included(
    core: Core, driver_id: str, held: Sequence[Part], cdrs: Iterable[Cdr], currency: str
) -> list[Item]:
    """What the parts of one month include, of the sessions that ended on their days, in the order of their ends."""
    included_wh = sum(part.included_wh for part in held)
    if not included_wh:
        return []
    key = f"included/{driver_id}/{held[0].month}"
    done = await _given(core, driver_id, key)
    records = [cdr for cdr in await _of_month(core, driver_id, held, cdrs) if cdr.session not in done]
    lines = [(cdr, line) for cdr in records for line in cdr.bill.lines if line.what == _ENERGY]
    left = Decimal(included_wh) - sum(done.values())
    covered = plans.cover([_energy(cdr, line) for cdr, line in lines], left)
    items: dict[str, Item] = {}
    for one in covered:
        cdr, line = lines[one.line]
        if cdr.bill.currency != currency:
            continue
        source = f"{key}/{cdr.session}"
        if source in items:
            source += f"/{sum(name.startswith(source) for name in items) + 1}"
        items[source] = _credit(core, source, cdr, line, one)
    return list(items.values())


async def _given(core: Core, driver_id: str, key: str) -> dict[str, Decimal]:
    """Session -> Wh that invoices gave back of a month."""
    given: dict[str, Decimal] = {}
    for invoice in await core.store.accounting.invoices(account=f"receivable/{driver_id}"):
        for item in invoice.items:
            if invoice.kind == "invoice" and item.session and item.source.startswith(f"{key}/"):
                wh = given.get(item.session, Decimal(0))
                given[item.session] = wh - item.quantity * 1000
    return given


async def _of_month(core: Core, driver_id: str, held: Sequence[Part], cdrs: Iterable[Cdr]) -> list[Cdr]:
    """The latest records of his sessions that ended on days with a plan, by their end."""
    since, until = _midnight(core, held[0].since), _midnight(core, held[-1].until)
    found = {cdr.session: cdr for cdr in cdrs}
    for way in ("receivable", "prepaid"):
        known = await core.store.accounting.cdrs(since=since, until=until, account=f"{way}/{driver_id}")
        found = {cdr.session: cdr for cdr in known} | found
    days = [(_midnight(core, part.since), _midnight(core, part.until)) for part in held]
    chosen = (cdr for cdr in found.values() if any(first <= cdr.ended_at < after for first, after in days))
    return sorted(chosen, key=lambda cdr: (cdr.ended_at, cdr.session))


def _energy(cdr: Cdr, line: BillLine) -> Energy:
    currency = cdr.bill.currency
    return Energy(
        cdr.session, line.quantity * 1000, minor(line.gross, currency), minor(cdr.bill.gross, currency)
    )


def _credit(core: Core, source: str, cdr: Cdr, line: BillLine, covered: Covered) -> Item:
    gross = major(covered.gross, cdr.bill.currency)
    whole = gross == line.gross
    net = line.net if whole else _net(gross, line.vat_percent, cdr.bill.currency)
    return Item(
        source=source,
        text="included energy",
        quantity=-covered.wh / 1000,
        unit=line.unit,
        price=line.price,
        vat_percent=line.vat_percent,
        net=-net,
        vat=net - gross,
        gross=-gross,
        since=cdr.started_at,
        until=cdr.ended_at,
        session=cdr.session,
        energy_wh=-int(covered.wh),
    )
