"""``cms alerts``: what needs a person, who looks after it, what is muted."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.errors import note as say_note
from cli.noun import each, flags_of, group, named, tell_list
from cli.render import Column, show_one, when
from cli.times import duration_s
from cms.client import ask
from cms.contract import alerts
from cms.contract.refusals import Invalid

app = group("What needs a person: list, show, acknowledge, claim, note, mute.")


def _names(value: Any) -> str:
    """The members' names; a group of many names its first."""
    names = [member["what"] if isinstance(member, dict) else member.what for member in value or ()]
    return ", ".join(names)


def _texts(value: Any) -> str:
    return ", ".join(str(one) for one in value or ())


def _written(value: Any) -> str:
    notes = [one if isinstance(one, dict) else {"by": one.by, "note": one.note} for one in value or ()]
    return " · ".join(f"{one['by']}: {one['note']}" for one in notes)


LIST = (
    Column("id"),
    Column("severity"),
    Column("since", show=when),
    Column("what"),
    Column("site"),
    Column("why"),
    Column("count", "n", right=True),
    Column("state"),
    Column("by"),
    Column("kind", wide=True),
    Column("sessions", right=True, wide=True),
    Column("muted_until", "muted until", when, wide=True),
    Column("ended_at", "over", when, wide=True),
    Column("command", wide=True),
)
ONE = (
    *LIST,
    Column("members", show=_names),
    Column("shared", show=_texts),
    Column("before_at", "last time", when),
    Column("before_lasted_s", "lasted s", right=True),
    Column("notes", show=_written),
)
MUTES = (
    Column("id"),
    Column("until", show=when),
    Column("by"),
    Column("alert"),
    Column("kind"),
    Column("station"),
    Column("site"),
    Column("reason"),
    Column("at", "since", when, wide=True),
)

Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="- reads them from stdin.")]


@app.command("list")
def list_(
    ctx: typer.Context,
    ended: Annotated[bool, typer.Option("--ended", help="Those that are over, the latest first.")] = False,
) -> None:
    """What needs a person, the gravest first. Several things with one cause are one alert."""
    flags = flags_of(ctx)
    tell_list(flags, alerts.ListAlerts(flags.filter, ended), LIST, filtered=True)


@app.command()
def show(ctx: typer.Context, id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """One alert: all it is about, what they share, when it was there last, what was written."""
    flags = flags_of(ctx)
    show_one(ask(alerts.ShowAlert(id), flags.address, flags.patience_s), ONE, flags)


@app.command()
def ack(
    ctx: typer.Context,
    ids: Ids,
    undo: Annotated[bool, typer.Option("--undo", help="It is new again.")] = False,
) -> None:
    """Say that they were seen. A further station with the same trouble makes an alert new again."""
    flags, names = flags_of(ctx), named(ids)
    _each(flags, names, lambda id: alerts.AcknowledgeAlert(id, undo), "acknowledge")


@app.command()
def claim(
    ctx: typer.Context,
    ids: Ids,
    release: Annotated[bool, typer.Option("--release", help="Give them back.")] = False,
) -> None:
    """Say that you look after them: others see your name."""
    flags, names = flags_of(ctx), named(ids)
    _each(flags, names, lambda id: alerts.ClaimAlert(id, release), "release" if release else "claim")


@app.command("note")
def note_(
    ctx: typer.Context,
    id: Annotated[str, typer.Argument(metavar="ID")],
    text: Annotated[str, typer.Argument(metavar="TEXT")],
) -> None:
    """Write something about an alert, for whoever looks next."""
    flags = flags_of(ctx)
    _each(flags, [id], lambda name: alerts.NoteAlert(name, text), "note on")


@app.command()
def mute(
    ctx: typer.Context,
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID...]")] = None,
    for_: Annotated[str, typer.Option("--for", metavar="DURATION")] = "1h",
    kind: Annotated[str | None, typer.Option("--kind", metavar="KIND", help="All of a kind.")] = None,
    station: Annotated[str | None, typer.Option("--station", metavar="NAME", help="At a station.")] = None,
    site: Annotated[str | None, typer.Option("--site", metavar="SITE", help="At a site.")] = None,
) -> None:
    """Keep alerts quiet for a while: these, or all of a kind, at a station or site. --reason says why."""
    flags, span_s = flags_of(ctx), duration_s(for_)
    if ids and (kind or station or site):
        raise Invalid("An alert by its id, or all of a kind at a station or site: not both")
    if ids:
        names = named(ids)
        each(
            flags, names, len(names) > 1,
            lambda id: alerts.MuteAlert(alert=id, for_s=span_s, reason=flags.reason), MUTES, "mute",
        )  # fmt: skip
        return
    request = alerts.MuteAlert(None, kind, station, site, span_s, flags.reason)
    show_one(ask(request, flags.address, flags.patience_s), MUTES, flags)


@app.command()
def unmute(ctx: typer.Context, ids: Ids) -> None:
    """End mutes, by their ids or those of alerts."""
    flags = flags_of(ctx)
    for name in named(ids):
        if flags.dry_run:
            say_note(f"would unmute {name}", flags.quiet)
            continue
        ask(alerts.UnmuteAlert(name), flags.address, flags.patience_s)
        say_note(f"unmuted {name}", flags.quiet)


@app.command()
def mutes(ctx: typer.Context) -> None:
    """What is kept quiet, and until when."""
    flags = flags_of(ctx)
    tell_list(flags, alerts.ListMutes(flags.filter), MUTES, filtered=True)


def _each(flags: Any, names: list[str], build: Any, what: str) -> None:
    each(flags, names, len(names) > 1, build, LIST, what)
