"""Charging sessions: one row each, its newest state."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    Index,
    Select,
    UniqueConstraint,
    func,
    literal_column,
    select,
)
from sqlmodel import Field

from cms.contract.sessions import ListSessions
from cms.domain.changes import MeterSession, OpenSession, UpdateSession
from cms.domain.sessions import MOVING, Session, SessionStatus
from cms.store.reader import Reader
from cms.store.schema import Exact, Instant, Names, Owned, Words, fold
from cms.store.statements import Params, encoder, insert, record_columns, table, update, upsert

#: Written out, not bound: only then do both planners see that the partial index of open sessions serves.
OPEN = "status <> 'ended'"


class SessionRow(Owned, table=True):
    __tablename__ = "sessions"
    __table_args__ = (
        UniqueConstraint("organisation", "station_key", "transaction_id"),
        UniqueConstraint("organisation", "number"),
        Index("ix_sessions_organisation_started_at", "organisation", "started_at"),
        Index("ix_sessions_organisation_token_key", "organisation", "token_key"),
        Index(
            "ix_sessions_open",
            "organisation",
            "station_key",
            sqlite_where=literal_column(OPEN),
            postgresql_where=literal_column(OPEN),
        ),
    )

    id: str = Field(sa_type=Words, primary_key=True)
    station: str = Field(sa_type=Words)
    ocpp_version: str = Field(sa_type=Words)
    transaction_id: str = Field(sa_type=Words)
    number: int | None = Field(sa_type=BigInteger)
    status: str = Field(sa_type=Words)
    started_at: datetime = Field(sa_type=Instant)
    started_received_at: datetime = Field(sa_type=Instant)
    evse: int | None = Field(sa_type=BigInteger)
    connector: int | None = Field(sa_type=BigInteger)
    token: str | None = Field(sa_type=Words)
    token_kind: str | None = Field(sa_type=Words)
    group: str | None = Field(sa_type=Words)
    authorization: str | None = Field(sa_type=Words)
    ended_at: datetime | None = Field(sa_type=Instant)
    ended_received_at: datetime | None = Field(sa_type=Instant)
    stop_reason: str | None = Field(sa_type=Words)
    stop_token: str | None = Field(sa_type=Words)
    meter_start_wh: int | None = Field(sa_type=BigInteger)
    meter_stop_wh: int | None = Field(sa_type=BigInteger)
    energy_wh: int = Field(sa_type=BigInteger)
    energy_source: str = Field(sa_type=Words)
    register_wh: int | None = Field(sa_type=BigInteger)
    register_at: datetime | None = Field(sa_type=Instant)
    epoch_start_wh: int | None = Field(sa_type=BigInteger)
    epoch_peak_wh: int | None = Field(sa_type=BigInteger)
    epoch_wh: int = Field(sa_type=BigInteger)
    interval_wh: int = Field(sa_type=BigInteger)
    interval_at: datetime | None = Field(sa_type=Instant)
    power_w: int | None = Field(sa_type=BigInteger)
    soc_percent: float | None = Field(sa_type=Float(53))
    last_sample_at: datetime | None = Field(sa_type=Instant)
    charging_state: str | None = Field(sa_type=Words)
    offline: bool
    remote_start_id: int | None = Field(sa_type=BigInteger)
    reservation_id: int | None = Field(sa_type=BigInteger)
    seq_start: int | None = Field(sa_type=BigInteger)
    seq_end: int | None = Field(sa_type=BigInteger)
    seq_last: int | None = Field(sa_type=BigInteger)
    seq_count: int = Field(sa_type=BigInteger)
    flags: tuple[str, ...] = Field(sa_type=Names)
    cost: Decimal | None = Field(sa_type=Exact)
    currency: str | None = Field(sa_type=Words)
    station_key: str = Field(sa_type=Words)
    token_key: str | None = Field(sa_type=Words)
    heard_at: datetime = Field(sa_type=Instant)
    """When we last wrote it, our clock: a session that is not heard of becomes stale."""


INSERT = insert(SessionRow)
SAVE = upsert(
    SessionRow,
    "id",
    keep=("station", "ocpp_version", "transaction_id", "number", "started_received_at", "station_key"),
)
MOVE = update(SessionRow, "id", *MOVING, "heard_at")

_encode = encoder(SessionRow, Session)
_encode_moving = encoder(SessionRow, Session, MOVING)
_columns = record_columns(SessionRow, Session)
_t = table(SessionRow)
#: What was imported has no version of OCPP, and is priced and billed where it comes from.
_UNPRICED = _t.c.cost.is_(None) & (_t.c.ocpp_version != "")
_newest_first = (_t.c.started_at.desc(), _t.c.id.desc())


def row(change: OpenSession | UpdateSession, now: Callable[[], int]) -> list[Params]:
    session = change.session
    token = session.token
    return [(*_encode(session), fold(session.station), token if token is None else fold(token), now())]


def moved(change: MeterSession, now: Callable[[], int]) -> list[Params]:
    return [(*_encode_moving(change.session), now(), change.session.id)]


#: A field of ListSessions -> what its value asks for; a field that is None asks nothing.
_CONDITIONS: dict[str, Callable[[Any], ColumnElement[bool]]] = {
    "station": lambda station: _t.c.station_key == fold(station),
    "token": lambda token: _t.c.token_key == fold(token),
    "status": lambda status: _t.c.status == status,
    "active": lambda active: literal_column(OPEN) if active else _t.c.status == SessionStatus.ENDED.value,
    "since": lambda since: _t.c.started_at >= since,
    "until": lambda until: _t.c.started_at < until,
}


def _conditions(query: ListSessions) -> list[ColumnElement[bool]]:
    asked = {name: getattr(query, name) for name in _CONDITIONS}
    return [_CONDITIONS[name](value) for name, value in asked.items() if value is not None]


async def _found(reader: Reader, *conditions: ColumnElement[bool], limit: int | None = None) -> list[Session]:
    rows = await reader.rows(select(*_columns).where(*conditions).order_by(*_newest_first).limit(limit))
    return [Session(*row) for row in rows]


async def session(reader: Reader, session_id: str) -> Session | None:
    return next(iter(await _found(reader, _t.c.id == session_id)), None)


async def session_of(reader: Reader, station_id: str, transaction_id: str) -> Session | None:
    mine = (_t.c.station_key == fold(station_id), _t.c.transaction_id == transaction_id)
    return next(iter(await _found(reader, *mine)), None)


async def station_of_number(reader: Reader, number: int) -> str | None:
    rows = await reader.rows(select(_t.c.station).where(_t.c.number == number))
    return rows[0][0] if rows else None


async def sessions(reader: Reader, query: ListSessions) -> list[Session]:
    return await _found(reader, *_conditions(query), limit=query.limit)


async def open_sessions(reader: Reader) -> list[Session]:
    return await _found(reader, literal_column(OPEN))


async def stale_sessions(reader: Reader, before: datetime) -> list[Session]:
    return await _found(
        reader, literal_column(OPEN), _t.c.status != SessionStatus.SUSPECT.value, _t.c.heard_at < before
    )


def station_key_of(organisation: str | None, session_id: str) -> Select[Any]:
    """A subquery: the key of the session's station."""
    return select(_t.c.station_key).where(_t.c.organisation == organisation, _t.c.id == session_id)


def transaction_of(organisation: str | None, session_id: str) -> Select[Any]:
    """A subquery: the station's word for the session."""
    return select(_t.c.transaction_id).where(_t.c.organisation == organisation, _t.c.id == session_id)


async def unpriced_since(reader: Reader, since: datetime) -> int:
    """How many sessions that began since then ended without a price."""
    over = (_t.c.status == SessionStatus.ENDED.value) & _UNPRICED & (_t.c.started_at >= since)
    rows = await reader.rows(select(func.count()).select_from(_t).where(over))
    return int(rows[0][0])


async def unpriced(
    reader: Reader, since: datetime | None, until: datetime | None, station: str | None, limit: int
) -> list[Session]:
    """Those that began then and ended without a price, newest first."""
    asked = _conditions(ListSessions(station=station, active=False, since=since, until=until))
    return await _found(reader, *asked, _UNPRICED, limit=limit)


async def energy_since(reader: Reader, since: datetime) -> int:
    """Wh of the sessions that were started since then."""
    rows = await reader.rows(select(func.sum(_t.c.energy_wh)).where(_t.c.started_at >= since))
    return int(rows[0][0] or 0)
