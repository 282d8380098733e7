"""``cms profiles``: charging profiles, what holds, and what cars ask for."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

import typer

from cli.charging import mains, plans, read_profile, schedule, utc
from cli.errors import note
from cli.flags import Flags
from cli.noun import AnyStation, Station, flags_of, group, tell_list
from cli.orders import At, Names, Queue, Terms, Wait, WhenIdle, give
from cli.render import Column, show_list, show_one, when
from cli.times import duration_s
from cms.client import ask
from cms.contract import charging
from cms.contract.refusals import Invalid

app = group("Charging profiles: what limits stations and sessions.")

Evse = Annotated[int | None, typer.Option("--evse", metavar="N", help="0 is the whole station.")]
Purpose = Annotated[str | None, typer.Option("--purpose", metavar="|".join(charging.PURPOSES))]
Level = Annotated[int | None, typer.Option("--stack-level", metavar="N", help="The highest one leads.")]
Voltage = Annotated[
    str | None, typer.Option("--voltage", metavar="V", help="To convert between A and W, with --phases.")
]


LIST = (
    Column("station"),
    Column("evse", right=True),
    Column("id", right=True),
    Column("purpose"),
    Column("kind"),
    Column("stack_level", "level", right=True),
    Column("limit", "now", right=True),
    Column("unit"),
    Column("session"),
    Column("source"),
    Column("set_by", "by", wide=True),
    Column("installed_at", "installed", when),
    Column("reported_at", "reported", when),
)
SHOWN = (
    *LIST,
    Column("transaction_id", "transaction"),
    Column("profile.recurrency", "recurs"),
    Column("profile.valid_from"),
    Column("profile.valid_to"),
    Column("profile.schedules", "schedule", plans),
)
LIMITS = (
    Column("station"),
    Column("evse", right=True),
    Column("source"),
    Column("grid_critical", "critical"),
    Column("local_generation", "generation", wide=True),
    Column("reported_at", "reported", when),
    Column("schedules", "limit", plans),
)
NEEDS = (
    Column("station"),
    Column("evse", right=True),
    Column("session"),
    Column("energy_transfer", "transfer"),
    Column("energy_wh", "wants, Wh", right=True),
    Column("departure_at", "leaves", when),
    Column("answer"),
    Column("profile", right=True),
    Column("ev_schedule", "its schedule"),
    Column("reported_at", "asked", when),
)
RIGHTS = (Column("token"), Column("modes", "may"))
STEPS = (
    Column("from"),
    Column("ours", "by our record", right=True),
    Column("told", "the station says", right=True),
)


@app.command("list")
def list_(
    ctx: typer.Context,
    station: AnyStation = None,
) -> None:
    """What is installed, as far as we know, at one station or all."""
    flags = flags_of(ctx)
    tell_list(flags, charging.ListProfiles(station, flags.filter), LIST, filtered=True)


@app.command()
def show(ctx: typer.Context, station: Station, profile: Annotated[int, typer.Argument(metavar="ID")]) -> None:
    """One profile with its schedules."""
    flags = flags_of(ctx)
    show_one(ask(charging.ShowProfile(station, profile), flags.address, flags.patience_s), SHOWN, flags)


@app.command("set")
def set_(
    ctx: typer.Context,
    names: Names = None,
    limit: Annotated[
        list[str] | None,
        typer.Option("--rate", metavar="[START=]RATE", help="16A, 11kW; more: 2h=6A is 6 A from 2 h on."),
    ] = None,
    purpose: Annotated[str, typer.Option("--purpose", metavar="|".join(charging.PURPOSES))] = "tx-default",
    evse: Evse = None,
    kind: Annotated[str, typer.Option("--kind", metavar="|".join(charging.KINDS))] = "absolute",
    every: Annotated[str | None, typer.Option("--every", metavar="daily|weekly")] = None,
    level: Annotated[int, typer.Option("--stack-level", metavar="N")] = 0,
    number: Annotated[int | None, typer.Option("--id", metavar="ID", help="Else one is found.")] = None,
    start: Annotated[str | None, typer.Option("--start", metavar="TIME", help="Else now.")] = None,
    lasts: Annotated[str | None, typer.Option("--duration", metavar="DURATION")] = None,
    valid_from: Annotated[str | None, typer.Option("--from", metavar="TIME")] = None,
    valid_to: Annotated[str | None, typer.Option("--to", metavar="TIME")] = None,
    phases: Annotated[int | None, typer.Option("--phases", metavar="1..3")] = None,
    voltage: Voltage = None,
    transaction: Annotated[str | None, typer.Option("--transaction", metavar="ID")] = None,
    file: Annotated[
        str | None, typer.Option("--file", metavar="FILE", help="The profile as JSON; - for stdin.")
    ] = None,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Install a profile. One with the same purpose, level and EVSE is replaced.

    cms profiles set CP-7 --rate 16A --rate 2h=6A --evse 1
    """
    from cli.orders import stations_meant

    flags = flags_of(ctx)
    profile = (
        read_profile(file)
        if file is not None
        else charging.Profile(
            purpose=purpose,
            schedules=(schedule(limit, phases, start, lasts),),
            kind="recurring" if every else kind,
            stack_level=level,
            id=number,
            recurrency=every,
            valid_from=utc(valid_from),
            valid_to=utc(valid_to),
            transaction_id=transaction,
        )
    )
    converter = mains(voltage, phases)

    def build(station: str, **terms: Any) -> charging.SetProfile:
        return charging.SetProfile(station=station, profile=profile, evse=evse, **converter, **terms)

    give(flags, *stations_meant(names, flags), Terms(wait, when_idle, at, queue), build)


