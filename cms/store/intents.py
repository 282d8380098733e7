"""Orders as intents."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Float, Index, bindparam, literal_column, select
from sqlmodel import Field

from cms.contract.intents import IntentView
from cms.domain.changes import SaveIntent
from cms.domain.intents import FINAL, Intent, view
from cms.store.reader import Reader
from cms.store.schema import Fields, Instant, Owned, Words, fold
from cms.store.statements import Params, delete, encoder, record_columns, table, upsert

#: Written out, not bound: only then does the partial index of waiting intents serve.
WAITING = "status NOT IN ({})".format(", ".join(f"'{status.value}'" for status in sorted(FINAL)))


class IntentRow(Owned, table=True):
    __tablename__ = "intents"
    __table_args__ = (
        Index("ix_intents_organisation_station_key", "organisation", "station_key", "created_at"),
        Index("ix_intents_organisation_created_at", "organisation", "created_at"),
        Index(
            "ix_intents_waiting",
            "organisation",
            "station_key",
            sqlite_where=literal_column(WAITING),
            postgresql_where=literal_column(WAITING),
        ),
    )

    id: str = Field(sa_type=Words, primary_key=True)
    station: str = Field(sa_type=Words)
    order: str = Field(sa_type=Words)
    params: dict[str, Any] = Field(sa_type=Fields)
    status: str = Field(sa_type=Words)
    requested_by: str = Field(sa_type=Words)
    reason: str | None = Field(sa_type=Words)
    created_at: datetime | None = Field(sa_type=Instant)
    not_before: datetime | None = Field(sa_type=Instant)
    expires_at: datetime | None = Field(sa_type=Instant)
    when_idle: bool
    sent_at: datetime | None = Field(sa_type=Instant)
    answered_at: datetime | None = Field(sa_type=Instant)
    confirmed_at: datetime | None = Field(sa_type=Instant)
    effect_due_at: datetime | None = Field(sa_type=Instant)
    timeout_s: float = Field(sa_type=Float(53))
    answer: dict[str, Any] | None = Field(sa_type=Fields)
    detail: str | None = Field(sa_type=Words)
    session: str | None = Field(sa_type=Words)
    station_key: str = Field(sa_type=Words)


SAVE = upsert(IntentRow, "id", keep=("station", "station_key", "created_at"))
DROP_WAITING = delete(
    IntentRow, lambda t: (t.c.station_key == bindparam("key")) & literal_column(WAITING), "key"
)

_encode = encoder(IntentRow, Intent)
_columns = record_columns(IntentRow, Intent)
_t = table(IntentRow)


def saved(change: SaveIntent, _: object) -> list[Params]:
    return [(*_encode(change.intent), fold(change.intent.station))]


async def waiting_intents(reader: Reader) -> list[Intent]:
    """Those whose outcome is still open, oldest first."""
    rows = await reader.rows(
        select(*_columns).where(literal_column(WAITING)).order_by(_t.c.created_at, _t.c.id)
    )
    return [Intent(*row) for row in rows]


async def intent(reader: Reader, intent_id: str) -> IntentView | None:
    rows = await reader.rows(select(*_columns).where(_t.c.id == intent_id))
    return view(Intent(*rows[0])) if rows else None


async def intents(reader: Reader, station: str | None, status: str | None, limit: int) -> list[IntentView]:
    """Newest first."""
    query = select(*_columns).order_by(_t.c.created_at.desc(), _t.c.id.desc()).limit(limit)
    if station is not None:
        query = query.where(_t.c.station_key == fold(station))
    if status is not None:
        query = query.where(_t.c.status == status)
    return [view(Intent(*row)) for row in await reader.rows(query)]
