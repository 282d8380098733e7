"""A driver's money in one view, for him: what he has, what he owes, what he was billed lately."""

from __future__ import annotations

from cms.contract.apps import DriverAccount, DriverBill, ShowDriverAccount
from cms.contract.refusals import Invalid
from cms.contract.tariffs import Money
from cms.core import Actor, Core
from cms.domain import balances, billing
from cms.domain.cdrs import Cdr
from cms.domain.ledger import PREPAID, RECEIVABLE, WAIVED, major
from cms.operations.billingprofiles import card_of
from cms.operations.credits import available, kept, left
from cms.operations.drivers import find
from cms.operations.subscriptions import subscription

_MOST = 200


async def show(core: Core, request: ShowDriverAccount, actor: Actor) -> DriverAccount:
    if not 0 <= request.bills <= _MOST:
        raise Invalid(f"bills is 0 to {_MOST}, not {request.bills}")
    driver = find(core, request.driver).id
    profile = billing.profile(core.kept, driver) or billing.BillingProfile(driver)
    held = subscription(core, driver)
    balance = kept(core).get(balances.key(driver))
    return DriverAccount(
        driver=driver,
        way=profile.way,
        every=profile.every,
        card=card_of(profile),
        plan=held.plan,
        plan_until=held.until,
        next_plan=held.next,
        balance=None if balance is None else Money(left(core, balance), balance.currency),
        available=None if balance is None else Money(available(core, balance), balance.currency),
        open=await _open(core, f"{RECEIVABLE}{driver}"),
        bills=tuple(_bill(cdr) for cdr in await _latest(core, driver, request.bills)),
    )


async def _open(core: Core, account: str) -> tuple[Money, ...]:
    """What is owed on an account, by currency; nothing where all is settled."""
    sums = await core.store.accounting.balances(account)
    return tuple(
        Money(major(coins, currency), currency) for (_, currency), coins in sorted(sums.items()) if coins
    )


async def _latest(core: Core, driver: str, count: int) -> list[Cdr]:
    """His last records, newest first; those of free sessions among the last that were free for anybody."""
    if not count:
        return []
    found: list[Cdr] = []
    for account, limit in ((f"{RECEIVABLE}{driver}", count), (f"{PREPAID}{driver}", count), (WAIVED, _MOST)):
        found += await core.store.accounting.cdrs(account=account, limit=limit)
    own = (cdr for cdr in found if cdr.payer.driver == driver)
    return sorted(own, key=lambda cdr: cdr.ended_at, reverse=True)[:count]


def _bill(cdr: Cdr) -> DriverBill:
    return DriverBill(
        session=cdr.session,
        started_at=cdr.started_at,
        ended_at=cdr.ended_at,
        energy_wh=cdr.energy_wh,
        total=Money(cdr.gross, cdr.bill.currency),
        way=cdr.payer.way,
    )
