"""``cms stations messages STATION --follow``: OCPP frames as they cross the link."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace

import msgspec

from cli.errors import note
from cli.flags import Flags
from cli.render import Column, Row, cell, list_lines
from cms.client import AsyncClient, Back, Lost, ask
from cms.contract.filters import parse
from cms.contract.refusals import Invalid
from cms.contract.stations import ListMessages, Message

#: So wide are the columns of a line; they cannot be measured first.
_WIDTHS = {"direction": 3, "kind": 6, "action": 24, "latency_ms": 6}


def follow_frames(flags: Flags, station: str, columns: Sequence[Column]) -> None:
    """A line per frame until Ctrl-C; first those that the daemon still has."""
    if flags.output in ("json", "yaml"):
        raise Invalid(f"--follow cannot write {flags.output}: it has no end", "use -o jsonl")
    asyncio.run(_follow(flags, station, columns))


async def _follow(flags: Flags, station: str, columns: Sequence[Column]) -> None:
    wanted = parse(flags.filter or "")
    count = 0
    for row in ask(ListMessages(station), flags.address, flags.patience_s):
        count += _told(row, wanted(row), flags, columns)
    # Of the events of this station none is of interest here, only that the stream stands.
    async with AsyncClient(flags.address) as client:
        async for item in client.follow(frames=station, station=station):
            if flags.limit and count >= flags.limit:
                return
            if isinstance(item, Lost):
                note(f"the daemon is gone ({item.reason}); waiting for it", flags.quiet)
            elif isinstance(item, Back):
                note("the daemon is back; frames of the meantime are missing", flags.quiet)
            elif isinstance(item, Message):
                row = msgspec.to_builtins(item)
                count += _told(row, wanted(row), flags, columns)


def _told(row: Row, wanted: bool, flags: Flags, columns: Sequence[Column]) -> int:
    if not wanted:
        return 0
    if flags.output in ("table", "wide"):
        print(_line(row, columns, flags.output == "wide"))
    else:
        one = replace(flags, no_headers=True)
        sys.stdout.writelines(f"{line}\n" for line in list_lines([row], columns, one, "message_id"))
    sys.stdout.flush()
    return 1


def _line(row: Row, columns: Sequence[Column], wide: bool) -> str:
    parts = [row["at"][11:23].rstrip("Z")]
    for column in columns[1:]:
        if wide or not column.wide:
            parts.append(f"{cell(row, column):<{_WIDTHS.get(column.key, 0)}}")
    return "  ".join(parts).rstrip()
