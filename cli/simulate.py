"""``cms simulate``: simulated stations against any central system."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.noun import flags_of, single
from cli.times import duration_s
from cms.contract.refusals import Invalid

app = single("Simulated stations against any central system.")


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
    password: Annotated[str | None, typer.Option("--password", help="Of every station.")] = None,
    faults: Annotated[str, typer.Option("--fault", metavar="NAME,...", help="What goes wrong.")] = "",
    duration: Annotated[str | None, typer.Option("--duration", metavar="TIME", help="e.g. 10m")] = None,
    cards: Annotated[
        list[str] | None, typer.Option("--card", metavar="TAG", help="A token that drivers have; repeat.")
    ] = None,
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
                quiet=flags_of(ctx).quiet,
            )
        )
    except ValueError as wrong:
        raise Invalid(str(wrong)) from wrong
