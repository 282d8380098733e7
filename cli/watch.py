"""--watch: a list again whenever something happened, at most once a second."""

from __future__ import annotations

import asyncio
import os
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
    shown: list[str] = []
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


def _draw(lines: list[str], shown: list[str]) -> list[str]:
    """Write what is new since ``shown``; what is shown now."""
    if sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        sys.stdout.write(_picture(lines, shown, os.get_terminal_size(sys.stdout.fileno()).lines))
    else:
        known = set(shown)
        sys.stdout.writelines(f"{line}\n" for line in lines if line not in known)
    sys.stdout.flush()
    return lines


def _picture(lines: list[str], shown: list[str], height: int) -> str:
    """What turns the picture that is shown into this one: the lines that differ, over the old ones.

    Nothing is cleared that is written again: that is what flickers. What does not fit is told in the last line.
    """
    lines, shown = _fitted(lines, height), _fitted(shown, height)
    before = shown + [""] * (len(lines) - len(shown))
    changed = [
        f"\x1b[{number};1H{line}\x1b[K"
        for number, (line, old) in enumerate(zip(lines, before, strict=False), 1)
        if line != old
    ]
    begin = "" if shown else "\x1b[2J"
    return begin + "".join(changed) + f"\x1b[{len(lines) + 1};1H\x1b[J"


def _fitted(lines: list[str], height: int) -> list[str]:
    room = max(height - 1, 1)
    return lines if len(lines) <= room else [*lines[: room - 1], f"... {len(lines) - room + 1} more"]
