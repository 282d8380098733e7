"""``cms approvals``: what one person asked for and another must agree to."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.noun import confirmed, each, flags_of, group, named, tell_list
from cli.render import Column, show_one, when
from cms.client import ask
from cms.contract import approvals

app = group("What waits for a second person.")

LIST = (
    Column("id"),
    Column("operation"),
    Column("status"),
    Column("asked_by", "asked by"),
    Column("asked_at", "asked", when),
    Column("expires_at", "until", when),
    Column("reason"),
    Column("decided_by", "decided by"),
    Column("detail"),
    Column("request", wide=True),
    Column("decided_at", "decided", when, wide=True),
)

Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Several, or - for stdin.")]


@app.command("list")
def list_(
    ctx: typer.Context,
    all_: Annotated[bool, typer.Option("--all", help="Those too that were decided.")] = False,
) -> None:
    """What waits."""
    flags = flags_of(ctx)
    tell_list(flags, approvals.ListApprovals(flags.filter, all_), LIST, filtered=True)


@app.command()
def show(ctx: typer.Context, id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """One, with everything that was asked."""
    flags = flags_of(ctx)
    show_one(ask(approvals.ShowApproval(id), flags.address, flags.patience_s), LIST, flags)


@app.command()
def approve(ctx: typer.Context, ids: Ids) -> None:
    """Agree: it is done now, in the name of who asked."""
    flags, ids = flags_of(ctx), named(ids)
    if not flags.dry_run and not confirmed(flags, f"Approve {', '.join(ids)}?"):
        raise typer.Abort
    patience_s = max(flags.patience_s, 60.0)  # it is done before the answer comes
    if len(ids) == 1 and not flags.dry_run:
        show_one(ask(approvals.Approve(ids[0]), flags.address, patience_s), LIST, flags)
        return
    each(flags, ids, True, approvals.Approve, LIST, "approve")


@app.command()
def reject(ctx: typer.Context, ids: Ids) -> None:
    """Say no; who asked may take it back himself. --reason says why."""
    flags = flags_of(ctx)
    each(flags, ids, len(ids) > 1, lambda id: approvals.Reject(id, flags.reason), LIST, "reject")
