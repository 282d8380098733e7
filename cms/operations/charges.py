"""Charges: what people see and do of them, what the provider tells us, and what happens to them by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal

import structlog

from cms.contract.charges import (
    CaptureCharge,
    ChargeView,
    ListCharges,
    RefundCharge,
    RetryCharge,
    ShowCharge,
    VoidCharge,
)
from cms.contract.refusals import Conflict, Invalid, Refusal
from cms.contract.tariffs import Money
from cms.core import Actor, Core, StoreDown
from cms.domain import adhoc as ad_hoc
from cms.domain import balances, billing, charges
from cms.domain.balances import Balance
from cms.domain.charges import ASKING, FOR_A_PERSON, Charge, Told
from cms.domain.ledger import major, minor
from cms.operations import adhoc, takings
from cms.operations.collecting import provider_of
from cms.operations.intents import check_limit
from cms.operations.takings import capture, found, look, refund, take, turn, void

__all__ = ["capture", "look", "recover", "refund", "run", "take", "void", "webhook"]

log = structlog.get_logger("cms")

#: A request of a process that was killed may still be on its way: it has arrived by then.
_SETTLED_S = 2.0
_EVERY_S = 15.0
_WHILE_OPEN_S = 3.0
#: How many of the newest are looked through for those of a driver, or for a purpose.
_LOOKED_THROUGH = 20_000
#: A card that fills a balance too small for its driver's sessions is not emptied by it.
_BETWEEN_TOP_UPS = timedelta(hours=1)
#: What is looked at when its time has come.
_DUE = (*ASKING, "waiting")


# What people see and do.


async def list_(core: Core, request: ListCharges, actor: Actor) -> list[ChargeView]:
    check_limit(request.limit)
    if request.status not in (None, "person", *charges.STATUSES):
        known = ", ".join(charges.STATUSES)
        raise Invalid(f"status must be person or one of {known}, not {request.status!r}")
    statuses = FOR_A_PERSON if request.status == "person" else (request.status,) if request.status else ()
    narrowed = request.purpose is not None or request.driver is not None
    listed = await core.store.accounting.charges(
        statuses=statuses, session=request.session, limit=_LOOKED_THROUGH if narrowed else request.limit
    )
    chosen = (one for one in listed if request.purpose in (None, one.purpose))
    return [view(one) for one in chosen if request.driver in (None, one.driver)][: request.limit]


async def show(core: Core, request: ShowCharge, actor: Actor) -> ChargeView:
    return view(await found(core, request.charge))


async def capture_(core: Core, request: CaptureCharge, actor: Actor) -> ChargeView:
    charge = await found(core, request.charge)
    wanted = charge.amount if request.amount is None else _minor(charge, request.amount)
    return view(await _done(core, await capture(core, charge.id, wanted)))


async def void_(core: Core, request: VoidCharge, actor: Actor) -> ChargeView:
    return view(await _done(core, await void(core, request.charge, request.reason)))


async def refund_(core: Core, request: RefundCharge, actor: Actor) -> ChargeView:
    if not request.reason.strip():
        raise Invalid("a refund needs a reason: it goes into the ledger")
    charge = await found(core, request.charge)
    wanted = None if request.amount is None else _minor(charge, request.amount)
    return view(await _done(core, await refund(core, charge.id, wanted, request.reason, actor)))


async def retry(core: Core, request: RetryCharge, actor: Actor) -> ChargeView:
    return view(await _done(core, await takings.retry(core, request.charge)))


async def _done(core: Core, charge: Charge) -> Charge:
    """What else follows, where it is of an ad hoc session."""
    if charge.purpose == "ad-hoc":
        await adhoc.proceed(core, charge.id)
    return await found(core, charge.id)


def _minor(charge: Charge, amount: Decimal) -> int:
    try:
        return minor(amount, charge.currency)
    except ValueError as error:
        raise Invalid(str(error)) from None


def view(charge: Charge) -> ChargeView:
    return ChargeView(
        id=charge.id,
        purpose=charge.purpose,
        status=charge.status,
        person=charge.status in FOR_A_PERSON,
        amount=Money(major(charge.amount, charge.currency), charge.currency),
        captured=major(charge.captured, charge.currency),
        refunded=major(charge.refunded, charge.currency),
        account=charge.owed_to,
        driver=charge.driver,
        session=charge.session,
        invoice=charge.invoice,
        station=charge.station,
        evse=charge.evse,
        card=charge.card,
        provider=charge.provider,
        provider_ref=charge.provider_ref,
        attempts=charge.attempts,
        next=charge.next,
        code=charge.code,
        detail=charge.detail,
        dispute=charge.dispute,
        created_at=charge.created_at,
        changed_at=charge.changed_at,
    )


# What the provider tells us.


async def webhook(core: Core, body: bytes, signature: str) -> None:
    """An event of the provider's, of whatever organisation: it says where to look, and nothing of it is believed.

    Raises Denied where it is not signed, Unreachable where the provider cannot be asked now: then it comes again.
    """
    told = provider_of(core).told(body, signature)
    if told.payment is None:
        return
    for one in core.all_cores():
        for charge in await one.store.accounting.charges(provider_ref=told.payment, limit=1):
            await _heard(one, charge, told)


async def _heard(core: Core, charge: Charge, told: Told) -> None:
    if told.id in charge.heard:
        return
    if told.dispute is not None:
        await _disputed(core, charge.id, told.dispute)
    await _done(core, await look(core, charge.id, told.id))


async def _disputed(core: Core, charge_id: str, ref: str) -> None:
    """What the provider says of a dispute now; each of its states moves money once."""
    dispute = await provider_of(core).dispute(ref)
    async with turn(core, charge_id):
        charge = await found(core, charge_id)
        if dispute.payment != charge.provider_ref:
            raise Conflict(f"dispute {ref} is about another payment")
        after = charges.disputed(charge, dispute, core.clock.now())
        if after == charge:
            return
        moved = charges.dispute_entries(charge, dispute, core.clock.now())
        await takings.save(core, charge, after, entries=moved)


# What happens by itself.


async def run(core: Core, settled_s: float = _SETTLED_S) -> None:
    """Bring everything to its end that waits, for ever: after a start, when something became due, and now and then."""
    if core.provider is None:
        return
    await asyncio.sleep(settled_s)
    while True:
        core.collect.clear()
        try:
            await recover(core)
        except (Refusal, StoreDown):
            log.warning("charges could not be looked at; they are in a while", exc_info=True)
        except Exception:
            log.exception("charges could not be looked at; they are in a while")
        with suppress(TimeoutError):
            open_now = core.kept.get(ad_hoc.KIND)
            await asyncio.wait_for(core.collect.wait(), _WHILE_OPEN_S if open_now else _EVERY_S)


async def recover(core: Core) -> None:
    """Go on with every charge whose time has come, and with every ad hoc session that is not over."""
    now = core.clock.now()
    for charge in await core.store.accounting.charges(statuses=_DUE):
        if _is_due(charge, now):
            await _alone(takings.go_on(core, charge.id))
    for one in list(core.kept.get(ad_hoc.KIND, {}).values()):
        await _alone(adhoc.proceed(core, one.charge))
    for balance in list(core.kept.get(balances.KIND, {}).values()):
        if balance.top_up is not None and balance.warned and balance.driver is not None:
            await _alone(_top_up(core, balance, now))


async def _top_up(core: Core, balance: Balance, now: datetime) -> None:
    """Little is left, and its driver wants it filled from his card: once, until it is there or a person looked."""
    profile = billing.profile(core.kept, balance.driver)
    if balance.top_up is None or balance.driver is None or profile is None or profile.method is None:
        return
    known = await core.store.accounting.charges(owed_to=balance.account, limit=1)
    if known and known[0].status not in ("captured", "refunded", "canceled"):
        return
    if known and now - known[0].created_at < _BETWEEN_TOP_UPS:
        return
    await take(
        core,
        driver=balance.driver,
        amount=minor(balance.top_up, balance.currency),
        currency=balance.currency,
        purpose="top-up",
        owed_to=balance.account,
    )


def _is_due(charge: Charge, now: datetime) -> bool:
    return charge.next is None or charge.next <= now


async def _alone(work: Awaitable[object]) -> None:
    """One that cannot be gone on with holds up no other."""
    try:
        await work
    except Refusal as refused:
        log.warning("a charge waits", why=refused.message)
