"""Bulk statements: built once from the tables, compiled per database, fed with plain tuples.

The tuples bypass SQLAlchemy: a session row has fifty columns, and its machinery would cost more than the
database does. What a tuple means stands in the tables alone (order of columns, type of each).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache, cached_property
from operator import attrgetter
from typing import Any

import sqlalchemy
from sqlalchemy import ClauseElement, ColumnElement, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect

from cms.store.schema import ENCODERS, Row

Params = tuple[Any, ...]

OWNER = "organisation"

#: What ``insert`` of each database offers beyond the standard: ON CONFLICT.
_INSERT: dict[str, Callable[[Table], Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_DIALECT: dict[str, Any] = {
    "sqlite": sqlite.dialect(paramstyle="qmark"),
    "postgresql": asyncpg_dialect(),  # type: ignore[no-untyped-call]
}


@dataclass(frozen=True, eq=False)
class Statement:
    """One kind of write. ``build`` makes it with the database's own ``insert``; ``columns`` order its tuples.

    ``latest``: a tuple's first so many values are a key, and only the last tuple of a key counts.
    ``many``: an INSERT whose VALUES may be repeated.

    One of the columns is the organisation, which the rows of a change leave out: it is put in where it stands.
    """

    build: Callable[[Callable[[Table], Any]], ClauseElement]
    columns: tuple[str, ...]
    latest: int = 0
    many: bool = False

    @cached_property
    def owner(self) -> int:
        """Where the organisation stands among the columns; -1 in what belongs to none."""
        return self.columns.index(OWNER) if OWNER in self.columns else -1

    @cache  # noqa: B019 - statements live as long as the process
    def sql(self, database: str) -> str:
        """The text for ``sqlite`` (``?``) or ``postgresql`` (``$1``)."""
        compiled: Any = self.build(_INSERT[database]).compile(dialect=_DIALECT[database])
        assert tuple(compiled.positiontup) == self.columns, (compiled.positiontup, self.columns)
        return str(compiled)

    @cache  # noqa: B019
    def repeated(self, times: int) -> str:
        """The SQLite text with its VALUES repeated: one step of the virtual machine writes all rows."""
        group = "(" + ", ".join("?" * len(self.columns)) + ")"
        before, found, after = self.sql("sqlite").partition(group)
        assert found, self.sql("sqlite")
        return before + ", ".join([group] * times) + after


def table(model: type[Row]) -> Table:
    """The SQLAlchemy table behind a model."""
    found: Table = model.__table__  # type: ignore[attr-defined]
    return found


def names(model: type[Row], without: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The model's columns in order."""
    return tuple(column.name for column in table(model).columns if column.name not in without)


def insert(model: type[Row], *, without: tuple[str, ...] = (), ignore: bool = False) -> Statement:
    """Insert; a taken unique key is an integrity error, or ignored."""
    columns = names(model, without)

    def build(make: Callable[[Table], Any]) -> ClauseElement:
        statement = make(table(model)).values(placeholders(model, columns))
        return statement.on_conflict_do_nothing() if ignore else statement  # type: ignore[no-any-return]

    return Statement(build, columns, many=True)


def upsert(model: type[Row], *key: str, keep: tuple[str, ...] = (), fill: tuple[str, ...] = ()) -> Statement:
    """Insert, or replace the row with this key except its ``keep`` columns. The key's columns come first.

    A NULL for a ``fill`` column says nothing: what was known stays.
    """
    columns = names(model)
    key = (OWNER, *key)
    assert columns[: len(key)] == key, (columns, key)

    def build(make: Callable[[Table], Any]) -> ClauseElement:
        statement = make(table(model)).values(placeholders(model, columns))
        changed = {c: statement.excluded[c] for c in columns if c not in key and c not in keep}
        known = table(model).c
        changed |= {c: sqlalchemy.func.coalesce(statement.excluded[c], known[c]) for c in fill}
        return statement.on_conflict_do_update(index_elements=key, set_=changed)  # type: ignore[no-any-return]

    return Statement(build, columns, latest=len(key), many=True)


def update(model: type[Row], key: str, *changed: str) -> Statement:
    """Set these columns of the organisation's row with this key, which is the last of its parameters."""

    def build(_: Callable[[Table], Any]) -> ClauseElement:
        t = table(model)
        mine = (t.c[OWNER] == bindparam(OWNER)) & (t.c[key] == bindparam("which"))
        return sqlalchemy.update(t).values(placeholders(model, changed)).where(mine)

    return Statement(build, (*changed, OWNER, "which"))


def placeholders(model: type[Row], columns: tuple[str, ...]) -> dict[str, ColumnElement[Any]]:
    """A parameter per column, named like it."""
    return {name: bindparam(name, type_=table(model).c[name].type) for name in columns}


def delete(model: type[Row], where: Callable[[Table], ColumnElement[bool]], *columns: str) -> Statement:
    """Delete the organisation's rows where the condition holds; its parameters are named like ``columns``."""

    def build(_: Callable[[Table], Any]) -> ClauseElement:
        t = table(model)
        return sqlalchemy.delete(t).where((t.c[OWNER] == bindparam(OWNER)) & where(t))

    return Statement(build, (OWNER, *columns))


def delete_all(model: type[Row], where: Callable[[Table], ColumnElement[bool]], *columns: str) -> Statement:
    """Delete the rows of everybody where the condition holds: what is old is old for all."""

    def build(_: Callable[[Table], Any]) -> ClauseElement:
        return sqlalchemy.delete(table(model)).where(where(table(model)))

    return Statement(build, columns)


def record_columns(model: type[Row], source: type[Any]) -> list[Any]:
    """The columns that hold the fields of a domain record, in the order of its fields."""
    return [table(model).c[field.name] for field in fields(source)]


def encoder(
    model: type[Row], source: type[Any], only: tuple[str, ...] | None = None
) -> Callable[[Any], Params]:
    """Record -> its fields as database values, in the order of its fields or of ``only`` these."""
    columns = record_columns(model, source) if only is None else [table(model).c[name] for name in only]
    encoders = [(i, ENCODERS[type(c.type)]) for i, c in enumerate(columns) if type(c.type) in ENCODERS]
    values_of = attrgetter(*(column.name for column in columns))

    def encode(record: Any) -> Params:
        values = list(values_of(record))
        for index, encoded in encoders:
            value = values[index]
            if value is not None:
                values[index] = encoded(value)
        return tuple(values)

    return encode
