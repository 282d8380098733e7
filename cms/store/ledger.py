"""Entries of the ledger: inserted, never changed or deleted; triggers of the database see to it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, func, or_, select
from sqlmodel import Field

from cms.domain.ledger import Enter, Entry
from cms.store.reader import Reader
from cms.store.schema import Belonging, Counted, Instant, Words, micros
from cms.store.statements import Params, insert, record_columns, table


class EntryRow(Belonging, table=True):
    __tablename__ = "ledger"
    __table_args__ = (
        UniqueConstraint("organisation", "key"),
        CheckConstraint("amount > 0 AND debit <> credit", name="ck_ledger_moves"),
        Index("ix_ledger_organisation_debit", "organisation", "debit", "currency", "amount"),
        Index("ix_ledger_organisation_credit", "organisation", "credit", "currency", "amount"),
        Index("ix_ledger_organisation_ref", "organisation", "ref"),
    )

    id: int | None = Field(default=None, sa_type=Counted, primary_key=True)
    key: str = Field(sa_type=Words)
    at: datetime = Field(sa_type=Instant)
    debit: str = Field(sa_type=Words)
    credit: str = Field(sa_type=Words)
    amount: int = Field(sa_type=BigInteger)
    currency: str = Field(sa_type=Words)
    kind: str = Field(sa_type=Words)
    ref: str = Field(sa_type=Words)
    reason: str | None = Field(sa_type=Words)
    actor: str | None = Field(sa_type=Words)


ADD = insert(EntryRow, without=("id",))

_t = table(EntryRow)
_columns = record_columns(EntryRow, Entry)


def added(change: Enter, _: object) -> list[Params]:
    e = change.entry
    return [
        (
            e.key,
            micros(e.at),
            e.debit,
            e.credit,
            e.amount,
            e.currency,
            e.kind,
            e.ref,
            e.reason,
            e.actor,
        )
    ]


async def entries(
    reader: Reader,
    *,
    account: str | None = None,
    ref: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int | None = None,
) -> list[Entry]:
    """Newest first."""
    query = select(*_columns).order_by(_t.c.id.desc())
    if account is not None:
        query = query.where(or_(_t.c.debit == account, _t.c.credit == account))
    if ref is not None:
        query = query.where(_t.c.ref == ref)
    if since is not None:
        query = query.where(_t.c.at >= since)
    if until is not None:
        query = query.where(_t.c.at < until)
    if limit is not None:
        query = query.limit(limit)
    return [Entry(*row) for row in await reader.rows(query)]


async def balances(reader: Reader, account: str | None = None) -> dict[tuple[str, str], int]:
    """(Account, currency) -> debits less credits in minor units; of one account, or of all."""
    held: dict[tuple[str, str], int] = {}
    for column, sign in ((_t.c.debit, 1), (_t.c.credit, -1)):
        query = select(column, _t.c.currency, func.sum(_t.c.amount)).group_by(column, _t.c.currency)
        if account is not None:
            query = query.where(column == account)
        for name, currency, amount in await reader.rows(query):
            held[name, currency] = held.get((name, currency), 0) + sign * int(amount)
    return held
