"""The ledger: double entry, whole minor units, only ever added to.

An entry moves an amount from one account to another, so that an unbalanced one cannot be written down. What takes
several entries (net and taxes) is one commit. An entry's ``key`` is unique: what happens twice is written once.

Accounts are named by kind and owner:

- ``receivable/DRIVER``: what a driver owes us (``receivable/token/TOKEN`` where a token has no driver)
- ``prepaid/DRIVER``: what we owe a driver who paid before (``prepaid/token/TOKEN`` likewise)
- ``payment/REFERENCE``: what an ad hoc payment is to bring
- ``revenue``, ``tax/PERCENT``, ``bank``, ``provider/NAME``, ``fees/NAME``, ``waived``, ``disputed``, ``written-off``
- ``cash``, ``terminal``: where else money came in; ``unassigned``: money of which nobody knows yet whose it is;
  ``corrections``: what was set right by hand; ``opening``: what was there before there was a ledger
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal

from cms.contract.tariffs import Bill
from cms.domain.cdrs import Cdr
from cms.domain.changes import Change
from cms.domain.costs import minor_units
from cms.domain.record import record

REVENUE, BANK, WAIVED, DISPUTED, WRITTEN_OFF = "revenue", "bank", "waived", "disputed", "written-off"
UNASSIGNED, CORRECTIONS, CASH, TERMINAL, OPENING = "unassigned", "corrections", "cash", "terminal", "opening"
RECEIVABLE, PREPAID = "receivable/", "prepaid/"

#: Kinds of entries that pay an invoice, take such a payment back, or (a reminder) make it more, where ``ref`` names it
#: (``invoice/2026-0042``).
SETTLING = ("payment", "payment-back", "credit-note", "written-off", "waived", "reminder-fee")
#: Kinds of entries that a charge of a card makes, and what is given back of it.
BY_CARD = ("card", "card-refund")


@record
class Entry:
    """``amount`` in the currency's minor units, more than 0; ``ref`` is what it is about (``cdr/S1.1``)."""

    key: str
    at: datetime
    debit: str
    credit: str
    amount: int
    currency: str
    kind: str
    ref: str
    reason: str | None = None
    actor: str | None = None


@record
class Enter(Change):
    """Write an entry. Its key is unique: a second one with it is a Clash."""

    entry: Entry


def tax_account(percent: Decimal) -> str:
    return f"tax/{percent.normalize():f}"


def minor(amount: Decimal, currency: str) -> int:
    """19.99 EUR -> 1999; raises ValueError for what is no whole number of coins."""
    scaled = amount.scaleb(minor_units(currency))
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{amount} {currency} is no whole number of coins")
    return int(scaled)


def major(amount: int, currency: str) -> Decimal:
    """1999 EUR -> 19.99"""
    return Decimal(amount).scaleb(-minor_units(currency))


def of_cdr(cdr: Cdr, before: Cdr | None = None) -> Iterator[Enter]:
    """What a revision of a record owes: that of the one before is taken back in the same commit."""
    if before is not None:
        yield from _billed(before, f"cdr/{before.id}/back", cdr.rated_at, back=True)
    yield from _billed(cdr, f"cdr/{cdr.id}", cdr.rated_at)


def _billed(cdr: Cdr, key: str, at: datetime, *, back: bool = False) -> Iterator[Enter]:
    bill: Bill = cdr.bill
    for part in bill.vat:
        percent = f"{part.percent.normalize():f}"
        for what, account, amount in (
            ("net", REVENUE, part.net),
            ("tax", tax_account(part.percent), part.vat),
        ):
            coins = minor(amount, bill.currency)
            if coins == 0:
                continue
            debit, credit = (
                (cdr.payer.account, account) if (coins > 0) is not back else (account, cdr.payer.account)
            )
            kind = "session-back" if back else "session"
            entry = Entry(
                f"{key}/{what}/{percent}", at, debit, credit, abs(coins), bill.currency, kind, f"cdr/{cdr.id}"
            )
            yield Enter(entry)


def of_invoice(invoice_id: str) -> str:
    """The ``ref`` of entries that settle an invoice."""
    return f"invoice/{invoice_id}"


def payment(
    key: str,
    at: datetime,
    account: str,
    source: str,
    amount: int,
    currency: str,
    ref: str,
    *,
    kind: str = "payment",
    reason: str | None = None,
    actor: str | None = None,
) -> Enter:
    """Money of ``source`` (bank, provider/stripe ...) pays what ``account`` owes; a negative amount takes it back."""
    debit, credit = (source, account) if amount > 0 else (account, source)
    kind = f"{kind}-back" if amount < 0 else kind
    return Enter(Entry(key, at, debit, credit, abs(amount), currency, kind, ref, reason, actor))


def number(account: str, chart: Mapping[str, str]) -> str:
    """An account as a chart of accounts numbers it, by the longest beginning of its name; itself where none fits."""
    fitting = [begins for begins in chart if account.startswith(begins)]
    return chart[max(fitting, key=len)] if fitting else account
