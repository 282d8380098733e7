"""``cms invoices``."""

from __future__ import annotations

import base64
import csv
import io
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.billing import day
from cli.ends import decimal
from cli.errors import note
from cli.files import written
from cli.flags import Flags
from cli.money import money
from cli.noun import confirmed, each, flags_of, group, named, tell_list
from cli.render import Column, Row, kwh, show_list, show_one, show_pairs, when
from cms.client import ask
from cms.contract import invoices
from cms.contract.refusals import Conflict, Invalid
from cms.contract.safe import csv_cell, escaped, safe

app = group("Invoices and credit notes: list, show, export, send, credit, remind.")

Number = Annotated[str, typer.Argument(metavar="NUMBER")]
Numbers = Annotated[list[str] | None, typer.Argument(metavar="NUMBER...")]
Status = Annotated[
    str | None, typer.Option("--status", metavar="open|sent|overdue|part-paid|paid|credited|disputed")
]
Driver = Annotated[str | None, typer.Option("--driver", metavar="DRIVER")]
Since = Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="Issued from this day on.")]
Until = Annotated[str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="Issued up to this day.")]

#: A document of hundreds of pages takes a while.
_PATIENCE_S = 120.0
SIGNS = {
    "open": "○",
    "sent": "▶",
    "overdue": "▲",
    "part-paid": "◐",
    "paid": "●",
    "credited": "–",
    "disputed": "✖",
    "issued": "○",
}


def _status(word: Any) -> str:
    return f"{SIGNS.get(word, '?')} {word}"


def _plain(number: Any) -> str:
    """Without zeros that say nothing."""
    text = str(number)
    return text.rstrip("0").rstrip(".") if "." in text else text


LIST = (
    Column("invoice"),
    Column("status", show=_status),
    Column("buyer"),
    Column("issued_on", "issued"),
    Column("due_on", "due"),
    Column("sessions", right=True),
    Column("energy_wh", "energy", kwh, right=True),
    Column("net", right=True, wide=True),
    Column("payable", right=True),
    Column("open", right=True),
    Column("currency"),
    Column("overdue_days", "days over", right=True, wide=True),
    Column("reminders", right=True, wide=True),
    Column("kind", wide=True),
    Column("corrects", wide=True),
    Column("driver", wide=True),
)
SHOWN = (*LIST, Column("period_from", "from"), Column("period_to", "to"), Column("sent_at", "sent", when))
ITEMS = (
    Column("number", "#", right=True),
    Column("since", "when", when),
    Column("place"),
    Column("text", "what"),
    Column("quantity", show=_plain, right=True),
    Column("unit"),
    Column("price", right=True),
    Column("vat_percent", "VAT %", right=True),
    Column("net", right=True),
    Column("gross", right=True),
    Column("credited_by", "credited"),
)
SENT = (Column("invoice"), Column("done"), Column("why"))
REMINDED = (
    Column("invoice"),
    Column("driver"),
    Column("level", right=True),
    Column("overdue_days", "days over", right=True),
    Column("fee", right=True),
    Column("open", right=True),
    Column("currency"),
    Column("done"),
    Column("mailed"),
    Column("why"),
)
#: What accounting is given: one row for each invoice and rate; amounts of credit notes are negative.
SHEET = (
    "invoice",
    "kind",
    "issued_on",
    "due_on",
    "period_from",
    "period_to",
    "driver",
    "buyer",
    "currency",
    "vat_percent",
    "net",
    "vat",
    "gross",
    "rounding",
    "payable",
    "open",
    "status",
    "corrects",
)


@app.command("list")
def list_(
    ctx: typer.Context, status: Status = None, driver: Driver = None, since: Since = None, until: Until = None
) -> None:
    """Invoices and credit notes, newest first."""
    flags = flags_of(ctx)
    request = invoices.ListInvoices(status, driver, day(since), day(until), flags.limit or 200)
    tell_list(flags, request, LIST, name="invoice")


@app.command()
def show(ctx: typer.Context, number: Number) -> None:
    """One invoice with its items and what became of it."""
    flags = flags_of(ctx)
    row = ask(invoices.ShowInvoice(number), flags.address, flags.patience_s)
    _show(row, flags)


