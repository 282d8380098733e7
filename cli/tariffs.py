"""``cms tariffs``."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated, Any

import typer

from cli.errors import note
from cli.files import text_of
from cli.flags import Flags
from cli.noun import flags_of, group, tell_list
from cli.orders import At, Names, Queue, Terms, Wait, WhenIdle, finish_intent, give, stations_meant
from cli.render import Column, Row, kwh, select, show_list, show_one, when
from cli.times import later
from cms.client import ask
from cms.contract import prices as prices_
from cms.contract import tariffs
from cms.contract.money import money as written
from cms.contract.refusals import Invalid
from cms.contract.safe import escaped, safe

app = group("Tariffs: what charging costs, where, and what sessions cost by them.")

TariffId = Annotated[str, typer.Argument(metavar="TARIFF")]
Session = Annotated[str, typer.Argument(metavar="SESSION")]
Place = Annotated[str, typer.Argument(metavar="STATION[:EVSE]")]
Since = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="Not now but then, e.g. 2027-01-01.")
]
Evse = Annotated[int, typer.Option("--evse", metavar="N", help="0: all of them.")]


def money(value: Any) -> str:
    """An amount with its currency, as people write it."""
    return "" if not value else written(value["amount"], value["currency"])


def spent(value: Any) -> str:
    """Seconds as hours and minutes."""
    return "" if value is None else f"{value // 3600}:{value % 3600 // 60:02d} h"


def _lines(value: Any) -> str:
    return "; ".join(_line(line) for line in value or ())


def _line(line: Row) -> str:
    quantity = f"{float(line['quantity']):.3f}".rstrip("0").rstrip(".")
    return f"{line['what']} {quantity} {line['unit']} x {line['price']} = {float(line['incl_tax']):.4f}"


LIST = (
    Column("id"),
    Column("summary"),
    Column("currency", wide=True),
    Column("time_zone", "zone", wide=True),
    Column("tariff.id", "version"),
    Column("versions", right=True, wide=True),
    Column("holds", wide=True),
    Column("default"),
    Column("stations"),
    Column("places"),
    Column("tokens"),
    Column("valid_from", "from", when, wide=True),
    Column("valid_to", "to", when, wide=True),
    Column("added_at", "added", when, wide=True),
)
VERSIONS = (
    Column("id"),
    Column("holds"),
    Column("valid_from", "from", when),
    Column("valid_to", "to", when),
    Column("summary"),
    Column("changes", show=lambda value: "; ".join(value or ())),
    Column("added_at", "added", when, wide=True),
)
DIFF = (Column("key"), Column("before"), Column("after"))
USES = (
    Column("place"),
    Column("tariff"),
    Column("version"),
    Column("since", show=when),
    Column("rung", wide=True),
    Column("order", wide=True),
)
LADDER = (
    Column("rung"),
    Column("place"),
    Column("assigned"),
    Column("since", show=when),
    Column("version"),
    Column("wins"),
    Column("why"),
)
RESOLUTION = (Column("station"), Column("evse"), Column("at", show=when), Column("tariff"), Column("rung"))
TAG = (Column("station"), Column("evse"), Column("tariff"), Column("language"), Column("text"), Column("vat"))
FINDINGS = (Column("level"), Column("rule"), Column("where"), Column("words", "finding"))
COST = (
    Column("session"),
    Column("total", show=money),
    Column("final"),
    Column("source"),
    Column("kind"),
    Column("energy_wh", "energy", kwh, right=True),
    Column("charging_s", "charging", spent, right=True),
    Column("idle_s", "idle", spent, right=True),
    Column("lines", show=_lines),
    Column("tariffs"),
    Column("remarks"),
)
INSTALLED = (
    Column("tariff"),
    Column("kind"),
    Column("evses"),
    Column("valid_from", "from"),
    Column("heard_at", "heard", when),
)


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """All tariffs, and where they are used."""
    flags = flags_of(ctx)
    tell_list(flags, tariffs.ListTariffs(flags.filter), LIST, filtered=True)


@app.command()
def show(
    ctx: typer.Context,
    tariff: TariffId,
    format: Annotated[
        str | None,
        typer.Option("--as", metavar="FORMAT", help="As a file: yaml, json, ocpi-2.2.1, ocpi-2.3.0."),
    ] = None,
) -> None:
    """One tariff: the version that holds now, or the one that is named; all of it with -o json or --as."""
    flags = flags_of(ctx)
    if format is None:
        show_one(ask(tariffs.ShowTariff(tariff), flags.address, flags.patience_s), LIST, flags)
        return
    row = ask(tariffs.ExportTariff(tariff, format), flags.address, flags.patience_s)
    print(escaped(row["text"]), end="")


@app.command()
def versions(ctx: typer.Context, tariff: TariffId) -> None:
    """All versions of a tariff: since when each holds, and what it changed."""
    tell_list(flags_of(ctx), tariffs.ListTariffVersions(tariff), VERSIONS)


@app.command()
def diff(
    ctx: typer.Context,
    before: Annotated[str, typer.Argument(metavar="BEFORE")],
    tariff: Annotated[str, typer.Argument(metavar="AFTER")],
) -> None:
    """What one version or tariff says otherwise than another."""
    tell_list(flags_of(ctx), tariffs.DiffTariffs(tariff, before), DIFF, name="key")


@app.command()
def add(
    ctx: typer.Context,
    tariff: Annotated[
        str, typer.Argument(metavar="FILE|TARIFF", help="A file (- for stdin); with --kwh ... an id.")
    ],
    currency: Annotated[str, typer.Option("--currency", metavar="EUR")] = "EUR",
    energy: Annotated[str | None, typer.Option("--kwh", metavar="PRICE", help="Per kWh.")] = None,
    minute: Annotated[str | None, typer.Option("--minute", metavar="PRICE", help="Per minute.")] = None,
    idle: Annotated[str | None, typer.Option("--idle", metavar="PRICE", help="Per idle minute.")] = None,
    fixed: Annotated[str | None, typer.Option("--fixed", metavar="PRICE", help="Per session.")] = None,
    tax: Annotated[str | None, typer.Option("--tax", metavar="PERCENT", help="On top of all.")] = None,
    least: Annotated[str | None, typer.Option("--min", metavar="COST", help="With taxes.")] = None,
    most: Annotated[str | None, typer.Option("--max", metavar="COST", help="With taxes.")] = None,
    text: Annotated[str | None, typer.Option("--text", help="What drivers read.")] = None,
    zone: Annotated[str, typer.Option("--zone", metavar="ZONE", help="e.g. Europe/Berlin.")] = "UTC",
    file: Annotated[
        str | None, typer.Option("--file", metavar="FILE", help="All of it under this id; - for stdin.")
    ] = None,
    id: Annotated[str | None, typer.Option("--id", metavar="TARIFF", help="Not the id in the file.")] = None,
    revise: Annotated[
        bool, typer.Option("--revise", help="Other content is the next version of the tariff.")
    ] = False,
) -> None:
    """Register a tariff from a file: YAML, OCPI's JSON or ours. Simple prices by flags. Content never changes."""
    flags = flags_of(ctx)
    prices = {"energy": energy, "charging_time": minute, "idle_time": idle, "fixed_fee": fixed}
    by_flags = any((*prices.values(), least, most, text))
    if by_flags:
        said = _by_flags(tariff, currency, zone, prices, tax, {"min_cost": least, "max_cost": most}, text)
        request = tariffs.AddTariff(text=json_text(said), revise=revise)
    elif file is not None:
        request = tariffs.AddTariff(text=text_of(file), id=tariff, revise=revise)
    else:
        request = tariffs.AddTariff(text=text_of(tariff), id=id, revise=revise)
    if flags.dry_run:
        show_list(lint_of(flags, None, request.text), FINDINGS, flags, "rule")
        return
    show_one(ask(request, flags.address, flags.patience_s), LIST, flags)


