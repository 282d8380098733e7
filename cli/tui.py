"""``cms tui``: the console for people."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from cli.errors import note
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
    view: Annotated[str, typer.Option("--view", help="Begin with this saved view.")] = "",
    theme: Annotated[
        str,
        typer.Option(
            "--theme", help="Colours: dark, light, safe (red-green blind), 16 (the terminal's own)."
        ),
    ] = "",
    read_only: Annotated[bool, typer.Option("--read-only", help="Only look: no act works.")] = False,
    notify: Annotated[
        bool,
        typer.Option("--notify", help="Notify the desktop (OSC 9, OSC 777) when something new is wrong."),
    ] = False,
    title: Annotated[
        bool, typer.Option("--title", help="Tell in the terminal's title what is wrong.")
    ] = False,
    keys: Annotated[
        bool,
        typer.Option("--keys", help="Print the keys that hold as Markdown, and what is wrong in keys.toml."),
    ] = False,
) -> int:
    """The console for people; ^Q leaves it, ? helps."""
    if keys:
        return _print_keys()
    flags = flags_of(ctx)
    if not sys.stdout.isatty() or not sys.stdin.isatty():
        raise Invalid("The console needs a terminal", "`cms status` and `cms events --follow` do not")
    from tui.app import Opening, run
    from tui.calling import Wishes

    opening = Opening(theme=theme, view=view, read_only=read_only, wishes=Wishes(notify, title))
    return run(flags.address, stock_driver, opening)


def _print_keys() -> int:
    """The effective keys on stdout; 2 when something in keys.toml could not be meant."""
    from tui import keymap

    known = keymap.read(os.environ)
    print("\n".join(keymap.as_markdown(known)))
    for fault in known.faults:
        note(fault)
    return 2 if known.faults else 0
