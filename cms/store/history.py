"""Sessions out of files of other systems: what lines may repeat, and removing what an import brought."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, bindparam, func, select, type_coerce

from cms.domain.history import DropSession, Known
from cms.store.meters import ReadingRow
from cms.store.reader import Reader
from cms.store.schema import fold, micros
from cms.store.sessions import SessionRow
from cms.store.statements import Params, delete, table

DROP = delete(SessionRow, lambda t: t.c.id == bindparam("id"), "id")
DROP_READINGS = delete(
    ReadingRow,
    lambda t: (
        (t.c.station_key == bindparam("station_key")) & (t.c.transaction_id == bindparam("transaction_id"))
    ),
    "station_key",
    "transaction_id",
)

_t = table(SessionRow)
_columns = (_t.c.id, _t.c.station_key, _t.c.evse, _t.c.started_at, _t.c.transaction_id, _t.c.energy_wh)
_AT_ONCE = 500
_PAIRS = 4_000
_SECOND_US = 1_000_000


def dropped(change: DropSession, _: Callable[[], int]) -> list[Params]:
    return [(change.session,)]


def readings_dropped(change: DropSession, _: Callable[[], int]) -> list[Params]:
    return [(fold(change.station), change.transaction_id)]


class SqlHistory:
    """One organisation's; core.History says what is meant."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def named(self, names: Collection[tuple[str, str]]) -> list[Known]:
        found: list[Known] = []
        for stations, transactions in _groups(names):
            for some in _some(transactions):
                found += await self._found(_t.c.station_key.in_(stations) & _t.c.transaction_id.in_(some))
        return found

    async def begun(self, starts: Collection[tuple[str, datetime]]) -> list[Known]:
        found: list[Known] = []
        for some in _some(sorted({micros(at) // _SECOND_US for _, at in starts})):
            # The index of beginnings gives the span, which is short where a file is in the order of time; a list of
            # as many conditions as there are seconds would be looked through for every session there is.
            began_us = type_coerce(_t.c.started_at, BigInteger)
            span = began_us.between(some[0] * _SECOND_US, (some[-1] + 1) * _SECOND_US - 1)
            found += await self._found(span & (began_us // _SECOND_US).in_(some))
        return found

    async def of_import(self, id: str, limit: int) -> list[Known]:
        return await self._found(_t.c.id.startswith(f"{id}-", autoescape=True), limit)

    async def count(self, id: str) -> int:
        of_it = _t.c.id.startswith(f"{id}-", autoescape=True)
        rows = await self._reader.rows(select(func.count()).select_from(_t).where(of_it))
        return int(rows[0][0])

    async def _found(self, where: ColumnElement[bool], limit: int | None = None) -> list[Known]:
        rows = await self._reader.rows(select(*_columns).where(where).limit(limit))
        return [_known(*row) for row in rows]


def _known(id: str, station: str, evse: int | None, at: datetime, transaction: str, energy_wh: int) -> Known:
    return Known(id, station, evse, at, transaction, energy_wh)


def _some(values: Sequence[Any]) -> Iterator[list[Any]]:
    left = iter(values)
    while some := list(islice(left, _AT_ONCE)):
        yield some


def _groups(names: Collection[tuple[str, str]]) -> Iterator[tuple[list[str], list[str]]]:
    """Stations and transaction ids of theirs: an index looks for each with each, so that groups are kept small."""
    stations: list[str] = []
    transactions: list[str] = []
    for station, of_it in groupby(sorted(names), key=itemgetter(0)):
        mine = [transaction for _, transaction in of_it]
        if stations and (len(stations) + 1) * (len(transactions) + len(mine)) > _PAIRS:
            yield stations, transactions
            stations, transactions = [], []
        stations.append(station)
        transactions += mine
    if stations:
        yield stations, transactions
