"""Prepaid balances: topped up, given back, set right. Each change enters the ledger, which says what is left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from cms.contract.balances import (
    BalanceView,
    CloseBalance,
    CorrectBalance,
    ListBalances,
    RefundBalance,
    SetBalance,
    ShowBalance,
    TopUpBalance,
)
from cms.contract.filters import keys_of, parse
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.contract.tariffs import CreditView, DropCredit, ListCredits, Money, SetCredit
from cms.core import Actor, Clash, Core
from cms.domain import balances, drivers, ledger
from cms.domain.balances import Balance
from cms.domain.changes import Change, Happened, Keep
from cms.domain.erasure import Aliases
from cms.domain.evolve import evolve
from cms.domain.ledger import Enter, Entry
from cms.operations import lowbalance
from cms.operations.credits import available, balance_of, kept, left
from cms.operations.identifying import named

#: How money comes in or goes out -> the account that it moves on.
BY = {"bank": ledger.BANK, "cash": ledger.CASH, "card": ledger.TERMINAL}
_LARGEST = Decimal(10**9)
_LONGEST = 140


# Reading


async def list_(core: Core, request: ListBalances, actor: Actor) -> list[BalanceView]:
    chosen = parse(request.filter or "", keys_of(BalanceView))
    owned: dict[str, list[str]] = {}
    for token in core.tokens.values():
        if token.driver is not None:
            owned.setdefault(balances.key(token.driver), []).append(token.id)
    views = (view(core, balance, owned.get(key, ())) for key, balance in sorted(kept(core).items()))
    return [shown for shown in views if chosen(shown)]


async def show(core: Core, request: ShowBalance, actor: Actor) -> BalanceView:
    return _shown(core, found(core, request.holder))


def _shown(core: Core, balance: Balance) -> BalanceView:
    return view(core, balance, [t.id for t in core.tokens.values() if _is_his(t.driver, balance)])


def _is_his(driver: str | None, balance: Balance) -> bool:
    return driver is not None and balances.key(driver) == balance.key


def view(core: Core, balance: Balance, owned: Iterable[str]) -> BalanceView:
    there = left(core, balance)
    token = balance.token
    return BalanceView(
        holder=balance.driver or token or "",
        kind="driver" if token is None else "token",
        balance=Money(there, balance.currency),
        available=Money(available(core, balance), balance.currency),
        low=balance.warn_below is not None and there < balance.warn_below,
        warn_below=balance.warn_below,
        top_up=balance.top_up,
        tokens=tuple(sorted(owned)) if token is None else (token,),
        changed_at=core.prepaid.moved_at(balance.account, balance.changed_at),
    )


def holder_of(core: Core, text: str) -> str:
    """Whose balance is meant by a driver's id, or by a token (``token:ID`` where a driver is called so too)."""
    name = text.removeprefix("token:")
    if name == text:
        folded = text.casefold()
        known = core.kept.get(drivers.KIND, {})
        if text in known:
            return text
        driver = next((id for id in known if id.casefold() == folded), None)
        if driver is not None:
            return driver
    token = named(core, name)
    if token is not None:
        balance = balance_of(core, token.id)
        if balance is not None:
            return balance.holder
        return token.driver or balances.of_token(token.id)
    orphan = kept(core).get(balances.key(text)) or kept(core).get(balances.key(balances.of_token(name)))
    if orphan is not None:
        return orphan.holder
    raise NotFound(f"there is no driver or token {text}", "see `cms drivers list` and `cms tokens list`")


def found(core: Core, text: str) -> Balance:
    """The balance that is meant; NotFound where there is none."""
    holder = holder_of(core, text)
    balance = kept(core).get(balances.key(holder))
    if balance is None:
        raise NotFound(f"{text} is not prepaid", "see `cms balances list`, or: cms balances top-up")
    return balance


# Changing


async def top_up(core: Core, request: TopUpBalance, actor: Actor) -> BalanceView:
    source = _source(request.by)
    async with core.books:
        holder = holder_of(core, request.holder)
        known = kept(core).get(balances.key(holder))
        currency = request.currency or (known.currency if known is not None else "EUR")
        check_currency(currency)
        if known is not None and known.currency != currency:
            raise Conflict(f"the balance of {request.holder} is in {known.currency}", f"not {currency}")
        coins = _coins(request.amount, currency, above_nothing=True)
        balance = known or Balance(holder, currency, core.clock.now())
        ref = _reference(core, "top-up", request.reference)
        entry = _entry(core, balance, coins, source, "top-up", ref, actor, request.reason)
        return await _entered(core, balance, [entry], actor, "top-up", coins)


