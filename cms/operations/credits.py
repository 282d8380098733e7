"""Balances of prepaid tokens: what is left of them, and how a session's cost is taken once (2.1 C17)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from cms.core import Actor, Core
from cms.domain import accounts, payments
from cms.domain.changes import Change, Happened, Keep
from cms.domain.evolve import evolve
from cms.domain.observations import Received, TransactionReported
from cms.domain.payments import Credit, Debit
from cms.domain.stations import StationState
from cms.domain.tokens import Authorization, Ruling, Token
from cms.operations.deciding import keep


def credited(
    core: Core, state: StationState, received: Received, ruling: Ruling, report: TransactionReported
) -> Ruling:
    """The ruling of a transaction's token: a prepaid one is good while something is left (C17)."""
    known = core.kept.get(payments.CREDIT)
    if not known or ruling.token is None or not ruling.accepted:
        return ruling
    credit = known.get(ruling.token.id.casefold())
    if credit is None:
        return ruling
    own = [s.id for s in state.sessions.values() if s.transaction_id == report.transaction_id]
    return evolve(ruling, status=ruled(core, credit, received, own), expires=received.at)


def ruled(core: Core, credit: Credit, received: Received, own: Iterable[str]) -> Authorization:
    return Authorization.ACCEPTED if available(core, credit, own) > 0 else Authorization.NO_CREDIT


def available(core: Core, credit: Credit, but: Iterable[str] = ()) -> Decimal:
    """The balance less what its running sessions may still cost, and what is owed already."""
    key = credit.token.casefold()
    due = sum(
        (d.amount for d in core.kept.get(payments.DEBIT, {}).values() if d.token.casefold() == key),
        Decimal(0),
    )
    running = core.active.get(key, set()) - set(but)
    if not running:
        return credit.balance - due
    held = Decimal(0)
    for lane in core.lanes.values():
        open_here = lane.state.kept.get(accounts.KIND)
        for account in open_here.values() if open_here else ():
            if account.session in running and account.limit is not None:
                held += account.limit.max_cost or Decimal(0)
    return credit.balance - due - held


def has_credit(core: Core, token: Token) -> bool:
    """Whether a token that is prepaid has anything left; every other pays afterwards."""
    credit = core.kept.get(payments.CREDIT, {}).get(token.id.casefold())
    return credit is None or available(core, credit) > 0


async def take(core: Core, debit: Debit) -> None:
    """Take a session's cost from its token's balance, once; what is left over after a crash is taken at the start."""
    async with core.books:
        credit = core.kept.get(payments.CREDIT, {}).get(debit.token.casefold())
        now = core.clock.now()
        done = Keep("", payments.DEBIT, debit.session, None, now)
        changes: list[Change] = [done]
        events = []
        taken = credit is not None and credit.currency == debit.currency
        if credit is not None and taken:
            credit = payments.debited(credit, debit, now)
            changes.append(Keep("", payments.CREDIT, debit.token.casefold(), credit, now))
            events.append(credit_event(credit))
        await core.store.commit(changes, events)
        core.kept.get(payments.DEBIT, {}).pop(debit.session, None)
        if credit is not None and taken:
            core.kept[payments.CREDIT][debit.token.casefold()] = credit


def credit_event(credit: Credit, actor: str | None = None) -> Happened:
    data = {"token": credit.token, "balance": {"amount": str(credit.balance), "currency": credit.currency}}
    return Happened("token.credit", credit.changed_at, actor=actor, data=data)


async def recover(core: Core) -> None:
    """After a start: debits that a crash left over are taken now."""
    for debit in list(core.kept.get(payments.DEBIT, {}).values()):
        await take(core, debit)


async def save_credit(core: Core, credit: Credit | None, token: str, actor: Actor) -> None:
    """``core.books`` is held by the caller."""
    events = [] if credit is None else [credit_event(credit, actor.name)]
    await keep(core, payments.CREDIT, token.casefold(), credit, *events)
