"""``cms evses``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.noun import Station, flags_of, group, tell_list
from cli.render import Column, kw, show_list, show_one, table
from cms.client import ask
from cms.contract import evses

app = group("EVSEs as places: their ids, what is painted on them, their outlets.")


def _outlets(connectors: Any) -> str:
    """``1 IEC_62196_T2_COMBO 150.0 kW``, one after the other."""
    return ", ".join(_outlet(connector) for connector in connectors)


def _outlet(outlet: Any) -> str:
    said = (outlet["standard"], outlet["power_type"], kw(outlet["power_w"]))
    return " ".join([str(outlet["connector"]), *(word for word in said if word)])


LIST = (
    Column("id"),
    Column("evse_id", "evse id"),
    Column("status"),
    Column("site"),
    Column("reference", "painted"),
    Column("floor"),
    Column("connectors", "outlets", _outlets),
    Column("source", "from", wide=True),
    Column("directions", wide=True),
)
SHOWN = (
    Column("station"),
    Column("evse"),
    Column("evse_id", "evse id"),
    Column("status"),
    Column("site"),
    Column("reference", "painted"),
    Column("floor"),
    Column("directions"),
    Column("source", "outlets from"),
)
OUTLETS = (
    Column("connector", right=True),
    Column("standard"),
    Column("format"),
    Column("power_type", "type"),
    Column("voltage_v", "V", right=True),
    Column("current_a", "A", right=True),
    Column("power_w", "power", kw, right=True),
)

Evse = Annotated[int, typer.Argument(metavar="EVSE")]


@app.command("list")
def list_(
    ctx: typer.Context,
    station: Annotated[
        str | None, typer.Option("--station", metavar="STATION", help="Of one station.")
    ] = None,
) -> None:
    """All EVSEs. --filter 'site=garage and standard=*COMBO' chooses."""
    flags = flags_of(ctx)
    tell_list(flags, evses.ListEvses(station, flags.filter), LIST, filtered=True)


@app.command()
def show(ctx: typer.Context, station: Station, evse: Evse) -> None:
    """One EVSE with its outlets."""
    flags = flags_of(ctx)
    _tell(flags, ask(evses.ShowEvse(station, evse), flags.address, flags.patience_s))


def _tell(flags: Any, view: Any) -> None:
    show_one(view, SHOWN, flags)
    if flags.output in ("table", "wide") and view["connectors"] and not flags.columns:
        print()
        for line in table(view["connectors"], OUTLETS, flags):
            print(line)


@app.command("set")
def set_(
    ctx: typer.Context,
    station: Station,
    evse: Evse,
    evse_id: Annotated[str | None, typer.Option("--id", metavar="ID", help="e.g. DE*ABC*E1001*1")] = None,
    reference: Annotated[str | None, typer.Option("--reference", help="What is painted on it.")] = None,
    floor: Annotated[str | None, typer.Option("--floor", metavar="LEVEL")] = None,
    directions: Annotated[str | None, typer.Option("--directions", help="How to find it.")] = None,
    connector: Annotated[int, typer.Option("--connector", metavar="N", help="Whose outlet is meant.")] = 1,
    standard: Annotated[
        str | None, typer.Option("--standard", metavar="NAME", help="type2, ccs2, chademo, or OCPI's word.")
    ] = None,
    form: Annotated[str | None, typer.Option("--format", metavar="socket|cable")] = None,
    power_type: Annotated[
        str | None, typer.Option("--power-type", metavar="TYPE", help="AC_1_PHASE, AC_3_PHASE, DC ...")
    ] = None,
    volts: Annotated[int | None, typer.Option("--volts", metavar="V", help="AC: to neutral.")] = None,
    amps: Annotated[int | None, typer.Option("--amps", metavar="A", help="On each phase.")] = None,
    kilowatts: Annotated[str | None, typer.Option("--kw", metavar="KW")] = None,
    no_outlet: Annotated[
        bool, typer.Option("--no-outlet", help="Take this connector's outlet back.")
    ] = False,
) -> None:
    """Say what an EVSE is, and what one of its outlets is; an empty text takes back what was said."""
    from cli.ends import decimal

    flags = flags_of(ctx)
    request = evses.SetEvse(
        station=station,
        evse=evse,
        evse_id=evse_id,
        reference=reference,
        floor=floor,
        directions=directions,
        connector=connector,
        standard=standard,
        format=form,
        power_type=power_type,
        voltage_v=volts,
        current_a=amps,
        power_w=None if kilowatts is None else int(decimal(kilowatts) * 1000),
        no_outlet=no_outlet,
        reason=flags.reason,
    )
    _tell(flags, ask(request, flags.address, flags.patience_s))


@app.command()
def adopt(ctx: typer.Context, station: Station) -> None:
    """Register the outlets (and ids) that a 2.x station's device model told; what was set by hand stays."""
    flags = flags_of(ctx)
    show_list(ask(evses.AdoptEvses(station), flags.address, flags.patience_s), LIST, flags)


@app.command()
def remove(ctx: typer.Context, station: Station, evse: Evse) -> None:
    """Take back all that was said of an EVSE."""
    flags = flags_of(ctx)
    ask(evses.ForgetEvse(station, evse), flags.address, flags.patience_s)
