"""Stations as registered, by identity without case."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy
from sqlalchemy import bindparam, select
from sqlmodel import Field

from cms.domain.changes import DropStation, SaveStation, SeeStations
from cms.domain.stations import Station
from cms.store.reader import Reader
from cms.store.schema import Instant, Owned, Words, fold, micros
from cms.store.statements import (
    Params,
    Statement,
    delete,
    encoder,
    record_columns,
    table,
    upsert,
)


class StationRow(Owned, table=True):
    __tablename__ = "stations"

    key: str = Field(sa_type=Words, primary_key=True)
    id: str = Field(sa_type=Words)
    site: str | None = Field(sa_type=Words)
    security_profile: int = Field(sa_type=sqlalchemy.BigInteger)
    password_digest: bytes | None = Field(sa_type=sqlalchemy.LargeBinary)
    boot_policy: str = Field(sa_type=Words)
    note: str | None = Field(sa_type=Words)
    enrolled_at: datetime | None = Field(sa_type=Instant)
    ocpp_version: str | None = Field(sa_type=Words)
    vendor: str | None = Field(sa_type=Words)
    model: str | None = Field(sa_type=Words)
    serial: str | None = Field(sa_type=Words)
    firmware: str | None = Field(sa_type=Words)
    boot_status: str | None = Field(sa_type=Words)
    booted_at: datetime | None = Field(sa_type=Instant)
    last_seen_at: datetime | None = Field(sa_type=Instant)


SAVE = upsert(StationRow, "key")
DROP = delete(StationRow, lambda t: t.c.key == bindparam("key"), "key")
SEE = Statement(
    lambda _: (
        sqlalchemy.update(table(StationRow))
        .values(last_seen_at=bindparam("at", type_=sqlalchemy.BigInteger))
        .where(
            table(StationRow).c.organisation == bindparam("organisation"),
            table(StationRow).c.key == bindparam("which"),
        )
    ),
    ("at", "organisation", "which"),
)

_encode = encoder(StationRow, Station)
_columns = record_columns(StationRow, Station)


def saved(change: SaveStation, _: object) -> list[Params]:
    return [(fold(change.station.id), *_encode(change.station))]


def dropped(change: DropStation, _: object) -> list[Params]:
    return [(fold(change.station),)]


def seen(change: SeeStations, _: object) -> list[Params]:
    return [(micros(at), fold(station)) for station, at in change.seen]


async def all_stations(reader: Reader) -> list[Station]:
    rows = await reader.rows(select(*_columns).order_by(table(StationRow).c.key))
    return [Station(*row) for row in rows]
