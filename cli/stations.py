"""``cms stations``."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from cli import configuration, orders, qr, quirks, sites, station_notes
from cli.errors import note, say
from cli.flags import Flags
from cli.noun import Station, flags_of, group, named, tell_list
from cli.orders import At, Names, Queue, Terms, Wait, WhenIdle, give, stations_meant
from cli.render import Column, Row, kw, show_list, show_one, show_pairs, table, when
from cms.client import ask
from cms.contract import stations
from cms.contract.refusals import Invalid, Refusal

app = group("Stations, and orders to them.")
app.add_typer(configuration.app, name="config")
quirks.add_to(app)
qr.add_to(app)
station_notes.add_to(app)
app.command("import")(sites.import_stations)

#: A sign with the word, never a colour alone (docs/glossary.md).
SIGNS = {
    "available": "○",
    "preparing": "◔",
    "charging": "●",
    "occupied": "●",
    "suspended-ev": "◐",
    "suspended-evse": "◐",
    "finishing": "◑",
    "reserved": "◇",
    "unavailable": "–",
    "faulted": "✖",
    "unknown": "?",
}


def _link(online: Any) -> str:
    return "online" if online else "⊘ offline"


def _marks(connectors: Any) -> str:
    """``●✖``: one sign for each connector, then the words that matter."""
    connectors = _worth_showing(connectors)
    signs = "".join(SIGNS.get(connector["status"], "?") for connector in connectors)
    words = sorted({c["status"] for c in connectors if c["status"] != "available"})
    return f"{signs} {' '.join(words)}".strip()


def _worth_showing(connectors: Any) -> list[Row]:
    """Without connector 0, the 1.6 station as a whole, unless it has something to say."""
    return [c for c in connectors if c["evse"] or c["status"] not in ("available", "unknown")]


def _power(connectors: Any) -> str:
    watts = [connector["power_w"] for connector in connectors if connector["power_w"] is not None]
    return kw(sum(watts)) if watts else ""


LIST = (
    Column("id"),
    Column("online", "link", _link),
    Column("connectors", show=_marks),
    Column("connectors", "power", _power, right=True),
    Column("site"),
    Column("site_name", "stands at", wide=True),
    Column("city", wide=True),
    Column("vendor"),
    Column("model"),
    Column("firmware", wide=True),
    Column("serial", wide=True),
    Column("ocpp_version", "ocpp"),
    Column("last_seen", "seen", when),
    Column("address", wide=True),
    Column("boot_policy", "boot", wide=True),
    Column("note", wide=True),
)
SHOWN = (
    Column("id", "station"),
    Column("online", "link", _link),
    Column("last_seen", "last seen", when),
    Column("connected_at", "connected", when),
    Column("address"),
    Column("site"),
    Column("site_name", "stands at"),
    Column("city"),
    Column("vendor"),
    Column("model"),
    Column("serial"),
    Column("firmware"),
    Column("ocpp_version", "ocpp"),
    Column("security_profile"),
    Column("boot_policy"),
    Column("boot_status"),
    Column("booted_at", "booted", when),
    Column("enrolled_at", "enrolled", when),
    Column("note"),
    Column("quirks", show=quirks.in_a_line),
)
CONNECTORS = (
    Column("evse", right=True),
    Column("connector", right=True),
    Column("status", show=lambda word: f"{SIGNS.get(word, '?')} {word}"),
    Column("power_w", "power", kw, right=True),
    Column("session"),
    Column("error_code", "error"),
    Column("info"),
    Column("reported_at", "since", when),
)
UNKNOWN = (
    Column("id"),
    Column("reason"),
    Column("knocks", right=True),
    Column("address"),
    Column("protocols"),
    Column("last_seen", "last", when),
    Column("first_seen", "first", when, wide=True),
)
MESSAGES = (
    Column("at", show=when),
    Column("direction", "dir"),
    Column("kind"),
    Column("action"),
    Column("latency_ms", "ms", right=True),
    Column("message_id", "id", wide=True),
    Column("payload"),
)
CREDENTIAL = (
    Column("id", "station"),
    Column("url"),
    Column("username", "user"),
    Column("password"),
    Column("security_profile"),
)

Site = Annotated[str | None, typer.Option("--site", help="Where it stands: a registered site.")]
Serial = Annotated[
    str | None, typer.Option("--serial", metavar="SN", help="Its serial number: the name in its certificate.")
]
Password = Annotated[
    str | None, typer.Option("--password", help="Its password; better: let one be generated.")
]
PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin.")]
Evse = Annotated[int | None, typer.Option("--evse", metavar="N")]
Connector = Annotated[int | None, typer.Option("--connector", metavar="N")]


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """All stations. --filter 'status=faulted or online=false' chooses."""
    flags = flags_of(ctx)
    tell_list(flags, stations.ListStations(flags.filter), LIST, filtered=True)


@app.command()
def show(ctx: typer.Context, station: Station) -> None:
    """One station with its connectors."""
    flags = flags_of(ctx)
    view = ask(stations.ShowStation(station), flags.address, flags.patience_s)
    show_one(view, SHOWN, flags)
    if flags.output in ("table", "wide") and view["connectors"] and not flags.columns:
        print()
        for line in table(_worth_showing(view["connectors"]), CONNECTORS, flags):
            print(line)


@app.command()
def add(
    ctx: typer.Context,
    station: Station,
    site: Site = None,
    security_profile: Annotated[int, typer.Option("--security-profile", metavar="0..3")] = 1,
    password: Password = None,
    password_stdin: PasswordStdin = False,
    boot_policy: Annotated[str, typer.Option(metavar="accepted|pending|rejected")] = "accepted",
    remark: Annotated[str | None, typer.Option("--note", help="For people.")] = None,
    serial: Serial = None,
) -> None:
    """Register a station; its generated password is shown this once."""
    request = stations.AddStation(
        station=station,
        site=site,
        security_profile=security_profile,
        password=_password(password, password_stdin),
        boot_policy=boot_policy,
        note=remark,
        serial=serial,
    )
    _credential(flags_of(ctx), request)


@app.command("set")
def set_(
    ctx: typer.Context,
    station: Station,
    site: Site = None,
    boot_policy: Annotated[str | None, typer.Option(metavar="accepted|pending|rejected")] = None,
    remark: Annotated[str | None, typer.Option("--note", help="For people.")] = None,
    new_password: Annotated[bool, typer.Option("--new-password", help="Generate another.")] = False,
    serial: Serial = None,
) -> None:
    """Change what we keep about a station."""
    flags = flags_of(ctx)
    request = stations.SetStation(
        station, site, boot_policy, remark, new_password, reason=flags.reason, serial=serial
    )
    view = ask(request, flags.address, flags.patience_s)
    show_one(view, CREDENTIAL if "password" in view else SHOWN, flags)


@app.command()
def remove(ctx: typer.Context, names: Names = None) -> None:
    """Remove stations; their sessions and history stay."""
    flags = flags_of(ctx)
    meant, _ = stations_meant(names, flags)
    orders.removed(flags, meant, "station", stations.RemoveStation, asks=True)


@app.command()
def unknown(ctx: typer.Context) -> None:
    """Stations that knocked and were not let in: the inbox."""
    tell_list(flags_of(ctx), stations.ListUnknownStations(), UNKNOWN)


@app.command()
def forget(ctx: typer.Context, names: Names = None) -> None:
    """Take stations out of the inbox."""
    flags = flags_of(ctx)
    orders.removed(flags, named(names or []), "from the inbox", stations.ForgetUnknownStation, asks=False)


@app.command()
def enrol(
    ctx: typer.Context,
    names: Names = None,
    site: Site = None,
    password: Password = None,
    password_stdin: PasswordStdin = False,
) -> None:
    """Register stations from the inbox."""
    flags = flags_of(ctx)
    secret = _password(password, password_stdin)
    meant = named(names or [])
    if not meant:
        raise Invalid("Which station?", "cms stations unknown")
    if len(meant) == 1:
        _credential(flags, stations.EnrolStation(meant[0], site, secret))
        return
    rows, code = [], 0
    for name in meant:
        try:
            rows.append(ask(stations.EnrolStation(name, site, secret), flags.address, flags.patience_s))
        except Refusal as refusal:
            say(refusal, flags.output)
            code = max(code, refusal.exit_code)
    show_list(rows, CREDENTIAL, flags)
    raise typer.Exit(code)


app.command("boot")(configuration.boot)


@app.command()
def samples(ctx: typer.Context, station: Station) -> None:
    """The latest meter values outside sessions: the main meter, clock-aligned values."""
    from cli.sessions import SAMPLES
    from cms.contract.sessions import ListStationSamples

    tell_list(flags_of(ctx), ListStationSamples(station), (Column("evse"), *SAMPLES), name="at")


@app.command()
def messages(
    ctx: typer.Context,
    station: Station,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as they cross the link.")] = False,
) -> None:
    """The last frames of a connected station, oldest first."""
    flags = flags_of(ctx)
    if not follow:
        tell_list(flags, stations.ListMessages(station), MESSAGES, name="message_id")
        return
    from cli.frames import follow_frames

    follow_frames(flags, station, MESSAGES)


@app.command()
def reset(
    ctx: typer.Context,
    names: Names = None,
    kind: Annotated[str, typer.Option(metavar="soft|hard|immediate|on-idle|resume")] = "soft",
    evse: Evse = None,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Restart stations. With --wait until they have booted again."""

    def build(station: str, **terms: Any) -> stations.ResetStation:
        return stations.ResetStation(station=station, kind=kind, evse=evse, **terms)

    flags = flags_of(ctx)
    give(flags, *stations_meant(names, flags), Terms(wait, when_idle, at, queue), build)


