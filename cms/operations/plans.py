"""Subscription plans: what is offered, and what a month of one comes to on an invoice.

Fees are billed in arrears: those of a month by the first billing run whose period reaches its last day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from cms.contract.filters import keys_of, parse
from cms.contract.plans import (
    AddPlan,
    ClosePlan,
    ListPlans,
    Plan,
    PlanView,
    ShowPlan,
)
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.contract.tariffs import BillLine, Money
from cms.core import Actor, Core
from cms.domain import balances, billing, plans
from cms.domain.cdrs import Cdr
from cms.domain.changes import Happened
from cms.domain.costs import rounded
from cms.domain.evolve import evolve
from cms.domain.invoices import Item
from cms.domain.invoicing import TEXTS
from cms.domain.ledger import PREPAID, RECEIVABLE, major, minor
from cms.domain.plans import Covered, Energy, Offer, Part, Subscription
from cms.domain.tariffs import TARIFF
from cms.operations.deciding import keep
from cms.operations.drivers import said

_MOST = 1_000
_DAY = timedelta(days=1)
#: Months that no run billed are caught up so far back.
_CAUGHT_UP = timedelta(days=400)
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
    return _view(core, offer_of(core, request.plan))


def offer_of(core: Core, plan_id: str) -> Offer:
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
        fee=Money(plan.fee, plan.currency),
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
        plan = evolve(asked, fee=rounded(asked.fee, asked.currency), valid_from=asked.valid_from or day)
        if plan.tariff is not None and plan.tariff not in core.kept.get(TARIFF, {}):
            raise NotFound(f"there is no tariff {plan.tariff}", "see `cms tariffs list`")
        known = offers(core).get(plan.id)
        if known is not None and plan in known.versions:
            return _view(core, known)
        offer = _with_version(known, plan, day) if known is not None else Offer(plan.id, (plan,))
        if known is None and len(offers(core)) >= _MOST:
            raise Conflict(f"there are {_MOST} plans already")
        data = {"plan": plan.id, "version": len(offer.versions), "valid_from": plan.valid_from}
        await keep(core, plans.PLAN, plan.id, offer, told(core, "plan.added", actor, data))
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
        plans.check_day(request.on)
        offer, day = offer_of(core, request.plan), today(core)
        on = request.on or day
        if on < day:
            raise Invalid(f"plan {offer.id} can be closed from today on, not from {on}")
        if offer.closed_on is not None and offer.closed_on <= day:
            return _view(core, offer)
        offer = evolve(offer, closed_on=on)
        data = {"plan": offer.id, "closed_on": on, "reason": said(request.reason, "reason")}
        await keep(core, plans.PLAN, offer.id, offer, told(core, "plan.closed", actor, data))
    return _view(core, offer)


def told(core: Core, type: str, actor: Actor, data: Mapping[str, object]) -> Happened:
    return Happened(type, core.clock.now(), actor=actor.name, data=dict(data))


# What a month comes to


async def fees(
    core: Core,
    driver_id: str,
    period: tuple[date, date],
    cdrs: Sequence[Cdr],
    currency: str,
    language: str = "en",
) -> list[Item]:
    """The plan's lines of an invoice in this currency: fees of all months that are over by the end of the period and
    were not billed yet, and what they include of the sessions of those months (negative lines).

    ``period``: first and last day, in the organisation's calendar. ``cdrs``: the records that the invoice bills;
    those of the same months that were billed or paid before count too. ``language``: one of domain.invoicing.TEXTS.
    """
    known = subscriptions(core).get(driver_id)
    if known is None or not known.steps or billing.way_of(core.kept, driver_id) == "free":
        return []
    last = min(
        period[1], today(core) - _DAY
    )  # a month is billed when it is over, whatever the run's last day
    since = max(known.steps[0].since, last - _CAUGHT_UP)
    months = [
        held for month in plans.months(since, last) if (held := plans.parts(known, offers(core), month))
    ]
    sources = [plans.fee_source(driver_id, part) for held in months for part in held]
    billed = await core.store.accounting.billed_among(sources)
    items: list[Item] = []
    for held in months:
        fresh = [part for part in held if plans.fee_source(driver_id, part) not in billed]
        items += [
            _fee(core, driver_id, part) for part in fresh if part.fee and part.plan.currency == currency
        ]
        if fresh or _has_balance(core, driver_id) or any(_on_days(core, held, cdr) for cdr in cdrs):
            items += await _included(core, driver_id, held, cdrs, currency, language)
    return items


def _has_balance(core: Core, driver_id: str) -> bool:
    """Whether sessions of his may have been paid that no invoice names, late ones too."""
    return balances.key(driver_id) in core.kept.get(balances.KIND, {})


def _fee(core: Core, driver_id: str, part: Part) -> Item:
    plan = part.plan
    gross = major(part.fee, plan.currency)
    net = _net(gross, plan.vat_percent, plan.currency)
    return Item(
        source=plans.fee_source(driver_id, part),
        text=plan.name,
        quantity=Decimal(1),
        # Part of a month is no quantity of months: its price is that of its days.
        unit="month" if part.whole else "session",
        price=net,
        vat_percent=plan.vat_percent,
        net=net,
        vat=gross - net,
        gross=gross,
        since=_midnight(core, part.since),
        until=_midnight(core, part.until) - timedelta(seconds=1),
    )


def _net(gross: Decimal, percent: Decimal, currency: str) -> Decimal:
    return rounded(gross / (1 + percent / 100), currency)


def _midnight(core: Core, day: date) -> datetime:
    return datetime.combine(day, time(), plans.zone(core.kept))


async def _included(
    core: Core, driver_id: str, held: Sequence[Part], cdrs: Iterable[Cdr], currency: str, language: str
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
        items[source] = _credit(source, cdr, line, one, TEXTS[language]["included"])
    return list(items.values())


async def _given(core: Core, driver_id: str, key: str) -> dict[str, Decimal]:
    """Session -> Wh that invoices gave back of a month."""
    given: dict[str, Decimal] = {}
    for invoice in await core.store.accounting.invoices(account=f"{RECEIVABLE}{driver_id}"):
        for item in invoice.items:
            if item.source.startswith(f"{key}/"):
                session = item.source.removeprefix(f"{key}/").partition("/")[0]
                # An invoice that gives back more than it bills is a credit note, where signs are turned.
                given[session] = given.get(session, Decimal(0)) + abs(item.quantity) * 1000
    return given


async def _of_month(core: Core, driver_id: str, held: Sequence[Part], cdrs: Iterable[Cdr]) -> list[Cdr]:
    """The records of his sessions that ended on days with a plan, by their end: those that are billed now, that were
    billed before, and that his balance paid. One that is held or disputed waits until it is billed.
    """
    since, until = _midnight(core, held[0].since), _midnight(core, held[-1].until)
    owed = await _between(core, since, until, f"{RECEIVABLE}{driver_id}")
    by = await core.store.accounting.billed_among([cdr.ref for cdr in owed])
    found = {cdr.session: cdr for cdr in owed if cdr.ref in by}
    found |= {cdr.session: cdr for cdr in await _between(core, since, until, f"{PREPAID}{driver_id}")}
    found |= {cdr.session: cdr for cdr in cdrs}
    chosen = (cdr for cdr in found.values() if _on_days(core, held, cdr))
    return sorted(chosen, key=lambda cdr: (cdr.ended_at, cdr.session))


def _on_days(core: Core, held: Iterable[Part], cdr: Cdr) -> bool:
    """Whether a session ended on a day of one of these parts."""
    return any(part.since <= plans.day_of(core.kept, cdr.ended_at) < part.until for part in held)


async def _between(core: Core, since: datetime, until: datetime, account: str) -> list[Cdr]:
    return await core.store.accounting.cdrs(since=since, until=until, account=account)


def _energy(cdr: Cdr, line: BillLine) -> Energy:
    currency = cdr.bill.currency
    return Energy(
        cdr.session, line.quantity * 1000, minor(line.gross, currency), minor(cdr.bill.gross, currency)
    )


def _credit(source: str, cdr: Cdr, line: BillLine, covered: Covered, text: str) -> Item:
    gross = major(covered.gross, cdr.bill.currency)
    whole = gross == line.gross
    net = line.net if whole else _net(gross, line.vat_percent, cdr.bill.currency)
    return Item(
        source=source,
        text=text,
        quantity=-covered.wh / 1000,
        unit=line.unit,
        price=line.price,
        vat_percent=line.vat_percent,
        net=-net,
        vat=net - gross,
        gross=-gross,
        since=cdr.started_at,
        until=cdr.ended_at,
    )
