"""Invoices with what they bill, and what became of them: all of it is only added to."""

from __future__ import annotations

import asyncio
from datetime import datetime

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Index, Text, cast, func, literal, select
from sqlmodel import Field

from cms.domain.cdrs import Cdr
from cms.domain.invoices import AddInvoice, AddMark, Invoice, Mark
from cms.store.cdrs import CdrRow
from cms.store.reader import Reader
from cms.store.schema import Instant, Owned, Words, compact, micros
from cms.store.statements import Params, insert, record_columns, table


class InvoiceRow(Owned, table=True):
    __tablename__ = "invoices"
    __table_args__ = (
        Index("ix_invoices_organisation_account", "organisation", "account"),
        Index("ix_invoices_organisation_made_at", "organisation", "made_at"),
    )

    series: str = Field(sa_type=Words, primary_key=True)
    number: int = Field(sa_type=BigInteger, primary_key=True)
    account: str = Field(sa_type=Words)
    made_at: datetime = Field(sa_type=Instant)
    body: str = Field(sa_type=Words)


class BilledRow(Owned, table=True):
    """What an invoice bills: a source is billed once, whoever tries again."""

    __tablename__ = "billed"
    __table_args__ = (Index("ix_billed_organisation_number", "organisation", "series", "number"),)

    source: str = Field(sa_type=Words, primary_key=True)
    series: str = Field(sa_type=Words)
    number: int = Field(sa_type=BigInteger)


class MarkRow(Owned, table=True):
    __tablename__ = "invoice_marks"

    series: str = Field(sa_type=Words, primary_key=True)
    number: int = Field(sa_type=BigInteger, primary_key=True)
    key: str = Field(sa_type=Words, primary_key=True)
    at: datetime = Field(sa_type=Instant)
    detail: str | None = Field(sa_type=Words)
    actor: str | None = Field(sa_type=Words)


#: So many records are read between two turns of the loop.
_AT_ONCE = 200

ADD = insert(InvoiceRow)
BILL = insert(BilledRow)
MARK = insert(MarkRow)

_t, _b, _m = table(InvoiceRow), table(BilledRow), table(MarkRow)
_c = table(CdrRow)
_decode = msgspec.json.Decoder(Invoice, strict=False).decode
_cdr = msgspec.json.Decoder(Cdr, strict=False).decode
_marks = record_columns(MarkRow, Mark)


def added(change: AddInvoice, _: object) -> list[Params]:
    i = change.invoice
    return [(i.series, i.number, i.account, micros(i.made_at), compact(i))]


def billed(change: AddInvoice, _: object) -> list[Params]:
    i = change.invoice
    return [(source, i.series, i.number) for source in dict.fromkeys(item.source for item in i.items)]


def marked(change: AddMark, _: object) -> list[Params]:
    m = change.mark
    return [(m.series, m.number, m.key, micros(m.at), m.detail, m.actor)]


async def last_number(reader: Reader, series: str) -> int:
    """The last number given in a series; 0 before the first."""
    rows = await reader.rows(select(func.max(_t.c.number)).where(_t.c.series == series))
    return int(rows[0][0] or 0)


async def series(reader: Reader) -> list[str]:
    """All in which a number was given."""
    return [name for (name,) in await reader.rows(select(_t.c.series).distinct())]


async def invoice(reader: Reader, series: str, number: int) -> Invoice | None:
    rows = await reader.rows(select(_t.c.body).where((_t.c.series == series) & (_t.c.number == number)))
    return _decode(rows[0][0]) if rows else None


async def invoices(reader: Reader, account: str | None = None, limit: int | None = None) -> list[Invoice]:
    """Newest first."""
    query = select(_t.c.body).order_by(_t.c.made_at.desc(), _t.c.series, _t.c.number.desc())
    if account is not None:
        query = query.where(_t.c.account == account)
    if limit is not None:
        query = query.limit(limit)
    return [_decode(body) for (body,) in await reader.rows(query)]


async def billed_among(reader: Reader, sources: list[str]) -> set[str]:
    """Those of these sources that an invoice bills already."""
    found: set[str] = set()
    for at in range(0, len(sources), 500):
        query = select(_b.c.source).where(_b.c.source.in_(sources[at : at + 500]))
        found |= {row[0] for row in await reader.rows(query)}
    return found


async def billed_by(reader: Reader, sources: list[str]) -> dict[str, str]:
    """Which invoice bills which of these sources."""
    found: dict[str, str] = {}
    for at in range(0, len(sources), 500):
        query = select(_b.c.source, _b.c.series, _b.c.number).where(_b.c.source.in_(sources[at : at + 500]))
        found |= {source: Invoice.name(series, number) for source, series, number in await reader.rows(query)}
    return found


async def unbilled_accounts(reader: Reader, since: datetime, until: datetime) -> list[str]:
    """Who owes for sessions of which no invoice bills the latest record: their accounts, in order."""
    query = select(_c.c.account).where(_unbilled(since, until)).distinct().order_by(_c.c.account)
    return [account for (account,) in await reader.rows(query)]


async def unbilled(reader: Reader, account: str, since: datetime, until: datetime) -> list[Cdr]:
    """Those of one account, as their sessions ended."""
    query = select(_c.c.body).where(_unbilled(since, until) & (_c.c.account == account))
    found: list[Cdr] = []
    for number, (body,) in enumerate(await reader.rows(query.order_by(_c.c.ended_at, _c.c.session)), 1):
        found.append(_cdr(body))
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)  # a fleet has ten thousand: others have their turn
    return found


def _unbilled(since: datetime, until: datetime) -> ColumnElement[bool]:
    """Latest revisions of sessions that ended then, or earlier where an earlier revision may be billed already."""
    other, billed = _c.alias(), _b.alias()
    same = (other.c.organisation == _c.c.organisation) & (other.c.session == _c.c.session)
    latest = select(func.max(other.c.revision)).where(same).scalar_subquery()
    source = literal("cdr/") + _c.c.session + literal(".") + cast(_c.c.revision, Text)
    mine = (billed.c.organisation == _c.c.organisation) & (billed.c.source == source)
    return (
        (_c.c.ended_at < until)
        & ((_c.c.ended_at >= since) | (_c.c.revision > 1))
        & (_c.c.account.startswith("receivable/", autoescape=True) | (_c.c.revision > 1))
        & (_c.c.revision == latest)
        & ~select(billed.c.source).where(mine).exists()
    )


async def marks(reader: Reader, series: str | None = None, number: int | None = None) -> list[Mark]:
    """Oldest first; of one invoice, or of all."""
    query = select(*_marks).order_by(_m.c.at, _m.c.key)
    if series is not None:
        query = query.where((_m.c.series == series) & (_m.c.number == number))
    return [Mark(*row) for row in await reader.rows(query)]
