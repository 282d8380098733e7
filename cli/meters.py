"""``cms meters``: the public keys of meters."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.files import text_of
from cli.noun import flags_of, group, tell_list
from cli.render import Column, show_one, when
from cms.client import ask
from cms.contract import cdrs
from cms.contract.refusals import Invalid

app = group("Public keys of meters: what signed meter values are verified with.")

Place = Annotated[str, typer.Argument(metavar="STATION[:EVSE]", help="Without an EVSE all of the station.")]

LIST = (
    Column("station"),
    Column("evse", right=True),
    Column("curve"),
    Column("registered"),
    Column("at", "since", when),
    Column("actor", "by"),
    Column("key", wide=True),
)


def _place(text: str) -> tuple[str, int]:
    station, colon, evse = text.rpartition(":")
    if not colon:
        return text, 0
    if not evse.isdecimal():
        raise Invalid(f"{evse!r} is no EVSE", "its number, as in CP-7:1")
    return station, int(evse)


@app.command()
def keys(
    ctx: typer.Context, station: Annotated[str | None, typer.Argument(metavar="[STATION]")] = None
) -> None:
    """Keys that were registered, and those that stations sent first."""
    tell_list(flags_of(ctx), cdrs.ListMeterKeys(station), LIST, name="station")


@app.command()
def key(
    ctx: typer.Context,
    place: Place,
    text: Annotated[str, typer.Argument(metavar="PEM|HEX", help="@FILE reads it; - reads stdin.")],
) -> None:
    """Register the public key of a meter."""
    flags = flags_of(ctx)
    station, evse = _place(place)
    given = text_of(text[1:]) if text.startswith("@") else text_of("-") if text == "-" else text
    show_one(ask(cdrs.SetMeterKey(station, given, evse), flags.address, flags.patience_s), LIST, flags)


@app.command()
def forget(ctx: typer.Context, place: Place) -> None:
    """Forget the key of a meter."""
    flags = flags_of(ctx)
    station, evse = _place(place)
    ask(cdrs.DropMeterKey(station, evse), flags.address, flags.patience_s)
