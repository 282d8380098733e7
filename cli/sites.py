"""``cms sites``."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

from cli import orders
from cli.ends import decimal
from cli.errors import note
from cli.flags import Flags
from cli.noun import flags_of, group, named, tell_list
from cli.orders import Names
from cli.render import Column, Row, kw, select, show_list, show_one, when
from cms.client import ask
from cms.contract.refusals import Invalid

app = group("Sites: where stations stand, when they are open, what the grid gives there.")


def _open(is_open: Any) -> str:
    return "○ open" if is_open else "– closed"


def _exceptions(which: str) -> Any:
    def told(hours: Any) -> str:
        spans = (hours or {}).get(which, ())
        return ", ".join(f"{span['begin']}/{span['end']}" for span in spans)

    return told


LIST = (
    Column("id"),
    Column("name"),
    Column("city"),
    Column("country", wide=True),
    Column("open", "now", _open),
    Column("stations", right=True),
    Column("online", right=True),
    Column("charging", right=True),
    Column("power_w", "power", kw, right=True),
    Column("grid_limit_w", "limit", kw, right=True, wide=True),
    Column("hours", wide=True),
    Column("time_zone", wide=True),
    Column("party", wide=True),
    Column("operator", wide=True),
)
SHOWN = (
    Column("id", "site"),
    Column("name"),
    Column("street"),
    Column("postcode"),
    Column("city"),
    Column("country"),
    Column("latitude"),
    Column("longitude"),
    Column("time_zone"),
    Column("open", "now", _open),
    Column("hours"),
    Column("opening_hours", "also open", _exceptions("exceptional_openings")),
    Column("opening_hours", "closed", _exceptions("exceptional_closings")),
    Column("grid_power_w", "grid power", kw),
    Column("grid_current_a", "grid A per phase"),
    Column("grid_phases"),
    Column("grid_limit_w", "charging may take", kw),
    Column("grid_reference"),
    Column("party"),
    Column("operator"),
    Column("contact_name", "contact"),
    Column("contact_phone", "phone"),
    Column("contact_email", "e-mail"),
    Column("access"),
    Column("note"),
    Column("stations"),
    Column("online"),
    Column("charging"),
    Column("power_w", "power", kw),
    Column("added_at", "added", when),
)

Site = Annotated[str, typer.Argument(metavar="SITE")]
Text = Annotated[str | None, typer.Option(metavar="TEXT")]
Zone = Annotated[str | None, typer.Option("--time-zone", metavar="ZONE", help="e.g. Europe/Berlin")]
Country = Annotated[str | None, typer.Option("--country", metavar="CC", help="Two letters, e.g. DE.")]
Coordinates = Annotated[
    str | None,
    typer.Option("--coordinates", metavar="LAT,LON", help="In degrees, e.g. 52.5200660,13.4049540"),
]
Hours = Annotated[
    str | None, typer.Option("--hours", metavar="WEEK", help="24/7, or mon-fri 06:00-22:00, sat 08:00-20:00")
]
Opened = Annotated[
    list[str] | None,
    typer.Option("--open", metavar="DATE|BEGIN/END", help="Also open then; may be given several times."),
]
Closed = Annotated[
    list[str] | None,
    typer.Option("--closed", metavar="DATE|BEGIN/END", help="Closed then, whatever else is said."),
]
GridPower = Annotated[
    str | None, typer.Option("--grid-kw", metavar="KW", help="What the connection carries.")
]
GridCurrent = Annotated[float | None, typer.Option("--grid-amps", metavar="A", help="On each phase.")]
GridPhases = Annotated[int | None, typer.Option("--grid-phases", metavar="1..3")]
GridLimit = Annotated[
    str | None, typer.Option("--limit-kw", metavar="KW", help="What charging may take of it.")
]
GridReference = Annotated[
    str | None, typer.Option("--grid-reference", help="The connection's name with the grid's operator.")
]
Party = Annotated[str | None, typer.Option("--party", metavar="CC*PPP", help="Whose EVSE ids: DE*ABC.")]
Access = Annotated[
    str | None, typer.Option("--access", help="How to get there: level, gate, code at the desk.")
]


def _watts(kilowatts: str) -> int:
    return int(decimal(kilowatts) * 1000)


def _spans(said: list[str]) -> tuple[str, ...]:
    """One empty text takes back what there is."""
    return tuple(text for text in said if text.strip())


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """All sites. --filter 'city=Berlin and open=false' chooses."""
    from cms.contract import sites

    flags = flags_of(ctx)
    tell_list(flags, sites.ListSites(flags.filter), LIST, filtered=True)


@app.command()
def show(ctx: typer.Context, site: Site) -> None:
    """One site."""
    from cms.contract import sites

    flags = flags_of(ctx)
    show_one(ask(sites.ShowSite(site), flags.address, flags.patience_s), SHOWN, flags)


def _words(
    ctx: typer.Context,
    site: Site,
    name: Text = None,
    street: Text = None,
    postcode: Text = None,
    city: Text = None,
    country: Country = None,
    coordinates: Coordinates = None,
    time_zone: Zone = None,
    hours: Hours = None,
    openings: Opened = None,
    closings: Closed = None,
    grid_power_w: GridPower = None,
    grid_current_a: GridCurrent = None,
    grid_phases: GridPhases = None,
    grid_limit_w: GridLimit = None,
    grid_reference: GridReference = None,
    party: Party = None,
    operator: Text = None,
    contact_name: Text = None,
    contact_phone: Text = None,
    contact_email: Text = None,
    access: Access = None,
    note: Annotated[str | None, typer.Option("--note", help="For people.")] = None,
) -> None:
    """What may be said of a site: fields of a request, as flags."""


#: How a flag's value becomes the request's.
_MADE: dict[str, Callable[[Any], Any]] = {
    "openings": _spans,
    "closings": _spans,
    "grid_power_w": _watts,
    "grid_limit_w": _watts,
}


def _saying(give: Callable[[Flags, dict[str, Any]], None]) -> Callable[..., None]:
    """A command with the flags of ``_words``: it gets those that were given."""

    @wraps(_words)
    def command(ctx: typer.Context, **said: Any) -> None:
        given = {name: value for name, value in said.items() if value is not None}
        give(flags_of(ctx), {name: _MADE.get(name, _as_it_is)(value) for name, value in given.items()})

    command.__doc__ = give.__doc__
    return command


def _as_it_is(value: Any) -> Any:
    return value


@app.command("add")
@_saying
def add(flags: Flags, said: dict[str, Any]) -> None:
    """Register a site."""
    from cms.contract import sites

    show_one(ask(sites.AddSite(**said), flags.address, flags.patience_s), SHOWN, flags)


@app.command("set")
@_saying
def set_(flags: Flags, said: dict[str, Any]) -> None:
    """Change what is said of a site; an empty text takes back what was said."""
    from cms.contract import sites

    if len(said) == 1:
        raise Invalid("What is to be changed?", "e.g. cms sites set SITE --name 'North Station'")
    request = sites.SetSite(**said, reason=flags.reason)
    show_one(ask(request, flags.address, flags.patience_s), SHOWN, flags)


IMPORTED = (Column("line", right=True), Column("outcome"), Column("name"), Column("why"))


@app.command("import")
def import_(
    ctx: typer.Context, file: Annotated[str, typer.Argument(metavar="FILE", help="CSV; - for stdin.")]
) -> None:
    """Register or change sites from a file, all of it or nothing. --dry-run says what would happen."""
    from cli.sheets import read_as
    from cms.contract import sites

    flags = flags_of(ctx)
    request = sites.ImportSites(read_as(file, sites.SiteRow), flags.dry_run)
    told = ask(request, flags.address, max(flags.patience_s, 60.0))
    show_list(select(told["rows"], flags), IMPORTED, flags, "name")
    _summed_up(told, flags)


ENROLLED = (*IMPORTED[:3], Column("url"), Column("password"), IMPORTED[3])


def import_stations(
    ctx: typer.Context, file: Annotated[str, typer.Argument(metavar="FILE", help="CSV; - for stdin.")]
) -> None:
    """Register stations and their EVSEs from a file, all of it or nothing; passwords are shown this once."""
    from cli.sheets import read_as
    from cms.contract import sites

    flags = flags_of(ctx)
    request = sites.ImportStations(read_as(file, sites.StationRow), flags.dry_run)
    told = ask(request, flags.address, max(flags.patience_s, 60.0))
    given = {credential["id"]: credential for credential in told["credentials"]}
    for row in told["rows"]:
        credential = given.pop(row["name"], {})
        row |= {"url": credential.get("url"), "password": credential.get("password")}
    show_list(select(told["rows"], flags), ENROLLED, flags, "name")
    _summed_up(told, flags)


def _summed_up(told: Row, flags: Flags) -> None:
    """The summary, and the exit code: with a mistake in it nothing of a file is written."""
    wrong = sum(row["outcome"] == "error" for row in told["rows"])
    note("written" if told["done"] else "nothing was written", flags.quiet)
    raise typer.Exit(Invalid.exit_code if wrong else 0)


@app.command()
def remove(ctx: typer.Context, names: Names = None) -> None:
    """Take sites off the register; refused while stations are there."""
    from cms.contract import sites

    flags = flags_of(ctx)

    def build(site: str) -> sites.RemoveSite:
        return sites.RemoveSite(site, flags.reason)

    orders.removed(flags, named(names or []), "site", build, asks=True)
