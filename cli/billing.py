"""``cms billing``: who sells, and billing runs."""

from __future__ import annotations

import calendar
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import typer

from cli.ends import decimal
from cli.errors import note
from cli.flags import Flags
from cli.money import amount, money
from cli.noun import flags_of, group, tell_list
from cli.render import Column, Row, show_list, show_one
from cms.client import ask
from cms.contract import invoices, openmatters
from cms.contract.refusals import Invalid
from cms.contract.safe import safe

app = group("Who sells, and billing runs: what drivers owe becomes invoices.")
seller = group("Who sells, as invoices say it.")
app.add_typer(seller, name="seller")

#: A run answers once so many accounts are done; each may have thousands of sessions.
_PATIENCE_S = 120.0


def _several(value: Any) -> str:
    return ", ".join(map(str, value or ()))


SELLER = (
    Column("name"),
    Column("street"),
    Column("postcode"),
    Column("city"),
    Column("country"),
    Column("vat_id", "vat id"),
    Column("tax_number", "tax number"),
    Column("email", "e-mail"),
    Column("phone"),
    Column("iban"),
    Column("bic"),
    Column("series"),
    Column("due_days", "due after days"),
    Column("locale"),
    Column("reminder_days", "reminders after days", _several),
    Column("reminder_fees", "fees of reminders", _several),
    Column("exemption"),
    Column("missing", show=_several),
)
BILLED = (
    Column("invoice"),
    Column("kind"),
    Column("driver"),
    Column("account", wide=True),
    Column("sessions", right=True),
    Column("payable", right=True),
    Column("currency"),
    Column("corrects"),
    Column("why"),
)

OPEN = (
    Column("count", show=lambda count: str(count) if count else "✔", right=True),
    Column("what"),
    Column("amount", show=amount, right=True),
    Column("oldest", "since"),
    Column("waits_for", "waits for"),
    Column("command", "see"),
)


@seller.command()
def show(ctx: typer.Context) -> None:
    """What invoices say of us, and what is missing."""
    flags = flags_of(ctx)
    show_one(ask(invoices.ShowSeller(), flags.address, flags.patience_s), SELLER, flags)


@seller.command("set")
def set_(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT")] = None,
    street: Annotated[str | None, typer.Option("--street", metavar="TEXT")] = None,
    postcode: Annotated[str | None, typer.Option("--postcode", metavar="TEXT")] = None,
    city: Annotated[str | None, typer.Option("--city", metavar="TEXT")] = None,
    country: Annotated[str | None, typer.Option("--country", metavar="DE|NL|...")] = None,
    vat_id: Annotated[str | None, typer.Option("--vat-id", metavar="ID")] = None,
    tax_number: Annotated[str | None, typer.Option("--tax-number", metavar="NUMBER")] = None,
    email: Annotated[str | None, typer.Option("--email", metavar="ADDRESS")] = None,
    phone: Annotated[str | None, typer.Option("--phone", metavar="NUMBER")] = None,
    iban: Annotated[str | None, typer.Option("--iban", metavar="IBAN")] = None,
    bic: Annotated[str | None, typer.Option("--bic", metavar="BIC")] = None,
    series: Annotated[
        str | None, typer.Option("--series", metavar="{year}", help="What invoices are numbered in.")
    ] = None,
    due_days: Annotated[int | None, typer.Option("--due-days", metavar="N")] = None,
    locale: Annotated[str | None, typer.Option("--locale", metavar="de_DE")] = None,
    reminders: Annotated[
        str | None, typer.Option("--reminders", metavar="7,14,14", help="Days to each reminder.")
    ] = None,
    fees: Annotated[
        str | None, typer.Option("--reminder-fees", metavar="0,5,10", help="What each costs.")
    ] = None,
    exemption: Annotated[
        str | None, typer.Option("--exemption", metavar="TEXT", help="Why nothing is taxed.")
    ] = None,
) -> None:
    """Say who sells; an empty text takes one away."""
    flags = flags_of(ctx)
    request = invoices.SetSeller(
        name=name,
        street=street,
        postcode=postcode,
        city=city,
        country=country,
        vat_id=vat_id,
        tax_number=tax_number,
        email=email,
        phone=phone,
        iban=iban,
        bic=bic,
        series=series,
        due_days=due_days,
        locale=locale,
        reminder_days=None if reminders is None else tuple(_count(part) for part in _parts(reminders)),
        reminder_fees=None if fees is None else tuple(decimal(part) for part in _parts(fees)),
        exemption=exemption,
    )
    show_one(ask(request, flags.address, flags.patience_s), SELLER, flags)


