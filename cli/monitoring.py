"""``cms monitoring``: what stations watch by themselves (2.x), what they found, and the streams they send (2.1)."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.configuration import Within
from cli.errors import note
from cli.noun import AnyStation, Station, flags_of, group, tell_list
from cli.orders import At, Queue, Terms, Wait, WhenIdle, give, stations_meant
from cli.render import Column, show_one, when
from cli.times import duration_s
from cms.client import ask
from cms.contract import monitoring
from cms.contract.refusals import Invalid

app = group("What stations watch by themselves (OCPP 2.x): monitors, problems, streams of values.")

#: MonitoringDataType.severity in words.
SEVERITIES = (
    "danger",
    "hardware failure",
    "system failure",
    "critical",
    "error",
    "alert",
    "warning",
    "notice",
    "information",
    "debug",
)


def _severity(value: Any) -> str:
    if value is None:
        return ""
    return f"{value} {SEVERITIES[value]}" if 0 <= value < len(SEVERITIES) else str(value)


MONITORS = (
    Column("id", right=True),
    Column("name"),
    Column("type"),
    Column("value", right=True),
    Column("severity", show=_severity),
    Column("origin"),
    Column("transaction", "only in sessions", wide=True),
    Column("interval_s", "stream s", right=True, wide=True),
    Column("values", "stream n", right=True, wide=True),
    Column("heard_at", "heard", when),
)
MONITORING = (
    Column("station"),
    Column("base"),
    Column("level", show=_severity),
    Column("monitors"),
    Column("streams"),
    Column("problems"),
)
PROBLEMS = (
    Column("station"),
    Column("evse", right=True),
    Column("name"),
    Column("value"),
    Column("severity", show=_severity),
    Column("since", show=when),
    Column("cause"),
    Column("tech_code", "code"),
    Column("tech_info", "info"),
    Column("cleared_at", "cleared", when),
    Column("monitor", right=True, wide=True),
)
STREAMS = (
    Column("id", right=True),
    Column("monitor", right=True),
    Column("name"),
    Column("interval_s", "every s", right=True),
    Column("values", "every n", right=True),
    Column("received", right=True),
    Column("pending", right=True),
    Column("last"),
    Column("heard_at", "heard", when),
)
SAMPLES = (Column("at", show=when), Column("name"), Column("value"))

Criteria = Annotated[list[str] | None, typer.Option("--criteria", metavar="threshold|delta|periodic")]


@app.command()
def show(ctx: typer.Context, station: Station) -> None:
    """A station's monitoring as a whole: the base and level it took, how many monitors, streams and problems."""
    flags = flags_of(ctx)
    show_one(ask(monitoring.ShowMonitoring(station), flags.address, flags.patience_s), MONITORING, flags)


@app.command("list")
def list_(ctx: typer.Context, station: Station) -> None:
    """The monitors that we know of, without asking the station."""
    tell_list(flags_of(ctx), monitoring.ListMonitors(station), MONITORS)


@app.command()
def problems(
    ctx: typer.Context,
    station: AnyStation = None,
    cleared: Annotated[bool, typer.Option("--cleared", help="Also what was cleared lately.")] = False,
) -> None:
    """What is wrong at stations, the gravest first."""
    tell_list(flags_of(ctx), monitoring.ListProblems(station, cleared), PROBLEMS, name="station")


@app.command()
def dismiss(
    ctx: typer.Context, station: Station, names: Annotated[list[str], typer.Argument(metavar="PROBLEM...")]
) -> None:
    """Take problems off the list that the station did not clear itself."""
    flags = flags_of(ctx)
    for name in names:
        request = monitoring.DismissProblem(station, name, flags.reason)
        if flags.dry_run:
            note(f"would dismiss {name}", flags.quiet)
            continue
        ask(request, flags.address, flags.patience_s)
        note(f"dismissed {name}", flags.quiet)


