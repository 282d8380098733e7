"""What budgets leave for a session that begins, as a limit that a 2.1 station keeps by itself, also offline (E16)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from cms.contract.access import Rule
from cms.contract.payments import Limit
from cms.core import Core
from cms.domain.accounts import Account, divided, given
from cms.domain.evolve import evolve
from cms.domain.sessions import Session
from cms.domain.stations import StationState
from cms.domain.usage import Used
from cms.operations.abilities import Abilities
from cms.operations.access_rulings import rulebook, spent_by


def left_for(core: Core, state: StationState, session: Session, currency: str | None) -> Limit | None:
    """The least that any budget leaves that stops sessions; None where none limits, or nobody keeps limits."""
    book = rulebook(core) if session.ocpp_version == "2.1" else None
    spent = spent_by(core, state.station, session) if book is not None and book.rules.budgets else None
    if book is None or spent is None or session.id in book.ledger:
        return None
    facts = spent.facts()
    rests = [
        _rest(rule, book.ledger.used(rule, facts, spent.began_at), currency)
        for rule in book.ledger.budgets(spent)
        if rule.budget is not None and rule.budget.then == "stop"
    ]
    limit = _least(rests)
    return limit if given(limit) else None


def _rest(rule: Rule, used: Used, currency: str | None) -> Limit:
    """What is left of one budget, exactly; money only in the currency of the session."""
    budget = rule.budget
    assert budget is not None
    cost = None
    if budget.cost is not None and budget.cost.currency == currency:
        cost = max(budget.cost.amount - used.cost, Decimal(0))
    energy_wh = None
    if budget.energy_wh is not None:
        energy_wh = Decimal(max(budget.energy_wh - used.energy_wh, 0))
    return Limit(
        max_cost=cost,
        max_energy_wh=energy_wh,
        max_time_s=None if budget.minutes is None else max(budget.minutes * 60 - used.seconds, 0),
    )


def _least(limits: Iterable[Limit]) -> Limit:
    """Of every kind the lowest."""
    least: dict[str, int | Decimal] = {}
    for limit in limits:
        for name in ("max_cost", "max_energy_wh", "max_time_s", "max_soc"):
            value = getattr(limit, name)
            if value is not None and (name not in least or value < least[name]):
                least[name] = value
    return Limit(**least)  # type: ignore[arg-type]


def budgeted(account: Account, left: Limit | None, can: Abilities) -> Account:
    """The account with what the station is to keep of it; what it cannot keep is looked at with every message."""
    if left is None:
        return account
    theirs, _ = divided(left, can.limits)
    unsaid = _least([theirs] if account.unsaid is None else [account.unsaid, theirs])
    if not given(unsaid):
        return account
    # E16.FR.11: who keeps a limit on the cost must hear of the cost.
    return evolve(account, unsaid=unsaid, running=account.running or unsaid.max_cost is not None)
