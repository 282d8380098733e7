"""The words every table is written in: instants, JSON texts, keys without case.

All integers are 64 bits wide, all text is unbounded, all instants are microseconds UTC: the two databases
then agree on every value, and a row written by one reads the same from the other.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar

import msgspec
from sqlalchemy import BigInteger, Dialect, Integer, MetaData, Text
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY_US = 86_400_000_000


class Row(SQLModel):
    """What all tables share: our own metadata, and constraint names that migrations can rely on."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )


def fold(text: str) -> str:
    """The form in which identities and tokens are compared: without case (1.6 errata 3.74)."""
    return text.casefold()


def micros(at: datetime) -> int:
    """Microseconds since 1970, UTC."""
    past = at - _EPOCH
    return past.days * _DAY_US + past.seconds * 1_000_000 + past.microseconds


def instant(us: int) -> datetime:
    """The aware UTC datetime of these microseconds."""
    return _EPOCH + us * _MICROSECOND


def words(text: str) -> str:
    """Text as PostgreSQL can hold it: it knows no NUL character, which a hostile station may send."""
    return text.replace("\0", "\ufffd") if "\0" in text else text


_encoder = msgspec.json.Encoder(decimal_format="string", enc_hook=str)


def compact(value: Any) -> str:
    """Compact JSON; exact decimals as strings, instants as RFC 3339, what JSON does not know as its text."""
    return _encoder.encode(value).decode()


def exactly(kind: type, value: Any) -> Any:
    """What JSON does not know, from its text: a fraction is ``5/3``; older records have decimals there."""
    if kind is Fraction:
        return Fraction(value)
    raise NotImplementedError(kind)


class Instant(TypeDecorator[datetime]):
    """An aware datetime as BIGINT microseconds UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else instant(value)


class Words(TypeDecorator[str]):
    """Text from outside: whatever characters it has, both databases take it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return words(value) if value is not None and dialect.name == "postgresql" else value


class Owned(Row):
    """A row of one organisation, whose key begins with it: what refers to another's row is a constraint violation."""

    organisation: str = Field(sa_type=Words, primary_key=True)


class Belonging(Row):
    """A row of one organisation under a key that the database counts."""

    organisation: str = Field(sa_type=Words)


class Json(TypeDecorator[Any]):
    """A value as compact JSON text; ``shape`` is what it reads back as."""

    impl = Text
    cache_ok = True
    shape: ClassVar[Any] = Any

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else compact(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else msgspec.json.decode(value, type=self.shape)


class Exact(TypeDecorator[Decimal]):
    """An exact decimal as text: no database rounds it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class Fields(Json):
    """A JSON object."""

    shape = dict[str, Any]
    cache_ok = True


class Names(Json):
    """A JSON array of texts, as a tuple."""

    shape = tuple[str, ...]
    cache_ok = True


#: A key that the database counts: SQLite does so for INTEGER only, which is as wide there.
Counted = BigInteger().with_variant(Integer, "sqlite")

#: How a value of a column type is written without SQLAlchemy in between (bulk statements).
ENCODERS: dict[type[Any], Any] = {Instant: micros, Exact: str, Json: compact, Fields: compact, Names: compact}


def plain(value: str) -> str:
    """An exact decimal without an exponent, where that is not absurdly long."""
    number = Decimal(value)
    exponent = number.as_tuple().exponent
    return format(number, "f") if isinstance(exponent, int) and abs(exponent) < 40 else value
