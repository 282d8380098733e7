"""``cms organisations``."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.errors import note
from cli.noun import confirmed, flags_of, group, tell_list
from cli.render import Column, show_one, when
from cms.client import ask
from cms.contract import organisations
from cms.contract.refusals import Invalid

app = group("Organisations: who operates stations on this platform.")

LIST = (
    Column("id"),
    Column("name"),
    Column("party"),
    Column("status"),
    Column("time_zone", "time zone"),
    Column("currency"),
    Column("contact_name", "contact", wide=True),
    Column("contact_email", "e-mail", wide=True),
    Column("added_at", "added", when, wide=True),
)
SHOWN = (
    Column("id", "organisation"),
    *LIST[1:7],
    Column("contact_phone", "phone"),
    Column("contact_email", "e-mail"),
    Column("note"),
    Column("added_at", "added", when),
)

Organisation = Annotated[str, typer.Argument(metavar="ORGANISATION")]
Party = Annotated[str | None, typer.Option("--party", metavar="CC*PPP", help="Whose EVSE ids: DE*ABC.")]
Zone = Annotated[str | None, typer.Option("--time-zone", metavar="ZONE", help="Of new sites.")]
Currency = Annotated[str | None, typer.Option("--currency", metavar="CUR", help="e.g. EUR")]
Text = Annotated[str | None, typer.Option(metavar="TEXT")]
Remark = Annotated[str | None, typer.Option("--note", metavar="TEXT", help="For people.")]


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """All organisations."""
    flags = flags_of(ctx)
    tell_list(flags, organisations.ListOrganisations(flags.filter), LIST, filtered=True)


@app.command()
def show(
    ctx: typer.Context,
    organisation: Annotated[str | None, typer.Argument(metavar="[ORGANISATION]")] = None,
) -> None:
    """One organisation; without a name the one you work for."""
    flags = flags_of(ctx)
    own = organisations.ShowOwnOrganisation()
    request = organisations.ShowOrganisation(organisation) if organisation else own
    show_one(ask(request, flags.address, flags.patience_s), SHOWN, flags)


@app.command()
def add(
    ctx: typer.Context,
    organisation: Organisation,
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="Its legal name.")],
    party: Party = None,
    time_zone: Zone = None,
    currency: Currency = None,
    contact_name: Text = None,
    contact_phone: Text = None,
    contact_email: Text = None,
    remark: Remark = None,
) -> None:
    """Begin to serve an organisation."""
    flags = flags_of(ctx)
    request = organisations.AddOrganisation(
        organisation=organisation,
        name=name,
        party=party,
        time_zone=time_zone,
        currency=currency,
        contact_name=contact_name,
        contact_phone=contact_phone,
        contact_email=contact_email,
        note=remark,
    )
    show_one(ask(request, flags.address, flags.patience_s), SHOWN, flags)


@app.command("set")
def set_(
    ctx: typer.Context,
    organisation: Organisation,
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT", help="Its legal name.")] = None,
    party: Party = None,
    time_zone: Zone = None,
    currency: Currency = None,
    contact_name: Text = None,
    contact_phone: Text = None,
    contact_email: Text = None,
    remark: Remark = None,
) -> None:
    """Change what is said of an organisation; an empty text takes back what was said."""
    flags = flags_of(ctx)
    said = (name, party, time_zone, currency, contact_name, contact_phone, contact_email, remark)
    if all(value is None for value in said):
        raise Invalid("What is to be changed?", "e.g. cms organisations set main --party DE*ABC")
    request = organisations.SetOrganisation(
        organisation=organisation,
        name=name,
        party=party,
        time_zone=time_zone,
        currency=currency,
        contact_name=contact_name,
        contact_phone=contact_phone,
        contact_email=contact_email,
        note=remark,
        reason=flags.reason,
    )
    show_one(ask(request, flags.address, flags.patience_s), SHOWN, flags)


@app.command()
def suspend(ctx: typer.Context, organisation: Organisation) -> None:
    """Stop serving an organisation: its stations are disconnected and turned away."""
    flags = flags_of(ctx)
    if flags.dry_run:
        note(f"would suspend {organisation}", flags.quiet)
        return
    if not confirmed(flags, f"Suspend {organisation}? Its stations are disconnected and turned away."):
        raise typer.Exit(130)
    _serve(ctx, organisation, suspended=True)


@app.command()
def resume(ctx: typer.Context, organisation: Organisation) -> None:
    """Serve a suspended organisation again."""
    _serve(ctx, organisation, suspended=False)


def _serve(ctx: typer.Context, organisation: str, *, suspended: bool) -> None:
    flags = flags_of(ctx)
    request = organisations.SuspendOrganisation(organisation, suspended, flags.reason)
    show_one(ask(request, flags.address, flags.patience_s), SHOWN, flags)
