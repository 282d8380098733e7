"""What the daemon told, on stdout: table, wide, json, jsonl, csv, yaml or names.

Machine formats carry the values word for word (hostile characters as JSON escapes); tables pass every cell
through ``safe``, sheets through ``csv_cell``. A table is cut to the terminal's width only on a terminal.
"""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from cli.flags import Flags, near
from cms.contract.filters import parse
from cms.contract.refusals import Invalid
from cms.contract.safe import csv_cell, escaped, safe

Row = dict[str, Any]
_GAP = "  "
#: Amounts come as text (they are decimal): in a sheet they are numbers, also negative ones.
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: a dotted JSON key, its heading, how a value is shown."""

    key: str
    heading: str | None = None
    show: Callable[[Any], str] = lambda value: "" if value is None else _plain(value)
    right: bool = False
    wide: bool = False
    """Only with ``-o wide``."""

    @property
    def title(self) -> str:
        return (self.heading or self.key.rsplit(".", 1)[-1].replace("_", " ")).upper()


def _plain(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ", ".join(_plain(item) for item in value)
        case dict():
            return compact(value)
    return str(value)


def compact(value: Any) -> str:
    """A value as JSON on one line."""
    return escaped(msgspec.json.encode(value).decode())


def kwh(value: Any) -> str:
    """Wh for people."""
    return "" if value is None else f"{value / 1000:.2f} kWh"


def kw(value: Any) -> str:
    """W for people."""
    return "" if value is None else f"{value / 1000:.1f} kW"


def when(value: Any) -> str:
    """An instant: how long ago on a terminal, RFC 3339 in a pipe."""
    if not value:
        return ""
    at = datetime.fromisoformat(value)
    if not sys.stdout.isatty():
        return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return age((datetime.now(UTC) - at).total_seconds())


def age(seconds: float) -> str:
    """A span in its largest unit, e.g. ``6m``; ``in 2h`` for what is to come."""
    if seconds < -1:
        return f"in {age(-seconds)}"
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{max(int(seconds), 0)}s"


def at(row: Any, key: str) -> Any:
    """The value at a dotted key; lists give a list; None where nothing is."""
    for part in key.split("."):
        if isinstance(row, list):
            row = [item.get(part) if isinstance(item, dict) else None for item in row]
        elif isinstance(row, dict):
            row = row.get(part)
        else:
            return None
    return row


def select(rows: list[Row], flags: Flags, *, filtered: bool = False) -> list[Row]:
    """The rows asked for: filtered (unless the daemon did), sorted, limited."""
    if flags.filter and not filtered:
        rows = list(filter(parse(flags.filter), rows))
    if flags.sort:
        key = flags.sort.removeprefix("-")
        if rows and all(at(row, key) is None and key.split(".")[0] not in row for row in rows):
            raise Invalid(f"There is no key {key!r} to sort by", near(key, list(rows[0])))
        rows = sorted(rows, key=lambda row: _order(at(row, key)), reverse=flags.sort.startswith("-"))
    return rows[: flags.limit] if flags.limit else rows


def _order(value: Any) -> tuple[int, float, str]:
    """Numbers before text, nothing last."""
    if value is None:
        return (2, 0.0, "")
    if isinstance(value, int | float):
        return (0, float(value), "")
    return (1, 0.0, _plain(value).casefold())


def show_list(rows: list[Row], columns: Sequence[Column], flags: Flags, name: str = "id") -> None:
    """Print a list in the format asked for. ``name`` is the key that ``-o name`` prints."""
    sys.stdout.writelines(f"{line}\n" for line in list_lines(rows, columns, flags, name))


def list_lines(rows: list[Row], columns: Sequence[Column], flags: Flags, name: str = "id") -> Iterator[str]:
    """The lines of a list in the format asked for. Raises Invalid for a column that is not there."""
    if flags.output != "name":
        _check_columns(rows, columns, flags)
    match flags.output:
        case "json":
            yield _pretty([_picked(row, flags) for row in rows])
        case "jsonl":
            yield from (compact(_picked(row, flags)) for row in rows)
        case "yaml":
            yield from _yaml([_picked(row, flags) for row in rows])
        case "csv":
            yield from _csv(rows, _keys(rows, columns, flags), flags)
        case "name":
            yield from (safe(row.get(name)) for row in rows)
        case _:
            yield from table(rows, chosen(columns, flags), flags)


def show_one(row: Row, columns: Sequence[Column], flags: Flags, name: str = "id") -> None:
    """Print one thing: an object for machines, ``heading  value`` lines for people."""
    _check_columns([row], columns, flags)
    if flags.output == "json":
        print(_pretty(_picked(row, flags)))
    elif flags.output == "yaml":
        print("\n".join(_yaml(_picked(row, flags))))
    elif flags.output in ("jsonl", "csv", "name"):
        show_list([row], columns, flags, name)
    else:
        show_pairs([(column.title.lower(), cell(row, column)) for column in chosen(columns, flags, True)])


def show_pairs(pairs: Iterable[tuple[str, str]]) -> None:
    """Print ``heading  value`` lines."""
    lines = list(pairs)
    width = max((len(heading) for heading, _ in lines), default=0)
    for heading, value in lines:
        print(f"{heading:<{width}}  {safe(value)}".rstrip())


def chosen(columns: Sequence[Column], flags: Flags, everything: bool = False) -> list[Column]:
    """The columns of --columns, else those of the format."""
    if flags.columns:
        # Two columns may show one key, the first as what it is called: connectors, then their power.
        known = {column.key: column for column in reversed(columns)}
        return [known.get(key, Column(key)) for key in flags.columns]
    return [column for column in columns if everything or flags.output == "wide" or not column.wide]


def _check_columns(rows: list[Row], columns: Sequence[Column], flags: Flags) -> None:
    """Refuse a column that neither the rows nor the table has; without rows nobody knows them all."""
    if not rows or not flags.columns:
        return
    known = dict.fromkeys([key for row in rows for key in row] + [column.key for column in columns])
    for key in flags.columns:
        if key not in known and key.split(".")[0] not in known:
            raise Invalid(f"There is no column {key!r}", near(key, list(known)))


def _picked(row: Row, flags: Flags) -> Row:
    return {key: at(row, key) for key in flags.columns} if flags.columns else row


def _pretty(value: Any) -> str:
    return escaped(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def _keys(rows: list[Row], columns: Sequence[Column], flags: Flags) -> list[str]:
    if flags.columns:
        return list(flags.columns)
    return list(rows[0]) if rows else [column.key for column in columns]


def _csv(rows: list[Row], keys: list[str], flags: Flags) -> Iterator[str]:
    """RFC 4180; text cells can be no formula, numbers stay numbers."""
    if not flags.no_headers:
        yield ",".join(map(_quoted, keys))
    for row in rows:
        yield ",".join(_sheet_cell(at(row, key)) for key in keys)


def _sheet_cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case list() | dict():
            return _quoted(compact(value))
        case str() if _NUMBER.fullmatch(value):
            return value
    return _quoted(csv_cell(value))


def _quoted(text: str) -> str:
    if not any(sign in text for sign in ',"\r\n'):
        return text
    escaped_quotes = text.replace('"', '""')
    return f'"{escaped_quotes}"'


def _yaml(value: Any, depth: int = 0) -> Iterator[str]:
    """Block YAML of JSON values; scalars as JSON, which YAML contains."""
    pad = "  " * depth
    match value:
        case dict() if value:
            for key, item in value.items():
                name = key if key.isidentifier() else compact(key)
                if isinstance(item, dict | list) and item:
                    yield f"{pad}{name}:"
                    yield from _yaml(item, depth + 1)
                else:
                    yield f"{pad}{name}: {compact(item)}"
        case list() if value:
            for item in value:
                first, *rest = list(_yaml(item, depth + 1))
                yield f"{pad}- {first.lstrip()}"
                yield from rest
        case _:
            yield f"{pad}{compact(value)}"


def cell(row: Row, column: Column) -> str:
    """One cell's text, harmless."""
    return safe(column.show(at(row, column.key)))


