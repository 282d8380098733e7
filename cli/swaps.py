"""``cms swaps``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.noun import flags_of, group, tell_list
from cli.orders import At, Queue, Terms, Wait, WhenIdle, give
from cli.render import Column, when
from cms.contract import swaps

app = group("Battery swapping: exchanges, and which batteries are where (OCPP 2.1).")

LIST = (
    Column("id"),
    Column("token"),
    Column("status"),
    Column("came"),
    Column("went"),
    Column("began_at", "began", when),
    Column("heard_at", "heard", when, wide=True),
    Column("requested_by", "by", wide=True),
)
BATTERIES = (
    Column("id"),
    Column("evse", right=True),
    Column("inside"),
    Column("soc_percent", "charge %", right=True),
    Column("soh_percent", "health %", right=True),
    Column("produced", show=when, wide=True),
    Column("vendor_info", wide=True),
    Column("heard_at", "heard", when),
)


@app.command("list")
def list_(ctx: typer.Context, station: str) -> None:
    """The latest exchanges at a station."""
    tell_list(flags_of(ctx), swaps.ListSwaps(station), LIST)


@app.command()
def batteries(ctx: typer.Context, station: str) -> None:
    """The batteries a station told of."""
    tell_list(flags_of(ctx), swaps.ListBatteries(station), BATTERIES)


@app.command()
def request(
    ctx: typer.Context,
    station: str,
    token: Annotated[str, typer.Option("--token", metavar="TAG", help="Who swaps.")],
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Let the holder of a token swap batteries."""

    def build(name: str, **fields: Any) -> swaps.RequestSwap:
        return swaps.RequestSwap(station=name, token=token, **fields)

    give(flags_of(ctx), [station], False, Terms(wait, when_idle, at, queue), build)
