"""``cms grants``: who may do what at one station for a while."""

from __future__ import annotations

from typing import Annotated

import typer

from cli import orders
from cli.noun import flags_of, group, tell_list
from cli.render import Column, when
from cms.contract import grants

app = group("Rights for a while: list, revoke. `cms grant` gives them.")

LIST = (
    Column("id"),
    Column("name"),
    Column("role"),
    Column("station"),
    Column("ends_at", "ends", when),
    Column("granted_by", "by"),
    Column("reason"),
    Column("who", wide=True),
    Column("granted_at", "since", when, wide=True),
)


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """Grants that have not ended."""
    flags = flags_of(ctx)
    tell_list(flags, grants.ListGrants(flags.filter), LIST, filtered=True)


@app.command()
def revoke(ctx: typer.Context, ids: Annotated[list[str], typer.Argument(metavar="ID...")]) -> None:
    """End grants now."""
    orders.removed(flags_of(ctx), ids, "grant", grants.RevokeGrant, asks=False)
