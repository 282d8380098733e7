"""``cms grant``: rights at one station for a while."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.errors import note
from cli.grants import LIST
from cli.noun import flags_of, single
from cli.render import show_one
from cli.times import duration_s
from cms.client import ask
from cms.contract.grants import AddGrant
from cms.contract.refusals import Invalid

app = single("Give somebody rights at one station for a while.")


@app.command()
def grant(
    ctx: typer.Context,
    who: Annotated[str, typer.Argument(metavar="NAME|uid:NAME|gid:NAME|token:ID")],
    role: Annotated[str, typer.Argument(metavar="ROLE", help="e.g. technician")],
    station: Annotated[str, typer.Option("--station", metavar="NAME")],
    lasts: Annotated[str, typer.Option("--for", metavar="DURATION", help="e.g. 2h; at most 7d.")],
) -> None:
    """Give somebody the rights of a role at one station, for a while; --reason says why."""
    flags = flags_of(ctx)
    if not flags.reason:
        raise Invalid("a grant has a reason", "say --reason")
    if flags.dry_run:
        note(f"would let {who} be {role} at {station} for {lasts}", flags.quiet)
        return
    request = AddGrant(who, role, station, float(duration_s(lasts)), flags.reason)
    show_one(ask(request, flags.address, flags.patience_s), LIST, flags)