def json_text(said: dict[str, Any]) -> str:
    """What was said, as the daemon reads a file."""
    import json

    return json.dumps(said)


def _by_flags(
    tariff: str,
    currency: str,
    zone: str,
    prices: dict[str, str | None],
    tax: str | None,
    bounds: dict[str, str | None],
    text: str | None,
) -> dict[str, Any]:
    taxes = [{"kind": "VAT", "percent": tax}] if tax else []
    said: dict[str, Any] = {"id": tariff, "currency": currency, "time_zone": zone}
    for name, price in prices.items():
        if price is not None:
            said[name] = {"prices": [{"amount": price}], "taxes": taxes}
    for name, cost in bounds.items():
        if cost is not None:
            said[name] = {"incl_tax": cost, "taxes": taxes}
    return {**said, "texts": [{"content": text}]} if text else said


def lint_of(flags: Flags, tariff: str | None, text: str | None) -> list[Row]:
    """What is odd about a registered tariff, or the text of a file."""
    found: list[Row] = ask(prices_.LintTariff(tariff, text), flags.address, flags.patience_s)
    return found


@app.command()
def lint(
    ctx: typer.Context,
    tariff: Annotated[str, typer.Argument(metavar="FILE|TARIFF", help="A file (- for stdin), or a tariff.")],
) -> None:
    """What is odd about a tariff: prices never reached, gaps, missing VAT ... Exits with 1 where one is an error."""
    from pathlib import Path

    flags = flags_of(ctx)
    is_file = tariff == "-" or Path(tariff).is_file()
    found = lint_of(flags, None if is_file else tariff, text_of(tariff) if is_file else None)
    show_list(select(found, flags), FINDINGS, flags, "rule")
    if not found:
        note("nothing is odd about it", flags.quiet)
    raise typer.Exit(1 if any(row["level"] == "error" for row in found) else 0)


