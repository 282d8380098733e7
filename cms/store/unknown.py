"""Stations that knocked without being enrolled: the inbox."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ClauseElement, Table, bindparam, select
from sqlmodel import Field

from cms.contract.stations import UnknownStation
from cms.domain.changes import ForgetUnknown, NoteUnknown
from cms.store.reader import Reader
from cms.store.schema import Instant, Names, Owned, Words, compact, fold, micros
from cms.store.statements import Params, Statement, delete, names, placeholders, table


class UnknownRow(Owned, table=True):
    __tablename__ = "unknown_stations"

    key: str = Field(sa_type=Words, primary_key=True)
    id: str = Field(sa_type=Words)
    first_seen: datetime = Field(sa_type=Instant)
    last_seen: datetime = Field(sa_type=Instant)
    knocks: int = Field(sa_type=BigInteger)
    address: str = Field(sa_type=Words)
    protocols: tuple[str, ...] = Field(sa_type=Names)
    reason: str = Field(sa_type=Words)


_t = table(UnknownRow)


def _knock(make: Callable[[Table], Any]) -> ClauseElement:
    """Insert; or one knock more, with the newest address, protocols and reason."""
    statement = make(_t).values(placeholders(UnknownRow, names(UnknownRow)))
    newest = {c: statement.excluded[c] for c in ("id", "last_seen", "address", "protocols", "reason")}
    return statement.on_conflict_do_update(  # type: ignore[no-any-return]
        index_elements=["organisation", "key"],
        set_={**newest, "knocks": _t.c.knocks + statement.excluded.knocks},
    )


NOTE = Statement(_knock, names(UnknownRow), many=True)
FORGET = delete(UnknownRow, lambda t: t.c.key == bindparam("key"), "key")


def noted(change: NoteUnknown, _: object) -> list[Params]:
    at_us = micros(change.at)
    protocols = compact(change.protocols)
    return [(fold(change.station), change.station, at_us, at_us, 1, change.address, protocols, change.reason)]


def forgotten(change: ForgetUnknown, _: object) -> list[Params]:
    return [(fold(change.station),)]


async def unknown_stations(reader: Reader) -> list[UnknownStation]:
    """The latest knock first."""
    columns = (
        _t.c.id,
        _t.c.first_seen,
        _t.c.last_seen,
        _t.c.knocks,
        _t.c.address,
        _t.c.protocols,
        _t.c.reason,
    )
    rows = await reader.rows(select(*columns).order_by(_t.c.last_seen.desc(), _t.c.key))
    return [UnknownStation(*row) for row in rows]
