"""The ledger: what was moved from which account to which, what stands on each, and whether it all agrees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from cms.contract.record import record
from cms.contract.tariffs import Money


@record
class EntryView:
    """``amount`` went from the account ``credit`` to the account ``debit``. ``ref`` is what it is about."""

    key: str
    at: datetime
    debit: str
    credit: str
    amount: Money
    kind: str
    ref: str
    reason: str | None
    actor: str | None


@record
class AccountView:
    """What stands on an account in one currency: debits less credits. ``owes``: us, them, or nobody."""

    account: str
    balance: Money
    side: str


@record
class Difference:
    """Something that does not agree: ``what`` it is about, and in one sentence how."""

    what: str
    trouble: str


@record
class LedgerCheck:
    """How much was looked at, and what does not agree."""

    entries: int
    accounts: int
    cdrs: int
    invoices: int
    charges: int
    differences: tuple[Difference, ...]


@record
class Booking:
    """An entry as accounting software takes it; ``debit`` and ``credit`` as its chart of accounts numbers them."""

    at: datetime
    debit: str
    credit: str
    amount: Decimal
    currency: str
    document: str
    text: str


@dataclass(frozen=True, slots=True)
class ListEntries:
    """Newest first."""

    account: str | None = None
    ref: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 200


@dataclass(frozen=True, slots=True)
class ShowEntry:
    key: str


@dataclass(frozen=True, slots=True)
class ListAccounts:
    """Those on which something stands; ``begins`` with this (``receivable/``)."""

    begins: str | None = None


@dataclass(frozen=True, slots=True)
class VerifyLedger:
    """Compare the ledger with itself, with all records of sessions, invoices and charges."""


@dataclass(frozen=True, slots=True)
class ExportLedger:
    """Entries from ``since`` to ``until``, oldest first, with account numbers in place of names.

    ``chart`` says which: beginnings of account names and numbers, ``receivable/=1400``; the longest that fits counts.
    """

    since: datetime
    until: datetime
    chart: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CorrectLedger:
    """Move an amount by hand, from the account ``credit`` to the account ``debit``."""

    debit: str
    credit: str
    amount: Decimal
    currency: str
    reason: str
