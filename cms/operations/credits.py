"""What prepaid balances decide: who may charge, how far a session may go, and who pays it (2.1 C17)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal

from cms.core import Core
from cms.domain import accounts, balances, billing
from cms.domain.accounts import Account
from cms.domain.balances import Balance
from cms.domain.evolve import evolve
from cms.domain.ledger import PREPAID
from cms.domain.observations import Received, TransactionReported
from cms.domain.stations import StationState
from cms.domain.tokens import Authorization, Ruling, Token


def kept(core: Core) -> Mapping[str, Balance]:
    """All balances, by holder without case."""
    return core.kept.get(balances.KIND, {})


def balance_of(core: Core, token_id: str | None) -> Balance | None:
    """The balance that pays for a token: its driver's, else its own; none where he pays in another way."""
    known = kept(core)
    if not known or token_id is None:
        return None
    token = core.tokens.get(token_id.casefold())
    if token is not None and token.driver is not None:
        if billing.way_of(core.kept, token.driver) not in (None, "prepaid"):
            return None
        of_driver = known.get(balances.key(token.driver))
        if of_driver is not None:
            return of_driver
    return known.get(balances.key(balances.of_token(token_id)))


def left(core: Core, balance: Balance) -> Decimal:
    """What the ledger holds for it."""
    return core.prepaid.left(balance.account, balance.currency)


def available(core: Core, balance: Balance, but: Iterable[str] = ()) -> Decimal:
    """What is left, less what its running sessions (those named apart) may still cost."""
    return left(core, balance) - core.prepaid.reserved(balance.account, core.clock.now(), but)


def credited(
    core: Core, state: StationState, received: Received, ruling: Ruling, report: TransactionReported
) -> Ruling:
    """The ruling of a transaction's token: a prepaid one is good while something is left (C17)."""
    if ruling.token is None or not ruling.accepted:
        return ruling
    own = [s.id for s in state.sessions.values() if s.transaction_id == report.transaction_id]
    status = verdict(core, ruling.token.id, own)
    return ruling if status is None else evolve(ruling, status=status, expires=received.at)


def verdict(core: Core, token_id: str, own: Collection[str] = ()) -> Authorization | None:
    """What is said of a token by the balance that pays for it; None: it pays afterwards. ``own`` sessions are his here.

    A driver who is to pay before has nothing as long as he has no balance.
    """
    balance = balance_of(core, token_id)
    if balance is not None:
        return ruled(core, balance, own)
    token = core.tokens.get(token_id.casefold())
    if token is None or billing.way_of(core.kept, token.driver) != "prepaid":
        return None
    charges = not core.active.get(token_id.casefold(), set()).isdisjoint(own)
    return Authorization.ACCEPTED if charges else Authorization.NO_CREDIT


def ruled(core: Core, balance: Balance, own: Iterable[str]) -> Authorization:
    return Authorization.ACCEPTED if available(core, balance, own) > 0 else Authorization.NO_CREDIT


def has_credit(core: Core, token: Token) -> bool:
    """Whether a token that is prepaid has anything left; every other pays afterwards."""
    return verdict(core, token.id) in (None, Authorization.ACCEPTED)


def paying(core: Core, account: Account) -> str | None:
    """The ledger account of the balance that pays a session, while there is one in its currency."""
    if account.prepaid is None:
        return None
    if account.prepaid.startswith(PREPAID):
        balance = kept(core).get(balances.key(account.prepaid.removeprefix(PREPAID)))
    else:  # opened by a version that knew tokens alone
        balance = balance_of(core, account.prepaid)
    if balance is None or account.currency not in (None, balance.currency):
        return None
    return balance.account


def reserve(core: Core, session: str, account: Account | None) -> None:
    """What a session's open account may still take of a balance; None: nothing more."""
    if account is None or account.prepaid is None or account.limit is None:
        core.prepaid.reserve(session, None, Decimal(0))
    else:
        most = account.limit.max_cost or Decimal(0)
        core.prepaid.reserve(session, paying(core, account), most)


def remember(core: Core) -> None:
    """After a start: what the sessions that run may take."""
    for lane in core.lanes.values():
        for account in lane.state.kept_of(accounts.KIND).values():
            reserve(core, account.session, account)
