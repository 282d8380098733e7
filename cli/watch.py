"""--watch: a list again whenever something happened, at most once a second."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from cli.errors import note
from cli.flags import Flags
from cli.render import Column, Row, list_lines
from cms.client import AsyncClient, Back, Lost
from cms.contract.refusals import Invalid, Refusal, Unreachable

_REST_S = 1.0


def watch(flags: Flags, rows: Callable[[], list[Row]], columns: Sequence[Column], name: str) -> None:
    """On a terminal the list is drawn anew; in a pipe the lines that are new follow."""
    if flags.output in ("json", "yaml"):
        raise Invalid(f"--watch cannot write {flags.output}: it has no end", "use -o jsonl")
    try:
        asyncio.run(_watch(flags, rows, columns, name))
    except ExceptionGroup as several:
        refusals, bugs = several.split(Refusal)
        if refusals is None or bugs is not None:
            raise
        raise _first(refusals) from None


def _first(group: BaseExceptionGroup[Refusal]) -> Refusal:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


async def _watch(flags: Flags, rows: Callable[[], list[Row]], columns: Sequence[Column], name: str) -> None:
    happened = asyncio.Event()
    happened.set()
    shown: set[str] = set()
    async with AsyncClient(flags.address) as client, asyncio.TaskGroup() as group:
        group.create_task(_notice(client, happened, flags))
        while True:
            await happened.wait()
            happened.clear()
            with suppress(Unreachable):
                lines = list(list_lines(await asyncio.to_thread(rows), columns, flags, name))
                shown = _draw(lines, shown)
            await asyncio.sleep(_REST_S)


async def _notice(client: AsyncClient, happened: asyncio.Event, flags: Flags) -> None:
    async for item in client.follow():
        if isinstance(item, Lost):
            note(f"the daemon is gone ({item.reason}); waiting for it", flags.quiet)
        elif isinstance(item, Back):
            note("the daemon is back", flags.quiet)
        happened.set()


def _draw(lines: list[str], shown: set[str]) -> set[str]:
    if sys.stdout.isatty():
        sys.stdout.write("\x1b[H\x1b[2J")
        fresh = lines
    else:
        fresh = [line for line in lines if line not in shown]
    sys.stdout.writelines(f"{line}\n" for line in fresh)
    sys.stdout.flush()
    return set(lines)
