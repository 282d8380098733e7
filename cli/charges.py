"""``cms payments charges``: what is taken from cards."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.ends import decimal
from cli.money import amount as money
from cli.noun import confirmed, flags_of, group, tell_list
from cli.render import Column, show_one, when
from cms.client import ask
from cms.contract import charges

app = group("What is taken from cards through the payment provider.")

Charge = Annotated[str, typer.Argument(metavar="CHARGE")]
Amount = Annotated[
    str | None, typer.Option("--amount", metavar="AMOUNT", help="Of it; all that there is if not given.")
]


def _person(value: Any) -> str:
    return "▲ look" if value else ""


LIST = (
    Column("id", "charge"),
    Column("purpose"),
    Column("status"),
    Column("person", "", _person),
    Column("amount", show=money, right=True),
    Column("captured", right=True),
    Column("refunded", right=True),
    Column("driver"),
    Column("session"),
    Column("invoice", wide=True),
    Column("account", wide=True),
    Column("station", wide=True),
    Column("evse", right=True, wide=True),
    Column("card", wide=True),
    Column("provider_ref", "at the provider", wide=True),
    Column("attempts", right=True, wide=True),
    Column("next", "again at", when, wide=True),
    Column("code"),
    Column("detail"),
    Column("dispute", wide=True),
    Column("created_at", "begun", when, wide=True),
    Column("changed_at", "changed", when),
)
SHOWN = tuple(Column(c.key, c.heading, c.show) for c in LIST)
CARD = (Column("driver"), Column("card"), Column("method", "at the provider"))
LINK = (Column("driver"), Column("url"), Column("until", "good until", when))


@app.command("list")
def list_(
    ctx: typer.Context,
    status: Annotated[
        str | None, typer.Option("--status", metavar="person|unpaid|...", help="person: a person must look.")
    ] = None,
    purpose: Annotated[str | None, typer.Option("--purpose", metavar="ad-hoc|session|invoice|top-up")] = None,
    driver: Annotated[str | None, typer.Option("--driver", metavar="DRIVER")] = None,
    session: Annotated[str | None, typer.Option("--session", metavar="SESSION")] = None,
) -> None:
    """Charges, newest first."""
    flags = flags_of(ctx)
    tell_list(flags, charges.ListCharges(status, purpose, driver, session, flags.limit or 200), LIST)


@app.command()
def show(ctx: typer.Context, charge: Charge) -> None:
    """One charge."""
    flags = flags_of(ctx)
    show_one(ask(charges.ShowCharge(charge), flags.address, flags.patience_s), SHOWN, flags)


@app.command()
def capture(ctx: typer.Context, charge: Charge, amount: Amount = None) -> None:
    """Take what is held; the rest is given back."""
    wanted = None if amount is None else decimal(amount)
    _done(ctx, charges.CaptureCharge(charge, wanted, flags_of(ctx).reason), f"Take what is held of {charge}?")


@app.command()
def void(ctx: typer.Context, charge: Charge) -> None:
    """Give back what is held, or give up what was not paid."""
    _done(ctx, charges.VoidCharge(charge, flags_of(ctx).reason), f"Take nothing of {charge}?")


@app.command()
def refund(ctx: typer.Context, charge: Charge, amount: Amount = None) -> None:
    """Give money back, with --reason."""
    wanted = None if amount is None else decimal(amount)
    _done(
        ctx,
        charges.RefundCharge(charge, flags_of(ctx).reason or "", wanted),
        f"Give back {amount or 'all'} of {charge}?",
    )


@app.command()
def retry(ctx: typer.Context, charge: Charge) -> None:
    """Ask the provider once more, with the driver's present card."""
    _done(ctx, charges.RetryCharge(charge, flags_of(ctx).reason), f"Ask the provider again for {charge}?")


def _done(ctx: typer.Context, request: Any, question: str) -> None:
    flags = flags_of(ctx)
    if not confirmed(flags, question):
        raise typer.Exit(130)
    show_one(ask(request, flags.address, flags.patience_s), SHOWN, flags)


def card_link(ctx: typer.Context, driver: Annotated[str, typer.Argument(metavar="DRIVER")]) -> None:
    """A page on which a driver saves a card himself: send it to him alone."""
    flags = flags_of(ctx)
    show_one(ask(charges.LinkCard(driver), flags.address, flags.patience_s), LINK, flags)


def save_card(
    ctx: typer.Context,
    driver: Annotated[str, typer.Argument(metavar="DRIVER")],
    method: Annotated[str, typer.Option("--method", metavar="pm_...", help="The provider's name for it.")],
) -> None:
    """Keep a card that the provider knows, for what a driver will owe."""
    flags = flags_of(ctx)
    show_one(ask(charges.SaveCard(driver, method), flags.address, flags.patience_s), CARD, flags)


def forget_card(ctx: typer.Context, driver: Annotated[str, typer.Argument(metavar="DRIVER")]) -> None:
    """Charge a driver's card no more."""
    flags = flags_of(ctx)
    if not confirmed(flags, f"Forget the card of {driver}?"):
        raise typer.Exit(130)
    show_one(ask(charges.ForgetCard(driver), flags.address, flags.patience_s), CARD, flags)