@app.command()
def default(ctx: typer.Context, tariff: TariffId, since: Since = None) -> None:
    """What sessions cost that begin from now on, where nothing else is said; ``none`` for no price."""
    _use(ctx, tariff, since)


@app.command()
def assign(
    ctx: typer.Context,
    tariff: TariffId,
    station: Annotated[str | None, typer.Option("--station", metavar="STATION")] = None,
    token: Annotated[str | None, typer.Option("--token", metavar="TAG")] = None,
    since: Since = None,
) -> None:
    """What sessions cost that begin from now on at a station, or of a token; ``none`` for no own price."""
    if (station is None) == (token is None):
        raise Invalid("Where?", "give --station or --token")
    _use(ctx, tariff, since, station=station, token=token)


@app.command()
def use(
    ctx: typer.Context,
    tariff: Annotated[
        str, typer.Argument(metavar="TARIFF|none", help="Its version of the day; DC-day.2 pins one.")
    ],
    site: Annotated[str | None, typer.Option("--site", metavar="SITE")] = None,
    station: Annotated[str | None, typer.Option("--station", metavar="STATION")] = None,
    evse: Annotated[int | None, typer.Option("--evse", metavar="N", help="Of --station.")] = None,
    connector_type: Annotated[
        str | None,
        typer.Option(
            "--connector-type", metavar="TYPE", help="type2, ccs2 ...; of --site, --station, or all."
        ),
    ] = None,
    group: Annotated[str | None, typer.Option("--group", metavar="GROUP", help="Of drivers.")] = None,
    order: Annotated[
        int, typer.Option("--order", metavar="N", help="Of a driver's groups the lowest counts.")
    ] = 0,
    token: Annotated[str | None, typer.Option("--token", metavar="TAG")] = None,
    plan: Annotated[str | None, typer.Option("--plan", metavar="PLAN")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Not now but then, e.g. 2027-01-01.")
    ] = None,
) -> None:
    """Use a tariff at a place or for somebody from now on; without any for the whole organisation."""
    where = {
        "site": site,
        "station": station,
        "evse": evse,
        "connector_type": connector_type,
        "group": group,
        "token": token,
        "plan": plan,
        "order": order,
    }
    _use(ctx, tariff, since, **where)


def _use(ctx: typer.Context, tariff: str, since: str | None, **where: Any) -> None:
    flags = flags_of(ctx)
    wanted = None if tariff == "none" else tariff
    begins = None if since is None else later(since).astimezone(UTC)
    ask(tariffs.UseTariff(wanted, since=begins, **where), flags.address, flags.patience_s)


@app.command()
def uses(ctx: typer.Context) -> None:
    """What is used where and for whom now."""
    flags = flags_of(ctx)
    tell_list(flags, tariffs.ListTariffUses(flags.filter), USES, filtered=True)


@app.command()
def resolve(
    ctx: typer.Context,
    place: Place,
    token: Annotated[str | None, typer.Option("--token", metavar="TAG")] = None,
    driver: Annotated[str | None, typer.Option("--driver", metavar="DRIVER")] = None,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="Not now but then.")] = None,
) -> None:
    """Which tariff a session has that begins there: every rung of the ladder, and which wins and why."""
    flags = flags_of(ctx)
    station, evse, connector = place_of(place)
    when_ = None if at is None else later(at).astimezone(UTC)
    request = prices_.ResolveTariff(station, evse, connector, token, driver, when_)
    found = ask(request, flags.address, flags.patience_s)
    if flags.output not in ("table", "wide"):
        show_one(found, RESOLUTION, flags, "tariff")
        return
    show_list(found["ladder"], LADDER, flags, "rung")
    note(f"{found['tariff']} holds ({found['rung']})" if found["tariff"] else "no tariff holds", flags.quiet)


