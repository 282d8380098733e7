"""Messages that were decided already, by their natural key: what happens twice is harmless the second time."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from sqlalchemy import LargeBinary, select
from sqlmodel import Field

from cms.domain.changes import Deliver
from cms.domain.observations import TransactionAnswer
from cms.domain.stations import Delivered
from cms.store.reader import Reader
from cms.store.schema import Instant, Json, Owned, Words, compact, fold, micros
from cms.store.statements import Params, insert, table


class Answered(Json):
    """A TransactionAnswer as JSON."""

    shape: ClassVar[type[TransactionAnswer]] = TransactionAnswer
    cache_ok = True


class DeliveryRow(Owned, table=True):
    __tablename__ = "deliveries"
    __table_args__ = ({"sqlite_with_rowid": False},)

    station_key: str = Field(sa_type=Words, primary_key=True)
    kind: str = Field(sa_type=Words, primary_key=True)
    key: str = Field(sa_type=Words, primary_key=True)
    digest: bytes = Field(sa_type=LargeBinary)
    answer: TransactionAnswer | None = Field(sa_type=Answered)
    """None: the empty answer."""
    at: datetime = Field(sa_type=Instant)


ADD = insert(DeliveryRow)

_t = table(DeliveryRow)


def added(change: Deliver, _: object) -> list[Params]:
    answer = None if change.answer is None else compact(change.answer)
    return [(fold(change.station), change.kind, change.key, change.digest, answer, micros(change.at))]


async def delivered(reader: Reader, station_id: str, kind: str, key: str) -> Delivered | None:
    rows = await reader.rows(
        select(_t.c.digest, _t.c.answer).where(
            _t.c.station_key == fold(station_id), _t.c.kind == kind, _t.c.key == key
        )
    )
    return Delivered(*rows[0]) if rows else None
