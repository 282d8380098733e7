"""Meter readings: one row holds all samples of one instant (docs/decisions/0003-one-row-per-reading.md)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from hashlib import blake2b
from operator import attrgetter
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    LargeBinary,
    UniqueConstraint,
    bindparam,
    or_,
    select,
)
from sqlmodel import Field

from cms.contract.sessions import Sample as SampleView
from cms.domain.changes import AddReading
from cms.domain.observations import Sample
from cms.store.reader import Reader
from cms.store.schema import Belonging, Counted, Instant, Words, compact, fold, micros, plain
from cms.store.sessions import station_key_of, transaction_of
from cms.store.statements import Params, delete_all, insert, table


class ReadingRow(Belonging, table=True):
    __tablename__ = "readings"
    # The only index: each more costs a random page per message. Its order serves a session's samples as well.
    __table_args__ = (
        UniqueConstraint(
            "organisation",
            "station_key",
            "transaction_id",
            "at",
            "evse",
            "digest",
            name="uq_readings_said_once",
        ),
    )

    id: int | None = Field(default=None, sa_type=Counted, primary_key=True)
    station_key: str = Field(sa_type=Words)
    evse: int = Field(sa_type=BigInteger)
    transaction_id: str = Field(sa_type=Words)
    """Empty outside a transaction: NULL would make every repeat unique."""
    session: str | None = Field(sa_type=Words)
    at: datetime = Field(sa_type=Instant)
    """The station's claim; when we received it where the station claims nothing."""
    received_at: datetime = Field(sa_type=Instant)
    digest: bytes = Field(sa_type=LargeBinary)
    samples: str = Field(sa_type=Words)
    """A JSON array of samples, each an array in the order of domain.observations.Sample, cut after ``phase``
    when nothing unusual follows."""


ADD = insert(ReadingRow, without=("id",), ignore=True)
PRUNE = delete_all(ReadingRow, lambda t: t.c.id <= bindparam("upto"), "upto")

_t = table(ReadingRow)
_whole = attrgetter("measurand", "value", "unit", "context", "location", "phase", "format", "raw", "signed")
_decode = msgspec.json.Decoder(list[list[Any]]).decode


def _fields(sample: Sample) -> tuple[Any, ...]:
    if sample.raw is None and sample.signed is None and sample.format == "Raw":
        s = sample
        return s.measurand, s.value, s.unit, s.context, s.location, s.phase
    return _whole(sample)


def added(change: AddReading, _: object) -> list[Params]:
    reading = change.reading
    received_us = micros(change.received_at)
    at_us = received_us if reading.at is None else micros(reading.at)
    samples = compact([_fields(sample) for sample in reading.samples])
    digest = blake2b(samples.encode(), digest_size=16).digest()
    transaction = change.transaction_id or ""
    return [
        (
            fold(change.station),
            change.evse,
            transaction,
            change.session,
            at_us,
            received_us,
            digest,
            samples,
        )
    ]


def _views(at: datetime, evse: int, samples: str) -> Iterable[SampleView]:
    for measurand, value, unit, context, location, phase, *rest in _decode(samples):
        format_, raw, signed = rest or ("Raw", None, None)
        yield SampleView(
            at=at,
            measurand=measurand,
            value=(raw or "") if value is None else plain(value),
            unit=unit,
            context=context,
            location=location,
            phase=phase,
            format=format_,
            evse=evse,
            signed=signed,
        )


async def samples(reader: Reader, session_id: str) -> list[SampleView]:
    """All samples of a session in time order, also those that the station sent without its transaction."""
    query = (
        select(_t.c.at, _t.c.evse, _t.c.samples)
        .where(
            _t.c.station_key.in_(station_key_of(reader.organisation, session_id)),
            or_(
                _t.c.transaction_id.in_(transaction_of(reader.organisation, session_id)),
                _t.c.transaction_id == "",
            ),
            _t.c.session == session_id,
        )
        .order_by(_t.c.at, _t.c.id)
    )
    return [view for row in await reader.rows(query) for view in _views(*row)]


async def station_samples(reader: Reader, station_id: str, readings: int) -> list[SampleView]:
    """Samples of the latest readings that the station sent outside transactions, oldest first."""
    query = (
        select(_t.c.at, _t.c.evse, _t.c.samples)
        .where(_t.c.station_key == fold(station_id), _t.c.transaction_id == "")
        .order_by(_t.c.at.desc(), _t.c.id.desc())
        .limit(readings)
    )
    return [view for row in reversed(await reader.rows(query)) for view in _views(*row)]


async def oldest(reader: Reader, limit: int) -> list[tuple[int, datetime]]:
    """(id, received at) of the readings that were stored first."""
    rows = await reader.rows(select(_t.c.id, _t.c.received_at).order_by(_t.c.id).limit(limit))
    return [(id_, at) for id_, at in rows]
