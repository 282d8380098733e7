"""Charges: what is asked of the payment provider is written down first, what it answered with its ledger entries.

Nothing here is done twice. Who asks holds the charge's turn; the intention has an idempotency key; and whoever finds an
intention whose end he does not know looks first what the provider has. No lock of the core is held meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from cms.contract.refusals import Conflict, Invalid, NotFound, Unreachable
from cms.core import Actor, Core, Provider
from cms.domain import billing, charges, payments
from cms.domain.changes import Change, Happened, SavePayment
from cms.domain.charges import ASKING, Charge, Found, SaveCharge
from cms.domain.evolve import evolve
from cms.domain.ledger import Enter, Entry, major
from cms.operations.billing import payment_event
from cms.operations.collecting import intended, provider_of

PAYMENT = "payment/"


def turn(core: Core, charge_id: str) -> asyncio.Lock:
    """Who has it may ask the provider about this charge."""
    return core.turns.setdefault(f"charge {charge_id}", asyncio.Lock())


async def found(core: Core, charge_id: str) -> Charge:
    charge = await core.store.accounting.charge(charge_id)
    if charge is None:
        raise NotFound(f"there is no charge {charge_id}", "see `cms payments charges list`")
    return charge


async def take(
    core: Core,
    *,
    driver: str,
    amount: int,
    currency: str,
    purpose: str,
    owed_to: str,
    invoice: str | None = None,
    session: str | None = None,
    station: str | None = None,
    key: str | None = None,
) -> Charge:
    """Take an amount (minor units) from a driver's saved card. The same invoice, session or ``key`` is charged once.

    Raises Conflict where he has no card. What the provider says is the charge's status: captured; waiting (declined,
    tried again in days); unpaid (a person must look); taking (the provider does not answer, it is asked again).
    """
    charge = intended(
        core,
        driver=driver,
        amount=amount,
        currency=currency,
        purpose=purpose,
        owed_to=owed_to,
        invoice=invoice,
        session=session,
        station=station,
        key=key,
    )
    async with turn(core, charge.id):
        known = await core.store.accounting.charge(charge.id)
        if known is not None:
            return known
        await save(core, None, charge)
        return await pursue(core, charge, fresh=True)


async def capture(core: Core, charge_id: str, amount: int) -> Charge:
    """Take ``amount`` of what is held, and give the rest back; once, however often it is asked."""
    async with turn(core, charge_id):
        charge = await found(core, charge_id)
        if charge.status in ("capturing", "captured"):
            return charge
        if not 0 < amount <= charge.amount:
            raise Invalid(
                f"of {_said(charge, charge.amount)} held that or less can be taken, not {_said(charge, amount)}"
            )
        return await _ask(core, charge, "capturing", wanted=amount)


async def void(core: Core, charge_id: str, why: str | None = None) -> Charge:
    """Give back what is held; what was never paid is given up."""
    async with turn(core, charge_id):
        charge = await found(core, charge_id)
        if charge.status in ("canceled", "voiding", "declined"):
            return charge
        if charge.status in ("waiting", "unpaid", "expired"):
            now = core.clock.now()
            after = evolve(charge, status="canceled", next=None, detail=why, changed_at=now)
            return await save(core, charge, after)
        return await _ask(core, charge, "voiding")


async def refund(
    core: Core, charge_id: str, amount: int | None, reason: str, actor: Actor | None = None
) -> Charge:
    """Give money back; None: all that is left of it."""
    async with turn(core, charge_id):
        charge = await found(core, charge_id)
        wanted = charge.left if amount is None else amount
        if charge.status == "captured" and not 0 < wanted <= charge.left:
            raise Invalid(
                f"of charge {charge.id} {_said(charge, charge.left)} are left to give back, not {_said(charge, wanted)}"
            )
        return await _ask(core, charge, "refunding", wanted=wanted, reason=reason)


async def retry(core: Core, charge_id: str) -> Charge:
    """Ask once more: what the provider would not do, or a card that was declined; with the driver's present card."""
    async with turn(core, charge_id):
        charge = await found(core, charge_id)
        if charge.status in ASKING:
            return await pursue(core, charge)
        if charge.status in ("unpaid", "waiting"):
            return await _take_again(core, charge)
        if charge.status == "failed" and charge.doing in ASKING:
            return await _ask(core, charge, charge.doing, wanted=charge.wanted)
        raise Conflict(f"charge {charge.id} is {charge.status}: there is nothing to try again")


async def _take_again(core: Core, charge: Charge) -> Charge:
    profile = billing.profile(core.kept, charge.driver)
    if profile is None or profile.customer is None or profile.method is None:
        raise Conflict(f"driver {charge.driver} has no saved card", f"cms payments card-link {charge.driver}")
    card = {"customer": profile.customer, "method": profile.method, "card": profile.method_text}
    return await _ask(core, charge, "taking", provider_ref=None, attempts=charge.attempts + 1, **card)


async def go_on(core: Core, charge_id: str) -> Charge:
    """Somebody comes back to a charge whose end he does not know, or whose time came."""
    async with turn(core, charge_id):
        charge = await found(core, charge_id)
        if charge.status in ASKING:
            return await pursue(core, charge)
        if charge.status == "waiting" and charge.next is not None and charge.next <= core.clock.now():
            return await _take_again(core, charge)
        return charge


