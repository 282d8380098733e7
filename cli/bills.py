"""``cms bills``: charge detail records."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.ends import decimal
from cli.files import written
from cli.flags import Flags
from cli.noun import each, flags_of, group, named, tell_list
from cli.render import Column, Row, kwh, list_lines, show_list, show_one, when
from cli.times import earlier
from cms.client import ask
from cms.contract import cdrs
from cms.contract.refusals import Invalid
from cms.contract.safe import escaped, safe

app = group("Bills: what sessions came to, line by line (charge detail records).")

Session = Annotated[str, typer.Argument(metavar="SESSION")]
Last = Annotated[str | None, typer.Option("--last", metavar="30d", help="Sessions that ended since then.")]
Since = Annotated[str | None, typer.Option("--since", metavar="TIME", help="e.g. 2h, 2026-11-01")]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME")]
AtStation = Annotated[str | None, typer.Option("--station", metavar="NAME")]

#: So many without --limit; the daemon gives so many at most.
_MOST = 1000
_ALL = 100_000
#: To rate a thousand sessions again takes a while.
_LONG_S = 600.0


def _amount(value: Any) -> str:
    return "" if value is None else str(value)


def _lines(lines: Any) -> str:
    return "; ".join(_line(line) for line in lines or ())


def _line(line: Row) -> str:
    quantity = f"{float(line['quantity']):g} {line['unit']} x {line['price']}"
    return f"{line['what']} {quantity} = {line['gross']} (with {line['vat_percent']} % tax)"


def _vat(parts: Any) -> str:
    return "; ".join(f"{part['percent']} % of {part['net']}: {part['vat']}" for part in parts or ())


def _revisions(revisions: Any) -> str:
    return "; ".join(
        f"{one['revision']}: {one['gross']} ({one['reason']}{_by(one['actor'])})" for one in revisions or ()
    )


def _marks(marks: Any) -> str:
    return "; ".join(f"{one['what']}: {one['reason']}{_by(one['actor'])}" for one in marks or ())


def _by(actor: Any) -> str:
    return f", {actor}" if actor else ""


LIST = (
    Column("session"),
    Column("revision", "rev", right=True),
    Column("status"),
    Column("station"),
    Column("site", wide=True),
    Column("evse_id", wide=True),
    Column("driver"),
    Column("token", wide=True),
    Column("way"),
    Column("started_at", "started", when, wide=True),
    Column("ended_at", "ended", when),
    Column("energy_wh", "energy", kwh, right=True),
    Column("net", right=True, wide=True),
    Column("vat", right=True, wide=True),
    Column("gross", right=True),
    Column("currency", "cur"),
    Column("signature", "signed"),
    Column("invoice"),
    Column("holds", "held for"),
    Column("remarks", wide=True),
)
SHOWN = (
    Column("cdr.session", "session"),
    Column("cdr.id", "bill"),
    Column("cdr.revision", "revision"),
    Column("cdr.status", "status"),
    Column("cdr.holds", "held for"),
    Column("cdr.station", "station"),
    Column("cdr.evse_id", "evse id"),
    Column("cdr.site", "site"),
    Column("cdr.token", "token"),
    Column("cdr.way", "paid by"),
    Column("cdr.account", "who owes it"),
    Column("cdr.started_at", "started"),
    Column("cdr.ended_at", "ended"),
    Column("cdr.energy_wh", "energy", kwh),
    Column("meter_start_wh", "meter at start, Wh"),
    Column("meter_stop_wh", "meter at stop, Wh"),
    Column("cdr.tariffs", "tariffs"),
    Column("lines", show=_lines),
    Column("vat", "tax", _vat),
    Column("cdr.net", "net"),
    Column("cdr.gross", "to pay"),
    Column("cdr.currency", "currency"),
    Column("cdr.signature", "signed values"),
    Column("cdr.invoice", "invoice"),
    Column("cdr.remarks", "remarks"),
    Column("revisions", show=_revisions),
    Column("marks", show=_marks),
)
UNPRICED = (
    Column("session"),
    Column("station"),
    Column("evse", right=True),
    Column("token"),
    Column("started_at", "started", when),
    Column("ended_at", "ended", when),
    Column("energy_wh", "energy", kwh, right=True),
    Column("why"),
)
RERATED = (
    Column("session"),
    Column("station"),
    Column("outcome"),
    Column("revision", "rev", right=True),
    Column("before", show=_amount, right=True),
    Column("after", show=_amount, right=True),
    Column("difference", show=_amount, right=True),
    Column("currency", "cur"),
    Column("holds", "held for"),
    Column("why"),
)
SIGNED = (
    Column("session"),
    Column("signature"),
    Column("start_wh", "signed start, Wh"),
    Column("stop_wh", "signed stop, Wh"),
    Column("energy_wh", "billed, Wh"),
    Column("remarks"),
    Column("key", wide=True),
    Column("values", show=lambda values: ", ".join(_value(one) for one in values or ())),
)


def _value(one: Row) -> str:
    word = {True: "valid", False: "INVALID", None: "unverified"}[one["valid"]]
    return f"{one['context']} {word}"


def _since(last: str | None, since: str | None) -> datetime | None:
    if last is not None and since is not None:
        raise Invalid("--last and --since say the same", "give one of them")
    given = last or since
    return None if given is None else earlier(given).astimezone(UTC)


def _utc(text: str | None) -> datetime | None:
    return None if text is None else earlier(text).astimezone(UTC)


def _limit(flags: Flags) -> int:
    """What to ask the daemon for; sorted is what it gave."""
    return _ALL if flags.sort or flags.limit == 0 else flags.limit or _MOST


@app.command("list")
def list_(
    ctx: typer.Context,
    last: Last = None,
    since: Since = None,
    until: Until = None,
    station: AtStation = None,
    site: Annotated[str | None, typer.Option("--site", metavar="SITE")] = None,
    driver: Annotated[str | None, typer.Option("--driver", metavar="DRIVER")] = None,
    status: Annotated[
        str | None, typer.Option("--status", metavar="open|invoiced|held|disputed", help="Where it stands.")
    ] = None,
) -> None:
    """Bills of sessions that ended then, latest first."""
    flags = flags_of(ctx)
    request = cdrs.ListCdrs(
        since=_since(last, since),
        until=_utc(until),
        station=station,
        site=site,
        driver=driver,
        status=status,
        filter=flags.filter,
        limit=_limit(flags),
    )
    tell_list(flags, request, LIST, name="session", filtered=True)


@app.command()
def show(
    ctx: typer.Context,
    session: Session,
    revision: Annotated[int | None, typer.Option("--revision", metavar="N", help="One from before.")] = None,
) -> None:
    """One bill: its lines, its taxes, who pays, and how it became what it is."""
    flags = flags_of(ctx)
    show_one(ask(cdrs.ShowCdr(session, revision), flags.address, flags.patience_s), SHOWN, flags)


@app.command()
def export(
    ctx: typer.Context,
    format: Annotated[str, typer.Option("--format", metavar="csv|ocpi|jsonl")] = "csv",
    last: Last = None,
    since: Since = None,
    until: Until = None,
    station: AtStation = None,
) -> None:
    """Bills for others: as a sheet, or as CDR objects of OCPI 2.2.1 with the credits of earlier revisions."""
    flags = flags_of(ctx)
    begin, end = _since(last, since), _utc(until)
    if format == "ocpi":
        wanted = cdrs.ExportCdrs(begin, end, station, flags.limit or _ALL)
        lines = map(escaped, ask(wanted, flags.address, max(flags.patience_s, _LONG_S))["lines"])
        sys.stdout.write("[\n" + ",\n".join(lines) + "\n]\n")
        return
    if format not in ("csv", "jsonl"):
        raise Invalid(f"bills are exported as csv, ocpi or jsonl, not as {format}")
    request = cdrs.ListCdrs(begin, end, station, filter=flags.filter, limit=flags.limit or _ALL)
    rows = ask(request, flags.address, max(flags.patience_s, _LONG_S))
    for line in list_lines(rows, LIST, replace(flags, output=format), "session"):
        print(line)


@app.command()
def unpriced(
    ctx: typer.Context, last: Last = None, since: Since = None, until: Until = None, station: AtStation = None
) -> None:
    """Sessions that ended without a price, and why."""
    flags = flags_of(ctx)
    request = cdrs.ListUnpriced(
        _since(last, since), _utc(until), station, filter=flags.filter, limit=_limit(flags)
    )
    tell_list(flags, request, UNPRICED, name="session", filtered=True)


@app.command()
def rerate(
    ctx: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="SESSION...")] = None,
    tariff: Annotated[
        str | None, typer.Option("--tariff", metavar="NAME", help="Not the one that held.")
    ] = None,
    last: Last = None,
    since: Since = None,
    until: Until = None,
    station: AtStation = None,
) -> None:
    """Rate sessions again from what was measured; needs --reason. With --dry-run only the differences are told."""
    flags = flags_of(ctx)
    begin = _since(last, since)
    if bool(names) == (begin is not None):
        raise Invalid("Which sessions?", "name them, or give --last 7d (with --station, if you like)")
    request = cdrs.RerateSessions(
        reason=_reason(flags) if not flags.dry_run else flags.reason or "dry run",
        sessions=tuple(named(names or ())),
        since=begin,
        until=_utc(until),
        station=station,
        tariff=tariff,
        dry_run=flags.dry_run,
        limit=flags.limit or _MOST,
    )
    show_list(ask(request, flags.address, max(flags.patience_s, _LONG_S)), RERATED, flags, "session")


def _reason(flags: Flags) -> str:
    if not flags.reason:
        raise Invalid("Why?", "give --reason 'what was wrong'")
    return flags.reason


def _told(flags: Flags, request: Any) -> None:
    show_one(ask(request, flags.address, flags.patience_s), SHOWN, flags)


@app.command()
def correct(
    ctx: typer.Context,
    session: Session,
    amount: Annotated[str, typer.Option("--amount", metavar="-2.00", help="More or less, with taxes.")],
    vat: Annotated[str | None, typer.Option("--vat", metavar="19", help="Its rate, in per cent.")] = None,
) -> None:
    """Change a bill by hand; needs --reason."""
    flags = flags_of(ctx)
    rate = None if vat is None else decimal(vat)
    _told(flags, cdrs.CorrectCdr(session, decimal(amount), _reason(flags), rate))


@app.command()
def release(ctx: typer.Context, names: Annotated[list[str], typer.Argument(metavar="SESSION...")]) -> None:
    """Held bills are right as they are: they are owed from now on; needs --reason."""
    flags = flags_of(ctx)
    reason = _reason(flags)
    many = len(names) > 1
    each(flags, names, many, lambda name: cdrs.ReleaseCdr(name, reason), SHOWN, "release the bill of")


@app.command()
def dispute(ctx: typer.Context, session: Session) -> None:
    """Somebody says that his bill is wrong: nobody asks him for it meanwhile; needs --reason."""
    flags = flags_of(ctx)
    _told(flags, cdrs.DisputeCdr(session, _reason(flags)))


@app.command()
def resolve(
    ctx: typer.Context,
    session: Session,
    amount: Annotated[
        str | None,
        typer.Option("--amount", metavar="-2.00", help="What the bill changes by; else it stands."),
    ] = None,
) -> None:
    """A dispute is over: the bill stands, or changes; needs --reason."""
    flags = flags_of(ctx)
    changes = None if amount is None else decimal(amount)
    _told(flags, cdrs.ResolveDispute(session, _reason(flags), changes))


@app.command()
def transparency(
    ctx: typer.Context,
    session: Session,
    verify: Annotated[bool, typer.Option("--verify", help="Say whether they are valid; 5 if not.")] = False,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Else on stdout.")] = None,
) -> None:
    """Signed meter values of a session, as the transparency software (S.A.F.E.) reads them."""
    flags = flags_of(ctx)
    told = ask(cdrs.ShowTransparency(session), flags.address, flags.patience_s)
    if verify:
        show_one(told, SIGNED, flags, name="session")
        raise typer.Exit(5 if told["signature"] == "invalid" else 0)
    if out is None:
        lines = told["xml"].rstrip("\n").split("\n")
        # A file must hold what was signed, character for character; a terminal obeys some of them.
        shown = map(safe, lines) if sys.stdout.isatty() else lines
        sys.stdout.writelines(f"{line}\n" for line in shown)
    else:
        with written(out) as file:
            file.write(told["xml"].encode())
