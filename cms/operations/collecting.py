"""What is to be taken from saved cards: the intention, for the commit of whatever makes somebody owe it."""

from __future__ import annotations

from cms.contract.refusals import Conflict, Invalid
from cms.core import Core, Provider
from cms.domain import billing
from cms.domain.cdrs import Cdr
from cms.domain.charges import AddCharge, Charge
from cms.domain.ledger import minor


def provider_of(core: Core) -> Provider:
    if core.provider is None:
        raise Conflict("no payment provider is set: cards cannot be charged", "see docs/payments.md")
    return core.provider


def of_cdr(core: Core, cdr: Cdr) -> tuple[AddCharge, ...]:
    """A driver whose card is charged after each session owes this one: the charge, for the commit of its record.

    What is held he does not owe before it is released.
    """
    if cdr.holds:
        return ()
    profile = billing.profile(core.kept, cdr.payer.driver)
    if cdr.payer.way != "card" or profile is None or profile.every != "session" or cdr.payer.driver is None:
        return ()
    amount = minor(cdr.gross, cdr.bill.currency)
    if core.provider is None or profile.method is None or profile.customer is None or amount <= 0:
        return ()
    charge = intended(
        core,
        driver=cdr.payer.driver,
        amount=amount,
        currency=cdr.bill.currency,
        purpose="session",
        owed_to=cdr.payer.account,
        session=cdr.session,
        station=cdr.station,
    )
    core.collect.set()
    return (AddCharge(charge),)


def intended(
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
    """The charge of ``take`` as it is written down before the provider is asked: for a commit of somebody else's."""
    provider = provider_of(core)
    profile = billing.profile(core.kept, driver)
    if profile is None or profile.customer is None or profile.method is None:
        raise Conflict(f"driver {driver} has no saved card", f"cms payments card-link {driver}")
    if amount <= 0:
        raise Invalid(f"an amount that is taken is more than 0, not {amount}")
    now = core.clock.now()
    source = invoice or session or key or core.mint.id(now)
    return Charge(
        id=f"{purpose}-{source}",
        purpose=purpose,
        status="taking",
        amount=amount,
        currency=currency,
        owed_to=owed_to,
        created_at=now,
        changed_at=now,
        provider=provider.name,
        customer=profile.customer,
        method=profile.method,
        driver=driver,
        session=session,
        station=station,
        invoice=invoice,
        attempts=1,
        step=1,
        next=now,
        card=profile.method_text,
    )
