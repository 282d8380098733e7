"""What follows from an account's beginning and end for those who pay: payments, balances."""

from __future__ import annotations

from cms.core import Core
from cms.domain import payments
from cms.domain.accounts import Account
from cms.domain.cdrs import AddCdr
from cms.domain.changes import Change, Decision, Happened, SavePayment
from cms.domain.evolve import evolve
from cms.domain.observations import Received
from cms.domain.payments import Payment
from cms.domain.sessions import Session, view
from cms.operations import rating
from cms.operations.collecting import of_cdr


async def closed(
    core: Core, decision: Decision, session: Session, account: Account, received: Received
) -> Decision:
    """A bill is there: its record, what it moves in the ledger, what a payment comes to, in the same commit."""
    rated, told = await rating.first(core, session, account, decision.changes)
    changes: list[Change] = [*decision.changes, *rated]
    events = [*decision.events, billed(session, received), *told]
    changes += [charge for made in rated if isinstance(made, AddCdr) for charge in of_cdr(core, made.cdr)]
    if account.psp_ref is not None:
        core.collect.set()
        known = await core.store.payment(account.psp_ref)
        if _foreign(known, session):
            return evolve(decision, changes=tuple(changes), events=tuple(events))
        changed = _ended_payment(known, session, account, received)
        changes.append(SavePayment(changed))
        events.append(payment_event(changed))
    return evolve(decision, changes=tuple(changes), events=tuple(events))


def billed(session: Session, received: Received) -> Happened:
    """What the session cost in the end is known, or known better."""
    data = {"cost": view(session).cost}
    return Happened("session.billed", received.at, session.station, session.id, data=data)


async def payment_begun(
    core: Core, decision: Decision, session: Session, account: Account, received: Received
) -> Decision:
    """A session with a payment's reference: one of ours, or one a terminal at the station took (C18)."""
    core.collect.set()
    known = await core.store.payment(account.psp_ref or "")
    if _foreign(known, session):
        return _claimed(decision, session, received)
    payment = known or Payment(account.psp_ref or "", "authorized", received.at)
    payment = evolve(
        payment,
        status=payment.status if payment.status in payments.WORTHLESS else "charging",
        station=session.station,
        evse=session.evse,
        session=session.id,
        changed_at=received.at,
    )
    return evolve(
        decision,
        changes=(*decision.changes, SavePayment(payment)),
        events=(*decision.events, payment_event(payment)),
    )


def _foreign(known: Payment | None, session: Session) -> bool:
    """Whether the payment is for another station: then this one has no say in it."""
    return known is not None and known.station not in (None, session.station)


def _claimed(decision: Decision, session: Session, received: Received) -> Decision:
    return evolve(decision, events=(*decision.events, foreign_payment(session.station, received)))


def foreign_payment(station: str, received: Received) -> Happened:
    """A station spoke of a payment that is another station's."""
    detail = {"kind": "ForeignPayment", "reported_at": None, "detail": "the payment is for another station"}
    return Happened("station.security", received.at, station, data=detail)


def _ended_payment(known: Payment | None, session: Session, account: Account, received: Received) -> Payment:
    payment = known or Payment(account.psp_ref or "", "authorized", received.at)
    over = payment.status in payments.SETTLEMENTS
    return evolve(
        payment,
        status=payment.status if over else "ended",
        station=session.station,
        evse=session.evse,
        session=session.id,
        amount=account.total,
        currency=account.currency,
        changed_at=received.at,
    )


def payment_event(payment: Payment, actor: str | None = None) -> Happened:
    data = {"payment": payments.view(payment)}
    return Happened("payment.changed", payment.changed_at, payment.station, payment.session, actor, data)
