"""Tokens, by id without case."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, bindparam, select
from sqlmodel import Field

from cms.domain.changes import DropToken, SaveToken
from cms.domain.tokens import Token
from cms.store.reader import Reader
from cms.store.schema import Instant, Names, Owned, Words, fold
from cms.store.statements import Params, delete, encoder, record_columns, table, upsert


class TokenRow(Owned, table=True):
    __tablename__ = "tokens"

    key: str = Field(sa_type=Words, primary_key=True)
    id: str = Field(sa_type=Words)
    kind: str = Field(sa_type=Words)
    blocked: bool
    blocked_reason: str | None = Field(sa_type=Words)
    driver: str | None = Field(sa_type=Words)
    group: str | None = Field(sa_type=Words)
    valid_from: datetime | None = Field(sa_type=Instant)
    valid_to: datetime | None = Field(sa_type=Instant)
    visual_number: str | None = Field(sa_type=Words)
    max_sessions: int | None = Field(sa_type=BigInteger)
    added_at: datetime | None = Field(sa_type=Instant)
    places: tuple[str, ...] | None = Field(sa_type=Names)
    master: bool | None


SAVE = upsert(TokenRow, "key")
DROP = delete(TokenRow, lambda t: t.c.key == bindparam("key"), "key")

_encode = encoder(TokenRow, Token)
_columns = record_columns(TokenRow, Token)


def saved(change: SaveToken, _: object) -> list[Params]:
    return [(fold(change.token.id), *_encode(change.token))]


def dropped(change: DropToken, _: object) -> list[Params]:
    return [(fold(change.token),)]


async def all_tokens(reader: Reader) -> list[Token]:
    rows = await reader.rows(select(*_columns).order_by(table(TokenRow).c.key))
    return [Token(*row) for row in rows]
