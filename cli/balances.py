"""``cms balances``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.ends import decimal
from cli.flags import Flags
from cli.money import amount as shown_amount
from cli.noun import confirmed, flags_of, group, tell_list
from cli.orders import removed
from cli.render import Column, show_one, when
from cms.client import ask
from cms.contract import balances
from cms.contract.refusals import Invalid

app = group("Prepaid balances of drivers, and of tokens that have none.")

Holder = Annotated[
    str, typer.Argument(metavar="DRIVER|TOKEN", help="A token that a driver is called: token:ID.")
]
Amount = Annotated[str, typer.Argument(metavar="AMOUNT")]
By = Annotated[str, typer.Option("--by", metavar="bank|cash|card", help="How the money came or went.")]
Reference = Annotated[
    str | None,
    typer.Option("--reference", metavar="TEXT", help="The payment's own: with it, once is enough."),
]


def _low(value: Any) -> str:
    return "▲ low" if value else ""


LIST = (
    Column("holder"),
    Column("kind", wide=True),
    Column("balance", show=shown_amount, right=True),
    Column("available", show=shown_amount, right=True),
    Column("low", show=_low),
    Column("warn_below", "warned below", right=True, wide=True),
    Column("top_up", "topped up by", right=True, wide=True),
    Column("tokens", wide=True),
    Column("changed_at", "changed", when),
)
SHOWN = tuple(Column(c.key, c.heading, c.show) for c in LIST)


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """Who pays before he charges, and what is left."""
    flags = flags_of(ctx)
    tell_list(flags, balances.ListBalances(flags.filter), LIST, name="holder", filtered=True)


@app.command()
def show(ctx: typer.Context, holder: Holder) -> None:
    """One balance."""
    _asked(flags_of(ctx), balances.ShowBalance(holder))


@app.command("top-up")
def top_up(
    ctx: typer.Context,
    holder: Holder,
    amount: Amount,
    currency: Annotated[str | None, typer.Option("--currency", metavar="EUR")] = None,
    by: By = "bank",
    reference: Reference = None,
) -> None:
    """Money came in; whoever had no balance is prepaid from now on."""
    flags = flags_of(ctx)
    request = balances.TopUpBalance(holder, decimal(amount), currency, by, reference, flags.reason)
    _asked(flags, request)


@app.command()
def refund(
    ctx: typer.Context,
    holder: Holder,
    amount: Annotated[
        str | None, typer.Argument(metavar="[AMOUNT]", help="All of it where none is said.")
    ] = None,
    by: By = "bank",
    reference: Reference = None,
) -> None:
    """Money was given back."""
    flags = flags_of(ctx)
    back = None if amount is None else decimal(amount)
    if not confirmed(flags, f"Refund {amount or 'everything'} to {holder}?"):
        raise typer.Exit(130)
    _asked(flags, balances.RefundBalance(holder, back, by, reference, flags.reason))


@app.command()
def correct(
    ctx: typer.Context,
    holder: Holder,
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="With its sign: -- -5.00 takes five away.")],
) -> None:
    """Set a balance right by so much; --reason says why."""
    flags = flags_of(ctx)
    if not flags.reason:
        raise Invalid("a correction needs a reason", "--reason 'paid twice'")
    _asked(flags, balances.CorrectBalance(holder, decimal(amount), flags.reason))


@app.command("set-warning")
def set_warning(ctx: typer.Context, holder: Holder, amount: Amount) -> None:
    """Tell the holder when less than this is left; 0 tells him never."""
    _asked(flags_of(ctx), balances.SetBalance(holder, warn_below=decimal(amount)))


@app.command("set-top-up")
def set_top_up(ctx: typer.Context, holder: Holder, amount: Amount) -> None:
    """Take this from the driver's saved card when he is warned; 0 takes nothing."""
    _asked(flags_of(ctx), balances.SetBalance(holder, top_up=decimal(amount)))


@app.command()
def close(ctx: typer.Context, names: Annotated[list[str], typer.Argument(metavar="DRIVER|TOKEN...")]) -> None:
    """They pay afterwards again: what is left or missing goes to what they owe."""
    flags = flags_of(ctx)
    removed(flags, names, "balance of", lambda name: balances.CloseBalance(name, flags.reason), asks=True)


def _asked(flags: Flags, request: Any) -> None:
    show_one(ask(request, flags.address, flags.patience_s), SHOWN, flags)