@app.command()
def clear(
    ctx: typer.Context,
    station: Station,
    profile: Annotated[int | None, typer.Argument(metavar="[ID]")] = None,
    evse: Evse = None,
    purpose: Purpose = None,
    level: Level = None,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Take off one profile, those that fit, or without anything all of them."""

    def build(name: str, **terms: Any) -> charging.ClearProfiles:
        return charging.ClearProfiles(
            station=name, profile=profile, evse=evse, purpose=purpose, stack_level=level, **terms
        )

    give(flags_of(ctx), [station], False, Terms(wait, when_idle, at, queue), build)


@app.command()
def get(
    ctx: typer.Context,
    station: Station,
    profiles: Annotated[list[int] | None, typer.Argument(metavar="[ID...]")] = None,
    evse: Evse = None,
    purpose: Purpose = None,
    level: Level = None,
    sources: Annotated[
        list[str] | None, typer.Option("--source", metavar="CSO|EMS|SO|Other", help="Who set them.")
    ] = None,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Have the station report its profiles (2.x). With --wait until all have come; then see `list`."""

    def build(name: str, **terms: Any) -> charging.GetProfiles:
        return charging.GetProfiles(
            station=name,
            profiles=tuple(profiles or ()),
            evse=evse,
            purpose=purpose,
            stack_level=level,
            sources=tuple(sources or ()),
            **terms,
        )

    give(flags_of(ctx), [station], False, Terms(wait, when_idle, at, queue), build)


@app.command()
def composite(
    ctx: typer.Context,
    station: Station,
    evse: Annotated[int, typer.Option("--evse", metavar="N", help="0 is the whole station.")] = 0,
    duration: Annotated[str, typer.Option("--duration", metavar="DURATION")] = "1d",
    unit: Annotated[str | None, typer.Option("--unit", metavar="A|W")] = None,
    known: Annotated[bool, typer.Option("--known", help="Do not ask the station.")] = False,
    phases: Annotated[int | None, typer.Option("--phases", metavar="1..3")] = None,
    voltage: Voltage = None,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """What holds at an EVSE: asked of the station, beside what our own record makes of it."""
    flags = flags_of(ctx)
    span_s = int(duration_s(duration))

    def build(name: str, **terms: Any) -> charging.GetComposite:
        return charging.GetComposite(station=name, evse=evse, duration_s=span_s, unit=unit, **terms)

    try:
        if not known:
            give(flags, [station], False, Terms(wait, when_idle, at, queue), build, quiet=True)
    except typer.Exit as done:
        if done.exit_code != 0 or flags.dry_run:
            raise
    request = charging.ShowComposite(station, evse, span_s, unit, **mains(voltage, phases))
    _compare(flags, ask(request, flags.address, flags.patience_s))


def _compare(flags: Flags, view: dict[str, Any]) -> None:
    """Both schedules side by side for people, the whole view for machines."""
    if flags.output not in ("table", "wide"):
        show_one(view, (), flags, "station")
        return
    columns = {"ours": (view["ours"], view["unit"]), "told": (view["told"], view["told_unit"])}
    starts = sorted({step["start_s"] for steps, _ in columns.values() for step in steps})
    rows = [
        {"from": f"+{start} s", **{name: _at(*column, start) for name, column in columns.items()}}
        for start in starts
    ]
    show_list(rows, STEPS, flags, "from")
    if view["left_out"]:
        other = "W" if view["unit"] == "A" else "A"
        ids = ", ".join(map(str, view["left_out"]))
        note(f"left out, for it is in {other}: profile {ids}; --voltage and --phases convert it", flags.quiet)


def _at(steps: list[dict[str, Any]], unit: str | None, start_s: int) -> str | None:
    held = [step for step in steps if step["start_s"] <= start_s]
    if not held:
        return None
    limit = held[-1]["limit"]
    return "no limit" if limit is None else f"{limit} {unit}"


@app.command()
def limits(
    ctx: typer.Context,
    station: AnyStation = None,
) -> None:
    """Limits that energy managers and grid operators have set at stations."""
    tell_list(flags_of(ctx), charging.ListChargingLimits(station), LIMITS, name="source")


@app.command()
def needs(
    ctx: typer.Context,
    station: AnyStation = None,
) -> None:
    """What the cars of running sessions asked for (ISO 15118), and what they were given."""
    tell_list(flags_of(ctx), charging.ListChargingNeeds(station), NEEDS, name="session")


@app.command()
def priority(
    ctx: typer.Context,
    session: Annotated[str, typer.Argument(metavar="SESSION")],
    how: Annotated[str, typer.Argument(metavar="on|off")] = "on",
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Charge a session first, or no longer (2.1)."""
    if how not in ("on", "off"):
        raise Invalid(f"priority is on or off, not {how!r}")

    def build(name: str, **terms: Any) -> charging.UsePriority:
        return charging.UsePriority(session=name, activate=how == "on", **terms)

    give(flags_of(ctx), [session], False, Terms(wait, when_idle, at, queue), build)


@app.command()
def update(
    ctx: typer.Context,
    station: Station,
    profile: Annotated[int, typer.Argument(metavar="ID")],
    rates: Annotated[list[str], typer.Argument(metavar="NAME=VALUE...", help="e.g. limit=16")],
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Tell a dynamic profile its new rates (2.1)."""
    said = dict(_rate(text) for text in rates)

    def build(name: str, **terms: Any) -> charging.UpdateProfile:
        return charging.UpdateProfile(station=name, profile=profile, rates=said, **terms)

    give(flags_of(ctx), [station], False, Terms(wait, when_idle, at, queue), build)


def _rate(text: str) -> tuple[str, Decimal]:
    name, _, value = text.partition("=")
    try:
        return name, Decimal(value)
    except ArithmeticError:
        raise Invalid(f"{text!r} is no rate", "e.g. limit=16") from None


@app.command()
def allow(
    ctx: typer.Context,
    session: Annotated[str, typer.Argument(metavar="SESSION")],
    modes: Annotated[list[str], typer.Argument(metavar="MODE...", help="e.g. DC DC_BPT")],
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """What the car of a session may do from now on (2.1)."""

    def build(name: str, **terms: Any) -> charging.AllowEnergyTransfer:
        return charging.AllowEnergyTransfer(session=name, modes=tuple(modes), **terms)

    give(flags_of(ctx), [session], False, Terms(wait, when_idle, at, queue), build)


@app.command()
def right(
    ctx: typer.Context,
    token: Annotated[str, typer.Argument(metavar="TAG")],
    modes: Annotated[list[str] | None, typer.Argument(metavar="[MODE...]", help="e.g. DC DC_BPT")] = None,
) -> None:
    """What the cars of a token may do; without modes the right is taken away."""
    flags = flags_of(ctx)
    request = charging.SetEnergyTransferRight(token, tuple(modes or ()))
    show_one(ask(request, flags.address, flags.patience_s), RIGHTS, flags, "token")


@app.command()
def rights(ctx: typer.Context) -> None:
    """The tokens whose cars have rights of their own."""
    tell_list(flags_of(ctx), charging.ListEnergyTransferRights(), RIGHTS, name="token")


# A signal may be negative: what looks like an option is a word here.
@app.command(context_settings={"ignore_unknown_options": True, "help_option_names": ["-h", "--help"]})
def afrr(
    ctx: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="STATION... SIGNAL")],
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Pass a frequency restoration signal on to bidirectional sessions (2.1)."""
    from cli.orders import stations_meant

    *stations, signal = names
    if not re.fullmatch(r"-?\d{1,9}", signal):
        raise Invalid(f"{signal!r} is no signal: a whole number")

    def build(station: str, **terms: Any) -> charging.SignalAfrr:
        return charging.SignalAfrr(station=station, signal=int(signal), **terms)

    flags = flags_of(ctx)
    give(flags, *stations_meant(stations, flags), Terms(wait, when_idle, at, queue), build)
