"""Sessions out of another system's files: what is wrong with a line, what it is a repeat of, what it becomes.

An imported session is over, has the flag ``imported`` and no OCPP version: no station of ours told of it. Whoever
bills, prices or doubts sessions asks ``is_imported`` first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from cms.contract.history import (
    HistoryPoint,
    HistoryRow,
    SessionImportView,
    same_place,
    second,
    transaction_of,
)
from cms.contract.refusals import Invalid
from cms.domain.changes import AddReading, Change
from cms.domain.observations import Reading, Sample
from cms.domain.record import record
from cms.domain.sessions import Session, SessionStatus

KIND = "session-import"
IMPORTED = "imported"

UNFINISHED, COMPLETE, REMOVING, REMOVED = "unfinished", "complete", "being removed", "removed"

_CURRENCY = re.compile("[A-Z]{3}")
_LONGEST_NAME = 255
_LONGEST = timedelta(days=366)
#: A clock may be a little ahead of ours.
_AHEAD = timedelta(minutes=5)
#: Nothing charges faster: a megawatt charger with a third on top. What does is Wh taken for kWh.
_MOST_W = 5_000_000
_LARGEST = 2**53


@record
class SessionImport:
    """A file that was taken in. ``sessions`` and ``energy_wh`` are what is there of it; ``numbered``: the last id."""

    id: str
    file: str
    digest: str
    by: str
    at: datetime
    status: str = UNFINISHED
    sessions: int = 0
    energy_wh: int = 0
    numbered: int = 0
    first: datetime | None = None
    last: datetime | None = None
    stations_added: tuple[str, ...] = ()


@record
class DropSession(Change):
    """Remove a session that was imported, with its readings."""

    session: str
    station: str
    transaction_id: str


@record
class Known:
    """A session of the record, as far as it tells whether a line repeats it. ``station`` is without case."""

    id: str
    station: str
    evse: int | None
    started_at: datetime
    transaction_id: str
    energy_wh: int


def is_imported(session: Session) -> bool:
    """Whether it is history of another system: priced, billed and owed elsewhere."""
    return not session.ocpp_version


def check(row: HistoryRow, now: datetime) -> None:
    """Raises Invalid with what is wrong with a line by itself."""
    for name in ("source", "token", "driver", "stop_reason"):
        _check_name(name, getattr(row, name))
    if row.ended_at < row.started_at:
        raise Invalid("it ends before it begins")
    if row.ended_at - row.started_at > _LONGEST:
        raise Invalid("it lasts longer than a year")
    if row.ended_at > now + _AHEAD:
        raise Invalid("it ends in the future")
    if row.started_at.year < 1990:
        raise Invalid(f"it begins in {row.started_at.year}")
    _check_energy(row)
    _check_cost(row)
    for place in (row.evse, row.connector):
        if place is not None and not 0 < place < 10_000:
            raise Invalid(f"EVSEs and connectors count from 1, not {place}")
    for point in row.points:
        _check_point(point)


def _check_name(name: str, text: str | None) -> None:
    if text is not None and (len(text) > _LONGEST_NAME or not text.isprintable() or not text.strip()):
        raise Invalid(f"{name} is no name: 1 to {_LONGEST_NAME} printable characters")


def _check_energy(row: HistoryRow) -> None:
    if row.energy_wh < 0:
        raise Invalid(f"its energy is negative: {row.energy_wh} Wh")
    # A session of less than a minute is no base for a power: times are often cut to the minute.
    seconds = max((row.ended_at - row.started_at).total_seconds(), 60.0)
    if row.energy_wh * 3600 > seconds * _MOST_W:
        raise Invalid(
            f"{row.energy_wh} Wh in {seconds:.0f} s is more than anything charges: Wh taken for kWh?"
        )
    for meter_wh in (row.meter_start_wh, row.meter_stop_wh):
        if meter_wh is not None and not 0 <= meter_wh < _LARGEST:
            raise Invalid(f"no meter stands at {meter_wh} Wh")


def _check_cost(row: HistoryRow) -> None:
    if row.cost is None:
        return
    if row.currency is None or not _CURRENCY.fullmatch(row.currency):
        raise Invalid("its cost has no currency: three capital letters, e.g. EUR")
    if not row.cost.is_finite() or not 0 <= row.cost < 1_000_000:
        raise Invalid(f"{row.cost} is no cost")


def _check_point(point: HistoryPoint) -> None:
    values = [value for name in _MEASURANDS if (value := getattr(point, name)) is not None]
    if not all(value.is_finite() and abs(value) < _LARGEST for value in values):
        raise Invalid(f"a value of its time series at {point.at:%Y-%m-%d %H:%M:%S} is no number")


class Repeats:
    """The sessions that lines may repeat: those of the record, and of the lines before.

    What a repeat is, is said at contract.history.same_place.
    """

    def __init__(self, known: Iterable[Known] = ()) -> None:
        self._named: dict[tuple[str, str], Known] = {}
        self._begun: dict[tuple[str, datetime], list[Known]] = {}
        for one in known:
            self.add(one)

    def add(self, one: Known) -> None:
        self._named[one.station, one.transaction_id] = one
        self._begun.setdefault((one.station, second(one.started_at)), []).append(one)

    def of(self, row: HistoryRow, station: str) -> Known | None:
        """The session that this line repeats."""
        named = self._named.get((station, transaction_of(row)))
        if named is not None:
            return named
        begun = self._begun.get((station, second(row.started_at)), ())
        return next((one for one in begun if same_place(row, one.evse, one.transaction_id)), None)


def session_of(row: HistoryRow, id: str, station: str, token: str | None, now: datetime) -> Session:
    """The session that a good line becomes."""
    return Session(
        id=id,
        station=station,
        ocpp_version="",
        transaction_id=transaction_of(row),
        number=None,
        status=SessionStatus.ENDED,
        started_at=row.started_at,
        started_received_at=now,
        evse=row.evse,
        connector=row.connector,
        token=token,
        ended_at=row.ended_at,
        ended_received_at=now,
        stop_reason=row.stop_reason,
        meter_start_wh=row.meter_start_wh,
        meter_stop_wh=row.meter_stop_wh,
        energy_wh=row.energy_wh,
        energy_source="register" if row.meter_stop_wh is not None else "imported",
        last_sample_at=max((point.at for point in row.points), default=None),
        flags=(IMPORTED,),
        cost=row.cost,
        currency=row.currency if row.cost is not None else None,
    )


#: A value of a point -> measurand and unit.
_MEASURANDS: Mapping[str, tuple[str, str]] = {
    "energy_wh": ("Energy.Active.Import.Register", "Wh"),
    "power_w": ("Power.Active.Import", "W"),
    "current_a": ("Current.Import", "A"),
    "soc_percent": ("SoC", "Percent"),
}


def readings_of(row: HistoryRow, session: Session, now: datetime) -> list[AddReading]:
    """The time series of a line as readings; its register goes on from the session's first stand of the meter."""
    base = Decimal(row.meter_start_wh or 0)
    return [
        AddReading(
            station=session.station,
            evse=session.evse or 0,
            transaction_id=session.transaction_id,
            session=session.id,
            received_at=now,
            reading=Reading(point.at, samples),
        )
        for point in row.points
        if (samples := tuple(_samples(point, base)))
    ]


def _samples(point: HistoryPoint, base: Decimal) -> Iterable[Sample]:
    for name, (measurand, unit) in _MEASURANDS.items():
        value: Decimal | None = getattr(point, name)
        if value is not None:
            yield Sample(measurand, value + base if name == "energy_wh" else value, unit)


def known_as(session: Session) -> Known:
    """What later lines may repeat."""
    return Known(
        session.id,
        session.station.casefold(),
        session.evse,
        session.started_at,
        session.transaction_id,
        session.energy_wh,
    )


def next_id(imports: Mapping[str, Any]) -> str:
    """The id of the next import: ``I1``, ``I2`` ..."""
    return f"I{max((int(id[1:]) for id in imports), default=0) + 1}"


def view(known: SessionImport) -> SessionImportView:
    return SessionImportView(
        id=known.id,
        file=known.file,
        by=known.by,
        at=known.at,
        status=known.status,
        sessions=known.sessions,
        energy_wh=known.energy_wh,
        first=known.first,
        last=known.last,
        stations_added=known.stations_added,
        digest=known.digest,
    )