@app.command("open")
def open_(
    ctx: typer.Context,
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="YYYY-MM-DD", help="Sessions that ended since; else 62 days."),
    ] = None,
) -> None:
    """What of money is open at a glance: sessions, invoices, charges, balances; and whom each waits for."""
    tell_list(flags_of(ctx), openmatters.ListOpenMatters(day(since)), OPEN, name="matter")


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _count(text: str) -> int:
    if not text.isdecimal():
        raise Invalid(f"{text!r} is no number of days", "e.g. 7,14,14")
    return int(text)


@app.command()
def run(
    ctx: typer.Context,
    month: Annotated[
        str | None, typer.Option("--month", metavar="YYYY-MM", help="Last month unless given.")
    ] = None,
    since: Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="The last day.")] = None,
    drivers: Annotated[
        list[str] | None, typer.Option("--driver", metavar="DRIVER", help="These alone.")
    ] = None,
) -> None:
    """Make invoices of what drivers owe. It may be interrupted and repeated; --dry-run shows what it would make."""
    flags = flags_of(ctx)
    begin, end = _period(month, since, until)
    rows: list[Row] = []
    after: str | None = None
    while True:
        request = invoices.RunBilling(begin, end, tuple(drivers or ()), flags.dry_run, after)
        told = ask(request, flags.address, max(flags.patience_s, _PATIENCE_S))
        rows += _rows(told)
        following = told["next"]
        if following is None or (after is not None and following <= after):
            break
        after = following
        note(safe(f"{len(rows)} so far, up to {after}"), flags.quiet)
    show_list(rows, BILLED, flags, "invoice")
    if flags.output in ("table", "wide"):
        _sum_up(rows, told, flags)


def _rows(told: Row) -> list[Row]:
    left_out = [
        {
            "invoice": None,
            "kind": "left out",
            "driver": None,
            "account": row["account"],
            "sessions": 1,
            "currency": row["currency"],
            "net": None,
            "payable": row["gross"],
            "corrects": None,
            "session": row["session"],
            "why": f"session {row['session']}: {row['why']}",
        }
        for row in told["left_out"]
    ]
    return [{**row, "session": None, "why": None} for row in told["invoices"]] + left_out


def _sum_up(rows: list[Row], told: Row, flags: Flags) -> None:
    sums: dict[str, Decimal] = {}
    count = left_out = 0
    for row in rows:
        if row["kind"] == "left out":
            left_out += 1
            continue
        count += 1
        sign = -1 if row["kind"] == "credit-note" else 1
        sums[row["currency"]] = sums.get(row["currency"], Decimal(0)) + sign * Decimal(str(row["payable"]))
    total = ", ".join(money(amount, currency) for currency, amount in sorted(sums.items())) or "nothing"
    verb = "would make" if told["dry_run"] else "made"
    made = f"{verb} {count} document{'s' if count != 1 else ''} over {total}"
    text = f"{told['since']} to {told['until']}: {made}; sessions left out: {left_out}"
    note(safe(text), flags.quiet)


def _period(month: str | None, since: str | None, until: str | None) -> tuple[date | None, date | None]:
    if month is None:
        return day(since), day(until)
    if since is not None or until is not None:
        raise Invalid("say --month, or --from and --to")
    first = day(f"{month}-01")
    assert first is not None
    return first, first.replace(day=calendar.monthrange(first.year, first.month)[1])


def day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{text!r} is no day", "e.g. 2026-11-30, a month: 2026-11") from None
