"""Events: written in the commit of the change they tell of, and read again from any cursor.

One row, the head, holds the last number given. Whoever writes events takes the next numbers there, in the
last step of his transaction: so numbers appear in the order of commits, also with several daemons on one
PostgreSQL, and a listener who saw number n has seen everything below it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy
from sqlalchemy import BigInteger, Index, LargeBinary, bindparam, literal_column, select
from sqlmodel import Field

from cms.contract.events import Event
from cms.contract.refusals import Invalid
from cms.domain.changes import Happened
from cms.store.reader import Reader
from cms.store.schema import Counted, Fields, Instant, Row, Words, compact, fold, micros
from cms.store.sessions import station_key_of
from cms.store.statements import Params, Statement, delete_all, insert, table

#: Half of all events tell of a meter value, which is kept as a reading besides: they are not found by station, so
#: that they cost no page of an index. Written out, not bound: only then do both planners see that the index serves.
_TOLD = "type <> 'session.metered'"
_FOUND_BY_STATION = "station_key IS NOT NULL AND " + _TOLD


class EventRow(Row, table=True):
    __tablename__ = "events"
    __table_args__ = (
        Index(
            "ix_events_organisation_station_key",
            "organisation",
            "station_key",
            "seq",
            sqlite_where=literal_column(_FOUND_BY_STATION),
            postgresql_where=literal_column(_FOUND_BY_STATION),
        ),
    )

    seq: int = Field(sa_type=Counted, primary_key=True, sa_column_kwargs={"autoincrement": False})
    organisation: str = Field(sa_type=Words)
    at: datetime = Field(sa_type=Instant)
    type: str = Field(sa_type=Words)
    station: str | None = Field(sa_type=Words)
    session: str | None = Field(sa_type=Words)
    actor: str | None = Field(sa_type=Words)
    data: dict[str, Any] = Field(sa_type=Fields)
    station_key: str | None = Field(sa_type=Words)


class HeadRow(Row, table=True):
    """One row: the last number given, and up to which events were pruned."""

    __tablename__ = "event_head"

    id: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    seq: int = Field(sa_type=BigInteger)
    pruned: int = Field(sa_type=BigInteger)
    padding: bytes | None = Field(sa_type=LargeBinary)
    """What a probe writes, so that it notices a full disk."""


_t, _head = table(EventRow), table(HeadRow)

ADD = insert(EventRow)
PRUNE = delete_all(EventRow, lambda t: t.c.seq <= bindparam("upto"), "upto")
TAKE = Statement(lambda _: sqlalchemy.update(_head).values(seq=_head.c.seq + bindparam("n")), ("n",))
TAKE_RETURNING = Statement(
    lambda _: sqlalchemy.update(_head).values(seq=_head.c.seq + bindparam("n")).returning(_head.c.seq), ("n",)
)
TAKEN = Statement(lambda _: sqlalchemy.select(_head.c.seq), ())
MARK_PRUNED = Statement(lambda _: sqlalchemy.update(_head).values(pruned=bindparam("upto")), ("upto",))
PROBE = Statement(lambda _: sqlalchemy.update(_head).values(padding=bindparam("padding")), ("padding",))


def row(event: Happened, organisation: str) -> Params:
    """The event's values after its number."""
    station = event.station
    return (
        organisation,
        micros(event.at),
        event.type,
        station,
        event.session,
        event.actor,
        compact(event.data),
        station if station is None else fold(station),
    )


def numbered(happened: Happened, seq: int, organisation: str) -> Event:
    """The event with its cursor."""
    h = happened
    return Event(str(seq), h.at, h.type, h.station, h.session, h.actor, h.data, organisation)


_told = (
    _t.c.seq,
    _t.c.at,
    _t.c.type,
    _t.c.station,
    _t.c.session,
    _t.c.actor,
    _t.c.data,
    _t.c.organisation,
)


async def head(reader: Reader) -> tuple[int, int]:
    """The last number given, and up to which events were pruned."""
    seq, pruned = (await reader.rows(select(_head.c.seq, _head.c.pruned)))[0]
    return seq, pruned


async def events_after(
    reader: Reader,
    cursor: str | None,
    limit: int,
    *,
    station: str | None = None,
    session: str | None = None,
    type: str | None = None,
) -> list[Event]:
    """Events after the cursor, oldest first; with None the latest ones, oldest first. Bad cursor: Invalid.

    The latest ones of a station or session leave meter values out, unless ``type`` asks for them.
    """
    query = select(*_told).limit(limit)
    if station is not None:
        query = query.where(_t.c.station_key == fold(station))
    if session is not None:
        query = query.where(
            _t.c.session == session, _t.c.station_key.in_(station_key_of(reader.organisation, session))
        )
    if type is not None:
        query = query.where(_t.c.type == type)
    if cursor is None:
        if (station or session) is not None and type != "session.metered":
            query = query.where(literal_column(_TOLD))
        rows = list(await reader.rows(query.order_by(_t.c.seq.desc())))[::-1]
    else:
        after = await _known(reader, cursor)
        rows = list(await reader.rows(query.where(_t.c.seq > after).order_by(_t.c.seq)))
    return [Event(str(seq), *rest) for seq, *rest in rows]


async def _known(reader: Reader, cursor: str) -> int:
    """The cursor's number, when the events that follow it are all still here."""
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise Invalid(
            f"{cursor!r} is no cursor of this event stream", "leave it out to get the latest events"
        )
    last, pruned = await head(reader)
    after = int(cursor)
    if after > last:
        raise Invalid(
            f"cursor {cursor} lies after the last event ({last}): it is of another database",
            "leave it out to get the latest events",
        )
    if after < pruned:
        raise Invalid(
            f"the events that follow cursor {cursor} are no longer kept (they begin after {pruned})",
            "leave it out, take the present state and go on from there",
        )
    return after


async def oldest(reader: Reader, limit: int) -> list[tuple[int, datetime]]:
    """(number, instant) of the first events."""
    return [
        (seq, at) for seq, at in await reader.rows(select(_t.c.seq, _t.c.at).order_by(_t.c.seq).limit(limit))
    ]
