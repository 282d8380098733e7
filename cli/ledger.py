"""``cms ledger``."""

from __future__ import annotations

import csv
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.ends import decimal
from cli.errors import note
from cli.money import amount as shown_amount
from cli.noun import confirmed, flags_of, group, tell_list
from cli.render import Column, Row, show_list, show_one, when
from cli.times import earlier
from cms.client import ask
from cms.contract import ledger
from cms.contract.refusals import Conflict, Invalid, NotFound
from cms.contract.safe import csv_cell

app = group("The ledger: entries, what stands on its accounts, whether it agrees.")

ENTRIES = (
    Column("at", "when", when),
    Column("debit"),
    Column("credit"),
    Column("amount", show=shown_amount, right=True),
    Column("kind"),
    Column("ref", "about"),
    Column("reason"),
    Column("actor", wide=True),
    Column("key", wide=True),
)
ACCOUNTS = (
    Column("account"),
    Column("balance", show=shown_amount, right=True),
    Column("side"),
)
DIFFERENCES = (Column("what"), Column("trouble"))
CHECK = tuple(Column(name, right=True) for name in ("entries", "accounts", "cdrs", "invoices", "charges"))

#: To compare all records takes a while.
_PATIENCE_S = 600.0
_DEBIT_CREDIT = "S"


@app.command("list")
def list_(
    ctx: typer.Context,
    account: Annotated[str | None, typer.Option("--account", metavar="receivable/ana")] = None,
    ref: Annotated[str | None, typer.Option("--ref", metavar="cdr/S1.1|invoice/2026-0042")] = None,
    last: Annotated[str | None, typer.Option("--last", metavar="30d", help="Entries since then.")] = None,
) -> None:
    """Entries, newest first: the amount goes from the credit account to the debit account."""
    flags = flags_of(ctx)
    since = None if last is None else earlier(last)
    request = ledger.ListEntries(account, ref, since, limit=flags.limit or 200)
    tell_list(flags, request, ENTRIES, name="key")


@app.command()
def show(ctx: typer.Context, key: Annotated[str, typer.Argument(metavar="KEY")]) -> None:
    """One entry."""
    flags = flags_of(ctx)
    show_one(ask(ledger.ShowEntry(key), flags.address, flags.patience_s), ENTRIES, flags)


@app.command()
def balances(
    ctx: typer.Context,
    begins: Annotated[
        str | None, typer.Argument(metavar="[receivable/]", help="Accounts that begin so.")
    ] = None,
) -> None:
    """What stands on each account: debits less credits."""
    tell_list(flags_of(ctx), ledger.ListAccounts(begins), ACCOUNTS, name="account")


@app.command()
def verify(ctx: typer.Context) -> None:
    """Whether the ledger agrees with itself and with every record; exit code 5 where it does not."""
    flags = flags_of(ctx)
    check = ask(ledger.VerifyLedger(), flags.address, flags.timeout_s or _PATIENCE_S)
    if flags.output in ("json", "yaml"):
        show_one(check, CHECK, flags)
    elif check["differences"]:
        show_list(check["differences"], DIFFERENCES, flags, "what")
    else:
        show_one(check, CHECK, flags)
    if check["differences"]:
        raise Conflict(f"{len(check['differences'])} things do not agree with the ledger")


@app.command()
def correct(
    ctx: typer.Context,
    debit: Annotated[str, typer.Option("--debit", metavar="ACCOUNT", help="It grows by the amount.")],
    credit: Annotated[str, typer.Option("--credit", metavar="ACCOUNT", help="It shrinks by the amount.")],
    amount: Annotated[str, typer.Option("--amount", metavar="AMOUNT")],
    currency: Annotated[str, typer.Option("--currency", metavar="EUR")] = "EUR",
) -> None:
    """Move an amount by hand; --reason says why."""
    flags = flags_of(ctx)
    if not flags.reason:
        raise Invalid("a correction needs a reason", "--reason 'the meter was wrong'")
    request = ledger.CorrectLedger(debit, credit, decimal(amount), currency, flags.reason)
    if not confirmed(flags, f"Move {amount} {currency} from {credit} to {debit}?"):
        raise typer.Exit(130)
    show_one(ask(request, flags.address, flags.patience_s), ENTRIES, flags)


#: Format -> its columns, the delimiter, how a booking is written.
_COLUMNS = ("date", "debit", "credit", "amount", "currency", "document", "text")
_DATEV = (
    "Umsatz (ohne Soll/Haben-Kz)",
    "Soll/Haben-Kennzeichen",
    "WKZ Umsatz",
    "Konto",
    "Gegenkonto (ohne BU-Schlüssel)",
    "Belegdatum",
    "Belegfeld 1",
    "Buchungstext",
)


def _plain(row: Row) -> list[str]:
    at = datetime.fromisoformat(row["at"])
    return [f"{at:%Y-%m-%d}", *(csv_cell(row[name]) for name in _COLUMNS[1:])]


def _datev(row: Row) -> list[str]:
    """As the booking batch of DATEV has it: decimal comma, day and month, 36 and 60 characters of text."""
    at = datetime.fromisoformat(row["at"])
    return [
        csv_cell(row["amount"].replace(".", ",")),
        _DEBIT_CREDIT,
        csv_cell(row["currency"]),
        csv_cell(row["debit"]),
        csv_cell(row["credit"]),
        f"{at:%d%m}",
        csv_cell(row["document"])[:36],
        csv_cell(row["text"])[:60],
    ]


_FORMATS = {"csv": (_COLUMNS, ",", _plain), "datev": (_DATEV, ";", _datev)}


@app.command()
def export(
    ctx: typer.Context,
    month: Annotated[
        str | None, typer.Option("--month", metavar="YYYY-MM", help="The last one where none is said.")
    ] = None,
    format: Annotated[str, typer.Option("--format", metavar="csv|datev")] = "csv",
    chart: Annotated[
        Path | None,
        typer.Option(
            "--chart", metavar="FILE", help="Lines like receivable/=1400: beginnings of accounts and numbers."
        ),
    ] = None,
) -> None:
    """A month of entries for accounting software, on stdout."""
    flags = flags_of(ctx)
    if format not in _FORMATS:
        raise Invalid(f"the format is one of {', '.join(_FORMATS)}, not {format!r}")
    columns, delimiter, written = _FORMATS[format]
    since, until = _month(month)
    rows = ask(
        ledger.ExportLedger(since, until, _chart(chart)), flags.address, flags.timeout_s or _PATIENCE_S
    )
    sheet = csv.writer(sys.stdout, delimiter=delimiter, lineterminator="\n")
    if not flags.no_headers:
        sheet.writerow(columns)
    sheet.writerows(written(row) for row in rows)
    note(f"{len(rows)} entries of {since:%Y-%m}", flags.quiet)


def _month(text: str | None) -> tuple[datetime, datetime]:
    if text is None:
        first = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return (first - timedelta(days=1)).replace(day=1), first
    try:
        since = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        raise Invalid(f"{text!r} is no month", "e.g. 2026-11") from None
    return since, (since + timedelta(days=32)).replace(day=1)


def _chart(file: Path | None) -> tuple[str, ...]:
    if file is None:
        return ()
    try:
        lines: list[Any] = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise NotFound(f"{file} cannot be read: {error.strerror}") from None
    return tuple(line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#"))