def place_of(place: str) -> tuple[str, int | None, int | None]:
    """STATION, STATION:EVSE or STATION:EVSE:CONNECTOR."""
    station, *numbers = place.split(":")
    if len(numbers) > 2 or not all(number.isascii() and number.isdecimal() for number in numbers):
        raise Invalid(
            f"{place!r} is no place", "STATION, STATION:EVSE or STATION:EVSE:CONNECTOR, e.g. CP-7:1"
        )
    evse, connector = [*(int(number) for number in numbers), None, None][:2]
    return station, evse, connector


@app.command("text")
def text_(
    ctx: typer.Context,
    place: Place,
    token: Annotated[str | None, typer.Option("--token", metavar="TAG")] = None,
    language: Annotated[str | None, typer.Option("--language", metavar="de")] = None,
) -> None:
    """What a driver reads before he begins: the prices of a place, with VAT."""
    flags = flags_of(ctx)
    station, evse, _ = place_of(place)
    tag = ask(prices_.ShowPriceTag(station, evse, token, language), flags.address, flags.patience_s)
    if flags.output in ("table", "wide"):
        for line in tag["text"].splitlines():
            print(safe(line))
    else:
        show_one(tag, TAG, flags, "tariff")


@app.command()
def display(
    ctx: typer.Context,
    names: Names = None,
    evse: Annotated[int | None, typer.Option("--evse", metavar="N")] = None,
    language: Annotated[str | None, typer.Option("--language", metavar="de")] = None,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Show the price on the displays of stations (2.x), or as the default price of 1.6 stations that show it."""

    def build(station: str, **fields: Any) -> prices_.DisplayTariff:
        return prices_.DisplayTariff(station=station, evse=evse, language=language, **fields)

    flags = flags_of(ctx)
    give(flags, *stations_meant(names, flags), Terms(wait, when_idle, at, queue), build)


@app.command()
def cost(ctx: typer.Context, session: Session) -> None:
    """What a session costs, line by line."""
    flags = flags_of(ctx)
    show_one(ask(tariffs.ShowCost(session), flags.address, flags.patience_s), COST, flags)


@app.command()
def change(ctx: typer.Context, session: Session, tariff: TariffId) -> None:
    """Price a running session by another tariff from now on."""
    flags = flags_of(ctx)
    request = tariffs.ChangeSessionTariff(session=session, tariff=tariff, reason=flags.reason)
    row = ask(request, flags.address, flags.patience_s)
    if "order" in row:
        finish_intent(flags, row)
    show_one(row, COST, flags)


@app.command()
def tell(
    ctx: typer.Context,
    session: Session,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Tell a station what a running session costs now."""

    def build(name: str, **fields: Any) -> tariffs.SendCost:
        return tariffs.SendCost(session=name, **fields)

    give(flags_of(ctx), [session], False, Terms(wait, when_idle, at, queue), build)


@app.command()
def installed(ctx: typer.Context, station: str) -> None:
    """The tariffs a station holds that calculates itself, as far as it told."""
    tell_list(flags_of(ctx), tariffs.ListStationTariffs(station), INSTALLED, name="tariff")


@app.command()
def install(
    ctx: typer.Context,
    tariff: TariffId,
    names: Names = None,
    evse: Evse = 0,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Give a tariff to stations that calculate themselves (OCPP 2.1)."""

    def build(station: str, **fields: Any) -> tariffs.SetStationTariff:
        return tariffs.SetStationTariff(station=station, tariff=tariff, evse=evse, **fields)

    flags = flags_of(ctx)
    give(flags, *stations_meant(names, flags), Terms(wait, when_idle, at, queue), build)


@app.command("ask")
def ask_(
    ctx: typer.Context,
    names: Names = None,
    evse: Evse = 0,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Ask stations which tariffs they hold (OCPP 2.1)."""

    def build(station: str, **fields: Any) -> tariffs.GetStationTariffs:
        return tariffs.GetStationTariffs(station=station, evse=evse, **fields)

    flags = flags_of(ctx)
    give(flags, *stations_meant(names, flags), Terms(wait, when_idle, at, queue), build)


@app.command()
def clear(
    ctx: typer.Context,
    station: str,
    names: Annotated[list[str] | None, typer.Argument(metavar="TARIFF...", help="None: all.")] = None,
    evse: Annotated[int | None, typer.Option("--evse", metavar="N")] = None,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Take tariffs from a station (OCPP 2.1)."""

    def build(name: str, **fields: Any) -> tariffs.ClearStationTariffs:
        return tariffs.ClearStationTariffs(station=name, tariffs=tuple(names or ()), evse=evse, **fields)

    give(flags_of(ctx), [station], False, Terms(wait, when_idle, at, queue), build)