async def refund(core: Core, request: RefundBalance, actor: Actor) -> BalanceView:
    source = _source(request.by)
    async with core.books:
        balance = found(core, request.holder)
        ref = _reference(core, "refund", request.reference)
        if request.reference is not None and await _there(core, ref):
            return _shown(core, balance)
        free = available(core, balance)
        amount = free if request.amount is None else request.amount
        coins = _coins(amount, balance.currency, above_nothing=True)
        if amount > free:
            raise Conflict(f"{request.holder} has {free} {balance.currency} that can be given back")
        entry = _entry(core, balance, -coins, source, "refund", ref, actor, request.reason)
        return await _entered(core, balance, [entry], actor, "refund", -coins)


async def correct(core: Core, request: CorrectBalance, actor: Actor) -> BalanceView:
    if not request.reason.strip():
        raise Invalid("a correction needs a reason")
    async with core.books:
        balance = found(core, request.holder)
        coins = _coins(request.amount, balance.currency)
        ref = _reference(core, "correction", None)
        entry = _entry(core, balance, coins, ledger.CORRECTIONS, "correction", ref, actor, request.reason)
        return await _entered(core, balance, [entry], actor, "correction", coins)


async def set_(core: Core, request: SetBalance, actor: Actor) -> BalanceView:
    async with core.books:
        balance = found(core, request.holder)
        changed = evolve(balance, changed_at=core.clock.now())
        for name in ("warn_below", "top_up"):
            amount: Decimal | None = getattr(request, name)
            if amount is not None:
                coins = _coins(amount, balance.currency, nothing=True)
                if coins < 0:
                    raise Invalid(f"{amount} {balance.currency} is less than nothing")
                changed = evolve(changed, **{name: amount if coins else None})
        changed = evolve(changed, warned=False)
        await _entered(core, changed, [], actor, "settings", 0)
    core.spawn(lowbalance.watch(core, changed.account))
    return _shown(core, changed)


async def close(core: Core, request: CloseBalance, actor: Actor) -> None:
    async with core.books:
        balance = found(core, request.holder)
        now, there = core.clock.now(), left(core, balance)
        coins = ledger.minor(there, balance.currency)
        entries = []
        if coins:
            receivable = f"{ledger.RECEIVABLE}{balance.holder}"
            ref = _reference(core, "closed", None)
            entries.append(_entry(core, balance, -coins, receivable, "closed", ref, actor, request.reason))
        told = _changed(balance, now, actor, "closed", -coins)
        await core.store.commit(
            (Keep("", balances.KIND, balance.key, None, now), *map(Enter, entries)), (told,)
        )
        core.kept[balances.KIND].pop(balance.key, None)


def handed_on(core: Core, holder: str, aliases: Aliases) -> tuple[list[Change], dict[tuple[str, str], Any]]:
    """What an erased holder's balance becomes: the same money under his alias. The ledger keeps what it says."""
    balance = kept(core).get(balances.key(holder))
    if balance is None:
        return [], {}
    alias = evolve(balance, holder=aliases.text("kept.key", balance.holder))
    moved = {(balances.KIND, balance.key): None, (balances.KIND, alias.key): alias}
    coins = ledger.minor(left(core, balance), balance.currency)
    if not coins:
        return [], moved
    ref = _reference(core, "erased", None)
    return [Enter(_entry(core, balance, -coins, alias.account, "erased", ref, None, None))], moved


def _entry(
    core: Core,
    balance: Balance,
    coins: int,
    other: str,
    kind: str,
    ref: str,
    actor: Actor | None,
    reason: str | None,
) -> Entry:
    """What moves a balance up, or down with a sign."""
    debit, credit = (other, balance.account) if coins > 0 else (balance.account, other)
    name = actor.name if actor is not None else None
    return Entry(ref, core.clock.now(), debit, credit, abs(coins), balance.currency, kind, ref, reason, name)