@app.command()
def unlock(
    ctx: typer.Context,
    names: Names = None,
    connector: Annotated[int, typer.Option("--connector", metavar="N")] = 1,
    evse: Evse = None,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Unlock a connector so that the cable comes free."""

    def build(station: str, **terms: Any) -> stations.UnlockConnector:
        return stations.UnlockConnector(station=station, connector=connector, evse=evse, **terms)

    flags = flags_of(ctx)
    give(flags, *stations_meant(names, flags), Terms(wait, when_idle, at, queue), build)


@app.command()
def availability(
    ctx: typer.Context,
    words: Annotated[list[str], typer.Argument(metavar="NAME... operative|inoperative")],
    evse: Evse = None,
    connector: Connector = None,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Take stations, or one EVSE, into or out of operation."""
    *names, wanted = words

    def build(station: str, **terms: Any) -> stations.ChangeAvailability:
        return stations.ChangeAvailability(
            station=station, availability=wanted, evse=evse, connector=connector, **terms
        )

    flags = flags_of(ctx)
    give(flags, *stations_meant(names, flags), Terms(wait, when_idle, at, queue), build)


@app.command()
def trigger(
    ctx: typer.Context,
    words: Annotated[list[str], typer.Argument(metavar="NAME... MESSAGE")],
    evse: Evse = None,
    connector: Connector = None,
    custom: Annotated[
        bool, typer.Option("--custom", help="MESSAGE is one of its own (2.1, CustomTriggers).")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Even where the rule says no.")] = False,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Ask stations to send a message now, e.g. StatusNotification."""
    *names, message = words

    def build(station: str, **terms: Any) -> stations.TriggerMessage:
        return stations.TriggerMessage(
            station=station,
            message=message,
            evse=evse,
            connector=connector,
            force=force,
            custom=custom,
            **terms,
        )

    flags = flags_of(ctx)
    give(flags, *stations_meant(names, flags), Terms(wait, when_idle, at, queue), build)


def _password(given: str | None, from_stdin: bool) -> str | None:
    if not from_stdin:
        return given
    return sys.stdin.readline().rstrip("\n") or None


def _credential(flags: Flags, request: Any) -> None:
    """Print what the new station is to be configured with."""
    if flags.dry_run:
        note(f"would register {request.station}", flags.quiet)
        return
    told: Row = ask(request, flags.address, flags.patience_s)
    if flags.output not in ("table", "wide"):
        show_one(told, CREDENTIAL, flags)
        return
    note(
        f"{told['id']} is registered; set this in the station (the password is shown this once):", flags.quiet
    )
    show_pairs(
        [
            ("url", told["url"]),
            ("user", told["username"]),
            ("password", told["password"] or "none (security profile 0)"),
        ]
    )
