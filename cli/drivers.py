"""``cms drivers``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from cli import driver_billing, support
from cli.errors import note as say_note
from cli.flags import Flags
from cli.noun import confirmed, each, flags_of, group, named, tell_list
from cli.orders import Names
from cli.progress import progress
from cli.render import Column, Row, select, show_list, show_one, when
from cms.client import ask
from cms.contract import drivers
from cms.contract.refusals import Invalid, Refusal
from cms.contract.safe import escaped

app = group("The people and companies who charge.")
app.add_typer(driver_billing.app, name="billing")
support.add_to(app)

Rows = tuple[drivers.DriverRow, ...]

SIGNS = {"active": "●", "unverified": "◔", "suspended": "▲", "closed": "–"}


def _status(word: Any) -> str:
    return f"{SIGNS.get(word, '?')} {word}"


def _notes(notes: Any) -> str:
    return "; ".join(f"{note['at'][:10]} {note['by']}: {note['text']}" for note in notes or ())


LIST = (
    Column("id"),
    Column("status", show=_status),
    Column("name"),
    Column("email"),
    Column("phone", wide=True),
    Column("city", wide=True),
    Column("groups"),
    Column("tokens"),
    Column("company", wide=True),
    Column("language", wide=True),
    Column("status_reason", "why", wide=True),
    Column("added_at", "added", when, wide=True),
)
SHOWN = (
    Column("id", "driver"),
    Column("status", show=_status),
    Column("status_reason", "why"),
    Column("name"),
    Column("email", "e-mail"),
    Column("phone"),
    Column("street"),
    Column("postcode"),
    Column("city"),
    Column("country"),
    Column("company"),
    Column("groups"),
    Column("language"),
    Column("tokens"),
    Column("added_at", "added"),
    Column("notes", show=_notes),
)

Name = Annotated[str | None, typer.Option("--name", metavar="TEXT", help="Of the person or company.")]
Email = Annotated[str | None, typer.Option("--email", metavar="ADDRESS")]
Phone = Annotated[str | None, typer.Option("--phone", metavar="NUMBER")]
Street = Annotated[str | None, typer.Option("--street", metavar="TEXT")]
Postcode = Annotated[str | None, typer.Option("--postcode", metavar="TEXT")]
City = Annotated[str | None, typer.Option("--city", metavar="TEXT")]
Country = Annotated[str | None, typer.Option("--country", metavar="DE|NL|...")]
Language = Annotated[str | None, typer.Option("--language", metavar="de|en|...")]
Groups = Annotated[
    list[str] | None, typer.Option("--group", metavar="NAME", help="May be given several times.")
]
Driver = Annotated[str, typer.Argument(metavar="DRIVER")]


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """All drivers."""
    flags = flags_of(ctx)
    tell_list(flags, drivers.ListDrivers(flags.filter), LIST, filtered=True)


@app.command()
def show(ctx: typer.Context, driver: Driver) -> None:
    """One driver, with what was written about him."""
    _asked(flags_of(ctx), drivers.ShowDriver(driver))


@app.command()
def add(
    ctx: typer.Context,
    driver: Annotated[
        str | None, typer.Argument(metavar="[DRIVER]", help="An id; else he is given one.")
    ] = None,
    name: Name = None,
    email: Email = None,
    phone: Phone = None,
    street: Street = None,
    postcode: Postcode = None,
    city: City = None,
    country: Country = None,
    language: Language = None,
    groups: Groups = None,
    company: Annotated[bool, typer.Option("--company", help="A company, not a person.")] = False,
) -> None:
    """Register a driver."""
    request = drivers.AddDriver(
        driver,
        name=name,
        email=email,
        phone=phone,
        street=street,
        postcode=postcode,
        city=city,
        country=country,
        language=language,
        groups=tuple(groups or ()),
        company=company,
    )
    _asked(flags_of(ctx), request)


@app.command("set")
def set_(
    ctx: typer.Context,
    driver: Driver,
    name: Name = None,
    email: Email = None,
    phone: Phone = None,
    street: Street = None,
    postcode: Postcode = None,
    city: City = None,
    country: Country = None,
    language: Language = None,
    groups: Groups = None,
    no_groups: Annotated[bool, typer.Option("--no-groups", help="Take all groups away.")] = False,
    company: Annotated[bool | None, typer.Option("--company/--person")] = None,
) -> None:
    """Change a driver; an empty text takes a field away, --group replaces his groups."""
    request = drivers.SetDriver(
        driver,
        name=name,
        email=email,
        phone=phone,
        street=street,
        postcode=postcode,
        city=city,
        country=country,
        language=language,
        groups=() if no_groups else tuple(groups) if groups else None,
        company=company,
    )
    if request == drivers.SetDriver(driver):
        raise Invalid("What is to be changed?", "e.g. cms drivers set DRIVER --language de")
    _asked(flags_of(ctx), request)


@app.command()
def suspend(ctx: typer.Context, names: Names = None) -> None:
    """Block the tokens of these drivers for now; --reason says why."""
    flags = flags_of(ctx)
    _each(flags, names, lambda name: drivers.SuspendDriver(name, flags.reason), "suspend")


@app.command()
def resume(ctx: typer.Context, names: Names = None) -> None:
    """Let these drivers charge again."""
    flags = flags_of(ctx)
    _each(flags, names, lambda name: drivers.ResumeDriver(name, flags.reason), "resume")


@app.command()
def close(ctx: typer.Context, names: Names = None) -> None:
    """These drivers charge here no more; what is known of them stays until it is erased."""
    flags = flags_of(ctx)
    _each(flags, names, lambda name: drivers.CloseDriver(name, flags.reason), "close")


@app.command()
def note(
    ctx: typer.Context,
    driver: Driver,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="- reads it from stdin.")],
) -> None:
    """Write something about a driver; it is not changed afterwards."""
    if text == "-":
        import sys

        text = sys.stdin.read()
    _asked(flags_of(ctx), drivers.AddDriverNote(driver, text))


IMPORTED = (
    Column("line", right=True),
    Column("outcome"),
    Column("driver"),
    Column("token"),
    Column("why"),
)


@app.command("import")
def import_(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="CSV; - for stdin.")],
    partial: Annotated[
        bool, typer.Option("--partial", help="Take the good lines though some are bad.")
    ] = False,
) -> None:
    """Register drivers and their tokens from a file; all of it or nothing. --dry-run says what would happen.

    More than 5,000 lines are written in parts, after all of them were judged; the same file again does the rest.
    """
    from cli.parts import parts
    from cli.sheets import read_rows

    flags = flags_of(ctx)
    told = _in_parts(flags, parts(read_rows(file)), partial)
    show_list(select(told["rows"], flags), IMPORTED, flags, "line")
    done = "registered" if told["done"] else "nothing was written; would be registered"
    counts = ", ".join(f"{told[word]} {word}" for word in ("added", "changed", "unchanged"))
    say_note(f"{done}: {counts}; {told['errors']} lines with errors", flags.quiet)
    raise typer.Exit(Invalid.exit_code if told["errors"] else 0)


def _in_parts(flags: Flags, parts: Sequence[Rows], partial: bool) -> Row:
    """What becomes of all lines. Each part is one commit; of several all are judged before one is written."""
    if flags.dry_run or not (partial or len(parts) == 1):
        judged = _summed(_all_judged(flags, parts))
        if flags.dry_run or judged["errors"]:
            return judged
    written: list[Row] = []
    try:
        with progress(flags, "importing", len(parts)) as at:
            for rows in parts:
                at(len(written))
                written.append(_part(flags, rows, partial=partial))
                if written[-1]["errors"] and not partial:
                    break
    except (Refusal, KeyboardInterrupt):
        _say_where_it_ended(flags, written)
        raise
    if written[-1]["errors"] and not partial:
        _say_where_it_ended(flags, written[:-1])
    return _summed(written)


def _all_judged(flags: Flags, parts: Sequence[Rows]) -> list[Row]:
    judged: list[Row] = []
    with progress(flags, "checking", len(parts)) as at:
        for rows in parts:
            at(len(judged))
            judged.append(_part(flags, rows, dry_run=True))
    return judged


def _part(flags: Flags, rows: Rows, dry_run: bool = False, partial: bool = False) -> Row:
    told: Row = ask(drivers.ImportDrivers(rows, dry_run, partial), flags.address, max(flags.patience_s, 60.0))
    return told


def _say_where_it_ended(flags: Flags, written: Sequence[Row]) -> None:
    if lines := sum(len(part["rows"]) for part in written):
        say_note(f"{lines} lines are written, the others are not: give the same file again", flags.quiet)


def _summed(parts: Sequence[Row]) -> Row:
    """What was told of each part, as of one: lines in the order of the file."""
    rows = sorted((row for part in parts for row in part["rows"]), key=lambda row: int(row["line"]))
    counts = {word: sum(part[word] for part in parts) for word in ("added", "changed", "unchanged", "errors")}
    return {"done": any(part["done"] for part in parts), **counts, "rows": rows}


@app.command()
def export(ctx: typer.Context, driver: Driver) -> None:
    """Everything that is known about a driver, as one JSON document."""
    import msgspec

    flags = flags_of(ctx)
    told = ask(drivers.ExportDriver(driver), flags.address, max(flags.patience_s, 120.0))
    print(escaped(msgspec.json.format(msgspec.json.encode(told), indent=2).decode()))


ERASED = (
    Column("done", "erased"),
    Column("alias", "now called"),
    Column("tokens", "tokens removed"),
    Column("rows", "rows that name him"),
    Column("files", "files that name him"),
    Column("lists", "in the local lists of"),
)


@app.command()
def erase(ctx: typer.Context, driver: Driver) -> None:
    """Forget a driver for good: what stays names an alias. --dry-run counts what would change."""
    flags = flags_of(ctx)
    question = f"Forget driver {driver} and everything that names him? It cannot be undone."
    if not flags.dry_run and not confirmed(flags, question):
        raise typer.Exit(130)
    request = drivers.EraseDriver(driver, flags.dry_run, flags.reason)
    told = ask(request, flags.address, max(flags.patience_s, 600.0))
    show_one(told, ERASED, flags, "alias")
    if told["lists"]:
        say_note(f"their lists are to be sent anew: cms lists sync {' '.join(told['lists'])}", flags.quiet)


@app.command()
def register(
    ctx: typer.Context,
    email: Annotated[str, typer.Argument(metavar="E-MAIL")],
    name: Name = None,
    language: Language = None,
) -> None:
    """Register somebody who is to verify his e-mail address before he charges."""
    _asked(flags_of(ctx), drivers.RegisterDriver(email, name, language))


@app.command()
def verify(
    ctx: typer.Context,
    driver: Driver,
    code: Annotated[str | None, typer.Argument(metavar="[CODE]", help="Without it one is sent.")] = None,
) -> None:
    """Send a driver a code by e-mail, or take the code that he got."""
    flags = flags_of(ctx)
    if code is not None:
        _asked(flags, drivers.VerifyDriver(driver, code))
        return
    told = ask(drivers.SendVerification(driver), flags.address, max(flags.patience_s, 30.0))
    show_one(told, SENT, flags, "driver")


SENT = (Column("driver"), Column("expires_at", "good until"), Column("next_at", "another from"))


def _asked(flags: Flags, request: Any) -> None:
    show_one(ask(request, flags.address, flags.patience_s), SHOWN, flags)


def _meant(flags: Flags, names: list[str] | None) -> list[str]:
    if flags.filter:
        rows = ask(drivers.ListDrivers(flags.filter), flags.address, flags.patience_s)
        return [row["id"] for row in rows]
    if not names:
        raise Invalid("Which driver?", "give his id, - for stdin, or --filter")
    return named(names)


def _each(flags: Flags, names: list[str] | None, build: Callable[[str], Any], verb: str) -> None:
    """Ask for each driver; the exit code is the worst."""
    meant = _meant(flags, names)
    many = bool(flags.filter) or len(meant) > 1 or "-" in (names or ())
    each(flags, meant, many, build, LIST, f"{verb} driver")
