"""``cms intents``: orders that were given, and what became of them."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.noun import each, flags_of, group, named, tell_list
from cli.orders import INTENT_COLUMNS, wait_for
from cli.render import Column, show_one
from cms.client import ask
from cms.contract import intents
from cms.contract.refusals import Invalid

app = group("Orders that were given, and what became of them.")

SHOWN = (*INTENT_COLUMNS, Column("params"), Column("expires_at", "expires"), Column("session"))
_WAIT_S = 600.0
Intents = Annotated[list[str] | None, typer.Argument(metavar="INTENT...", help="Several, or - for stdin.")]


@app.command("list")
def list_(
    ctx: typer.Context,
    station: Annotated[str | None, typer.Option("--station", metavar="NAME")] = None,
    status: Annotated[str | None, typer.Option("--status", metavar="WORD")] = None,
) -> None:
    """The latest orders."""
    flags = flags_of(ctx)
    choosy = flags.filter or flags.sort or not flags.limit
    limit = 1000 if choosy else flags.limit or 1000
    tell_list(flags, intents.ListIntents(station, status, limit), INTENT_COLUMNS)


@app.command()
def show(ctx: typer.Context, intent: str) -> None:
    """One order."""
    flags = flags_of(ctx)
    show_one(ask(intents.ShowIntent(intent), flags.address, flags.patience_s), SHOWN, flags)


@app.command()
def wait(ctx: typer.Context, names: Intents = None) -> None:
    """Wait until orders came to their effect; the exit code tells."""
    flags = flags_of(ctx)
    wait_for(flags, *_meant(names), flags.timeout_s or _WAIT_S)


@app.command()
def cancel(ctx: typer.Context, names: Intents = None) -> None:
    """Take back orders that were not given yet."""
    each(flags_of(ctx), *_meant(names), intents.CancelIntent, INTENT_COLUMNS, "cancel order")


def _meant(names: list[str] | None) -> tuple[list[str], bool]:
    """The orders, and whether they are a list."""
    if not names:
        raise Invalid("Which order?", "give its id, or - for stdin; see `cms intents list`")
    meant = named(names)
    return meant, len(meant) > 1 or "-" in names
