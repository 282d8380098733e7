"""After a start: what the ledger holds for prepaid holders, and balances of a version that kept them per token."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal

from cms.core import Core
from cms.domain import balances, ledger, payments
from cms.domain.balances import Balance
from cms.domain.changes import Change, Keep
from cms.domain.costs import minor_units
from cms.domain.ledger import Enter, Entry
from cms.domain.payments import Credit
from cms.operations import credits, lowbalance


async def recover(core: Core) -> None:
    """Take over what the ledger says; from now on every entry that is committed moves it."""
    core.prepaid.load(await core.store.accounting.balances(prefix=ledger.PREPAID))

    def entered(entries: Iterable[Entry]) -> None:
        for account in core.prepaid.enter(entries):
            core.spawn(lowbalance.watch(core, account))

    core.store.entered = entered
    await _adopt(core)
    credits.remember(core)


async def _adopt(core: Core) -> None:
    """Balances that were kept per token become those of their holders, with an opening entry, in one commit."""
    known: dict[str, Credit] = core.kept.get(payments.CREDIT, {})
    owed = core.kept.get(payments.DEBIT, {})
    if not known and not owed:
        return
    now = core.clock.now()
    changes: list[Change] = [Keep("", payments.CREDIT, key, None, now) for key in known]
    changes += [Keep("", payments.DEBIT, key, None, now) for key in owed]
    due: dict[str, Decimal] = {}
    for debit in owed.values():
        due[debit.token.casefold()] = due.get(debit.token.casefold(), Decimal(0)) + debit.amount
    wanted: dict[tuple[str, str], Decimal] = {}
    for key, credit in known.items():
        token = core.tokens.get(key)
        driver = token.driver if token is not None else None
        place = (driver or balances.of_token(credit.token), credit.currency)
        wanted[place] = wanted.get(place, Decimal(0)) + credit.balance - due.get(key, Decimal(0))
    made: dict[str, Balance] = {}
    for (holder, currency), amount in wanted.items():
        # A driver's cards in several currencies: he pays in the first, the ledger holds what is left in the others.
        balance = Balance(holder, currency, now)
        if made.setdefault(balance.key, balance) is balance:
            changes.append(Keep("", balances.KIND, balance.key, balance, now))
        changes += _opening(core, balance, amount)
    await core.store.commit(changes, ())
    core.kept.pop(payments.CREDIT, None)
    core.kept.pop(payments.DEBIT, None)
    core.kept.setdefault(balances.KIND, {}).update(made)


def _opening(core: Core, balance: Balance, amount: Decimal) -> Iterable[Enter]:
    """The entry after which the ledger holds this amount for a holder."""
    coin = Decimal(1).scaleb(-minor_units(balance.currency))
    missing = amount.quantize(coin, ROUND_HALF_EVEN) - core.prepaid.left(balance.account, balance.currency)
    coins = ledger.minor(missing, balance.currency)
    if coins:
        debit, credit = (ledger.OPENING, balance.account) if coins > 0 else (balance.account, ledger.OPENING)
        key = f"opening/{balance.holder}/{balance.currency}"
        yield Enter(Entry(key, core.clock.now(), debit, credit, abs(coins), balance.currency, "opening", key))
