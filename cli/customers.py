"""``cms customers``: what stations know of one customer."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.noun import Station, flags_of, group, tell_list
from cli.orders import At, Queue, Terms, Wait, WhenIdle, give, removed
from cli.render import Column, show_one, when
from cms.client import ask as asked
from cms.contract import customers

app = group("What stations know of one customer (OCPP 2.x): personal data.")

LIST = (
    Column("request_id", "id"),
    Column("station"),
    Column("asked_at", "asked", when),
    Column("heard_at", "told", when),
    Column("parts", right=True),
    Column("complete"),
    Column("missing"),
    Column("cut", wide=True),
)
SHOWN = (*LIST, Column("text"))


@app.command()
def ask(
    ctx: typer.Context,
    station: Station,
    token: Annotated[str | None, typer.Option("--token", metavar="TAG")] = None,
    kind: Annotated[
        str | None, typer.Option("--kind", metavar="rfid|emaid|...", help="Of a token nobody here knows.")
    ] = None,
    identifier: Annotated[
        str | None,
        typer.Option("--identifier", metavar="TEXT", help="As the station's maker names customers."),
    ] = None,
    certificate: Annotated[
        str | None, typer.Option("--certificate", metavar="ALGORITHM:NAME_HASH:KEY_HASH:SERIAL")
    ] = None,
    report: Annotated[bool, typer.Option("--report/--no-report", help="Tell what is known.")] = True,
    clear: Annotated[bool, typer.Option("--clear", help="Forget it.")] = False,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Have a station report, and with --clear forget, what it knows of a customer."""

    def build(name: str, **terms: Any) -> customers.AskCustomer:
        return customers.AskCustomer(
            station=name,
            report=report,
            clear=clear,
            token=token,
            kind=kind,
            identifier=identifier,
            certificate=certificate,
            **terms,
        )

    give(flags_of(ctx), [station], False, Terms(wait, when_idle, at, queue), build)


@app.command("list")
def list_(ctx: typer.Context, station: Station) -> None:
    """The reports of a station that are kept."""
    tell_list(flags_of(ctx), customers.ListCustomerReports(station), LIST, name="request_id")


@app.command()
def show(
    ctx: typer.Context,
    station: Station,
    report: Annotated[int | None, typer.Argument(metavar="[ID]", help="Otherwise the latest.")] = None,
) -> None:
    """One report with its text."""
    flags = flags_of(ctx)
    row = asked(customers.ShowCustomerReport(station, report), flags.address, flags.patience_s)
    show_one(row, SHOWN, flags, "request_id")


@app.command()
def forget(ctx: typer.Context, station: Station) -> None:
    """Delete the reports of a station that are kept here."""
    removed(flags_of(ctx), [station], "the customer reports of", customers.ForgetCustomerReports, asks=True)
