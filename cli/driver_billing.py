"""``cms drivers billing``: how drivers pay."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.noun import flags_of, group, tell_list
from cli.render import Column, show_one, when
from cms.client import ask
from cms.contract import billingprofiles
from cms.contract.refusals import Invalid

app = group("How drivers pay, and what stands on their invoices.")

Driver = Annotated[str, typer.Argument(metavar="DRIVER")]

LIST = (
    Column("driver"),
    Column("way", show=lambda way: way or "as his tokens do"),
    Column("every"),
    Column("plan"),
    Column("card"),
    Column("company"),
    Column("vat_id", "VAT number", wide=True),
    Column("vat_checked", "checked", wide=True),
    Column("purchase_reference", "reference", wide=True),
    Column("invoice_email", "invoices to", wide=True),
    Column("language", wide=True),
    Column("changed_at", "changed", when, wide=True),
)
SHOWN = tuple(Column(column.key, column.heading, column.show) for column in LIST)


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """Of all drivers for whom it was said."""
    flags = flags_of(ctx)
    tell_list(flags, billingprofiles.ListBillingProfiles(flags.filter), LIST, name="driver", filtered=True)


@app.command()
def show(ctx: typer.Context, driver: Driver) -> None:
    """How a driver pays."""
    flags = flags_of(ctx)
    told = ask(billingprofiles.ShowBillingProfile(driver), flags.address, flags.patience_s)
    show_one(told, SHOWN, flags, "driver")


@app.command("set")
def set_(
    ctx: typer.Context,
    driver: Driver,
    way: Annotated[
        str | None,
        typer.Option("--way", metavar="invoice|card|prepaid|free", help="Empty: as his tokens do."),
    ] = None,
    every: Annotated[str | None, typer.Option("--every", metavar="session|month")] = None,
    company: Annotated[str | None, typer.Option("--company", metavar="TEXT")] = None,
    vat_id: Annotated[
        str | None, typer.Option("--vat-id", metavar="NUMBER", help="e.g. DE123456789.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option("--reference", metavar="TEXT", help="The buyer's, for his invoices.")
    ] = None,
    email: Annotated[
        str | None, typer.Option("--email", metavar="ADDRESS", help="Where invoices go.")
    ] = None,
    language: Annotated[str | None, typer.Option("--language", metavar="de|en|...")] = None,
) -> None:
    """Change how a driver pays; an empty text takes a field away."""
    flags = flags_of(ctx)
    told: dict[str, Any] = {
        "way": way,
        "every": every,
        "company": company,
        "vat_id": vat_id,
        "purchase_reference": reference,
        "invoice_email": email,
        "language": language,
    }
    if all(value is None for value in told.values()):
        raise Invalid("What is to be changed?", "e.g. cms drivers billing set DRIVER --way card")
    request = billingprofiles.SetBillingProfile(driver, **told, reason=flags.reason)
    show_one(ask(request, flags.address, flags.patience_s), SHOWN, flags, "driver")
