"""``cms der``: how cars and chargers that give energy back behave towards the grid (2.1)."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.files import json_object
from cli.noun import AnyStation, Station, flags_of, group, tell_list
from cli.orders import At, Queue, Terms, Wait, WhenIdle, give
from cli.render import Column, when
from cms.contract import der

app = group("DER controls and grid alarms of stations (OCPP 2.1).")

Type = Annotated[str | None, typer.Option("--type", metavar="TYPE", help="e.g. VoltVar, FreqDroop")]

LIST = (
    Column("station"),
    Column("id"),
    Column("control_type", "type"),
    Column("default"),
    Column("state"),
    Column("start_at", "starts", when),
    Column("duration_s", "lasts, s", right=True),
    Column("set_by", "by", wide=True),
    Column("installed_at", "installed", when),
    Column("reported_at", "reported", when, wide=True),
    Column("settings"),
)
ALARMS = (
    Column("station"),
    Column("control_type", "type"),
    Column("fault"),
    Column("started_at", "since", when),
    Column("ended_at", "ended", when),
    Column("info"),
)


@app.command("list")
def list_(ctx: typer.Context, station: AnyStation = None) -> None:
    """The controls that are set, as far as we know."""
    tell_list(flags_of(ctx), der.ListDerControls(station), LIST)


@app.command()
def alarms(
    ctx: typer.Context,
    station: AnyStation = None,
    everything: Annotated[bool, typer.Option("--all", help="Also those that ended lately.")] = False,
) -> None:
    """Grid alarms that go on."""
    tell_list(flags_of(ctx), der.ListDerAlarms(station, everything), ALARMS, name="control_type")


@app.command("set")
def set_(
    ctx: typer.Context,
    station: Station,
    control_type: Annotated[str, typer.Argument(metavar="TYPE", help="e.g. VoltVar, FreqDroop")],
    settings: Annotated[
        str, typer.Argument(metavar="JSON", help="The settings as OCPP spells them; - for stdin.")
    ],
    default: Annotated[bool, typer.Option("--default", help="Holds where no scheduled one does.")] = False,
    number: Annotated[str | None, typer.Option("--id", metavar="ID", help="Else one is given.")] = None,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Set a control. One that is not the default has a duration (s) in its settings."""
    said = json_object(settings, "the settings are", '{"gradient": 10, "softGradient": 5}')

    def build(name: str, **terms: Any) -> der.SetDerControl:
        return der.SetDerControl(
            station=name, control_type=control_type, settings=said, default=default, control=number, **terms
        )

    give(flags_of(ctx), [station], False, Terms(wait, when_idle, at, queue), build)


@app.command()
def get(
    ctx: typer.Context,
    station: Station,
    number: Annotated[str | None, typer.Argument(metavar="[ID]")] = None,
    control_type: Type = None,
    default: Annotated[bool | None, typer.Option("--default/--scheduled", help="Else both.")] = None,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Have the station report its controls. With --wait until all have come; then see `list`."""

    def build(name: str, **terms: Any) -> der.GetDerControls:
        return der.GetDerControls(
            station=name, control=number, control_type=control_type, default=default, **terms
        )

    give(flags_of(ctx), [station], False, Terms(wait, when_idle, at, queue), build)


@app.command()
def clear(
    ctx: typer.Context,
    station: Station,
    number: Annotated[str | None, typer.Argument(metavar="[ID]")] = None,
    control_type: Type = None,
    default: Annotated[bool, typer.Option("--default/--scheduled")] = False,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Take off one control, or all scheduled (or default) ones, of a type."""

    def build(name: str, **terms: Any) -> der.ClearDerControls:
        return der.ClearDerControls(
            station=name, control=number, control_type=control_type, default=default, **terms
        )

    give(flags_of(ctx), [station], False, Terms(wait, when_idle, at, queue), build)
