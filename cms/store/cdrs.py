"""Charge detail records: inserted, never updated (aliases of erased people apart: see privacy)."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import BigInteger, Index, func, select
from sqlmodel import Field

from cms.domain.cdrs import AddCdr, Cdr
from cms.store.reader import Reader
from cms.store.schema import Instant, Owned, Words, compact, fold, micros
from cms.store.statements import Params, insert, table


class CdrRow(Owned, table=True):
    __tablename__ = "cdrs"
    __table_args__ = (
        Index("ix_cdrs_organisation_ended_at", "organisation", "ended_at"),
        Index("ix_cdrs_organisation_account_ended_at", "organisation", "account", "ended_at"),
        Index("ix_cdrs_organisation_station_key_ended_at", "organisation", "station_key", "ended_at"),
    )

    session: str = Field(sa_type=Words, primary_key=True)
    revision: int = Field(sa_type=BigInteger, primary_key=True)
    station_key: str = Field(sa_type=Words)
    account: str = Field(sa_type=Words)
    ended_at: datetime = Field(sa_type=Instant)
    rated_at: datetime = Field(sa_type=Instant)
    body: str = Field(sa_type=Words)


ADD = insert(CdrRow)

_t = table(CdrRow)
_decode = msgspec.json.Decoder(Cdr, strict=False).decode


def added(change: AddCdr, _: object) -> list[Params]:
    c = change.cdr
    return [
        (
            c.session,
            c.revision,
            fold(c.station),
            c.payer.account,
            micros(c.ended_at),
            micros(c.rated_at),
            compact(c),
        )
    ]


async def revisions(reader: Reader, session_id: str) -> list[Cdr]:
    """All revisions of a session's record, oldest first."""
    query = select(_t.c.body).where(_t.c.session == session_id).order_by(_t.c.revision)
    return [_decode(body) for (body,) in await reader.rows(query)]


async def cdrs(
    reader: Reader,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    station: str | None = None,
    account: str | None = None,
    limit: int | None = None,
) -> list[Cdr]:
    """The latest revision of each record of sessions that ended between two instants, newest first."""
    other = table(CdrRow).alias()
    latest = select(func.max(other.c.revision)).where(
        (other.c.organisation == _t.c.organisation) & (other.c.session == _t.c.session)
    )
    query = select(_t.c.body).where(_t.c.revision == latest.scalar_subquery())
    if since is not None:
        query = query.where(_t.c.ended_at >= since)
    if until is not None:
        query = query.where(_t.c.ended_at < until)
    if station is not None:
        query = query.where(_t.c.station_key == fold(station))
    if account is not None:
        query = query.where(_t.c.account == account)
    query = query.order_by(_t.c.ended_at.desc(), _t.c.session)
    if limit is not None:
        query = query.limit(limit)
    return [_decode(body) for (body,) in await reader.rows(query)]
