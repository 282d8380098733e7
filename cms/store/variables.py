"""A station's configuration as it last told us."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy
from sqlalchemy import bindparam, select
from sqlmodel import Field

from cms.contract.stations import Variable
from cms.domain.changes import Rebooted, SaveVariables
from cms.store.reader import Reader
from cms.store.schema import Instant, Row, Words, fold, micros
from cms.store.statements import Params, Statement, delete, table, upsert


class VariableRow(Row, table=True):
    __tablename__ = "variables"

    station_key: str = Field(sa_type=Words, primary_key=True)
    name: str = Field(sa_type=Words, primary_key=True)
    attribute: str = Field(sa_type=Words, primary_key=True)
    value: str | None = Field(sa_type=Words)
    readonly: bool | None
    reported_at: datetime = Field(sa_type=Instant)
    reboot_required: bool


SAVE = upsert(VariableRow, "station_key", "name", "attribute", fill=("readonly",))
DROP = delete(VariableRow, lambda t: t.c.station_key == bindparam("key"), "key")

_t = table(VariableRow)
REBOOTED = Statement(
    lambda _: (
        sqlalchemy.update(_t)
        .values(reboot_required=sqlalchemy.false())
        .where(_t.c.station_key == bindparam("key"), _t.c.reboot_required)
    ),
    ("key",),
)


def saved(change: SaveVariables, _: object) -> list[Params]:
    key, at_us = fold(change.station), micros(change.at)
    return [
        (key, v.name, v.attribute, v.value, v.readonly, at_us, v.reboot_required) for v in change.variables
    ]


def rebooted(change: Rebooted, _: object) -> list[Params]:
    return [(fold(change.station),)]


async def variables(reader: Reader, station_id: str) -> list[Variable]:
    rows = await reader.rows(
        select(_t.c.name, _t.c.value, _t.c.readonly, _t.c.attribute, _t.c.reported_at, _t.c.reboot_required)
        .where(_t.c.station_key == fold(station_id))
        .order_by(_t.c.name, _t.c.attribute)
    )
    return [Variable(*row) for row in rows]
