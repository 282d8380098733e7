"""Charges through a payment provider, by our id."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Index, select
from sqlmodel import Field

from cms.domain.charges import AddCharge, Charge, SaveCharge
from cms.store.reader import Reader
from cms.store.schema import Instant, Owned, Words, compact, micros
from cms.store.statements import Params, insert, table, upsert


class ChargeRow(Owned, table=True):
    __tablename__ = "charges"
    __table_args__ = (
        Index("ix_charges_organisation_status_at", "organisation", "status", "at"),
        Index("ix_charges_organisation_provider_ref", "organisation", "provider_ref"),
        Index("ix_charges_organisation_session", "organisation", "session"),
        Index("ix_charges_organisation_owed_to", "organisation", "owed_to"),
    )

    id: str = Field(sa_type=Words, primary_key=True)
    status: str = Field(sa_type=Words)
    provider_ref: str | None = Field(sa_type=Words)
    session: str | None = Field(sa_type=Words)
    owed_to: str = Field(sa_type=Words)
    at: datetime = Field(sa_type=Instant)
    body: str = Field(sa_type=Words)


SAVE = upsert(ChargeRow, "id")
ADD = insert(ChargeRow, ignore=True)

_t = table(ChargeRow)
_decode = msgspec.json.Decoder(Charge, strict=False).decode


def saved(change: SaveCharge | AddCharge, _: object) -> list[Params]:
    c = change.charge
    return [(c.id, c.status, c.provider_ref, c.session, c.owed_to, micros(c.changed_at), compact(c))]


async def charge(reader: Reader, charge_id: str) -> Charge | None:
    rows = await reader.rows(select(_t.c.body).where(_t.c.id == charge_id))
    return _decode(rows[0][0]) if rows else None


async def charges(
    reader: Reader,
    *,
    statuses: Sequence[str] = (),
    provider_ref: str | None = None,
    session: str | None = None,
    owed_to: str | None = None,
    limit: int | None = None,
) -> list[Charge]:
    """Newest first."""
    query = select(_t.c.body).order_by(_t.c.at.desc(), _t.c.id)
    if statuses:
        query = query.where(_t.c.status.in_(statuses))
    if provider_ref is not None:
        query = query.where(_t.c.provider_ref == provider_ref)
    if session is not None:
        query = query.where(_t.c.session == session)
    if owed_to is not None:
        query = query.where(_t.c.owed_to == owed_to)
    if limit is not None:
        query = query.limit(limit)
    return [_decode(body) for (body,) in await reader.rows(query)]
