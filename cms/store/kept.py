"""What is kept about stations beside their own tables: one record of a kind under a key (domain.kept)."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Select, bindparam, select
from sqlmodel import Field

from cms.domain.changes import Keep
from cms.domain.kept import KINDS
from cms.store.reader import Reader
from cms.store.schema import Instant, Owned, Words, compact, exactly, fold, micros
from cms.store.statements import Params, delete, delete_all, table, upsert


class KeptRow(Owned, table=True):
    __tablename__ = "kept"

    station_key: str = Field(sa_type=Words, primary_key=True)
    kind: str = Field(sa_type=Words, primary_key=True)
    key: str = Field(sa_type=Words, primary_key=True)
    body: str | None = Field(sa_type=Words)
    at: datetime = Field(sa_type=Instant)


#: A forgotten record is a row without a body until it is pruned: then all writes commute.
SAVE = upsert(KeptRow, "station_key", "kind", "key")
DROP = delete(KeptRow, lambda t: t.c.station_key == bindparam("key"), "key")
PRUNE = delete_all(KeptRow, lambda t: t.c.body.is_(None))

_t = table(KeptRow)


def saved(change: Keep, _: object) -> list[Params]:
    body = None if change.value is None else compact(change.value)
    return [(fold(change.station), change.kind, change.key, body, micros(change.at))]


@cache
def _decoder(kind: str) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(KINDS[kind].type, strict=False, dec_hook=exactly)


def _query() -> Select[Any]:
    return select(_t.c.station_key, _t.c.kind, _t.c.key, _t.c.body).where(_t.c.body.is_not(None))


async def present(reader: Reader) -> dict[str, dict[str, dict[str, Any]]]:
    """By station without case, kind and key: all that a daemon holds in memory."""
    kinds = [name for name, kind in KINDS.items() if kind.present]
    rows = await reader.rows(_query().where(_t.c.kind.in_(kinds)).order_by(_t.c.at, _t.c.key))
    held: dict[str, dict[str, dict[str, Any]]] = {}
    for station, kind, key, body in rows:
        held.setdefault(station, {}).setdefault(kind, {})[key] = _decoder(kind).decode(body)
    return held


async def kept(reader: Reader, station_id: str, kind: str) -> dict[str, Any]:
    mine = (_t.c.station_key == fold(station_id)) & (_t.c.kind == kind)
    rows = await reader.rows(_query().where(mine).order_by(_t.c.at, _t.c.key))
    return {key: _decoder(kind).decode(body) for _, _, key, body in rows}


async def one(reader: Reader, station_id: str, kind: str, key: str) -> Any | None:
    """The record under this key."""
    mine = (_t.c.station_key == fold(station_id)) & (_t.c.kind == kind) & (_t.c.key == key)
    rows = await reader.rows(_query().where(mine))
    return _decoder(kind).decode(rows[0][3]) if rows else None


async def everywhere(reader: Reader, kind: str) -> list[tuple[str, str, Any]]:
    rows = await reader.rows(_query().where(_t.c.kind == kind).order_by(_t.c.station_key, _t.c.at, _t.c.key))
    return [(station, key, _decoder(kind).decode(body)) for station, _, key, body in rows]