async def _entered(
    core: Core, balance: Balance, entries: Sequence[Entry], actor: Actor, kind: str, coins: int
) -> BalanceView:
    """Commit a balance with its entries; what was entered already is what was asked. ``core.books`` is held."""
    now = core.clock.now()
    changes: list[Change] = [*map(Enter, entries)]
    if kept(core).get(balance.key) != balance:
        changes.insert(0, Keep("", balances.KIND, balance.key, balance, now))
    try:
        await core.store.commit(changes, (_changed(balance, now, actor, kind, coins),))
    except Clash:
        await _check_same(core, entries[0])
    else:
        core.kept.setdefault(balances.KIND, {})[balance.key] = balance
    return _shown(core, balance)


async def _check_same(core: Core, entry: Entry) -> None:
    there = await _there(core, entry.ref)
    if there is None or (there.debit, there.credit, there.amount, there.currency) != (
        entry.debit,
        entry.credit,
        entry.amount,
        entry.currency,
    ):
        raise Conflict(f"{entry.ref} was entered already, with another holder or amount")


async def _there(core: Core, ref: str) -> Entry | None:
    known = await core.store.accounting.entries(ref=ref, limit=1)
    return known[0] if known else None


def _changed(balance: Balance, now: datetime, actor: Actor, kind: str, coins: int) -> Happened:
    change = {"amount": str(ledger.major(coins, balance.currency)), "currency": balance.currency}
    data = {"driver": balance.driver, "token": balance.token, "kind": kind, "change": change}
    return Happened("balance.changed", now, actor=actor.name, data=data)


# Checking


def _source(by: str) -> str:
    account = BY.get(by)
    if account is None:
        raise Invalid(f"money comes by {', '.join(BY)}, not {by!r}")
    return account


def _reference(core: Core, kind: str, reference: str | None) -> str:
    if reference is None:
        return f"{kind}/{core.mint.id(core.clock.now())}"
    if not 0 < len(reference) <= _LONGEST or not reference.isprintable():
        raise Invalid(f"a reference has at most {_LONGEST} printable characters")
    return f"{kind}/by/{reference}"


def check_currency(currency: str) -> None:
    if not (len(currency) == 3 and currency.isascii() and currency.isupper()):
        raise Invalid(f"the currency must be three capitals as in ISO 4217, not {currency!r}")


def _coins(amount: Decimal, currency: str, *, above_nothing: bool = False, nothing: bool = False) -> int:
    if not amount.is_finite() or abs(amount) > _LARGEST:
        raise Invalid(f"{amount} is no amount of money")
    try:
        coins = ledger.minor(amount, currency)
    except ValueError as error:
        raise Invalid(str(error)) from None
    if (above_nothing and coins <= 0) or (coins == 0 and not nothing):
        raise Invalid(f"there is nothing to move: {amount} {currency}")
    return coins


# As they were asked for when each token had a balance of its own


async def credits_(core: Core, request: ListCredits, actor: Actor) -> list[CreditView]:
    chosen = parse(request.filter or "", keys_of(CreditView))
    shown = await list_(core, ListBalances(), actor)
    views = (
        CreditView(token, balance.balance, balance.available, balance.changed_at)
        for balance in shown
        for token in balance.tokens
    )
    return [credit for credit in sorted(views, key=lambda credit: credit.token) if chosen(credit)]


async def set_credit(core: Core, request: SetCredit, actor: Actor) -> CreditView:
    token = named(core, request.token)
    if token is None:
        raise NotFound(f"there is no token {request.token}", "see `cms tokens list`")
    check_currency(request.currency)
    async with core.books:
        holder = holder_of(core, f"token:{token.id}")
        balance = kept(core).get(balances.key(holder)) or Balance(holder, request.currency, core.clock.now())
        if balance.currency != request.currency:
            raise Conflict(f"the balance of {token.id} is in {balance.currency}")
        before = Decimal(0) if request.add else left(core, balance)
        coins = _coins(request.amount - before, balance.currency, nothing=True)
        ref = _reference(core, "correction", None)
        entries = (
            [_entry(core, balance, coins, ledger.CORRECTIONS, "correction", ref, actor, "set by hand")]
            if coins
            else []
        )
        shown = await _entered(core, balance, entries, actor, "correction", coins)
    return CreditView(token.id, shown.balance, shown.available, shown.changed_at)


async def drop_credit(core: Core, request: DropCredit, actor: Actor) -> None:
    token = named(core, request.token)
    await close(core, CloseBalance(f"token:{token.id if token is not None else request.token}"), actor)
