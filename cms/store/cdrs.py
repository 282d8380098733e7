"""Charge detail records and what was said of them: inserted, never updated (aliases of erased people: see privacy)."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import BigInteger, Index, case, func, literal_column, select
from sqlmodel import Field

from cms.domain.cdrs import DISPUTED, RELEASED, RESOLVED, AddCdr, AddCdrMark, Cdr, CdrMark
from cms.store.reader import Reader
from cms.store.schema import Instant, Owned, Words, compact, fold, micros
from cms.store.statements import Params, insert, record_columns, table

#: Written out, not bound: only then do both planners see that the partial index serves.
HELD = "held"


class CdrRow(Owned, table=True):
    __tablename__ = "cdrs"
    __table_args__ = (
        Index("ix_cdrs_organisation_ended_at", "organisation", "ended_at"),
        Index("ix_cdrs_organisation_account_ended_at", "organisation", "account", "ended_at"),
        Index("ix_cdrs_organisation_station_key_ended_at", "organisation", "station_key", "ended_at"),
        Index(
            "ix_cdrs_held",
            "organisation",
            "session",
            sqlite_where=literal_column(HELD),
            postgresql_where=literal_column(HELD),
        ),
    )

    session: str = Field(sa_type=Words, primary_key=True)
    revision: int = Field(sa_type=BigInteger, primary_key=True)
    station_key: str = Field(sa_type=Words)
    account: str = Field(sa_type=Words)
    ended_at: datetime = Field(sa_type=Instant)
    rated_at: datetime = Field(sa_type=Instant)
    held: bool
    body: str = Field(sa_type=Words)


class CdrMarkRow(Owned, table=True):
    __tablename__ = "cdr_marks"
    __table_args__ = (Index("ix_cdr_marks_organisation_at", "organisation", "at"),)

    session: str = Field(sa_type=Words, primary_key=True)
    key: str = Field(sa_type=Words, primary_key=True)
    what: str = Field(sa_type=Words)
    revision: int = Field(sa_type=BigInteger)
    at: datetime = Field(sa_type=Instant)
    reason: str = Field(sa_type=Words)
    actor: str | None = Field(sa_type=Words)


ADD = insert(CdrRow)
MARK = insert(CdrMarkRow)

_t, _m = table(CdrRow), table(CdrMarkRow)
_marks = record_columns(CdrMarkRow, CdrMark)
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
            bool(c.holds),
            compact(c),
        )
    ]


def marked(change: AddCdrMark, _: object) -> list[Params]:
    m = change.mark
    return [(m.session, m.key, m.what, m.revision, micros(m.at), m.reason, m.actor)]


async def marks(
    reader: Reader, session_id: str | None = None, since: datetime | None = None
) -> list[CdrMark]:
    """What was said of a session's record, or of all since then, oldest first."""
    query = select(*_marks).order_by(_m.c.at, _m.c.key)
    if session_id is not None:
        query = query.where(_m.c.session == session_id)
    if since is not None:
        query = query.where(_m.c.at >= since)
    return [CdrMark(*row) for row in await reader.rows(query)]


async def held(reader: Reader) -> list[str]:
    """Sessions whose latest record is held now."""
    later, released = table(CdrRow).alias(), table(CdrMarkRow).alias()
    newer = (later.c.organisation == _t.c.organisation) & (later.c.session == _t.c.session)
    newer &= later.c.revision > _t.c.revision
    own = (released.c.organisation == _t.c.organisation) & (released.c.session == _t.c.session)
    own &= (released.c.what == RELEASED) & (released.c.revision == _t.c.revision)
    query = select(_t.c.session).where(
        literal_column(HELD),
        ~select(later.c.session).where(newer).exists(),
        ~select(released.c.session).where(own).exists(),
    )
    return [session for (session,) in await reader.rows(query)]


async def disputed(reader: Reader) -> list[str]:
    """Sessions whose record is disputed now: more often than that was resolved."""
    step = case((_m.c.what == DISPUTED, 1), (_m.c.what == RESOLVED, -1), else_=0)
    query = select(_m.c.session).group_by(_m.c.session).having(func.sum(step) > 0)
    return [session for (session,) in await reader.rows(query)]


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
    every: bool = False,
) -> list[Cdr]:
    """The latest revision (or every one) of records of sessions that ended between two instants, newest first."""
    query = select(_t.c.body)
    if not every:
        other = table(CdrRow).alias()
        latest = select(func.max(other.c.revision)).where(
            (other.c.organisation == _t.c.organisation) & (other.c.session == _t.c.session)
        )
        query = query.where(_t.c.revision == latest.scalar_subquery())
    if since is not None:
        query = query.where(_t.c.ended_at >= since)
    if until is not None:
        query = query.where(_t.c.ended_at < until)
    if station is not None:
        query = query.where(_t.c.station_key == fold(station))
    if account is not None:
        query = query.where(_t.c.account == account)
    query = query.order_by(_t.c.ended_at.desc(), _t.c.session, _t.c.revision)
    if limit is not None:
        query = query.limit(limit)
    return [_decode(body) for (body,) in await reader.rows(query)]


async def first(reader: Reader) -> datetime | None:
    """When the first session ended of which there is a record."""
    rows = await reader.rows(select(func.min(_t.c.ended_at)))
    found: datetime | None = rows[0][0]
    return found
