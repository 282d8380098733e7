"""Where somebody is named in the record, and replacing his names there by aliases.

Not looked at: readings (signed values are evidence as they are, and have their own retention) and the audit log, which
names tokens and drivers by digests.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import ClauseElement, ColumnElement, Select, Table, Text, bindparam, or_, select, type_coerce

from cms.store import (
    bills,
    cdrs,
    deliveries,
    events,
    intents,
    kept,
    payments,
    quarantine,
    sessions,
    usage,
    variables,
)
from cms.store.reader import Reader
from cms.store.schema import Row, compact, micros
from cms.store.statements import OWNER, Params, Statement, table

_AT_ONCE = 500
#: SQLite takes a thousand conditions; a word is several.
_WORDS = 40


@dataclass(frozen=True, slots=True)
class Place:
    """A table in which people are named: its key after the organisation, its texts, and the time of a row."""

    model: type[Row]
    key: tuple[str, ...]
    texts: tuple[str, ...]
    at: str | None

    @property
    def name(self) -> str:
        return table(self.model).name


PLACES = (
    Place(sessions.SessionRow, ("id",), ("token", "token_key", "stop_token"), "ended_at"),
    Place(events.EventRow, ("seq",), ("data",), "at"),
    Place(intents.IntentRow, ("id",), ("params", "answer", "detail", "reason"), "created_at"),
    Place(deliveries.DeliveryRow, ("station_key", "kind", "key"), ("key", "answer"), "at"),
    Place(quarantine.QuarantineRow, ("id",), ("raw", "reason"), "at"),
    Place(bills.BillRow, ("session",), ("body",), "at"),
    Place(cdrs.CdrRow, ("session", "revision"), ("account", "body"), "ended_at"),
    Place(cdrs.CdrMarkRow, ("session", "key"), ("reason",), "at"),
    Place(payments.PaymentRow, ("psp_ref",), ("body",), "at"),
    Place(kept.KeptRow, ("station_key", "kind", "key"), ("key", "body"), None),
    Place(variables.VariableRow, ("station_key", "name", "attribute"), ("value",), None),
    Place(usage.CountedRow, ("session",), ("driver",), "ended_at"),
    Place(usage.SumRow, ("scope", "grain", "at", "key", "currency"), ("key",), None),
)

#: (``table.column``, its text) -> the text with aliases.
Change = Callable[[str, str], str]


def _naming(place: Place, words: Sequence[str], before: datetime | None) -> ColumnElement[bool]:
    """Rows that may name one of these words."""
    t = table(place.model)
    needles = {spelled for word in words for spelled in _spellings(word)}
    columns = [type_coerce(t.c[name], Text) for name in place.texts]
    hits = [column.icontains(needle, autoescape=True) for column in columns for needle in sorted(needles)]
    if place.model is quarantine.QuarantineRow:
        hits.append(t.c.raw.contains("\\u", autoescape=True))  # a station may write any letter as an escape
    naming = or_(*hits)
    if before is None:
        return naming
    assert place.at is not None
    return naming & (t.c[place.at] < before)


def _spellings(word: str) -> set[str]:
    """As plain text and as JSON text. SQLite's lower() knows ASCII alone."""
    cases = {word.lower()} if word.isascii() else {word, word.casefold(), word.upper()}
    return {spelled for case in cases for spelled in (case, compact(case)[1:-1])}


def _query(place: Place, words: Sequence[str], before: datetime | None) -> Select[Any]:
    t = table(place.model)
    keys = [t.c[name] for name in place.key]
    texts = [type_coerce(t.c[name], Text).label(f"{name}_") for name in place.texts]
    return select(*keys, *texts).where(_naming(place, words, before)).order_by(*keys)


@cache
def _rewrite(model: type[Row], key: tuple[str, ...], texts: tuple[str, ...]) -> Statement:
    """Set the texts of the row with this key; a text may be part of the key."""
    t = table(model)
    ordered = tuple(column.name for column in t.columns if column.name in texts)

    def build(_: Callable[[Table], Any]) -> ClauseElement:
        values = {name: bindparam(f"new_{name}", type_=Text) for name in ordered}
        mine = t.c[OWNER] == bindparam("owner")
        for name in key:
            mine &= t.c[name] == bindparam(f"old_{name}")
        return sqlalchemy.update(t).values(values).where(mine)

    return Statement(build, (*(f"new_{name}" for name in ordered), "owner", *(f"old_{name}" for name in key)))


async def mentions(
    reader: Reader, words: Sequence[str], limit: int
) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """(Table, row) of what may name one of these words, each once; about so many of each table."""
    for place in PLACES:
        seen: set[tuple[Any, ...]] = set()
        for some in parts(words):
            if len(seen) >= limit:
                break
            for row in await reader.rows(_query(place, some, None).limit(limit)):
                if (key := tuple(row[: len(place.key)])) not in seen:
                    seen.add(key)
                    yield place.name, dict(zip((*place.key, *place.texts), row, strict=True))


def parts(words: Sequence[str]) -> list[Sequence[str]]:
    """So many words as one query may have."""
    return [words[at : at + _WORDS] for at in range(0, len(words), _WORDS)]


async def rewrites(
    reader: Reader, place: Place, words: Sequence[str], change: Change, before: datetime | None
) -> AsyncIterator[list[tuple[Statement, Params]]]:
    """What is to be written so that the words are named no more, some rows at a time: write them, then go on."""
    statement, size = _rewrite(place.model, place.key, place.texts), len(place.key)
    columns = [column.name for column in table(place.model).columns if column.name in place.texts]
    skipped = 0
    while rows := await reader.rows(_query(place, words, before).limit(_AT_ONCE).offset(skipped)):
        written: list[tuple[Statement, Params]] = []
        for row in rows:
            texts = dict(zip(place.texts, row[size:], strict=True))
            after = {
                name: None if text is None else change(f"{place.name}.{name}", text)
                for name, text in texts.items()
            }
            if after != texts:
                new = tuple(after[name] for name in columns)
                written.append((statement, (*new, reader.organisation, *map(_plain, row[:size]))))
            else:
                skipped += 1
        if written:
            yield written
        if len(rows) < _AT_ONCE:
            return


def _plain(value: Any) -> Any:
    return micros(value) if isinstance(value, datetime) else value


async def old_tokens(reader: Reader, before: datetime, but: str, limit: int) -> list[str]:
    """Tokens of sessions that ended before this instant, unless they begin with ``but`` already."""
    t = table(sessions.SessionRow)
    old = (t.c.ended_at < before) & t.c.token.is_not(None) & ~t.c.token.startswith(but, autoescape=True)
    rows = await reader.rows(select(t.c.token).where(old).distinct().limit(limit))
    stopped = (t.c.ended_at < before) & t.c.stop_token.is_not(None)
    stopped &= ~t.c.stop_token.startswith(but, autoescape=True)
    others = await reader.rows(select(t.c.stop_token).where(stopped).distinct().limit(limit))
    return sorted({row[0] for row in (*rows, *others)})


def leaves_traces(path: Path, words: Sequence[str]) -> bool:
    """Whether the file still holds one of these words: in pages that were freed, say. Reads all of it."""
    needles = [word.encode() for word in words]
    longest = max(map(len, needles), default=0)
    tail = b""
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            window = (tail + chunk).lower()
            if any(needle.lower() in window for needle in needles):
                return True
            tail = chunk[-longest:]
    return False
