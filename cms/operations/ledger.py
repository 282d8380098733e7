"""The ledger: what stands in it, whether it agrees with everything else, and what invoices are still owed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from cms.contract.ledger import (
    AccountView,
    Booking,
    CorrectLedger,
    EntryView,
    ExportLedger,
    ListAccounts,
    ListEntries,
    ShowEntry,
)
from cms.contract.refusals import Invalid, NotFound
from cms.contract.tariffs import Money
from cms.core import Actor, Core
from cms.domain import billing, ledger
from cms.domain.changes import Happened
from cms.domain.invoices import Invoice
from cms.domain.ledger import Enter, Entry
from cms.operations.balances import check_currency

_LARGEST = Decimal(10**9)
_MOST = 10_000
#: An account: its kind, and whose it is.
_ACCOUNT = re.compile(r"[a-z][a-z-]*(?:/[^\s/][^\x00-\x1f\x7f]{0,199})?")


# Reading


async def list_(core: Core, request: ListEntries, actor: Actor) -> list[EntryView]:
    if not 0 < request.limit <= _MOST:
        raise Invalid(f"between 1 and {_MOST} entries can be listed, not {request.limit}")
    found = await core.store.accounting.entries(
        account=request.account,
        ref=request.ref,
        since=request.since,
        until=request.until,
        limit=request.limit,
    )
    return [view(entry) for entry in found]


async def show(core: Core, request: ShowEntry, actor: Actor) -> EntryView:
    entry = await core.store.accounting.entry(request.key)
    if entry is None:
        raise NotFound(f"there is no entry {request.key} in the ledger", "see `cms ledger list`")
    return view(entry)


async def accounts(core: Core, request: ListAccounts, actor: Actor) -> list[AccountView]:
    held = await core.store.accounting.balances(prefix=_begins(request.begins))
    return [
        AccountView(
            name, Money(ledger.major(amount, currency), currency), "debit" if amount > 0 else "credit"
        )
        for (name, currency), amount in sorted(held.items())
        if amount
    ]


def _begins(text: str | None) -> str | None:
    if text is not None and not set(text).isdisjoint("*?["):
        raise Invalid(f"{text!r} begins no account")
    return text or None


def view(entry: Entry) -> EntryView:
    return EntryView(
        key=entry.key,
        at=entry.at,
        debit=entry.debit,
        credit=entry.credit,
        amount=Money(ledger.major(entry.amount, entry.currency), entry.currency),
        kind=entry.kind,
        ref=entry.ref,
        reason=entry.reason,
        actor=entry.actor,
    )


async def export(core: Core, request: ExportLedger, actor: Actor) -> list[Booking]:
    """Of a month: what accounting software reads."""
    chart = _chart(request.chart)
    if request.since.tzinfo is None or request.until.tzinfo is None:
        raise Invalid("a time needs its zone, e.g. 2027-01-01T00:00:00Z")
    found = await core.store.accounting.entries(since=request.since, until=request.until)
    return [
        Booking(
            at=entry.at,
            debit=ledger.number(entry.debit, chart),
            credit=ledger.number(entry.credit, chart),
            amount=ledger.major(entry.amount, entry.currency),
            currency=entry.currency,
            document=entry.ref,
            text=entry.kind if entry.reason is None else f"{entry.kind}: {entry.reason}",
        )
        for entry in reversed(found)
    ]


def _chart(lines: Sequence[str]) -> dict[str, str]:
    chart = {}
    for line in lines:
        begins, sign, number = line.partition("=")
        if not sign or not begins.strip() or not number.strip():
            raise Invalid(f"{line!r} names no account", "write receivable/=1400")
        chart[begins.strip()] = number.strip()
    return chart


# Correcting


async def correct(core: Core, request: CorrectLedger, actor: Actor) -> EntryView:
    for account in (request.debit, request.credit):
        if not is_account(account):
            raise Invalid(f"{account!r} is no account", "e.g. receivable/ana, written-off")
    if request.debit == request.credit:
        raise Invalid(f"nothing moves from {request.debit} to itself")
    if not request.reason.strip():
        raise Invalid("a correction needs a reason")
    check_currency(request.currency)
    entry = _corrected(core, request, actor)
    change = {"amount": str(request.amount), "currency": request.currency}
    data = {"key": entry.key, "change": change}
    told = Happened("ledger.corrected", entry.at, actor=actor.name, data=data)
    await core.store.commit((Enter(entry),), (told,))
    return view(entry)


def is_account(name: str) -> bool:
    """Whether an account may be called so."""
    return _ACCOUNT.fullmatch(name) is not None


def _corrected(core: Core, request: CorrectLedger, actor: Actor) -> Entry:
    if not request.amount.is_finite() or not 0 < request.amount <= _LARGEST:
        raise Invalid(f"{request.amount} is no amount of money to move", "turn the accounts around instead")
    try:
        coins = ledger.minor(request.amount, request.currency)
    except ValueError as error:
        raise Invalid(str(error)) from None
    now = core.clock.now()
    key = f"correction/{core.mint.id(now)}"
    return Entry(
        key,
        now,
        request.debit,
        request.credit,
        coins,
        request.currency,
        "correction",
        key,
        request.reason.strip(),
        actor.name,
    )


# Invoices


async def open_amount(core: Core, invoice: Invoice) -> Decimal:
    """What an invoice is still owed, in major units; below nothing where too much was paid for it."""
    return (await open_amounts(core, [invoice]))[invoice.id]


async def open_amounts(core: Core, invoices: Iterable[Invoice]) -> dict[str, Decimal]:
    """The same of many, by their ids: ``payable`` less what entries of settling kinds say was paid."""
    asked = {invoice.id: invoice for invoice in invoices}
    refs = {id: [ledger.of_invoice(id), *_charges(core, invoice)] for id, invoice in asked.items()}
    all_refs = [ref for some in refs.values() for ref in some]
    moved = await core.store.accounting.moved(all_refs, (*ledger.SETTLING, *ledger.BY_CARD))

    def owed(id: str, invoice: Invoice) -> Decimal:
        account = (invoice.account, invoice.currency)
        coins = sum(moved.get(ref, {}).get(account, 0) for ref in refs[id])
        return invoice.payable + ledger.major(coins, invoice.currency)

    return {id: owed(id, invoice) for id, invoice in asked.items()}


def _charges(core: Core, invoice: Invoice) -> list[str]:
    """What entries call the charges of a driver's card that pay an invoice, or a session on it."""
    profile = billing.profile(core.kept, invoice.driver)
    if profile is None or profile.customer is None:
        return []
    # A correction is on an invoice of its own, and what was charged for the session is on the first one.
    sessions = {item.session for item in invoice.items if item.session and item.kind != "correction"}
    return [f"charge/invoice-{invoice.id}", *(f"charge/session-{session}" for session in sorted(sessions))]


def settle(
    invoice: Invoice,
    amount: int,
    source: str,
    key: str,
    at: datetime,
    *,
    still_open: int | None = None,
    reason: str | None = None,
    actor: str | None = None,
) -> tuple[Enter, ...]:
    """What enters a payment of ``amount`` minor units from ``source`` (``bank``, ``provider/stripe``) for an invoice.

    A negative amount takes one back. What exceeds ``still_open`` stays on the account as credit, for no invoice.
    ``key`` is unique: who comes again with it gets a Clash, and has paid nothing twice.
    """
    fits = amount if still_open is None or amount <= 0 else min(amount, max(still_open, 0))
    over = amount - fits
    entered = []
    if fits:
        ref = ledger.of_invoice(invoice.id)
        entered.append(
            ledger.payment(
                key, at, invoice.account, source, fits, invoice.currency, ref, reason=reason, actor=actor
            )
        )
    if over:
        over_key = f"{key}/over" if fits else key
        entered.append(
            ledger.payment(
                over_key,
                at,
                invoice.account,
                source,
                over,
                invoice.currency,
                invoice.account,
                reason=f"more than invoice {invoice.id} was owed",
                actor=actor,
            )
        )
    return tuple(entered)
