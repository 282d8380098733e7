"""``cms events``."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.errors import note
from cli.flags import Flags
from cli.noun import flags_of, single
from cli.render import Column, cell, list_lines, select, show_list, when
from cms.client import ask
from cms.contract.events import Event, ListEvents
from cms.contract.filters import parse
from cms.contract.refusals import Invalid

if TYPE_CHECKING:
    from cms.client import Address

app = single("What happens; --follow to see it as it happens.")

#: Keys of an event's data that are too much for one line.
_BULKY = ("session", "intent", "token")


def _told(data: Any) -> str:
    """``status=charging evse=1``: the plain values, without the whole objects."""
    if not isinstance(data, dict):
        return ""
    plain = {
        key: value for key, value in data.items() if not isinstance(value, dict | list) and value is not None
    }
    whole = [data[key] for key in _BULKY if isinstance(data.get(key), dict)]
    said = [f"{key}={value}" for key, value in plain.items()]
    said += [f"{item.get('order', '')} {item.get('status', '')}".strip() for item in whole]
    return " ".join(said)


LIST = (
    Column("at", show=when),
    Column("type"),
    Column("station"),
    Column("session"),
    Column("actor", wide=True),
    Column("cursor", wide=True),
    Column("data", show=_told),
)
#: So many without --limit; the daemon gives so many at most.
_LATEST = 200
_ALL = 10_000
#: While following, columns cannot be measured first.
_WIDTHS = {"at": 20, "type": 22, "station": 16, "session": 14, "actor": 10, "cursor": 10}


@app.command()
def events(
    ctx: typer.Context,
    verb: Annotated[str, typer.Argument(metavar="[list|tail]", help="tail is --follow.")] = "list",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as things happen.")] = False,
    station: Annotated[str | None, typer.Option("--station", metavar="NAME")] = None,
    session: Annotated[str | None, typer.Option("--session", metavar="ID")] = None,
    type: Annotated[str | None, typer.Option("--type", metavar="TYPE", help="e.g. session.ended")] = None,
    after: Annotated[str | None, typer.Option("--after", metavar="CURSOR")] = None,
) -> None:
    """The latest events, oldest first; or, with --follow, everything from now on (or after a cursor)."""
    flags = flags_of(ctx)
    if verb not in ("list", "tail"):
        raise Invalid(f"events are to list or to tail, not to {verb}", "see `cms events --help`")
    if not (follow or flags.watch or verb == "tail"):
        _tell_latest(flags, after, station, session, type)
        return
    if flags.output in ("json", "yaml"):
        raise Invalid(f"--follow cannot write {flags.output}: it has no end", "use -o jsonl")
    import asyncio

    asyncio.run(_follow(flags, after, station, session, type))


def _tell_latest(
    flags: Flags, after: str | None, station: str | None, session: str | None, type: str | None
) -> None:
    """The list; the daemon knows single types, kinds like ``session.*`` are chosen here."""
    if type and ("*" in type or "," in type):
        kinds = " or ".join(f"type={kind}" for kind in type.split(","))
        flags = replace(flags, filter=f"({flags.filter}) and ({kinds})" if flags.filter else kinds)
        type = None
    choosy = bool(flags.filter or flags.sort)
    most = _LATEST if flags.limit is None else flags.limit or _ALL
    request = ListEvents(after, station, session, type, _ALL if choosy else most)
    rows = select(ask(request, flags.address, flags.patience_s), replace(flags, limit=None))
    # The latest are the last, unless they were sorted or begin at a cursor.
    show_list(rows[:most] if flags.sort or after else rows[-most:], LIST, flags, name="cursor")


async def _follow(
    flags: Flags, after: str | None, station: str | None, session: str | None, type: str | None
) -> None:
    from cms.client import AsyncClient, Back, Lost

    wanted = parse(flags.filter or "")
    headers = flags.output == "csv" and not flags.no_headers
    count = 0
    async with AsyncClient(flags.address) as client:
        async for item in client.follow(after, station=station, type=type):
            if isinstance(item, Lost):
                note(f"the daemon is gone ({item.reason}); waiting for it", flags.quiet)
            elif isinstance(item, Back):
                note("the daemon is back; nothing was missed", flags.quiet)
            elif isinstance(item, Event) and (session is None or item.session == session):
                row = _row(item)
                if wanted(row):
                    write(row, flags, headers)
                    headers = False
                    count += 1
            if flags.limit and count >= flags.limit:
                return


def _row(event: Event) -> dict[str, Any]:
    import msgspec

    row: dict[str, Any] = msgspec.to_builtins(event)
    return row


def write(row: dict[str, Any], flags: Flags, headers: bool = False) -> None:
    """One event on its line, at once."""
    if flags.output in ("table", "wide"):
        print(line_of(row, flags.output == "wide"))
    else:
        one = replace(flags, no_headers=not headers)
        sys.stdout.writelines(f"{line}\n" for line in list_lines([row], LIST, one, "cursor"))
    sys.stdout.flush()


def line_of(row: dict[str, Any], wide: bool = False) -> str:
    """An event as one line for people."""
    parts = []
    for column in LIST:
        if column.wide and not wide:
            continue
        text = row["at"][11:19] if column.key == "at" else cell(row, column)
        width = 8 if column.key == "at" else _WIDTHS.get(column.key, 0)
        parts.append(f"{text:<{width}}")
    return "  ".join(parts).rstrip()


async def print_events(address: Address, after: str | None = None) -> None:
    """A line per event for ever (the demo without a terminal)."""
    flags = Flags(socket=address.socket, url=address.url, quiet=True)
    await _follow(flags, after, None, None, None)
