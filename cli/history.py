"""A file of another system's sessions, line by line: CSV or JSON, of any length, never all of it in memory."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from cli import cells, objects
from cli.cells import Clock
from cli.mapping import Columns, completed, parts, unit_of
from cms.contract.history import MOST_POINTS, HistoryPoint, HistoryRow
from cms.contract.refusals import Invalid, NotFound, Refusal

Record = dict[str, Any]
"""One line as the file has it: a heading or key, and its text or value."""

_DELIMITERS = ",;\t|"
_LONGEST_CELL = 10_000
#: So many lines tell how dates and numbers are written.
_SAMPLE = 1_000
#: Under this heading stands what a line has more than the first line has columns: no heading is empty.
_SURPLUS = ""
#: What a time series is made of, where a line has one.
_SERIES = frozenset({"points", "chargingCurrent", "doneChargingTime"})
_NUMBERS = ("energy", "meter_start", "meter_stop", "cost")


@dataclass(frozen=True, slots=True)
class File:
    """A file that is read several times. ``digest`` is its SHA-256; ``size`` in bytes."""

    name: str
    path: Path
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is to be read: whose columns mean what, and how its cells are written."""

    columns: Columns
    clock: Clock
    decimal: str
    headings: tuple[str, ...]
    json: bool
    known_as: str | None = None

    @property
    def unused(self) -> list[str]:
        used = {part for column in self.columns.of.values() for part in parts(column)}
        return [heading for heading in self.headings if heading not in used and heading not in _SERIES]


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what it says, or why it cannot be read. ``at`` is how far in the file it ends, in bytes."""

    number: int
    at: int
    record: Record
    row: HistoryRow | None = None
    why: str | None = None


@contextmanager
def file_named(name: str) -> Iterator[File]:
    """The file, or for ``-`` a copy of what comes on stdin."""
    if name != "-":
        yield _measured(name, Path(name))
        return
    with tempfile.TemporaryDirectory(prefix="cms-import-") as folder:
        copy = Path(folder) / "stdin"
        with copy.open("wb") as target:
            shutil.copyfileobj(sys.stdin.buffer, target)
        yield _measured("stdin", copy)


def _measured(name: str, path: Path) -> File:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except FileNotFoundError:
        raise NotFound(f"there is no file {name}") from None
    except OSError as error:
        raise Invalid(f"{name} cannot be read: {error.strerror}") from None
    if not size:
        raise Invalid(f"{name} is empty")
    return File(Path(name).name, path, size, digest)


def layout_of(file: File, told: Columns) -> Layout:
    """How this file is to be read: as we were told, and what nobody told us from its first lines."""
    json = objects.is_json(file.path)
    sample = [record for _, _, record in islice(_records(file, told, json), _SAMPLE)]
    if not sample:
        raise Invalid(f"{file.name} has no sessions in it")
    headings = tuple(dict.fromkeys(name for record in sample for name in record if name != _SURPLUS))
    columns, known_as = completed(told, headings)
    zone = cells.zone_named(columns.time_zone) if columns.time_zone else None
    order = cells.order_of(
        _cell(columns, record, name) for record in sample for name in ("started_at", "ended_at")
    )
    clock = Clock(zone, columns.date_format, order)
    _check_zone(clock, [_cell(columns, record, "started_at") for record in sample])
    return Layout(columns, clock, _decimal(columns, sample, json, file, told), headings, json, known_as)


def _check_zone(clock: Clock, starts: list[str]) -> None:
    """Times without a zone are no matter of one line: refuse the file at once."""
    if clock.zone is not None:
        return
    for text in starts:
        try:
            cells.instant(text, clock)
        except cells.NoZone:
            raise
        except Refusal:
            continue


def _decimal(columns: Columns, sample: list[Record], json: bool, file: File, told: Columns) -> str:
    if columns.decimal is not None or json:
        return columns.decimal or "."
    texts = (_cell(columns, record, name) for record in sample for name in _NUMBERS)
    found = cells.decimal_of(texts, sheet=_delimiter(file, told) == ";")
    if found is None:
        raise Invalid("is 1,234 one and a bit or more than a thousand?", "say --decimal , or --decimal .")
    return found


def lines_of(file: File, layout: Layout) -> Iterator[Line]:
    """Every line of the file, in its order."""
    for number, at, record in _records(file, layout.columns, layout.json):
        try:
            yield Line(number, at, record, row_of(number, record, layout))
        except Refusal as refusal:
            why = refusal.message if refusal.hint is None else f"{refusal.message}: {refusal.hint}"
            yield Line(number, at, record, why=why)


def _records(file: File, told: Columns, json: bool) -> Iterator[tuple[int, int, Record]]:
    """(Line, bytes read, record) of every line."""
    return objects.records(file.path) if json else _sheet(file, told)


def _encoding(head: bytes, told: Columns) -> str:
    if told.encoding:
        return told.encoding
    return "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _delimiter(file: File, told: Columns) -> str:
    with file.path.open("rb") as raw:
        header = raw.read(65_536)
    text = _decoded(header, _encoding(header, told)).lstrip("\r\n").partition("\n")[0]
    return told.delimiter or max(_DELIMITERS, key=text.count)


def _decoded(head: bytes, encoding: str) -> str:
    try:
        return head.decode(encoding, errors="replace")
    except LookupError:
        raise Invalid(f"there is no encoding {encoding[:30]!r}", "e.g. utf-8 or cp1252") from None


def _sheet(file: File, told: Columns) -> Iterator[tuple[int, int, Record]]:
    delimiter = _delimiter(file, told)
    before = csv.field_size_limit(_LONGEST_CELL)  # the whole process's
    line = 1
    try:
        with file.path.open("rb") as raw:
            encoding = _encoding(raw.peek(2), told)
            lines = csv.reader(io.TextIOWrapper(raw, encoding, newline=""), delimiter=delimiter, strict=True)
            headings = _headings(next(filter(any, lines), []), file)
            for found in lines:
                line = lines.line_num
                if any(map(str.strip, found)):
                    yield line, _told(raw), _record(headings, found)
    except csv.Error as error:
        raise Invalid(f"line {line + 1} of the file is no CSV: {error}") from None
    except UnicodeDecodeError:
        raise Invalid(
            f"the file is not {encoding.upper()} after line {line}", "--encoding says what it is, e.g. cp1252"
        ) from None
    finally:
        csv.field_size_limit(before)


def _told(raw: BinaryIO) -> int:
    return raw.tell()


def _headings(header: list[str], file: File) -> list[str]:
    headings = [cell.strip() for cell in header]
    for heading in headings:
        if heading and headings.count(heading) > 1:
            raise Invalid(
                f"the first line of {file.name} names {heading[:40]!r} twice", "give each its own name"
            )
    return [heading or f"column {n}" for n, heading in enumerate(headings, 1)]


def _record(headings: list[str], found: list[str]) -> Record:
    record: Record = dict(zip(headings, found, strict=False))
    if len(found) > len(headings):
        record[_SURPLUS] = found[len(headings) :]
    return record


def _cell(columns: Columns, record: Mapping[str, Any], name: str) -> str:
    """The text that a line has for a field; empty where it has none."""
    column = columns.of.get(name, "=")
    if column.startswith("="):
        return column[1:]
    return " ".join(filter(None, (_text(record.get(part)) for part in parts(column))))


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else objects.text_of(value)
    text = text.strip()
    # The quote that marks text in sheets, which our own lists have too.
    return text[1:] if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@") else text


def row_of(line: int, record: Record, layout: Layout) -> HistoryRow:
    """What a line says. Raises a refusal that says what cannot be read."""
    cell = {name: _cell(layout.columns, record, name) for name in layout.columns.of}
    if _SURPLUS in record:
        raise Invalid("it has more cells than the first line")
    started_at, ended_at = _times(cell, layout.clock)
    meter = [_energy(cell, layout, name) for name in ("meter_start", "meter_stop")]
    cost, currency = _cost(cell, layout)
    evse, connector = _place(cell)
    energy_wh = _energy(cell, layout, "energy")
    if energy_wh is None:
        energy_wh = _between(*meter)
    return HistoryRow(
        line=line,
        station=_needed(cell, "station"),
        started_at=started_at,
        ended_at=ended_at,
        energy_wh=energy_wh,
        evse=evse,
        connector=connector,
        source=cell.get("id") or None,
        token=cell.get("token") or None,
        driver=cell.get("driver") or None,
        meter_start_wh=meter[0],
        meter_stop_wh=meter[1],
        cost=cost,
        currency=currency,
        stop_reason=cell.get("stop_reason") or None,
        points=_points(record, started_at, ended_at, energy_wh) if layout.json else (),
    )


def _needed(cell: Mapping[str, str], name: str) -> str:
    if not cell.get(name):
        raise Invalid(f"it has no {name}")
    return cell[name]


def _times(cell: Mapping[str, str], clock: Clock) -> tuple[datetime, datetime]:
    started_at = cells.instant(_needed(cell, "started_at"), clock)
    if cell.get("ended_at"):
        return started_at, cells.instant(cell["ended_at"], clock, started_at)
    if cell.get("duration"):
        return started_at, started_at + cells.span(cell["duration"])
    raise Invalid("it has no end: only sessions that are over are history")


def _energy(cell: Mapping[str, str], layout: Layout, name: str) -> int | None:
    text = cell.get(name)
    if not text:
        return None
    exact = cells.energy_wh(text, layout.decimal, unit_of(layout.columns, name))
    return int(exact.to_integral_value(ROUND_HALF_EVEN))


def _between(start_wh: int | None, stop_wh: int | None) -> int:
    if start_wh is None or stop_wh is None:
        raise Invalid("it has no energy")
    if stop_wh < start_wh:
        raise Invalid(f"its meter ran backwards, from {start_wh} to {stop_wh} Wh")
    return stop_wh - start_wh


def _place(cell: Mapping[str, str]) -> tuple[int | None, int | None]:
    """EVSE and connector. One that has connectors alone counts them per station, as OCPP 1.6 does: ours are EVSEs."""
    evse = cells.whole(cell["evse"], "evse") if cell.get("evse") else None
    connector = cells.whole(cell["connector"], "connector") if cell.get("connector") else None
    return (connector, 1) if evse is None and connector is not None else (evse, connector)


def _cost(cell: Mapping[str, str], layout: Layout) -> tuple[Decimal | None, str | None]:
    if not cell.get("cost"):
        return None, None
    currency = cell.get("currency") or layout.columns.currency
    return cells.amount(cell["cost"], layout.decimal, currency)


def _points(
    record: Record, started_at: datetime, ended_at: datetime, energy_wh: int
) -> tuple[HistoryPoint, ...]:
    """The time series of a session: our own ``points``, or what ACN-Data has of it."""
    points = [*_own_points(record.get("points")), *_acn_points(record, started_at, ended_at, energy_wh)]
    if len(points) > MOST_POINTS:
        raise Invalid(f"its time series has {len(points)} points: at most {MOST_POINTS} are taken")
    return tuple(sorted(points, key=lambda point: point.at))


_ZONED = Clock()
_VALUES = ("energy_wh", "power_w", "current_a", "soc_percent")


def _own_points(told: Any) -> Iterator[HistoryPoint]:
    for point in told if isinstance(told, list) else ():
        if not isinstance(point, dict):
            raise Invalid(
                "points is a list of objects with at, and energy_wh, power_w, current_a or soc_percent"
            )
        values = {name: _value(point[name]) for name in _VALUES if point.get(name) is not None}
        yield HistoryPoint(cells.instant(_text(point.get("at")), _ZONED), **values)


def _acn_points(
    record: Record, started_at: datetime, ended_at: datetime, energy_wh: int
) -> Iterator[HistoryPoint]:
    """Its current, and that all of its energy had come when the current ended: a minute after the end in some."""
    series = record.get("chargingCurrent")
    if isinstance(series, dict):
        times, values = series.get("timestamps") or (), series.get("current") or ()
        if len(times) != len(values):
            raise Invalid("chargingCurrent has not as many values as timestamps")
        for at, value in zip(times, values, strict=True):
            yield HistoryPoint(cells.instant(_text(at), _ZONED), current_a=_value(value))
    done = _text(record.get("doneChargingTime")) if "kWhDelivered" in record else ""
    if done:
        yield HistoryPoint(started_at, energy_wh=Decimal(0))
        at = cells.instant(done, _ZONED)
        yield HistoryPoint(max(min(at, ended_at), started_at), energy_wh=Decimal(energy_wh))


def _value(value: Any) -> Decimal:
    return cells.number(_text(value), ".")[0]


def shown(record: Record, heading: str) -> str:
    """What a line has under a heading, for a list of bad lines."""
    value = record.get(heading)
    text = value if isinstance(value, str) else objects.text_of(value)
    return re.sub("[\r\n\x00]+", " ", text)[:1_000]