def _show(row: Row, flags: Flags) -> None:
    show_one(row, SHOWN, flags, "invoice")
    if flags.output in ("table", "wide") and not flags.columns:
        print()
        show_list(row["items"], ITEMS, flags, "number")
        print()
        show_pairs(
            (safe(mark["what"]), f"{when(mark['at'])} {mark['detail'] or ''}") for mark in row["marks"]
        )
        total = money(Decimal(str(row["payable"])), row["currency"])
        left = money(Decimal(str(row["open"])), row["currency"])
        note(safe(f"{total}, of which {left} are open"), flags.quiet)


@app.command()
def export(
    ctx: typer.Context,
    number: Annotated[
        str | None, typer.Argument(metavar="[NUMBER]", help="One invoice; without it a sheet of many.")
    ] = None,
    format: Annotated[
        str | None, typer.Option("--format", metavar="pdf|xml|json|csv", help="pdf of one, csv of many.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write it there; - is stdout.")
    ] = None,
    last_month: Annotated[bool, typer.Option("--last-month", help="Of many: issued last month.")] = False,
    since: Since = None,
    until: Until = None,
) -> None:
    """A document of one invoice (PDF with XML in it, or the XML alone), or a sheet of many for accounting."""
    flags = flags_of(ctx)
    wanted = format or ("csv" if number is None else "pdf")
    if number is None:
        content = _many(flags, wanted, *_issued(last_month, since, until))
        name = f"invoices.{wanted}"
    elif wanted in ("pdf", "xml"):
        request = invoices.ExportInvoice(number, wanted)
        told = ask(request, flags.address, max(flags.patience_s, _PATIENCE_S))
        content, name = base64.b64decode(told["content"]), told["name"]
    else:
        row = ask(invoices.ShowInvoice(number), flags.address, flags.patience_s)
        content, name = _as_text([row], wanted, one=True), f"{number}.{wanted}"
    _put(content, name, out, flags, text=wanted in ("json", "csv"))


def _put(content: bytes, name: str, out: Path | None, flags: Flags, *, text: bool) -> None:
    """Into the file; documents into one of their own name, unless stdout is somewhere else."""
    to_stdout = str(out) == "-" or (out is None and (text or not sys.stdout.isatty()))
    if to_stdout:
        if not text and sys.stdout.isatty():
            raise Conflict("a document is no text for a terminal", f"--out {name}")
        sys.stdout.buffer.write(content)
        return
    path = out if out is not None else Path(Path(name).name)
    with written(path) as target:
        target.write(content)
    note(safe(f"wrote {path} ({len(content)} bytes)"), flags.quiet)


def _issued(last_month: bool, since: str | None, until: str | None) -> tuple[date | None, date | None]:
    if not last_month:
        return day(since), day(until)
    if since is not None or until is not None:
        raise Invalid("say --last-month, or --from and --to")
    end = date.today().replace(day=1) - timedelta(days=1)
    return end.replace(day=1), end


def _many(flags: Flags, format: str, since: date | None, until: date | None) -> bytes:
    if format not in ("csv", "json"):
        raise Invalid(f"many invoices make csv or json, not {format}", "name one invoice for a document")
    request = invoices.ListInvoices(since=since, until=until, limit=flags.limit or 100_000)
    rows = ask(request, flags.address, max(flags.patience_s, _PATIENCE_S))
    return _as_text(rows, format)


def _as_text(rows: list[Row], format: str, *, one: bool = False) -> bytes:
    import msgspec

    match format:
        case "json":
            value: Any = rows[0] if one else rows
            return (
                escaped(msgspec.json.format(msgspec.json.encode(value), indent=2).decode()).encode() + b"\n"
            )
        case "csv":
            return "".join(_sheet(rows)).encode()
    raise Invalid(f"there is no format {format!r}", "pdf, xml, json or csv")


def _sheet(rows: list[Row]) -> Iterator[str]:
    """RFC 4180, oldest first; no text can be a formula."""
    line = io.StringIO()
    writer = csv.writer(line)
    writer.writerow(SHEET)
    for row in reversed(rows):
        sign = -1 if row["kind"] == "credit-note" else 1
        for at, part in enumerate(row["vat"]):
            # What concerns the whole invoice stands in its first row alone, so that columns can be summed up.
            whole = {name: sign * Decimal(str(row[name])) for name in ("rounding", "payable")}
            facts = (
                {**row, **whole, "open": row["open"]}
                if at == 0
                else {**row, "rounding": None, "payable": None, "open": None}
            )
            facts |= {"vat_percent": part["percent"]}
            facts |= {name: sign * Decimal(str(part[name])) for name in ("net", "vat", "gross")}
            writer.writerow(_cell(facts[name]) for name in SHEET)
    yield line.getvalue()


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case Decimal():
            return str(value if value else abs(value))
        case int() | float():
            return str(value)
        case str() if _is_number(value):
            return value
    return csv_cell(value)


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdecimal() and text.isascii()


