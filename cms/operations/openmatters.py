"""What of money is open, from all its registers: sessions, invoices, charges, balances."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from cms.contract.balances import ListBalances
from cms.contract.cdrs import ListCdrs, ListUnpriced
from cms.contract.openmatters import ListOpenMatters, OpenMatter
from cms.contract.refusals import Conflict
from cms.contract.statements import ListStatementLines
from cms.contract.tariffs import Money
from cms.core import Actor, Core
from cms.domain import billing, cdrs, charges, invoices, plans
from cms.domain.billing import BillingProfile
from cms.domain.ledger import RECEIVABLE, major
from cms.operations import balances, rerating, sellers, statements
from cms.operations import cdrs as records
from cms.operations.drivers import registered
from cms.operations.invoices import views_of
from cms.operations.plans import subscriptions, today

_LATELY = timedelta(days=62)
_MOST = 10_000
RUN, PAYMENT, PERSON = "a run", "a payment", "a person"


@dataclass(frozen=True, slots=True)
class _One:
    """One open thing: its worth, and since when."""

    since: datetime | date | None
    amount: Decimal | None = None
    currency: str | None = None


async def list_(core: Core, request: ListOpenMatters, actor: Actor) -> list[OpenMatter]:
    plans.check_day(request.since)
    since = request.since or today(core) - _LATELY
    begins = datetime.combine(since, time(), plans.zone(core.kept))
    found = [
        *_of_seller(core),
        *await _of_records(core, begins, actor),
        *await _of_sessions(core, begins, actor),
        *await _of_invoices(core),
        *await _of_charges(core),
        *await _of_statements(core, actor),
        *await _of_balances(core, actor),
    ]
    order = {PERSON: 0, RUN: 1, PAYMENT: 2}
    return sorted(found, key=lambda matter: (not matter.count, order[matter.waits_for]))


def _of_seller(core: Core) -> list[OpenMatter]:
    try:
        sellers.ready(core)
    except Conflict:
        return _matter(
            "seller",
            PERSON,
            "seller to be completed: no invoice can be made",
            [_One(None)],
            "cms billing seller show",
        )
    return []


async def _of_records(core: Core, since: datetime, actor: Actor) -> list[OpenMatter]:
    """Charge detail records that no invoice bills, or that wait for somebody."""
    views = await records.list_(core, ListCdrs(since=since, limit=records.MAX_LIST), actor)
    kinds: tuple[tuple[str, str, str, Callable[[Any], bool]], ...] = (
        (cdrs.HELD, PERSON, "sessions are held", lambda view: True),
        (cdrs.DISPUTED, PERSON, "sessions are disputed", lambda view: True),
        (
            cdrs.OPEN,
            RUN,
            "sessions are not on an invoice yet",
            lambda view: view.account.startswith(RECEIVABLE),
        ),
    )
    return [
        matter
        for status, waits_for, what, chosen in kinds
        for matter in _matter(
            status if status != cdrs.OPEN else "unbilled",
            waits_for,
            what,
            [_One(v.ended_at, v.gross, v.currency) for v in views if v.status == status and chosen(v)],
            f"cms bills list --status {status}" if status != cdrs.OPEN else "cms billing run --dry-run",
        )
    ]


async def _of_sessions(core: Core, since: datetime, actor: Actor) -> list[OpenMatter]:
    unpriced = await rerating.list_unpriced(core, ListUnpriced(since=since, limit=_MOST), actor)
    ones = [_One(session.started_at) for session in unpriced]
    return _matter("unpriced", PERSON, "sessions have no price", ones, "cms bills unpriced")


async def _of_invoices(core: Core) -> list[OpenMatter]:
    views = await views_of(core, await core.store.accounting.invoices(limit=_MOST))
    owed = [view for view in views if view.open > 0]
    overdue = [view for view in owed if view.status == invoices.OVERDUE]
    disputed = [view for view in owed if view.status == invoices.DISPUTED]
    others = [view for view in owed if view not in overdue and view not in disputed]

    def ones(chosen: Sequence[Any]) -> list[_One]:
        return [_One(view.issued_on, view.open, view.currency) for view in chosen]

    return [
        *_matter("overdue", PERSON, "invoices are overdue", ones(overdue), "cms invoices list --status overdue"),
        *_matter("disputed-invoices", PERSON, "invoices are disputed", ones(disputed),
                 "cms invoices list --status disputed"),
        *_matter("invoices", PAYMENT, "invoices are open", ones(others), "cms invoices list --filter 'open>0'"),
    ]  # fmt: skip


async def _of_charges(core: Core) -> list[OpenMatter]:
    known = await core.store.accounting.charges(
        statuses=(*charges.FOR_A_PERSON, *charges.ASKING), limit=_MOST
    )

    def ones(statuses: Iterable[str]) -> list[_One]:
        chosen = set(statuses)
        return [
            _One(one.changed_at, major(one.amount, one.currency), one.currency)
            for one in known
            if one.status in chosen
        ]

    return [
        *_matter("charges", PERSON, "charges failed, or are disputed", ones(charges.FOR_A_PERSON),
                 "cms payments charges list --status person"),
        *_matter("under-way", RUN, "charges are under way at the provider", ones(charges.ASKING),
                 "cms payments charges list"),
    ]  # fmt: skip


async def _of_statements(core: Core, actor: Actor) -> list[OpenMatter]:
    lines = await statements.list_(core, ListStatementLines(), actor)
    ones = [_One(line.booked_on, line.amount.amount, line.amount.currency) for line in lines]
    what = "lines of bank statements are nobody's yet"
    return _matter("statement-lines", PERSON, what, ones, "cms statements list")


async def _of_balances(core: Core, actor: Actor) -> list[OpenMatter]:
    """Balances below nothing; and drivers who are to pay by a card that nobody saved."""
    views = await balances.list_(core, ListBalances(), actor)
    below = [
        _One(view.changed_at, -view.balance.amount, view.balance.currency)
        for view in views
        if view.balance.amount < 0
    ]
    profiles: Iterable[BillingProfile] = core.kept.get(billing.KIND, {}).values()
    cardless = [_One(one.changed_at) for one in profiles if one.way == "card" and one.method is None]
    return [
        *_matter("closed", PERSON, "drivers who are closed have a plan", _of_closed(core), "cms plans members"),
        *_matter("overdrawn", PAYMENT, "balances are below nothing", below, "cms balances list"),
        *_matter("no-card", PERSON, "drivers pay by a card that is not saved", cardless,
                 "cms drivers billing list --filter 'way=card'"),
    ]  # fmt: skip


def _of_closed(core: Core) -> list[_One]:
    """A plan goes on, and costs, until somebody cancels it."""
    day, known = today(core), registered(core)
    held = ((known.get(name), one.on(day)) for name, one in subscriptions(core).items())
    return [
        _One(step.since)
        for driver, step in held
        if driver is not None and driver.status == "closed" and step is not None and step.plan is not None
    ]


def _matter(name: str, waits_for: str, what: str, ones: Sequence[_One], command: str) -> list[OpenMatter]:
    """One for each currency; one that says 0 where nothing is open."""
    by_currency: dict[str | None, list[_One]] = {}
    for one in ones:
        by_currency.setdefault(one.currency, []).append(one)
    if not by_currency:
        return [OpenMatter(name, waits_for, what, 0, None, None, command)]
    return [
        OpenMatter(
            matter=name if len(by_currency) == 1 else f"{name}-{currency}",
            waits_for=waits_for,
            what=what,
            count=len(same),
            amount=Money(_sum(same), currency) if currency is not None else None,
            oldest=min((_day(one.since) for one in same if one.since is not None), default=None),
            command=command,
        )
        for currency, same in sorted(by_currency.items(), key=lambda item: item[0] or "")
    ]


def _sum(ones: Iterable[_One]) -> Decimal:
    return sum((one.amount for one in ones if one.amount is not None), Decimal(0))


def _day(at: datetime | date) -> date:
    return at.date() if isinstance(at, datetime) else at
