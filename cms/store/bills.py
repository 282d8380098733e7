"""Closed accounts: what a session cost and how that was calculated. One row a priced session."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlmodel import Field

from cms.domain.accounts import Account
from cms.domain.changes import SaveBill
from cms.store.reader import Reader
from cms.store.schema import Instant, Owned, Words, compact, exactly, fold, micros
from cms.store.statements import Params, table, upsert


class BillRow(Owned, table=True):
    __tablename__ = "bills"

    session: str = Field(sa_type=Words, primary_key=True)
    station_key: str = Field(sa_type=Words)
    body: str = Field(sa_type=Words)
    at: datetime = Field(sa_type=Instant)


SAVE = upsert(BillRow, "session")

_t = table(BillRow)
_decode = msgspec.json.Decoder(Account, strict=False, dec_hook=exactly).decode


def saved(change: SaveBill, _: object) -> list[Params]:
    return [(change.account.session, fold(change.station), compact(change.account), micros(change.at))]


async def bill(reader: Reader, session_id: str) -> Account | None:
    rows = await reader.rows(select(_t.c.body).where(_t.c.session == session_id))
    return _decode(rows[0][0]) if rows else None