@app.command()
def credit(
    ctx: typer.Context,
    number: Number,
    items: Annotated[
        list[int] | None, typer.Option("--item", metavar="N", help="This item alone; several times.")
    ] = None,
) -> None:
    """Take an invoice, or items of it, back with a credit note; --reason says why."""
    flags = flags_of(ctx)
    _credit(flags, number, tuple(items or ()))


@app.command()
def void(ctx: typer.Context, number: Number) -> None:
    """Take all of an invoice back with a credit note; --reason says why."""
    flags = flags_of(ctx)
    _credit(flags, number, ())


def _credit(flags: Flags, number: str, items: tuple[int, ...]) -> None:
    what = f"item {', '.join(map(str, items))} of invoice {number}" if items else f"all of invoice {number}"
    if not flags.dry_run and not confirmed(flags, f"Credit {what}? A credit note cannot be taken back."):
        note("nothing was done", flags.quiet)
        return
    request = invoices.CreditInvoice(number, flags.reason or "", items)
    _show(ask(request, flags.address, flags.patience_s), flags)


@app.command()
def paid(
    ctx: typer.Context,
    number: Number,
    reference: Annotated[
        str, typer.Option("--reference", metavar="TEXT", help="Of the payment; each is entered once.")
    ],
    amount: Annotated[
        str | None, typer.Option("--amount", metavar="AMOUNT", help="All that is open unless given.")
    ] = None,
    source: Annotated[
        str, typer.Option("--from", metavar="bank|cash|terminal", help="Where the money came in.")
    ] = "bank",
) -> None:
    """Enter a payment for an invoice."""
    flags = flags_of(ctx)
    taken = None if amount is None else decimal(amount)
    request = invoices.PayInvoice(number, reference, taken, source, flags.reason)
    _show(ask(request, flags.address, flags.patience_s), flags)


@app.command()
def send(
    ctx: typer.Context,
    numbers: Numbers = None,
    everything: Annotated[bool, typer.Option("--all", help="All that were not sent yet.")] = False,
) -> None:
    """Send invoices to their buyers by e-mail."""
    flags = flags_of(ctx)
    if everything == bool(numbers):
        raise Invalid("Which?", "numbers of invoices, - for those on stdin, or --all")
    meant = _unsent(flags) if everything else named(numbers or ())
    each(flags, meant, True, invoices.SendInvoice, SENT, "send invoice")


def _unsent(flags: Flags) -> list[str]:
    rows = ask(invoices.ListInvoices(limit=100_000), flags.address, max(flags.patience_s, _PATIENCE_S))
    return [row["invoice"] for row in reversed(rows) if row["sent_at"] is None]


@app.command("mark-sent")
def mark_sent(
    ctx: typer.Context,
    numbers: Annotated[list[str], typer.Argument(metavar="NUMBER...")],
    how: Annotated[str | None, typer.Option("--how", metavar="TEXT", help="e.g. by letter.")] = None,
) -> None:
    """Say that invoices were sent in another way."""
    meant = named(numbers)

    def build(number: str) -> invoices.MarkInvoiceSent:
        return invoices.MarkInvoiceSent(number, how)

    each(flags_of(ctx), meant, len(meant) > 1, build, SENT, "mark as sent invoice")


@app.command()
def dispute(ctx: typer.Context, number: Number) -> None:
    """Its buyer does not accept it (--reason): it is not reminded of."""
    flags = flags_of(ctx)
    request = invoices.DisputeInvoice(number, flags.reason or "")
    _show(ask(request, flags.address, flags.patience_s), flags)


@app.command()
def resolve(ctx: typer.Context, number: Number) -> None:
    """A dispute is settled (--reason says how)."""
    flags = flags_of(ctx)
    request = invoices.DisputeInvoice(number, flags.reason or "", resolved=True)
    _show(ask(request, flags.address, flags.patience_s), flags)


@app.command()
def remind(ctx: typer.Context, numbers: Numbers = None) -> None:
    """Remind of what is overdue, these or all; --dry-run says of which."""
    flags = flags_of(ctx)
    request = invoices.RemindInvoices(tuple(named(numbers or ())), flags.dry_run)
    show_list(ask(request, flags.address, max(flags.patience_s, _PATIENCE_S)), REMINDED, flags, "invoice")
