"""Entries of the ledger: inserted, never changed or deleted; triggers of the database see to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ColumnElement,
    Index,
    UniqueConstraint,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.ext.compiler import compiles
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

#: So many refs are asked for in one query.
_AT_ONCE = 500

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


class _Begins(ColumnElement[bool]):
    """Whether a text begins with one that holds no ``*?[``: said so that each database may use its index."""

    type = Boolean()
    inherit_cache = False

    def __init__(self, text: ColumnElement[str], prefix: str) -> None:
        self.text, self.prefix, self.pattern = text, literal(prefix), literal(f"{prefix}*")


@compiles(_Begins)
def _by_glob(element: _Begins, compiler: Any, **more: Any) -> str:
    return f"{compiler.process(element.text, **more)} GLOB {compiler.process(element.pattern, **more)}"


@compiles(_Begins, "postgresql")
def _by_operator(element: _Begins, compiler: Any, **more: Any) -> str:
    return f"{compiler.process(element.text, **more)} ^@ {compiler.process(element.prefix, **more)}"


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


async def count_entries(reader: Reader) -> int:
    rows = await reader.rows(select(func.count()).select_from(_t))
    return int(rows[0][0])


async def entry(reader: Reader, key: str) -> Entry | None:
    rows = await reader.rows(select(*_columns).where(_t.c.key == key))
    return Entry(*rows[0]) if rows else None


async def among(reader: Reader, keys: Sequence[str]) -> list[Entry]:
    """Those of these keys that there are."""
    found: list[Entry] = []
    for at in range(0, len(keys), _AT_ONCE):
        rows = await reader.rows(select(*_columns).where(_t.c.key.in_(keys[at : at + _AT_ONCE])))
        found += [Entry(*row) for row in rows]
    return found


async def balances(
    reader: Reader, account: str | None = None, prefix: str | None = None
) -> dict[tuple[str, str], int]:
    """(Account, currency) -> debits less credits in minor units; of one account, of those that begin so, or of all."""
    held: dict[tuple[str, str], int] = {}
    for column, sign in ((_t.c.debit, 1), (_t.c.credit, -1)):
        query = select(column, _t.c.currency, func.sum(_t.c.amount)).group_by(column, _t.c.currency)
        if account is not None:
            query = query.where(column == account)
        if prefix is not None:
            query = query.where(_Begins(column, prefix))
        for name, currency, amount in await reader.rows(query):
            held[name, currency] = held.get((name, currency), 0) + sign * int(amount)
    return held


async def moved(
    reader: Reader, refs: Sequence[str], kinds: Sequence[str]
) -> dict[str, dict[tuple[str, str], int]]:
    """Ref -> (account, currency) -> debits less credits, of entries of these kinds about these refs."""
    found: dict[str, dict[tuple[str, str], int]] = {}
    for at in range(0, len(refs), _AT_ONCE):
        some = _t.c.ref.in_(refs[at : at + _AT_ONCE]) & _t.c.kind.in_(kinds)
        for column, sign in ((_t.c.debit, 1), (_t.c.credit, -1)):
            query = select(_t.c.ref, column, _t.c.currency, func.sum(_t.c.amount)).where(some)
            for ref, account, currency, amount in await reader.rows(
                query.group_by(_t.c.ref, column, _t.c.currency)
            ):
                of_ref = found.setdefault(ref, {})
                of_ref[account, currency] = of_ref.get((account, currency), 0) + sign * int(amount)
    return found
