"""``cms audit``: who did what to what, why, and with which result."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Annotated, Any

import typer

from cli.noun import flags_of, group
from cli.render import Column, list_lines, select, show_list, show_one, when
from cli.times import earlier
from cms.client import ask
from cms.contract.audit import ListAudit, VerifyAudit
from cms.contract.refusals import Invalid

app = group("Who did what, to what, why and with which result; a log that proves itself.")


def _said(request: Any) -> str:
    """``station=CP1 kind=hard``."""
    return " ".join(f"{name}={value}" for name, value in request.items()) if isinstance(request, dict) else ""


LIST = (
    Column("seq", "#", right=True),
    Column("at", show=when),
    Column("actor"),
    Column("operation"),
    Column("target"),
    Column("result"),
    Column("times", right=True, show=lambda value: "" if value == 1 else f"×{value}"),
    Column("detail"),
    Column("reason"),
    Column("via", wide=True),
    Column("role", wide=True),
    Column("permission", wide=True),
    Column("intent", wide=True),
    Column("request_id", "id", wide=True),
    Column("request", show=_said, wide=True),
)
VERDICT = (
    Column("rows"),
    Column("seq", "last row"),
    Column("mac", "seal"),
    Column("heads", "told heads met"),
)
#: So many without --limit; the daemon gives so many at once.
_LATEST = 200
_PAGE = 1000

Who = Annotated[str | None, typer.Option("--actor", metavar="NAME")]
Operation = Annotated[str | None, typer.Option("--operation", metavar="NAME", help="e.g. ResetStation")]
Target = Annotated[
    str | None, typer.Option("--target", metavar="NAME", help="A station, token, driver ... as it was named.")
]
Since = Annotated[str | None, typer.Option("--since", metavar="WHEN", help="2h, 7d, 2026-11-22T13:30")]
Until = Annotated[str | None, typer.Option("--until", metavar="WHEN")]
Result = Annotated[
    str | None,
    typer.Option(
        "--result", metavar="WORD", help="changed, ordered, held, nothing, read, Denied, Conflict ..."
    ),
]


def _wanted(
    actor: str | None,
    operation: str | None,
    target: str | None,
    since: str | None,
    until: str | None,
    result: str | None,
) -> ListAudit:
    return ListAudit(
        actor=actor,
        operation=operation,
        target=target,
        result=result,
        since=earlier(since) if since else None,
        until=earlier(until) if until else None,
    )


@app.command("list")
def list_(
    ctx: typer.Context,
    actor: Who = None,
    operation: Operation = None,
    target: Target = None,
    since: Since = None,
    until: Until = None,
    result: Result = None,
    before: Annotated[
        int | None, typer.Option("--before", metavar="#", help="The page before this row.")
    ] = None,
    after: Annotated[
        int | None, typer.Option("--after", metavar="#", help="The page after this row.")
    ] = None,
    looks: Annotated[
        bool,
        typer.Option("--looks/--no-looks", help="Also rows that only tell that personal data was shown."),
    ] = True,
) -> None:
    """The latest rows, oldest first; or a page before or after a row."""
    flags = flags_of(ctx)
    wanted = _wanted(actor, operation, target, since, until, result)
    wanted = replace(
        wanted, before=before, after=after, looks=looks, limit=min(flags.limit or _LATEST, _PAGE)
    )
    rows = select(ask(wanted, flags.address, flags.patience_s), flags)
    show_list(rows, LIST, flags, name="seq")


@app.command()
def export(
    ctx: typer.Context,
    format: Annotated[str, typer.Option("--format", metavar="jsonl|csv")] = "jsonl",
    actor: Who = None,
    operation: Operation = None,
    target: Target = None,
    since: Since = None,
    until: Until = None,
    result: Result = None,
) -> None:
    """All rows, oldest first, as they are read: for an archive, or somebody else's eyes."""
    flags = flags_of(ctx)
    if format not in ("jsonl", "csv"):
        raise Invalid(f"rows are exported as jsonl or csv, not as {format}")
    flags = replace(flags, output=format, limit=None)
    wanted = replace(_wanted(actor, operation, target, since, until, result), after=0, limit=_PAGE)
    while rows := ask(wanted, flags.address, flags.patience_s):
        sys.stdout.writelines(f"{line}\n" for line in list_lines(rows, LIST, flags, "seq"))
        wanted = replace(wanted, after=rows[-1]["seq"])
        flags = replace(flags, no_headers=True)


@app.command()
def verify(
    ctx: typer.Context,
    head: Annotated[
        str | None,
        typer.Option(
            "--head", metavar="#:SEAL", help="A head that the daemon's log told; it must be met too."
        ),
    ] = None,
) -> None:
    """Follow the chain of seals from its first row; exit 5 and the first row that was changed, moved or taken away."""
    flags = flags_of(ctx)
    patience_s = max(flags.patience_s, 600.0)  # some 20,000 rows a second
    show_one(ask(VerifyAudit(head), flags.address, patience_s), VERDICT, flags, name="seq")
