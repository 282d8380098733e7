"""``cms tariffs``."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated, Any

import typer

from cli.files import text_of
from cli.noun import flags_of, group, tell_list
from cli.orders import At, Names, Queue, Terms, Wait, WhenIdle, finish_intent, give, stations_meant
from cli.render import Column, Row, kwh, show_one, when
from cli.times import later
from cms.client import ask
from cms.contract import tariffs
from cms.contract.refusals import Invalid

app = group("Tariffs: what charging costs, where, and what sessions cost by them.")

TariffId = Annotated[str, typer.Argument(metavar="TARIFF")]
Session = Annotated[str, typer.Argument(metavar="SESSION")]
Since = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="Not now but then, e.g. 2027-01-01.")
]
Evse = Annotated[int, typer.Option("--evse", metavar="N", help="0: all of them.")]


def money(value: Any) -> str:
    """An amount with its currency."""
    return "" if not value else f"{value['amount']} {value['currency'] or ''}".rstrip()


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
    Column("default"),
    Column("stations"),
    Column("tokens"),
    Column("added_at", "added", when, wide=True),
)
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
def show(ctx: typer.Context, tariff: TariffId) -> None:
    """One tariff; all of it with -o json."""
    flags = flags_of(ctx)
    show_one(ask(tariffs.ShowTariff(tariff), flags.address, flags.patience_s), LIST, flags)


@app.command()
def add(
    ctx: typer.Context,
    tariff: TariffId,
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
        str | None, typer.Option("--file", metavar="JSON", help="All of it, or - for stdin.")
    ] = None,
) -> None:
    """Register a tariff: simple prices by flags, conditions by --file. Its content never changes."""
    flags = flags_of(ctx)
    prices = {"energy": energy, "charging_time": minute, "idle_time": idle, "fixed_fee": fixed}
    if file is not None:
        said = _from_file(file, tariff)
    else:
        taxes = [{"kind": "VAT", "percent": tax}] if tax else []
        said = {
            "id": tariff,
            "currency": currency,
            "time_zone": zone,
            **{
                name: {"prices": [{"amount": price}], "taxes": taxes}
                for name, price in prices.items()
                if price is not None
            },
        }
        bounds = {"min_cost": least, "max_cost": most}
        said |= {name: {"incl_tax": cost} for name, cost in bounds.items() if cost is not None}
        if text:
            said["texts"] = [{"content": text}]
    row = ask(tariffs.AddTariff(_tariff(said)), flags.address, flags.patience_s)
    show_one(row, LIST, flags)


def _from_file(name: str, tariff: str) -> dict[str, Any]:
    import json

    try:
        said = json.loads(text_of(name), parse_float=str)
    except ValueError as error:
        raise Invalid(f"{name} is not JSON: {error}") from None
    if not isinstance(said, dict):
        raise Invalid("a tariff is a JSON object", 'e.g. {"currency": "EUR", "energy": {...}}')
    return {**said, "id": tariff}


def _tariff(said: dict[str, Any]) -> tariffs.Tariff:
    import msgspec

    from cli.strangers import strangers

    try:
        tariff = msgspec.convert(said, tariffs.Tariff, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(f"this is no tariff: {error}") from None
    for stranger in strangers(said, msgspec.to_builtins(tariff)):
        raise Invalid(f"this is no tariff: nothing in one is called {stranger!r}")
    return tariff


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
    _use(ctx, tariff, since, station, token)


def _use(
    ctx: typer.Context,
    tariff: str,
    since: str | None,
    station: str | None = None,
    token: str | None = None,
) -> None:
    flags = flags_of(ctx)
    wanted = None if tariff == "none" else tariff
    begins = None if since is None else later(since).astimezone(UTC)
    ask(tariffs.UseTariff(wanted, station, token, begins), flags.address, flags.patience_s)


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
def tell(ctx: typer.Context, session: Session) -> None:
    """Tell a station what a running session costs now."""

    def build(name: str, **fields: Any) -> tariffs.SendCost:
        return tariffs.SendCost(session=name, **fields)

    give(flags_of(ctx), [session], False, Terms(), build)


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
def ask_(ctx: typer.Context, names: Names = None, evse: Evse = 0, queue: Queue = None) -> None:
    """Ask stations which tariffs they hold (OCPP 2.1)."""

    def build(station: str, **fields: Any) -> tariffs.GetStationTariffs:
        return tariffs.GetStationTariffs(station=station, evse=evse, **fields)

    flags = flags_of(ctx)
    give(flags, *stations_meant(names, flags), Terms(queue=queue), build)


@app.command()
def clear(
    ctx: typer.Context,
    station: str,
    names: Annotated[list[str] | None, typer.Argument(metavar="TARIFF...", help="None: all.")] = None,
    evse: Annotated[int | None, typer.Option("--evse", metavar="N")] = None,
    queue: Queue = None,
) -> None:
    """Take tariffs from a station (OCPP 2.1)."""

    def build(name: str, **fields: Any) -> tariffs.ClearStationTariffs:
        return tariffs.ClearStationTariffs(station=name, tariffs=tuple(names or ()), evse=evse, **fields)

    give(flags_of(ctx), [station], False, Terms(queue=queue), build)
