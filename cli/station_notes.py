"""``cms stations note`` and ``cms stations notes``."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.noun import Station, flags_of, tell_list
from cli.render import Column, show_list, when
from cms.client import ask

NOTES = (Column("at", show=when), Column("by"), Column("text"))
Text = Annotated[str, typer.Argument(metavar="TEXT", help="- reads it from stdin.")]


def add_to(app: typer.Typer) -> None:
    app.command()(note)
    app.command()(notes)


def note(ctx: typer.Context, station: Station, text: Text) -> None:
    """Write something about a station; its first line stands in lists from now on."""
    from cms.contract.stationnotes import AddStationNote

    if text == "-":
        import sys

        text = sys.stdin.read()
    flags = flags_of(ctx)
    told = ask(AddStationNote(station, text), flags.address, flags.patience_s)
    show_list(told, NOTES, flags, "at")


def notes(ctx: typer.Context, station: Station) -> None:
    """What was written about a station, newest first."""
    from cms.contract.stationnotes import ListStationNotes

    tell_list(flags_of(ctx), ListStationNotes(station), NOTES, name="at")
