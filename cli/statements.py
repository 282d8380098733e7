"""``cms statements``."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.errors import note
from cli.flags import Flags
from cli.money import amount as shown_amount
from cli.noun import confirmed, flags_of, group, tell_list
from cli.render import Column, select, show_list, show_one
from cms.client import ask
from cms.contract import statements
from cms.contract.refusals import Invalid, NotFound

app = group("Bank statements: import, list what nobody has assigned, assign.")

_SIGNS = {"matched": "●", "known": "–", "unmatched": "▲"}
#: Ten thousand lines are looked up and booked one by one.
_PATIENCE_S = 600.0


def _status(word: Any) -> str:
    return f"{_SIGNS.get(word, '?')} {word}"


def _cut(text: Any) -> str:
    return str(text or "")[:60]


LINES = (
    Column("booked_on", "booked"),
    Column("amount", show=shown_amount, right=True),
    Column("status", show=_status),
    Column("fit"),
    Column("invoices"),
    Column("driver"),
    Column("name"),
    Column("text", show=_cut),
    Column("detail"),
    Column("iban", wide=True),
    Column("line"),
)


@app.command("import")
def import_(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="CAMT.053 or CSV; - is stdin.")],
    column: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="amount=Betrag", help="In CSV: our field and the bank's heading."),
    ] = None,
    dates: Annotated[str | None, typer.Option("--dates", metavar="%d.%m.%Y", help="In CSV.")] = None,
    currency: Annotated[
        str, typer.Option("--currency", metavar="EUR", help="In CSV that names none.")
    ] = "EUR",
) -> None:
    """Book a statement: shows what each line is for, asks, then books it. A line is booked once."""
    flags = flags_of(ctx)
    columns = dict(_pair(text) for text in column or ())
    request = statements.ImportStatement(_text(file), True, columns, dates, currency)
    if flags.dry_run or not flags.yes:
        _told(flags, request)
    if flags.dry_run:
        return
    if not confirmed(flags, "Book these lines?"):
        raise typer.Exit(130)
    _told(flags, replace(request, dry_run=False))


def _told(flags: Flags, request: statements.ImportStatement) -> None:
    rows = ask(request, flags.address, flags.timeout_s or _PATIENCE_S)
    show_list(select(rows, flags), LINES, flags, "line")
    counts = {word: sum(row["status"] == word for row in rows) for word in _SIGNS}
    said = ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "no lines"
    note(f"{said}{' (nothing is booked yet)' if request.dry_run else ''}", flags.quiet)


def _pair(text: str) -> tuple[str, str]:
    name, sign, heading = text.partition("=")
    if not sign:
        raise Invalid(f"{text!r} names no column", "write --column amount=Betrag")
    return name.strip(), heading.strip()


def _text(name: str) -> str:
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise NotFound(f"{name} cannot be read: {error.strerror}") from None
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """Lines of which nobody has said yet what they are for."""
    tell_list(flags_of(ctx), statements.ListStatementLines(), LINES, name="line")


@app.command()
def assign(
    ctx: typer.Context,
    line: Annotated[str, typer.Argument(metavar="LINE")],
    invoice: Annotated[str | None, typer.Option("--invoice", metavar="NUMBER")] = None,
    driver: Annotated[
        str | None, typer.Option("--driver", metavar="DRIVER", help="Pays what he owes.")
    ] = None,
    top_up: Annotated[
        bool, typer.Option("--top-up", help="With --driver: his prepaid balance instead.")
    ] = False,
    account: Annotated[
        str | None,
        typer.Option("--account", metavar="fees/bank", help="Nobody's payment; --reason says what."),
    ] = None,
) -> None:
    """Say what a line is for."""
    flags = flags_of(ctx)
    request = statements.AssignStatementLine(line, invoice, driver, top_up, account, flags.reason)
    show_one(ask(request, flags.address, flags.patience_s), LINES, flags)