async def look(core: Core, charge_id: str, event: str | None = None) -> Charge:
    """What the provider has of it now: somebody else may have been at it. ``event`` is what made us look."""
    async with turn(core, charge_id):
        charge = await found(core, charge_id)
        if event is not None and event in charge.heard:
            return charge
        before = charge
        if event is not None:
            charge = charges.heard(charge, event)
        if charge.status in ASKING:
            return await pursue(core, await save(core, before, charge))
        seen = await provider_of(core).find(charge)
        if seen is None:
            return await save(core, before, charge)
        now = core.clock.now()
        return await save(core, before, evolve(charges.noticed(charge, seen, now), changed_at=now), seen)


async def _ask(core: Core, charge: Charge, status: str, **fields: object) -> Charge:
    """Write the intention down, then ask. The turn is held by the caller."""
    provider_of(core)
    if not charges.may_become(charge, status):
        raise Conflict(f"charge {charge.id} is {charge.status}: it cannot become {status}")
    intention = charges.asked(charge, status, core.clock.now(), **fields)
    return await pursue(core, await save(core, charge, intention), fresh=True)


async def pursue(core: Core, charge: Charge, fresh: bool = False) -> Charge:
    """Bring an intention to its end. ``fresh``: nobody asked the provider yet; else it is looked up first."""
    provider, now = provider_of(core), core.clock.now
    try:
        seen = None if fresh else await provider.find(charge)
        after = charges.concluded(charge, seen, now())
        if after is None:
            if charge.status == "authorizing" and charge.provider_ref is None:
                # Its name at the provider is written down before anything is held.
                begun = await provider.begin(charge, core.organisation)
                charge = await save(core, charge, evolve(charge, provider_ref=begun.ref))
            seen = await _asked(core, provider, charge)
            after = charges.concluded(charge, seen, now())
    except Unreachable as refused:
        return await save(core, charge, charges.unanswered(charge, refused.message, now()))
    except Conflict as refused:
        return await _refused(core, provider, charge, refused.message)
    if after is None:
        after = charges.unanswered(charge, "the provider did not do it yet", now())
    return await save(core, charge, after, seen)


async def _asked(core: Core, provider: Provider, charge: Charge) -> Found:
    match charge.status:
        case "authorizing":
            return await provider.confirm(charge)
        case "taking":
            return await provider.take(charge, core.organisation)
        case "capturing":
            return await provider.capture(charge)
        case "voiding":
            return await provider.void(charge)
    return await provider.refund(charge)


async def _refused(core: Core, provider: Provider, charge: Charge, why: str) -> Charge:
    """It will not do it: perhaps it is so already, by somebody else's hand."""
    now = core.clock.now()
    try:
        seen = await provider.find(charge)
    except Unreachable as refused:
        return await save(core, charge, charges.unanswered(charge, refused.message, now))
    except Conflict:
        seen = None
    after = charges.concluded(charge, seen, now)
    return await save(core, charge, after or charges.refused(charge, why, now), seen)


async def save(
    core: Core,
    before: Charge | None,
    after: Charge,
    seen: Found | None = None,
    entries: Sequence[Entry] = (),
    actor: Actor | None = None,
) -> Charge:
    """The charge, what it moves in the ledger and what is told of it, in one commit. The turn is held by the caller."""
    if before == after:
        return after
    now = core.clock.now()
    moved = [*entries, *(charges.entries(before, after, seen, now) if before is not None else ())]
    changes: list[Change] = [SaveCharge(after), *(Enter(entry) for entry in moved)]
    events = []
    if before is None or before.status != after.status or moved:
        events.append(told(after, actor))
        settled = await _settled(core, after)
        if settled is not None:
            changes.append(SavePayment(settled))
            events.append(payment_event(settled))
    await core.store.commit(changes, events)
    return after


def told(charge: Charge, actor: Actor | None = None) -> Happened:
    data = {
        "charge": charge.id,
        "purpose": charge.purpose,
        "status": charge.status,
        "amount": {"amount": str(major(charge.amount, charge.currency)), "currency": charge.currency},
        "captured": str(major(charge.captured, charge.currency)),
        "refunded": str(major(charge.refunded, charge.currency)),
        "person": charge.status in charges.FOR_A_PERSON,
        "code": charge.code,
    }
    return Happened(
        "charge.changed",
        charge.changed_at,
        charge.station,
        charge.session,
        actor.name if actor else None,
        data,
    )


#: Charge.status -> Payment.status, where the payment of an ad hoc session changes with it.
_PAYMENTS = {
    "captured": "settled",
    "refunded": "settled",
    "canceled": "canceled",
    "declined": "rejected",
    "expired": "failed",
    "failed": "failed",
}


async def _settled(core: Core, charge: Charge) -> payments.Payment | None:
    """The ad hoc payment that this charge settles, as it stands then (2.1 C21)."""
    status = _PAYMENTS.get(charge.status)
    if charge.purpose != "ad-hoc" or status is None:
        return None
    payment = await core.store.payment(charge.owed_to.removeprefix(PAYMENT))
    if payment is None:
        return None
    now = core.clock.now()
    return evolve(
        payment,
        status=status,
        settled=major(charge.left, charge.currency),
        settled_at=now,
        detail=charge.detail,
        changed_at=now,
    )


def _said(charge: Charge, amount: int) -> str:
    return f"{major(amount, charge.currency)} {charge.currency}"
