"""``cms stations config`` and ``cms stations boot``: a station's device model, and what happens when it boots."""

from __future__ import annotations

import contextlib
from typing import Annotated, Any

import typer

from cli.flags import Flags
from cli.noun import Station, flags_of, group, tell_list
from cli.orders import At, Queue, Terms, Wait, WhenIdle, give, stations_meant
from cli.render import Column, show_list, show_one, when
from cli.times import duration_s
from cms.client import ask
from cms.contract import stations
from cms.contract.refusals import Invalid, Refusal

app = group("A station's configuration: 1.6 keys, or Component.Variable names of 2.x.")


def _limits(row_value: Any) -> str:
    return "" if row_value is None else f"{row_value:g}"


VARIABLES = (
    Column("name"),
    Column("value"),
    Column("unit"),
    Column("readonly"),
    Column("attribute", wide=True),
    Column("data_type", "type", wide=True),
    Column("min_limit", "min", _limits, right=True, wide=True),
    Column("max_limit", "max", _limits, right=True, wide=True),
    Column("values", "choices", wide=True),
    Column("monitored", wide=True),
    Column("same_as", wide=True),
    Column("reported_at", "reported", when),
    Column("reboot_required", "reboot"),
)
REPORTS = (
    Column("request_id", "id"),
    Column("subject"),
    Column("asked_at", "asked", when),
    Column("heard_at", "heard", when),
    Column("parts", right=True),
    Column("items", right=True),
    Column("complete"),
    Column("holes"),
)
BOOT = (
    Column("station"),
    Column("policy"),
    Column("status"),
    Column("values"),
    Column("progress"),
    Column("detail"),
    Column("inventory"),
    Column("inventory_set", "inventory set"),
    Column("monitors"),
    Column("monitors_set", "monitors set"),
    Column("inventory_of", "inventory of"),
    Column("inventory_at", "inventory at", when),
)

Within = Annotated[str, typer.Option("--within", metavar="DURATION", help="When all parts must have come.")]


@app.command("list")
def list_(ctx: typer.Context, station: Station) -> None:
    """What we last learned of its configuration, without asking it."""
    tell_list(flags_of(ctx), stations.ListVariables(station), VARIABLES, name="name")


@app.command("get")
def get(
    ctx: typer.Context,
    words: Annotated[list[str], typer.Argument(metavar="STATION [KEY...]")],
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Ask the station for keys; without any, for all of them (1.6). Component.Variable:Target for an attribute."""
    flags = flags_of(ctx)
    names, keys = ([], words) if flags.filter else (words[:1], words[1:])

    def build(station: str, **terms: Any) -> stations.GetConfiguration:
        return stations.GetConfiguration(station=station, names=tuple(keys), **terms)

    meant, many = stations_meant(names, flags)
    try:
        give(flags, meant, many, Terms(wait, when_idle, at, queue), build, quiet=_for_people(flags))
    except typer.Exit as done:
        if done.exit_code == 0 and _for_people(flags) and not flags.dry_run:
            _variables_of(flags, meant, keys)
        raise


def _for_people(flags: Flags) -> bool:
    return flags.output in ("table", "wide")


def _variables_of(flags: Flags, names: list[str], keys: list[str]) -> None:
    """What is known of these keys now: what people asked for, rather than the order they gave."""
    wanted = {key.casefold() for key in keys} | {key.rpartition(":")[0].casefold() for key in keys}
    rows = []
    for name in names:
        with contextlib.suppress(Refusal):
            for row in ask(stations.ListVariables(name), flags.address, flags.patience_s):
                told = {row["name"].casefold(), (row["same_as"] or row["name"]).casefold()}
                if not wanted or told & wanted:
                    rows.append({"station": name, **row})
    if rows:
        show_list(rows, (Column("station"), *VARIABLES), flags, "name")


@app.command("set")
def set_(
    ctx: typer.Context,
    words: Annotated[list[str], typer.Argument(metavar="NAME... KEY=VALUE...")],
    force: Annotated[
        bool, typer.Option("--force", help="Also what is read-only, or outside its limits.")
    ] = False,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Set keys on stations, in one order."""
    flags = flags_of(ctx)
    values = dict(word.split("=", 1) for word in words if "=" in word)
    if not values:
        raise Invalid("What shall be set?", "KEY=VALUE, e.g. HeartbeatInterval=300")

    def build(station: str, **terms: Any) -> stations.SetConfiguration:
        return stations.SetConfiguration(station=station, values=values, force=force, **terms)

    names = [word for word in words if "=" not in word]
    give(flags, *stations_meant(names, flags), Terms(wait, when_idle, at, queue), build)


@app.command("report")
def report(
    ctx: typer.Context,
    words: Annotated[list[str], typer.Argument(metavar="STATION [COMPONENT[.VARIABLE]...]")],
    base: Annotated[str | None, typer.Option("--base", metavar="full|configuration|summary")] = None,
    criteria: Annotated[
        list[str] | None, typer.Option("--criteria", metavar="active|available|enabled|problem")
    ] = None,
    within: Within = "5m",
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Have the station report its device model (2.x); without names and criteria, all of it."""
    from cms.contract import configuration

    flags = flags_of(ctx)
    names, wanted = ([], words) if flags.filter else (words[:1], words[1:])
    chosen = base or (None if criteria or wanted else "full")

    def build(station: str, **terms: Any) -> configuration.ReportConfiguration:
        return configuration.ReportConfiguration(
            station=station,
            base=chosen,
            criteria=tuple(criteria or ()),
            names=tuple(wanted),
            within_s=duration_s(within),
            **terms,
        )

    give(flags, *stations_meant(names, flags), Terms(wait, when_idle, at, queue), build)


@app.command("reports")
def reports(ctx: typer.Context, station: Station) -> None:
    """The reports in parts that it gave lately, and which parts are missing."""
    from cms.contract import configuration

    tell_list(flags_of(ctx), configuration.ListReports(station), REPORTS, name="request_id")


def boot(
    ctx: typer.Context,
    station: Station,
    policy: Annotated[str | None, typer.Option("--policy", metavar="accepted|pending|rejected")] = None,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Set at its next boot, before it is accepted."),
    ] = None,
    unset: Annotated[bool, typer.Option("--unset", help="Set nothing at its next boot.")] = False,
    inventory: Annotated[
        str | None, typer.Option("--inventory", metavar="on|off|default", help="After another firmware.")
    ] = None,
    monitors: Annotated[
        str | None, typer.Option("--monitors", metavar="on|off|default", help="Read again after a boot.")
    ] = None,
) -> None:
    """What happens when a station boots; with options, change it."""
    from cms.contract import configuration

    flags = flags_of(ctx)
    told = [policy, values, inventory, monitors]
    request: Any = configuration.ShowBoot(station)
    if unset or any(word is not None for word in told):
        request = configuration.SetBoot(
            station=station,
            policy=policy,
            values={} if unset else _pairs(values) if values else None,
            inventory=inventory,
            monitors=monitors,
            reason=flags.reason,
        )
    show_one(ask(request, flags.address, flags.patience_s), BOOT, flags)


def _pairs(words: list[str]) -> dict[str, str]:
    if wrong := [word for word in words if "=" not in word]:
        raise Invalid(f"{wrong[0]!r} sets nothing", "KEY=VALUE, e.g. HeartbeatInterval=300")
    return dict(word.split("=", 1) for word in words)
