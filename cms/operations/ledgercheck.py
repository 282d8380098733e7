"""Whether the ledger agrees: with itself, with the balances in memory, with records of sessions, invoices, charges."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime, timedelta

from cms.contract.ledger import Difference, LedgerCheck, VerifyLedger
from cms.core import Actor, Core
from cms.domain import cdrs, ledger
from cms.domain.cdrs import Cdr
from cms.domain.charges import Charge
from cms.domain.invoices import Invoice
from cms.domain.ledger import PREPAID, REVENUE

#: Kinds of the entries that records of sessions make.
_OF_SESSIONS = ("session", "session-back")
#: Records that are compared in one go, and how long a time is read at once.
_AT_ONCE = 500
_SPAN = timedelta(days=31)
#: No more are told of than a person can read.
_MOST = 1_000

Held = dict[tuple[str, str], int]


async def verify(core: Core, request: VerifyLedger, actor: Actor) -> LedgerCheck:
    held = await core.store.accounting.balances()
    found = [*_unbalanced(held), *_forgotten(core, held)]
    looked_at: Counter[str] = Counter()
    async for records in _records(core):
        looked_at["cdrs"] += len(records)
        found += await _unlike_records(core, records)
    invoices = await core.store.accounting.invoices()
    found += await _unlike_invoices(core, invoices)
    charges = await core.store.accounting.charges()
    found += await _unlike_charges(core, charges)
    return LedgerCheck(
        entries=await core.store.accounting.count_entries(),
        accounts=len(held),
        cdrs=looked_at["cdrs"],
        invoices=len(invoices),
        charges=len(charges),
        differences=tuple(found[:_MOST]),
    )


def _unbalanced(held: Held) -> Iterator[Difference]:
    """What was moved from somewhere went somewhere: the accounts of a currency come to nothing."""
    sums: Counter[str] = Counter()
    for (_, currency), amount in held.items():
        sums[currency] += amount
    for currency, amount in sums.items():
        if amount:
            yield Difference(currency, f"all accounts together hold {_said(amount, currency)}, not nothing")


def _forgotten(core: Core, held: Held) -> Iterator[Difference]:
    """What decides in memory who may charge is what the ledger says."""
    by_record = {place: -amount for place, amount in held.items() if place[0].startswith(PREPAID) and amount}
    in_memory = core.prepaid.all()
    for account, currency in sorted(by_record.keys() | in_memory.keys()):
        written, known = by_record.get((account, currency), 0), in_memory.get((account, currency), 0)
        if written != known:
            yield Difference(
                account,
                f"{_said(known, currency)} are held in memory, {_said(written, currency)} stand in the ledger",
            )


async def _records(core: Core) -> AsyncIterator[list[Cdr]]:
    """The latest revisions of all records, some at a time; newest first."""
    newest = await core.store.accounting.cdrs(limit=1)
    oldest = await core.store.accounting.first_cdr()
    if not newest or oldest is None:
        return
    until: datetime = newest[0].ended_at + timedelta(microseconds=1)
    while until > oldest:
        found = await core.store.accounting.cdrs(since=until - _SPAN, until=until)
        for at in range(0, len(found), _AT_ONCE):
            yield found[at : at + _AT_ONCE]
        until -= _SPAN


async def _unlike_records(core: Core, records: Sequence[Cdr]) -> list[Difference]:
    """Of each session the ledger has the revision that is in force, whole, and of no other anything."""
    refs = {
        f"cdr/{record.session}.{number}": record.session
        for record in records
        for number in range(1, record.revision + 1)
    }
    entered: Counter[tuple[str, str]] = Counter()
    for ref, moved in (await core.store.accounting.moved(list(refs), _OF_SESSIONS)).items():
        for (account, currency), amount in moved.items():
            if account == REVENUE or account.startswith("tax/"):
                entered[refs[ref], currency] -= amount
    found = []
    for record in records:
        in_force = record if not record.holds and record.revision == 1 else await _in_force(core, record)
        owed = 0 if in_force is None else ledger.minor(in_force.gross, in_force.bill.currency)
        currency = record.bill.currency if in_force is None else in_force.bill.currency
        there = entered[record.session, currency]
        if there != owed:
            found.append(
                Difference(
                    f"cdr/{record.id}",
                    f"the session cost {_said(owed, currency)}, the ledger has {_said(there, currency)} of it",
                )
            )
    return found


async def _in_force(core: Core, latest: Cdr) -> Cdr | None:
    known = await core.store.accounting.revisions(latest.session)
    return cdrs.entered(known, await core.store.accounting.cdr_marks(latest.session))


async def _unlike_invoices(core: Core, invoices: Sequence[Invoice]) -> list[Difference]:
    """An invoice comes to its lines, and the sessions that it bills are there."""
    found = []
    for invoice in invoices:
        owed = sum((item.gross for item in invoice.items), start=invoice.payable * 0)
        if owed != invoice.payable:
            found.append(
                Difference(
                    ledger.of_invoice(invoice.id),
                    f"its lines come to {owed} {invoice.currency}, {invoice.payable} are to be paid",
                )
            )
    return found


async def _unlike_charges(core: Core, charges: Sequence[Charge]) -> list[Difference]:
    """What a provider took less what it gave back is what the ledger has of a charge."""
    refs = [f"charge/{charge.id}" for charge in charges]
    moved = await core.store.accounting.moved(refs, ("card", "card-refund"))
    found = []
    for charge in charges:
        there = moved.get(f"charge/{charge.id}", {}).get((f"provider/{charge.provider}", charge.currency), 0)
        if there != charge.captured - charge.refunded:
            found.append(
                Difference(
                    f"charge/{charge.id}",
                    f"{_said(charge.captured - charge.refunded, charge.currency)} were taken,"
                    f" the ledger has {_said(there, charge.currency)}",
                )
            )
    return found


def _said(amount: int, currency: str) -> str:
    return f"{ledger.major(amount, currency)} {currency}"