@app.command("set")
def set_(
    ctx: typer.Context,
    words: Annotated[list[str], typer.Argument(metavar="NAME... COMPONENT.VARIABLE TYPE")],
    severity: Annotated[int, typer.Option("--severity", metavar="0..9", help="0 danger ... 9 debug.")],
    value: Annotated[float | None, typer.Option("--value", help="Threshold, difference or seconds.")] = None,
    only_in_sessions: Annotated[bool, typer.Option("--in-sessions", help="Only while one runs.")] = False,
    replace: Annotated[int | None, typer.Option("--replace", metavar="ID")] = None,
    stream_interval: Annotated[
        str | None, typer.Option("--stream-every", metavar="DURATION", help="Send values as a stream (2.1).")
    ] = None,
    stream_values: Annotated[int | None, typer.Option("--stream-values", metavar="N")] = None,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Have stations watch a variable, e.g. `set CS-1 EVSE@1.Power upper-threshold --value 11000 --severity 5`."""
    flags = flags_of(ctx)
    if len(words) < (2 if flags.filter else 3):
        raise Invalid("What shall be watched?", "STATION Component.Variable TYPE, e.g. delta")
    *names, variable, kind = words
    wish = monitoring.MonitorWish(
        name=variable,
        type=kind,
        severity=severity,
        value=value,
        transaction=only_in_sessions,
        id=replace,
        interval_s=None if stream_interval is None else int(duration_s(stream_interval)),
        values=stream_values,
    )

    def build(station: str, **terms: Any) -> monitoring.SetMonitors:
        return monitoring.SetMonitors(station=station, monitors=(wish,), **terms)

    give(flags, *stations_meant(names, flags), Terms(wait, when_idle, at, queue), build)


@app.command()
def clear(
    ctx: typer.Context,
    station: Station,
    ids: Annotated[list[int], typer.Argument(metavar="ID...")],
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Take monitors away; hard-wired ones stay."""

    def build(name: str, **terms: Any) -> monitoring.ClearMonitors:
        return monitoring.ClearMonitors(station=name, ids=tuple(ids), **terms)

    give(flags_of(ctx), [station], False, Terms(wait, when_idle, at, queue), build)


@app.command()
def base(
    ctx: typer.Context,
    words: Annotated[list[str], typer.Argument(metavar="NAME... all|factory-default|hard-wired-only")],
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Activate the station's own monitors, or clear those that were set."""
    *names, wanted = words

    def build(station: str, **terms: Any) -> monitoring.SetMonitoringBase:
        return monitoring.SetMonitoringBase(station=station, base=wanted, **terms)

    flags = flags_of(ctx)
    give(flags, *stations_meant(names, flags), Terms(wait, when_idle, at, queue), build)


@app.command()
def level(
    ctx: typer.Context,
    words: Annotated[list[str], typer.Argument(metavar="NAME... SEVERITY", help="0 danger ... 9 debug.")],
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Have stations tell of events up to this severity."""
    *names, wanted = words
    if not wanted.isdecimal():
        raise Invalid(f"{wanted!r} is no severity", "STATION 0..9, e.g. 5")

    def build(station: str, **terms: Any) -> monitoring.SetMonitoringLevel:
        return monitoring.SetMonitoringLevel(station=station, severity=int(wanted), **terms)

    flags = flags_of(ctx)
    give(flags, *stations_meant(names, flags), Terms(wait, when_idle, at, queue), build)


@app.command()
def report(
    ctx: typer.Context,
    words: Annotated[list[str], typer.Argument(metavar="STATION [COMPONENT[.VARIABLE]...]")],
    criteria: Criteria = None,
    within: Within = "5m",
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Have the station report its monitors; without names and criteria, all of them."""
    flags = flags_of(ctx)
    names, wanted = ([], words) if flags.filter else (words[:1], words[1:])

    def build(station: str, **terms: Any) -> monitoring.ReportMonitors:
        return monitoring.ReportMonitors(
            station=station,
            criteria=tuple(criteria or ()),
            names=tuple(wanted),
            within_s=duration_s(within),
            **terms,
        )

    give(flags, *stations_meant(names, flags), Terms(wait, when_idle, at, queue), build)


@app.command()
def streams(ctx: typer.Context, station: Station) -> None:
    """The periodic event streams that the station has open (2.1), as far as we know."""
    tell_list(flags_of(ctx), monitoring.ListStreams(station), STREAMS)


@app.command("read-streams")
def read_streams(
    ctx: typer.Context,
    station: Station,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Ask the station which streams it has open."""

    def build(name: str, **terms: Any) -> monitoring.ReadStreams:
        return monitoring.ReadStreams(station=name, **terms)

    give(flags_of(ctx), [station], False, Terms(wait, when_idle, at, queue), build)


@app.command()
def adjust(
    ctx: typer.Context,
    station: Station,
    stream: Annotated[int, typer.Argument(metavar="STREAM")],
    interval: Annotated[str | None, typer.Option("--every", metavar="DURATION")] = None,
    values: Annotated[int | None, typer.Option("--values", metavar="N")] = None,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Change how often a stream sends."""
    interval_s = None if interval is None else int(duration_s(interval))

    def build(name: str, **terms: Any) -> monitoring.AdjustStream:
        return monitoring.AdjustStream(
            station=name, stream=stream, interval_s=interval_s, values=values, **terms
        )

    give(flags_of(ctx), [station], False, Terms(wait, when_idle, at, queue), build)


@app.command()
def samples(
    ctx: typer.Context, station: Station, monitor: Annotated[int, typer.Argument(metavar="MONITOR")]
) -> None:
    """The latest values of a monitor's stream, oldest first."""
    flags = flags_of(ctx)
    request = monitoring.ListStreamSamples(station, monitor, flags.limit or 200)
    tell_list(flags, request, SAMPLES, name="at")
