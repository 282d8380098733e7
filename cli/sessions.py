"""``cms sessions``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli.ends import MaxCost, MaxKwh, MaxSoc, MaxTime, ends
from cli.flags import Flags
from cli.noun import flags_of, group, named, tell_list
from cli.orders import At, Names, Queue, Terms, Wait, WhenIdle, give, only_one
from cli.render import Column, kw, kwh, show_one, when
from cli.tariffs import money
from cli.times import earlier
from cms.client import ask
from cms.contract import sessions, status
from cms.contract.charging import Profile
from cms.contract.refusals import Invalid

app = group("Charging sessions.")

SIGNS = {"pending": "◔", "charging": "●", "suspended": "◐", "suspect": "▲", "ended": "–"}


def _status(word: Any) -> str:
    return f"{SIGNS.get(word, '?')} {word}"


LIST = (
    Column("id"),
    Column("station"),
    Column("evse", right=True),
    Column("connector", "con", right=True, wide=True),
    Column("status", show=_status),
    Column("token"),
    Column("started_at", "started", when),
    Column("ended_at", "ended", when),
    Column("energy_wh", "energy", kwh, right=True),
    Column("cost", show=money, right=True),
    Column("power_w", "power", kw, right=True),
    Column("soc_percent", "soc %", right=True, wide=True),
    Column("stop_reason", "stopped"),
    Column("flags"),
)
SHOWN = (
    Column("id", "session"),
    Column("station"),
    Column("evse"),
    Column("connector"),
    Column("status", show=_status),
    Column("token"),
    Column("authorization"),
    Column("started_at", "started"),
    Column("ended_at", "ended"),
    Column("energy_wh", "energy", kwh),
    Column("energy_source", "derived from"),
    Column("meter_start_wh", "meter at start, Wh"),
    Column("meter_stop_wh", "meter at stop, Wh"),
    Column("power_w", "power", kw),
    Column("soc_percent", "state of charge, %"),
    Column("last_sample_at", "last sample"),
    Column("stop_reason"),
    Column("stop_token"),
    Column("flags"),
    Column("cost", show=money, right=True),
    Column("transaction_id", "transaction"),
    Column("offline"),
    Column("ocpp_version", "ocpp"),
    Column("check", "the station said"),
)
SAMPLES = (
    Column("at"),
    Column("measurand"),
    Column("value", right=True),
    Column("unit"),
    Column("phase"),
    Column("context", wide=True),
    Column("location", wide=True),
    Column("format", wide=True),
)

KEPT = (
    Column("id"),
    Column("at"),
    Column("station"),
    Column("kind"),
    Column("reason"),
    Column("payload", wide=True),
)

#: So many without --limit; the daemon gives so many at most.
_MOST = 1000
_ALL = 100_000


@app.command("list")
def list_(
    ctx: typer.Context,
    station: Annotated[str | None, typer.Option("--station", metavar="NAME")] = None,
    token: Annotated[str | None, typer.Option("--token", metavar="TAG")] = None,
    status: Annotated[str | None, typer.Option("--status", metavar="WORD")] = None,
    active: Annotated[bool | None, typer.Option("--active/--ended", help="Not over, or over.")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="TIME", help="e.g. 2h, 2026-11-01")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME")] = None,
) -> None:
    """Sessions, newest first."""
    flags = flags_of(ctx)
    request = sessions.ListSessions(
        station=station,
        token=token,
        status=status,
        active=active,
        since=_utc(since),
        until=_utc(until),
        filter=flags.filter,
        limit=_limit(flags),
    )
    tell_list(flags, request, LIST, filtered=True)


@app.command()
def show(
    ctx: typer.Context,
    session: str,
    plot: Annotated[bool, typer.Option("--plot", help="Draw its power over its time.")] = False,
) -> None:
    """One session."""
    flags = flags_of(ctx)
    told = ask(sessions.ShowSession(session), flags.address, flags.patience_s)
    show_one(told, SHOWN, flags)
    if plot:
        _draw(told, flags)


def _draw(session: Any, flags: Flags) -> None:
    """The curve of its power; the numbers of it are in ``cms sessions samples``."""
    if flags.output not in ("table", "wide"):
        raise Invalid(
            f"--plot draws for people, -o {flags.output} writes for programs", "leave one of them out"
        )
    import shutil

    from cli.curves import power_curve

    samples = ask(sessions.ListSamples(session["id"]), flags.address, flags.patience_s)
    width = shutil.get_terminal_size((80, 24)).columns
    print("", *power_curve(session, samples, width), sep="\n")


@app.command()
def samples(ctx: typer.Context, session: str) -> None:
    """Every meter value of a session, in time order."""
    tell_list(flags_of(ctx), sessions.ListSamples(session), SAMPLES, name="at")


@app.command()
def quarantine(
    ctx: typer.Context,
    station: Annotated[str | None, typer.Option("--station", metavar="NAME")] = None,
) -> None:
    """Messages that were answered and kept, but belong to no session: somebody should look."""
    flags = flags_of(ctx)
    tell_list(flags, status.ListQuarantine(station=station, limit=_limit(flags)), KEPT, name="id")


def _profile(file: str | None) -> Profile | None:
    if file is None:
        return None
    from cli.charging import read_profile

    return read_profile(file)


@app.command()
def start(
    ctx: typer.Context,
    names: Names = None,
    token: Annotated[str, typer.Option("--token", metavar="TAG", help="Who charges.")] = ...,  # type: ignore[assignment]
    evse: Annotated[int | None, typer.Option("--evse", metavar="N")] = None,
    connector: Annotated[int | None, typer.Option("--connector", metavar="N")] = None,
    force: Annotated[bool, typer.Option("--force", help="Though the token would be refused.")] = False,
    profile: Annotated[
        str | None,
        typer.Option("--profile", metavar="FILE", help="A tx profile for it, as JSON; - for stdin."),
    ] = None,
    max_cost: MaxCost = None,
    max_kwh: MaxKwh = None,
    max_time: MaxTime = None,
    max_soc: MaxSoc = None,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Ask a station to start charging for a token. With --wait until the session began."""
    from cli.orders import stations_meant

    follows = _profile(profile)

    def build(station: str, **terms: Any) -> sessions.StartSession:
        return sessions.StartSession(
            station=station,
            token=token,
            evse=evse,
            connector=connector,
            force=force,
            profile=follows,
            **ends(max_cost, max_kwh, max_time, max_soc),
            **terms,
        )

    flags = flags_of(ctx)
    give(flags, *stations_meant(names, flags), Terms(wait, when_idle, at, queue), build)


