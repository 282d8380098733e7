"""Messages that were answered and kept, but could not be placed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, func, select
from sqlmodel import Field

from cms.contract.status import QuarantinedMessage
from cms.domain.changes import Quarantine
from cms.store.reader import Reader
from cms.store.schema import Belonging, Counted, Instant, Words, fold, micros
from cms.store.statements import Params, insert, table


class QuarantineRow(Belonging, table=True):
    __tablename__ = "quarantine"
    __table_args__ = (Index("ix_quarantine_organisation_station_key", "organisation", "station_key"),)

    id: int | None = Field(default=None, sa_type=Counted, primary_key=True)
    at: datetime = Field(sa_type=Instant)
    station: str = Field(sa_type=Words)
    kind: str = Field(sa_type=Words)
    reason: str = Field(sa_type=Words)
    raw: str = Field(sa_type=Words)
    station_key: str = Field(sa_type=Words)


ADD = insert(QuarantineRow, without=("id",))

_t = table(QuarantineRow)


def added(change: Quarantine, _: object) -> list[Params]:
    station = change.station
    return [(micros(change.at), station, change.kind, change.reason, change.raw, fold(station))]


async def quarantine(reader: Reader, station: str | None, limit: int) -> list[QuarantinedMessage]:
    """Newest first."""
    query = (
        select(_t.c.id, _t.c.at, _t.c.station, _t.c.kind, _t.c.reason, _t.c.raw)
        .order_by(_t.c.id.desc())
        .limit(limit)
    )
    if station is not None:
        query = query.where(_t.c.station_key == fold(station))
    return [QuarantinedMessage(str(id_), at, *rest) for id_, at, *rest in await reader.rows(query)]


async def count_quarantine(reader: Reader) -> int:
    return int((await reader.rows(select(func.count()).select_from(_t)))[0][0])
