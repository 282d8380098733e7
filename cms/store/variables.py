"""A station's device model as it last told us: one row for each attribute of a variable."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy
from sqlalchemy import ForeignKeyConstraint, bindparam, select
from sqlmodel import Field

from cms.contract.stations import Variable
from cms.domain.changes import ForgetVariables, Rebooted, SaveVariables
from cms.domain.devicemodel import Characteristics
from cms.store.reader import Reader
from cms.store.schema import Instant, Owned, Words, compact, fold, micros
from cms.store.statements import Params, Statement, delete, table, upsert


class VariableRow(Owned, table=True):
    __tablename__ = "variables"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organisation", "station_key"],
            ["stations.organisation", "stations.key"],
            name="fk_variables_station",
            ondelete="CASCADE",
        ),
    )

    station_key: str = Field(sa_type=Words, primary_key=True)
    name: str = Field(sa_type=Words, primary_key=True)
    attribute: str = Field(sa_type=Words, primary_key=True)
    value: str | None = Field(sa_type=Words)
    readonly: bool | None
    reported_at: datetime = Field(sa_type=Instant)
    reboot_required: bool
    mutability: str | None = Field(sa_type=Words)
    persistent: bool | None
    constant: bool | None
    characteristics: str | None = Field(sa_type=Words)
    """domain.devicemodel.Characteristics as JSON."""


#: What a report once told of a variable stays when a later answer has its value alone.
_TOLD = ("readonly", "mutability", "persistent", "constant", "characteristics")

SAVE = upsert(VariableRow, "station_key", "name", "attribute", fill=_TOLD)
DROP = delete(VariableRow, lambda t: t.c.station_key == bindparam("key"), "key")
#: A full inventory is whole: what it did not tell of is no more.
FORGET = delete(
    VariableRow,
    lambda t: (t.c.station_key == bindparam("key")) & (t.c.reported_at < bindparam("before", type_=Instant)),
    "key",
    "before",
)

_t = table(VariableRow)
REBOOTED = Statement(
    lambda _: (
        sqlalchemy.update(_t)
        .values(reboot_required=sqlalchemy.false())
        .where(
            _t.c.organisation == bindparam("organisation"),
            _t.c.station_key == bindparam("key"),
            _t.c.reboot_required,
        )
    ),
    ("organisation", "key"),
)


def saved(change: SaveVariables, _: object) -> list[Params]:
    key, at_us = fold(change.station), micros(change.at)
    return [
        (
            key,
            v.name,
            v.attribute,
            v.value,
            v.readonly,
            at_us,
            v.reboot_required,
            v.mutability,
            v.persistent,
            v.constant,
            None if v.characteristics is None else compact(v.characteristics),
        )
        for v in change.variables
    ]


def rebooted(change: Rebooted, _: object) -> list[Params]:
    return [(fold(change.station),)]


def forgotten(change: ForgetVariables, _: object) -> list[Params]:
    return [(fold(change.station), micros(change.before))]


_characteristics = msgspec.json.Decoder(Characteristics).decode
_NONE = Characteristics()


async def variables(reader: Reader, station_id: str) -> list[Variable]:
    rows = await reader.rows(
        select(_t).where(_t.c.station_key == fold(station_id)).order_by(_t.c.name, _t.c.attribute)
    )
    return [_shown(row) for row in rows]


def _shown(row: Any) -> Variable:
    kind = _characteristics(row.characteristics) if row.characteristics else _NONE
    return Variable(
        name=row.name,
        # What can only be written is nobody's to read, not even as what we once wrote.
        value=None if row.mutability == "WriteOnly" else row.value,
        readonly=row.readonly,
        attribute=row.attribute,
        reported_at=row.reported_at,
        reboot_required=row.reboot_required,
        mutability=row.mutability,
        persistent=row.persistent,
        constant=row.constant,
        data_type=kind.data_type,
        unit=kind.unit,
        min_limit=kind.min_limit,
        max_limit=kind.max_limit,
        max_elements=kind.max_elements,
        values=kind.values,
        monitored=kind.monitored,
    )
