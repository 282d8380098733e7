"""A file of drivers, sites or stations as sheet programs write it: CSV in UTF-8 or -16; commas, semicolons or tabs."""

from __future__ import annotations

import csv
import difflib
import io
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from cms.contract.drivers import DriverRow
from cms.contract.refusals import Invalid, NotFound

R = TypeVar("R")
#: A file of a hundred thousand lines is smaller; more than this is a mistake, or somebody's malice.
_MOST_BYTES = 64 * 1024 * 1024
_DELIMITERS = ",;\t"
_LONGEST_CELL = 1_000


def read_rows(name: str) -> tuple[DriverRow, ...]:
    """The drivers of a file; ``-`` is stdin."""
    return rows_of(_bytes(name))


def rows_of(content: bytes) -> tuple[DriverRow, ...]:
    """The drivers of this file."""
    return _sheet(content, DriverRow)


def read_as(name: str, kind: type[R]) -> tuple[R, ...]:
    """The lines of a file as rows of a kind: text by column, and the ``line``."""
    return _sheet(_bytes(name), kind)


def _sheet(content: bytes, kind: type[R]) -> tuple[R, ...]:
    """The lines of this file, numbered as an editor numbers them. Raises Invalid that names the line."""
    make: Callable[..., R] = kind
    text = _text(content)
    header = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=header.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    before = csv.field_size_limit(_LONGEST_CELL)  # the whole process's
    try:
        columns = _columns(next(lines, []), columns_of(kind))
        return tuple(
            make(lines.line_num, **_cells(columns, cells, lines.line_num))
            for cells in lines
            if any(map(str.strip, cells))
        )
    except csv.Error as error:
        raise Invalid(f"line {lines.line_num} of the file is no CSV: {error}") from None
    finally:
        csv.field_size_limit(before)


def _bytes(name: str) -> bytes:
    try:
        if name == "-":
            content = getattr(sys.stdin, "buffer", None)
            read = content.read(_MOST_BYTES + 1) if content else sys.stdin.read(_MOST_BYTES + 1).encode()
        else:
            with Path(name).open("rb") as file:
                read = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        raise NotFound(f"there is no file {name}") from None
    except OSError as error:
        raise Invalid(f"{name} cannot be read: {error.strerror}") from None
    if len(read) > _MOST_BYTES:
        raise Invalid(f"the file is longer than {_MOST_BYTES // 1024 // 1024} MiB", "divide it")
    return bytes(read)


def _text(content: bytes) -> str:
    """UTF-8, with or without its mark; UTF-16 with one."""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Invalid(
            f"line {line} of the file is not {encoding[:6].upper()}", "save it as CSV UTF-8"
        ) from None


def columns_of(kind: type[Any]) -> tuple[str, ...]:
    """The columns that a file of such rows may have."""
    return tuple(field.name for field in fields(kind) if field.name != "line")


def _columns(header: list[str], known: tuple[str, ...]) -> list[str]:
    columns = [cell.strip().casefold() for cell in header]
    for column in columns:
        if column not in known:
            near = difflib.get_close_matches(column, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
            raise Invalid(f"the file's first line names {column[:40]!r}, which is no column", hint)
        if columns.count(column) > 1:
            raise Invalid(f"the file's first line names {column} twice")
    if not columns:
        raise Invalid("the file is empty", f"its first line names columns: {', '.join(known)}")
    return columns


def _cells(columns: list[str], cells: list[str], line: int) -> dict[str, str]:
    if len(cells) > len(columns):
        raise Invalid(f"line {line} of the file has {len(cells)} cells, the first line {len(columns)}")
    return dict(zip(columns, cells, strict=False))
