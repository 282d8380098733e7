"""``cms tui``: the console for people."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.noun import flags_of, single
from cms.contract.refusals import Invalid

app = single("The console for people.")


@app.command()
def tui(
    ctx: typer.Context,
    stock_driver: Annotated[
        bool,
        typer.Option(
            "--stock-driver",
            envvar="CMS_STOCK_DRIVER",
            help="Paint in Textual's own way, for a terminal that ours does not suit.",
        ),
    ] = False,
) -> int:
    """The console for people; ^Q leaves it, ? helps."""
    flags = flags_of(ctx)
    if not sys.stdout.isatty() or not sys.stdin.isatty():
        raise Invalid("The console needs a terminal", "`cms status` and `cms events --follow` do not")
    from tui.app import run

    return run(flags.address, stock_driver)
