"""How sessions were counted, the sums of that, and which sessions must be counted (anew).

A session is marked in the commit that ends it or changes its bill. What is counted, the sums that this changes and
the marks that are done with are one commit too: whatever stops the daemon in between, nothing is lost or counted twice.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Index, Table, bindparam, func, select, tuple_
from sqlmodel import Field

from cms.domain.cdrs import AddCdr, AddCdrMark, Cdr, CdrMark
from cms.domain.changes import OpenSession, UpdateSession
from cms.domain.history import DropSession
from cms.domain.measures import (
    FIELDS,
    LONGEST,
    AddToSums,
    Counted,
    CountSession,
    InService,
    Read,
    SaveInService,
    Share,
    Sums,
    Uncount,
    Unmark,
)
from cms.domain.meters import gist
from cms.domain.observations import Sample
from cms.domain.sessions import Session, SessionStatus
from cms.store import cdrs, meters, sessions
from cms.store.reader import Reader
from cms.store.schema import Instant, Owned, Words, compact, fold, micros
from cms.store.statements import (
    Params,
    Statement,
    delete,
    names,
    placeholders,
    record_columns,
    table,
    upsert,
)

#: What of a session counting looks at: to read all of it takes as long as everything else.
_LOOKED_AT = (
    "id",
    "station",
    "ocpp_version",
    "transaction_id",
    "number",
    "status",
    "started_at",
    "started_received_at",
    "ended_at",
    "evse",
    "connector",
    "token",
    "energy_wh",
    "meter_start_wh",
    "last_sample_at",
    "cost",
    "currency",
)

#: So many values one condition has.
_AT_ONCE = 400
_MOST_NAMED = 1500
_PAIRS = 100
#: After so many readings others have their turn: each is decoded here.
_BREATH = 200


class MarkRow(Owned, table=True):
    __tablename__ = "usage_marks"

    session: str = Field(sa_type=Words, primary_key=True)
    stamp: int = Field(sa_type=BigInteger)
    """Another one each time it is marked: who counts it takes back only the mark that he saw."""


class CountedRow(Owned, table=True):
    __tablename__ = "usage_sessions"
    __table_args__ = (
        Index("ix_usage_sessions_organisation_ended_at", "organisation", "ended_at"),
        Index("ix_usage_sessions_organisation_site_ended_at", "organisation", "site", "ended_at"),
        Index("ix_usage_sessions_organisation_station_ended_at", "organisation", "station", "ended_at"),
        Index("ix_usage_sessions_organisation_driver_ended_at", "organisation", "driver", "ended_at"),
    )

    session: str = Field(sa_type=Words, primary_key=True)
    station: str = Field(sa_type=Words)
    evse: int | None = Field(sa_type=BigInteger)
    connector: int | None = Field(sa_type=BigInteger)
    site: str = Field(sa_type=Words)
    zone: str = Field(sa_type=Words)
    driver: str = Field(sa_type=Words)
    tariff: str = Field(sa_type=Words)
    started_at: datetime = Field(sa_type=Instant)
    ended_at: datetime = Field(sa_type=Instant)
    energy_wh: int = Field(sa_type=BigInteger)
    starts: int = Field(sa_type=BigInteger)
    failed: int = Field(sa_type=BigInteger)
    unpriced: int = Field(sa_type=BigInteger)
    currency: str = Field(sa_type=Words)
    revenue: int = Field(sa_type=BigInteger)
    shares: str = Field(sa_type=Words)
    """A JSON array of (hour, Wh, s connected, s charging)."""


class SumRow(Owned, table=True):
    __tablename__ = "usage_sums"
    # In the order of its key: a report reads its rows one after the other.
    __table_args__ = ({"sqlite_with_rowid": False},)

    scope: str = Field(sa_type=Words, primary_key=True)
    grain: str = Field(sa_type=Words, primary_key=True)
    at: int = Field(sa_type=BigInteger, primary_key=True)
    """As in domain.measures: a local hour, or days since 1970."""
    key: str = Field(sa_type=Words, primary_key=True)
    currency: str = Field(sa_type=Words, primary_key=True)
    sessions: int = Field(sa_type=BigInteger)
    starts: int = Field(sa_type=BigInteger)
    failed: int = Field(sa_type=BigInteger)
    unpriced: int = Field(sa_type=BigInteger)
    energy_wh: int = Field(sa_type=BigInteger)
    connected_s: int = Field(sa_type=BigInteger)
    charging_s: int = Field(sa_type=BigInteger)
    revenue: int = Field(sa_type=BigInteger)


class InServiceRow(Owned, table=True):
    __tablename__ = "usage_evses"

    station: str = Field(sa_type=Words, primary_key=True)
    evse: int = Field(sa_type=BigInteger, primary_key=True)
    number: int = Field(sa_type=BigInteger, primary_key=True)
    """The first, second ... time that it was in service, or the site at which it was."""
    site: str = Field(sa_type=Words)
    since: datetime = Field(sa_type=Instant)
    until: datetime | None = Field(sa_type=Instant)


def _adding() -> Statement:
    """Insert a sum, or add to the one there is."""
    columns = names(SumRow)
    key = columns[: -len(FIELDS)]
    assert columns[-len(FIELDS) :] == FIELDS

    def build(make: Callable[[Table], Any]) -> Any:
        statement = make(table(SumRow)).values(placeholders(SumRow, columns))
        known = table(SumRow).c
        added = {name: known[name] + statement.excluded[name] for name in FIELDS}
        return statement.on_conflict_do_update(index_elements=key, set_=added)

    return Statement(build, columns, many=True)


MARK = upsert(MarkRow, "session")
UNMARK = delete(
    MarkRow,
    lambda t: (t.c.session == bindparam("session")) & (t.c.stamp == bindparam("stamp")),
    "session",
    "stamp",
)
COUNT = upsert(CountedRow, "session")
UNCOUNT = delete(CountedRow, lambda t: t.c.session == bindparam("session"), "session")
ADD = _adding()
SERVE = upsert(InServiceRow, "station", "evse", "number")

_mark, _counted, _sum, _served = table(MarkRow), table(CountedRow), table(SumRow), table(InServiceRow)
_session, _reading, _cdr = table(sessions.SessionRow), table(meters.ReadingRow), table(cdrs.CdrRow)
_cdr_mark = table(cdrs.CdrMarkRow)
_columns = record_columns(CountedRow, Counted)
_shares = msgspec.json.Decoder(tuple[Share, ...]).decode
_bill = msgspec.json.Decoder(Cdr, strict=False).decode
_samples = msgspec.json.Decoder(list[list[Any]]).decode


# Writing


def _marked(session_id: str) -> list[Params]:
    return [(session_id, random.getrandbits(62))]


def ended(change: OpenSession | UpdateSession, _: object) -> list[Params]:
    """A session that is over is to be counted; one that runs is not."""
    return _marked(change.session.id) if change.session.status == SessionStatus.ENDED else []


def billed(change: AddCdr, _: object) -> list[Params]:
    return _marked(change.cdr.session)


def said(change: AddCdrMark, _: object) -> list[Params]:
    return _marked(change.mark.session)


def dropped(change: DropSession, _: object) -> list[Params]:
    return _marked(change.session)


def uncounted(change: Uncount, _: object) -> list[Params]:
    return [(change.session,)]


def unmarked(change: Unmark, _: object) -> list[Params]:
    return list(change.marks)


def counted(change: CountSession, _: object) -> list[Params]:
    c = change.counted
    return [
        (
            c.session,
            c.station,
            c.evse,
            c.connector,
            c.site,
            c.zone,
            c.driver,
            c.tariff,
            micros(c.started_at),
            micros(c.ended_at),
            c.energy_wh,
            c.starts,
            c.failed,
            c.unpriced,
            c.currency,
            c.revenue,
            compact(c.shares),
        )
    ]


def added(change: AddToSums, _: object) -> list[Params]:
    return [(*cell, *sums) for cell, sums in change.cells.items()]


def served(change: SaveInService, _: object) -> list[Params]:
    return [
        (
            row.station,
            row.evse,
            row.number,
            row.site,
            micros(row.since),
            None if row.until is None else micros(row.until),
        )
        for row in change.rows
    ]


# Reading


class SqlUsage:
    """One organisation's; core.Usage says what is meant."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def marks(self, limit: int) -> list[tuple[str, int]]:
        rows = await self._reader.rows(
            select(_mark.c.session, _mark.c.stamp).order_by(_mark.c.session).limit(limit)
        )
        return [(session, stamp) for session, stamp in rows]

    async def count_marks(self) -> int:
        rows = await self._reader.rows(select(func.count()).select_from(_mark))
        return int(rows[0][0])

    async def sessions(self, ids: Sequence[str]) -> list[Session]:
        rows = await self._among(select(*(_session.c[name] for name in _LOOKED_AT)), _session.c.id, ids)
        return [Session(**dict(zip(_LOOKED_AT, row, strict=True))) for row in rows]

    async def counted(self, ids: Sequence[str]) -> list[Counted]:
        return [_read(row) for row in await self._among(select(*_columns), _counted.c.session, ids)]

    async def cdrs(self, ids: Sequence[str]) -> dict[str, list[Cdr]]:
        found: dict[str, list[Cdr]] = {}
        query = select(_cdr.c.body).order_by(_cdr.c.session, _cdr.c.revision)
        for (body,) in await self._among(query, _cdr.c.session, ids):
            cdr = _bill(body)
            found.setdefault(cdr.session, []).append(cdr)
        return found

    async def cdr_marks(self, ids: Sequence[str]) -> dict[str, list[CdrMark]]:
        found: dict[str, list[CdrMark]] = {}
        query = select(*record_columns(cdrs.CdrMarkRow, CdrMark)).order_by(_cdr_mark.c.at, _cdr_mark.c.key)
        for row in await self._among(query, _cdr_mark.c.session, ids):
            mark = CdrMark(*row)
            found.setdefault(mark.session, []).append(mark)
        return found

    async def readings(self, of: Sequence[Session]) -> dict[str, list[Read]]:
        """In few queries: a query for each session would be most of what counting costs."""
        found: dict[str, list[Read]] = {}
        for start in range(0, len(of), _PAIRS):
            some = of[start : start + _PAIRS]
            rows = [*await self._told(some), *await self._told_without_transaction(some)]
            for n, (session, at, samples) in enumerate(sorted(rows)):
                if n % _BREATH == 0:
                    await asyncio.sleep(0)
                if "Energy.Active.Import" in samples:
                    found.setdefault(session, []).append((at, *_energy(samples)))
        return found

    async def _told(self, some: Sequence[Session]) -> Sequence[Any]:
        t, ids = _reading, [session.id for session in some]
        pairs = [(fold(session.station), session.transaction_id) for session in some]
        mine = tuple_(t.c.station_key, t.c.transaction_id).in_(pairs) & t.c.session.in_(ids)
        return await self._reader.rows(select(t.c.session, t.c.at, t.c.samples).where(mine))

    async def _told_without_transaction(self, some: Sequence[Session]) -> Sequence[Any]:
        """Some stations leave the transaction out; whose they were was found when they came."""
        t, ids = _reading, [session.id for session in some]
        since = min(session.started_at for session in some)
        until = max(session.ended_at or session.last_sample_at or session.started_at for session in some)
        mine = t.c.station_key.in_({fold(session.station) for session in some}) & t.c.session.in_(ids)
        mine &= (t.c.transaction_id == "") & (t.c.at >= since) & (t.c.at <= until)
        return await self._reader.rows(select(t.c.session, t.c.at, t.c.samples).where(mine))

    async def overlapping(
        self,
        since: datetime,
        until: datetime,
        *,
        site: str | None = None,
        station: str | None = None,
        driver: str | None = None,
        tariff: str | None = None,
        after: tuple[datetime, str] | None = None,
        limit: int,
    ) -> list[Counted]:
        c = _counted.c
        asked = {c.site: site, c.station: station, c.driver: driver, c.tariff: tariff}
        conditions: list[ColumnElement[bool]] = [
            column == name for column, name in asked.items() if name is not None
        ]
        conditions += [c.ended_at >= since, c.ended_at < until + LONGEST, c.started_at < until]
        if after is not None:
            at, session = after
            conditions.append((c.ended_at > at) | ((c.ended_at == at) & (c.session > session)))
        query = select(*_columns).where(*conditions).order_by(c.ended_at, c.session).limit(limit)
        return [_read(row) for row in await self._reader.rows(query)]

    async def sums(
        self,
        scope: str,
        grain: str,
        since: int,
        until: int,
        *,
        key: str | None = None,
        by_key: bool = False,
    ) -> list[tuple[int | str, str, Sums]]:
        c = _sum.c
        group = c.key if by_key else c.at
        fields = [func.sum(c[name]) for name in FIELDS]
        query = (
            select(group, c.currency, *fields)
            .where(c.scope == scope, c.grain == grain, c.at >= since, c.at < until)
            .group_by(group, c.currency)
        )
        if key is not None:
            query = query.where(c.key == key)
        if key and until - since <= _MOST_NAMED:
            # Where each day is named, the primary key finds this one among the keys of each.
            query = query.where(c.at.in_(range(since, until)))
        rows = await self._reader.rows(query)
        return [(row[0], row[1], tuple(map(int, row[2:]))) for row in rows]  # type: ignore[misc]

    async def in_service(self, stations: Sequence[str] | None = None) -> list[InService]:
        query = select(*record_columns(InServiceRow, InService))
        query = query.order_by(_served.c.station, _served.c.evse, _served.c.number)
        if stations is None:
            return [InService(*row) for row in await self._reader.rows(query)]
        return [InService(*row) for row in await self._among(query, _served.c.station, stations)]

    async def _among(self, query: Any, column: Any, ids: Sequence[str]) -> list[Any]:
        found: list[Any] = []
        for start in range(0, len(ids), _AT_ONCE):
            found += await self._reader.rows(query.where(column.in_(ids[start : start + _AT_ONCE])))
        return found


def _read(row: Sequence[Any]) -> Counted:
    fields = [*row[:-1], _shares(row[-1])]
    return Counted(*fields)


def _energy(samples: str) -> tuple[int | None, int | None]:
    """(Register, interval) of one reading, as billing reads it."""
    told = (
        Sample(measurand, None if value is None else Decimal(value), unit, context, location, phase)
        for measurand, value, unit, context, location, phase, *_ in _samples(samples)
    )
    seen = gist(told)
    return seen.register_wh, seen.interval_wh
