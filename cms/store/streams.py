"""Values of periodic event streams (2.1 N15): kept for some days, never more than a station may send."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, bindparam, select
from sqlmodel import Field

from cms.contract.monitoring import StreamSample
from cms.domain.changes import AddStreamSamples
from cms.store.reader import Reader
from cms.store.schema import Belonging, Counted, Instant, Words, fold, micros
from cms.store.statements import Params, delete_all, insert, table


class StreamSampleRow(Belonging, table=True):
    __tablename__ = "stream_samples"
    __table_args__ = (
        Index(
            "ix_stream_samples_organisation_station_key_monitor_at",
            "organisation",
            "station_key",
            "monitor",
            "at",
        ),
    )

    id: int | None = Field(default=None, sa_type=Counted, primary_key=True)
    station_key: str = Field(sa_type=Words)
    monitor: int = Field(sa_type=BigInteger)
    name: str = Field(sa_type=Words)
    """The variable that the monitor watched then: a station may give its number to another one later."""
    at: datetime = Field(sa_type=Instant)
    """The station's claim."""
    received_at: datetime = Field(sa_type=Instant)
    value: str = Field(sa_type=Words)


ADD = insert(StreamSampleRow, without=("id",))
PRUNE = delete_all(StreamSampleRow, lambda t: t.c.id <= bindparam("upto"), "upto")

_t = table(StreamSampleRow)


def added(change: AddStreamSamples, _: object) -> list[Params]:
    key, received_us = fold(change.station), micros(change.received_at)
    return [
        (key, change.monitor, change.name, micros(at), received_us, value) for at, value in change.samples
    ]


async def samples(reader: Reader, station_id: str, monitor: int, limit: int) -> list[StreamSample]:
    """The latest values of a monitor's stream, oldest first."""
    rows = await reader.rows(
        select(_t.c.at, _t.c.name, _t.c.monitor, _t.c.value)
        .where((_t.c.station_key == fold(station_id)) & (_t.c.monitor == monitor))
        .order_by(_t.c.at.desc(), _t.c.id.desc())
        .limit(limit)
    )
    return [StreamSample(*row) for row in reversed(rows)]


async def oldest(reader: Reader, limit: int) -> list[tuple[int, datetime]]:
    """Number and arrival of those that were written first."""
    rows = await reader.rows(select(_t.c.id, _t.c.received_at).order_by(_t.c.id).limit(limit))
    return [(row.id, row.received_at) for row in rows]
