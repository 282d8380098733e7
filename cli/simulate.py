"""``cms simulate``: simulated stations against any central system."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.noun import flags_of, single
from cli.times import duration_s
from cms.contract.refusals import Invalid

app = single("Simulated stations against any central system.")


def _list(wanted: bool) -> None:
    if wanted:
        from cms.simulator.main import fault_list

        typer.echo(fault_list())
        raise typer.Exit


def _lines(do: list[str], send: list[str]) -> list[str]:
    """What is sent comes after what is done, and before a final quit."""
    at = len(do) - (do[-1:] == ["quit"])
    return [*do[:at], *(f"send {message}" for message in send), *do[at:]]


@app.command()
def simulate(
    ctx: typer.Context,
    url: Annotated[
        str, typer.Option("--url", metavar="URL", help="Without the identity, e.g. ws://127.0.0.1:9000/ocpp")
    ],
    stations: Annotated[int, typer.Option("--stations", metavar="N")] = 1,
    ocpp: Annotated[
        str | None, typer.Option("--ocpp", metavar="1.6|2.0.1|2.1", help="Mixed when not given.")
    ] = None,
    speed: Annotated[float, typer.Option("--speed", metavar="X", help="So many times as fast.")] = 1.0,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="The same seed, the same day.")] = 1,
    prefix: Annotated[str, typer.Option("--prefix", help="Stations are PREFIX001 and on.")] = "CP-",
    station: Annotated[
        list[str] | None, typer.Option("--station", metavar="ID", help="An identity of your own; repeat.")
    ] = None,
    vendor: Annotated[str | None, typer.Option("--vendor", help="What they say they are.")] = None,
    model: Annotated[str | None, typer.Option("--model")] = None,
    firmware: Annotated[str | None, typer.Option("--firmware", metavar="VERSION")] = None,
    evses: Annotated[int | None, typer.Option("--evses", metavar="N", help="EVSEs of each station.")] = None,
    password: Annotated[str | None, typer.Option("--password", help="Of every station.")] = None,
    faults: Annotated[str, typer.Option("--fault", metavar="NAME,...", help="What goes wrong.")] = "",
    duration: Annotated[str | None, typer.Option("--duration", metavar="TIME", help="e.g. 10m")] = None,
    cards: Annotated[
        list[str] | None, typer.Option("--card", metavar="TAG", help="A token that drivers have; repeat.")
    ] = None,
    no_drivers: Annotated[
        bool, typer.Option("--no-drivers", help="Nobody comes, and nothing breaks, by itself.")
    ] = False,
    do: Annotated[
        list[str] | None,
        typer.Option("--do", metavar="LINE", help="When the stations have booted: plug 1, quit; repeat."),
    ] = None,
    send: Annotated[
        list[str] | None,
        typer.Option("--send", metavar="'ACTION [JSON]'", help="Short for --do 'send ...'; repeat."),
    ] = None,
    console: Annotated[
        bool, typer.Option("--console", help="Read such lines from stdin; help lists.")
    ] = False,
    cacert: Annotated[
        str | None, typer.Option("--cacert", metavar="FILE", help="Certificates to trust, for wss.")
    ] = None,
    list_faults: Annotated[
        bool, typer.Option("--list-faults", is_eager=True, callback=_list, help="Name every fault, and end.")
    ] = False,
) -> None:
    """Stations with drivers who come, charge and leave, over real websockets; Ctrl-C ends them."""
    import asyncio

    from cms.simulator.main import run

    try:
        asyncio.run(
            run(
                url,
                stations=stations,
                ocpp=ocpp,
                speed=speed,
                seed=seed,
                prefix=prefix,
                password=password,
                faults=faults,
                duration_s=duration_s(duration) if duration else None,
                cards=tuple(cards or ()),
                names=tuple(station or ()),
                drivers=not no_drivers,
                roots=cacert,
                vendor=vendor,
                model=model,
                firmware=firmware,
                evses=evses,
                lines=_lines(do or [], send or []),
                console=console,
                quiet=flags_of(ctx).quiet,
            )
        )
    except ValueError as wrong:
        raise Invalid(str(wrong)) from wrong
