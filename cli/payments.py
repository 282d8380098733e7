"""``cms payments``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli import charges
from cli.ends import MaxCost, MaxKwh, MaxSoc, MaxTime, decimal, ends
from cli.money import amount as money
from cli.noun import Station, flags_of, group, tell_list
from cli.orders import At, Names, Queue, Terms, Wait, WhenIdle, give, removed, stations_meant
from cli.render import Column, show_one, when
from cli.times import duration_s, earlier
from cms.client import ask
from cms.contract import payments, tariffs

app = group("Payments by card: ad hoc, saved cards and what is taken from them; codes of QR codes, balances.")
credits = group("Balances by token, as before `cms balances`.")
app.add_typer(credits, name="credits")
app.add_typer(charges.app, name="charges")
app.command("card-link")(charges.card_link)
app.command("save-card")(charges.save_card)
app.command("forget-card")(charges.forget_card)

Reference = Annotated[str, typer.Argument(metavar="REFERENCE", help="The provider's.")]
Evse = Annotated[int, typer.Option("--evse", metavar="N")]

LIST = (
    Column("psp_ref", "reference"),
    Column("station"),
    Column("evse", right=True),
    Column("status"),
    Column("session"),
    Column("amount", show=money, right=True),
    Column("settled", right=True),
    Column("settled_at", "when", when),
    Column("receipt_id", wide=True),
    Column("receipt_url", wide=True),
    Column("vat_number", wide=True),
    Column("detail"),
    Column("changed_at", "changed", when),
)
CODE = (
    Column("station"),
    Column("evse", right=True),
    Column("totp", "code"),
    Column("valid_from", "from", when),
    Column("valid_to", "to", when),
    Column("url"),
)
CREDITS = (
    Column("token"),
    Column("balance", show=money, right=True),
    Column("available", show=money, right=True),
    Column("changed_at", "changed", when),
)


@app.command("list")
def list_(
    ctx: typer.Context,
    station: Annotated[str | None, typer.Option("--station", metavar="STATION")] = None,
    status: Annotated[str | None, typer.Option("--status", metavar="ended|failed|...")] = None,
) -> None:
    """Payments, newest first."""
    flags = flags_of(ctx)
    request = payments.ListPayments(status, station, flags.limit or 200)
    tell_list(flags, request, LIST, name="psp_ref")


@app.command()
def show(ctx: typer.Context, reference: Reference) -> None:
    """One payment."""
    flags = flags_of(ctx)
    show_one(ask(payments.ShowPayment(reference), flags.address, flags.patience_s), LIST, flags)


@app.command()
def setup(
    ctx: typer.Context,
    names: Names = None,
    validity: Annotated[str, typer.Option("--validity", metavar="DURATION")] = "60s",
    length: Annotated[int, typer.Option("--length", metavar="N")] = 8,
    url: Annotated[
        str | None,
        typer.Option(
            "--template",
            metavar="URL",
            help="What the QR code says, with {chargingstationid}, {evse}, {totp}, {version}.",
        ),
    ] = None,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Give stations the secret of their dynamic QR codes (OCPP 2.1)."""

    def build(station: str, **fields: Any) -> payments.SetUpWebPayment:
        return payments.SetUpWebPayment(
            station=station, validity_s=int(duration_s(validity)), length=length, url=url, **fields
        )

    flags = flags_of(ctx)
    give(flags, *stations_meant(names, flags), Terms(wait, when_idle, at, queue), build)


@app.command()
def code(
    ctx: typer.Context,
    station: str,
    evse: Evse,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="e.g. 5m ago: 5m.")] = None,
) -> None:
    """What a station's QR code holds now."""
    flags = flags_of(ctx)
    request = payments.ShowWebPaymentCode(station, evse, None if at is None else earlier(at))
    show_one(ask(request, flags.address, flags.patience_s), CODE, flags)


@app.command()
def begin(
    ctx: typer.Context,
    station: str,
    evse: Evse,
    totp: Annotated[str, typer.Option("--totp", metavar="CODE", help="From the URL that was scanned.")],
    wait_s: Annotated[str, typer.Option("--within", metavar="DURATION")] = "2m",
) -> None:
    """Check a scanned code, and tell the station that somebody is paying."""

    def build(name: str, **fields: Any) -> payments.BeginWebPayment:
        within_s = int(duration_s(wait_s))
        return payments.BeginWebPayment(station=name, evse=evse, totp=totp, wait_s=within_s, **fields)

    give(flags_of(ctx), [station], False, Terms(), build)


@app.command()
def authorize(
    ctx: typer.Context,
    reference: Reference,
    station: Station,
    evse: Annotated[int | None, typer.Option("--evse", metavar="N")] = None,
    max_cost: MaxCost = None,
    max_kwh: MaxKwh = None,
    max_time: MaxTime = None,
    max_soc: MaxSoc = None,
    wait: Wait = False,
) -> None:
    """A provider authorised a payment: start the session that it pays for."""
    limits = ends(max_cost, max_kwh, max_time, max_soc)

    def build(name: str, **fields: Any) -> payments.AuthorizePayment:
        return payments.AuthorizePayment(psp_ref=reference, station=name, evse=evse, **limits, **fields)

    give(flags_of(ctx), [station], False, Terms(wait), build)


@app.command()
def settle(
    ctx: typer.Context,
    reference: Reference,
    status: Annotated[str, typer.Option("--status", metavar="settled|canceled|rejected|failed")] = "settled",
    amount: Annotated[str | None, typer.Option("--amount", metavar="AMOUNT")] = None,
    receipt_id: Annotated[str | None, typer.Option("--receipt")] = None,
    receipt_url: Annotated[str | None, typer.Option("--receipt-url", metavar="URL")] = None,
) -> None:
    """A provider settled a payment, or did not; --reason says why."""
    flags = flags_of(ctx)
    taken = None if amount is None else decimal(amount)
    request = payments.SettlePayment(reference, status, taken, receipt_id, receipt_url, flags.reason)
    show_one(ask(request, flags.address, flags.patience_s), LIST, flags)


@credits.command("list")
def credits_list(ctx: typer.Context) -> None:
    """Prepaid tokens and what they have left."""
    flags = flags_of(ctx)
    tell_list(flags, tariffs.ListCredits(flags.filter), CREDITS, name="token", filtered=True)


@credits.command("set")
def credits_set(
    ctx: typer.Context,
    token: str,
    amount: Annotated[str, typer.Argument(metavar="AMOUNT")],
    currency: Annotated[str, typer.Option("--currency", metavar="EUR")] = "EUR",
    add: Annotated[bool, typer.Option("--add", help="To what is there.")] = False,
) -> None:
    """Make a token prepaid with this balance."""
    flags = flags_of(ctx)
    request = tariffs.SetCredit(token, decimal(amount), currency, add)
    show_one(ask(request, flags.address, flags.patience_s), CREDITS, flags)


@credits.command("remove")
def credits_remove(ctx: typer.Context, names: Annotated[list[str], typer.Argument(metavar="TAG...")]) -> None:
    """These tokens pay afterwards again."""
    removed(flags_of(ctx), names, "balance of", tariffs.DropCredit, asks=True)