def width_of(text: str) -> int:
    """Terminal cells that the text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        for sign in text
    )


def table(rows: list[Row], columns: Sequence[Column], flags: Flags) -> Iterator[str]:
    """Aligned columns; on a terminal the last one is cut so that no line wraps."""
    lines = [[cell(row, column) for column in columns] for row in rows]
    if not flags.no_headers:
        lines.insert(0, [column.title for column in columns])
    widths = [max((width_of(line[at]) for line in lines), default=0) for at in range(len(columns))]
    limit = _terminal_width()
    for number, line in enumerate(lines):
        text = _GAP.join(
            _aligned(part, width, column.right)
            for part, width, column in zip(line, widths, columns, strict=True)
        ).rstrip()
        text = _cut(text, limit) if limit else text
        heading = number == 0 and not flags.no_headers and flags.colour
        yield f"\x1b[1m{text}\x1b[0m" if heading else text


def _aligned(text: str, width: int, right: bool) -> str:
    padding = " " * (width - width_of(text))
    return padding + text if right else text + padding


def _terminal_width() -> int | None:
    if not sys.stdout.isatty():
        return None
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except OSError:
        return None


def fitted(text: str) -> str:
    """A line cut to the terminal's width; whole in a pipe."""
    limit = _terminal_width()
    return _cut(text, limit) if limit else text


def _cut(text: str, limit: int) -> str:
    if width_of(text) <= limit:
        return text
    while width_of(text) > limit - 1:
        text = text[:-1]
    return f"{text}…"
