"""Ad hoc payments, by the reference of their provider."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import Index, select
from sqlmodel import Field

from cms.domain.changes import SavePayment
from cms.domain.payments import Payment
from cms.store.reader import Reader
from cms.store.schema import Instant, Owned, Words, compact, fold, micros
from cms.store.statements import Params, table, upsert


class PaymentRow(Owned, table=True):
    __tablename__ = "payments"
    __table_args__ = (
        Index("ix_payments_organisation_at", "organisation", "at"),
        Index("ix_payments_organisation_status_at", "organisation", "status", "at"),
    )

    psp_ref: str = Field(sa_type=Words, primary_key=True)
    station_key: str | None = Field(sa_type=Words)
    status: str = Field(sa_type=Words)
    body: str = Field(sa_type=Words)
    at: datetime = Field(sa_type=Instant)


SAVE = upsert(PaymentRow, "psp_ref")

_t = table(PaymentRow)
_decode = msgspec.json.Decoder(Payment, strict=False).decode


def saved(change: SavePayment, _: object) -> list[Params]:
    payment = change.payment
    station = None if payment.station is None else fold(payment.station)
    return [(payment.psp_ref, station, payment.status, compact(payment), micros(payment.changed_at))]


async def payment(reader: Reader, psp_ref: str) -> Payment | None:
    rows = await reader.rows(select(_t.c.body).where(_t.c.psp_ref == psp_ref))
    return _decode(rows[0][0]) if rows else None


async def payments(reader: Reader, status: str | None, station: str | None, limit: int) -> list[Payment]:
    query = select(_t.c.body).order_by(_t.c.at.desc(), _t.c.psp_ref).limit(limit)
    if status is not None:
        query = query.where(_t.c.status == status)
    if station is not None:
        query = query.where(_t.c.station_key == fold(station))
    return [_decode(body) for (body,) in await reader.rows(query)]