@app.command()
def stop(
    ctx: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="SESSION...")] = None,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Ask the station to end sessions. With --wait until they ended."""

    def build(session: str, **terms: Any) -> sessions.StopSession:
        return sessions.StopSession(session=session, **terms)

    flags = flags_of(ctx)
    given = list(names or [])
    if flags.filter:
        only_one(given, "sessions")
        request = sessions.ListSessions(active=True, filter=flags.filter, limit=_ALL)
        meant = [row["id"] for row in ask(request, flags.address, flags.patience_s)]
    elif given:
        meant = named(given)
    else:
        raise Invalid(
            "Which session?", "give its id, - for stdin, or --filter; see `cms sessions list --active`"
        )
    many = bool(flags.filter) or len(given) > 1 or "-" in given
    give(flags, meant, many, Terms(wait, when_idle, at, queue), build)


@app.command()
def check(
    ctx: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="SESSION...")] = None,
    station: Annotated[
        str | None, typer.Option("--station", metavar="NAME", help="Its whole queue instead.")
    ] = None,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Ask the station whether sessions go on, and whether messages about them still wait (OCPP 2.x)."""
    from cms.contract import checks

    flags = flags_of(ctx)
    if bool(names) == (station is not None):
        raise Invalid("Which session?", "give its id, or --station for the station's whole queue")
    if station is not None:

        def of_queue(name: str, **terms: Any) -> checks.CheckQueue:
            return checks.CheckQueue(station=name, **terms)

        give(flags, [station], False, Terms(wait, when_idle, at, queue), of_queue)
        return

    def of_session(session: str, **terms: Any) -> checks.CheckSession:
        return checks.CheckSession(session=session, **terms)

    meant = named(names or ())
    give(flags, meant, len(meant) > 1 or "-" in (names or ()), Terms(wait, when_idle, at, queue), of_session)


def _utc(text: str | None) -> datetime | None:
    return earlier(text).astimezone(UTC) if text else None


def _limit(flags: Flags) -> int:
    """What to ask the daemon for: it filters after its limit, and the first N are so only in its own order."""
    if flags.filter or flags.sort or flags.limit == 0:
        return _ALL
    return flags.limit or _MOST
