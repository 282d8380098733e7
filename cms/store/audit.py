"""The audit log: one chain of rows per organisation, numbered and sealed by whoever writes, in his transaction.

One row per organisation, its head, holds the last number and seal. Whoever adds rows locks it first: so the chain
never forks, also with several daemons on one PostgreSQL. Triggers refuse to change or delete rows (migration 0003).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import datetime
from operator import eq, ge, gt, itemgetter, lt
from typing import Any

import sqlalchemy
from sqlalchemy import BigInteger, ClauseElement, Index, Table, bindparam, literal_column, select
from sqlmodel import Field

from cms.core import StoreDown
from cms.domain.audit import READ, Audit, Entry, Head, Sealed, Unreadable, Wanted
from cms.store.reader import Reader
from cms.store.schema import Instant, Row, Words, fold
from cms.store.statements import Params, Statement, encoder, insert, table


class AuditRow(Row, table=True):
    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_organisation_target_key_seq", "organisation", "target_key", "seq"),
        Index("ix_audit_organisation_actor_seq", "organisation", "actor", "seq"),
    )

    organisation: str = Field(sa_type=Words, primary_key=True)
    seq: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=Instant)
    actor: str = Field(sa_type=Words)
    via: str = Field(sa_type=Words)
    role: str = Field(sa_type=Words)
    permission: str = Field(sa_type=Words)
    operation: str = Field(sa_type=Words)
    target: str | None = Field(sa_type=Words)
    result: str = Field(sa_type=Words)
    detail: str | None = Field(sa_type=Words)
    reason: str | None = Field(sa_type=Words)
    request_id: str = Field(sa_type=Words)
    intent: str | None = Field(sa_type=Words)
    request: str = Field(sa_type=Words)
    before: str | None = Field(sa_type=Words)
    after: str | None = Field(sa_type=Words)
    times: int = Field(sa_type=BigInteger)
    target_key: str | None = Field(sa_type=Words)
    mac: str = Field(sa_type=Words)


class AuditHeadRow(Row, table=True):
    """One row per organisation: the last number given and the last seal."""

    __tablename__ = "audit_head"

    organisation: str = Field(sa_type=Words, primary_key=True)
    seq: int = Field(sa_type=BigInteger)
    mac: str = Field(sa_type=Words)


_t, _head = table(AuditRow), table(AuditHeadRow)
_encode = encoder(AuditRow, Entry)
_NAMES = [field.name for field in fields(Entry)]
_SELECTED = [_t.c.seq, _t.c.mac, *(_t.c[name] for name in _NAMES)]


def _lock(make: Callable[[Table], Any]) -> ClauseElement:
    """Lock the head, making it where there is none, and give it."""
    new = make(_head).values(
        organisation=bindparam("organisation"), seq=literal_column("0"), mac=literal_column("''")
    )
    held = new.on_conflict_do_update(index_elements=["organisation"], set_={"seq": _head.c.seq})
    return held.returning(_head.c.seq, _head.c.mac)  # type: ignore[no-any-return]


#: The one statement that is not run as it stands: its rows are Audit changes, see ``chained``.
ADD = insert(AuditRow)
LOCK = Statement(_lock, ("organisation",))
MOVE = Statement(
    lambda _: (
        sqlalchemy.update(_head)
        .values(seq=bindparam("seq_"), mac=bindparam("mac_"))
        .where(_head.c.organisation == bindparam("which"))
    ),
    ("seq_", "mac_", "which"),
)


def added(change: Audit, _: object) -> list[Params]:
    """The change itself, behind its organisation: the pen numbers and seals it."""
    return [(change,)]


def by_organisation(rows: list[Params]) -> Iterator[tuple[str, list[Audit]]]:
    """The changes of each organisation, in an order that all daemons share: they lock the same heads."""
    found: dict[str, list[Audit]] = {}
    for _, change in rows:
        found.setdefault(change.entry.organisation, []).append(change)
    yield from sorted(found.items(), key=itemgetter(0))


def chained(head: Head, changes: list[Audit]) -> tuple[Head, list[Params]]:
    """The rows of these changes after this head, and the head after them."""
    rows: list[Params] = []
    for change in changes:
        seq = head.seq + 1
        head = Head(seq, change.seal(head.mac, seq, change.entry))
        organisation, *rest = _encode(change.entry)
        rows.append((organisation, seq, *rest, head.mac))
    return head, rows


async def rows(reader: Reader, organisation: str, wanted: Wanted) -> list[Sealed]:
    """Rows of one organisation, oldest first. Raises Unreadable."""
    query = select(*_SELECTED).where(_t.c.organisation == organisation).limit(wanted.limit)
    for column, compared, value in (
        ("seq", gt, wanted.after),
        ("seq", lt, wanted.before),
        ("actor", eq, wanted.actor),
        ("operation", eq, wanted.operation),
        ("result", eq, wanted.result),
        ("at", ge, wanted.since),
        ("at", lt, wanted.until),
    ):
        if value is not None:
            query = query.where(compared(_t.c[column], value))
    if not wanted.looks:
        query = query.where(_t.c.result != READ)
    if wanted.targets:
        query = query.where(_t.c.target_key.in_([fold(target) for target in wanted.targets]))
    found = await _read(reader, query.order_by(_t.c.seq.desc() if wanted.latest else _t.c.seq))
    if wanted.latest:
        found.reverse()
    return [Sealed(seq, Entry(*values), mac) for seq, mac, *values in found]


async def _read(reader: Reader, query: sqlalchemy.Select[Any]) -> list[Any]:
    try:
        return list(await reader.rows(query))
    except (TypeError, ValueError, OverflowError) as error:
        raise Unreadable from error
    except StoreDown as error:
        # SQLite takes any bytes for a text, and tells of them when they are read.
        if "decode" in str(error):
            raise Unreadable from error
        raise


async def head(reader: Reader, organisation: str) -> Head:
    """The end of the chain as the record has it."""
    found = await reader.rows(select(_head.c.seq, _head.c.mac).where(_head.c.organisation == organisation))
    return Head(*found[0]) if found else Head()
