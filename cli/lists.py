"""``cms lists``: what stations know of tokens when they cannot ask: local authorisation lists and caches."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.noun import each, flags_of, group, tell_list
from cli.orders import At, Names, Queue, Terms, Wait, WhenIdle, give, stations_meant
from cli.render import Column, show_list, show_one, when
from cms.client import ask
from cms.contract import lists
from cms.contract.refusals import Invalid

app = group("Local authorisation lists and caches: what stations know of tokens when they cannot ask.")

SIGNS = {"current": "●", "stale": "▲", "none": "○", "unsupported": "–"}


def _state(word: Any) -> str:
    return f"{SIGNS.get(word, '?')} {word}"


LIST = (
    Column("station"),
    Column("state", show=_state),
    Column("version", right=True),
    Column("station_version", "station has", right=True),
    Column("entries", right=True),
    Column("tokens", "should hold"),
    Column("cleared", "customers cleared", right=True, wide=True),
    Column("sent_at", "sent", when),
    Column("told_at", "told", when, wide=True),
    Column("trouble"),
)
ENTRIES = (
    Column("token"),
    Column("kind"),
    Column("status"),
    Column("group"),
    Column("expires", show=when),
    Column("evses"),
    Column("change", "next update"),
)


@app.command("list")
def list_(
    ctx: typer.Context,
    stale: Annotated[bool | None, typer.Option("--stale/--settled", help="To be updated, or not.")] = None,
) -> None:
    """The list of each station: which version it has, and whether it is what it should be."""
    tell_list(flags_of(ctx), lists.ListLists(stale), LIST, name="station")


@app.command()
def show(ctx: typer.Context, station: str) -> None:
    """One station's list: what it holds, and what the next update changes."""
    flags = flags_of(ctx)
    row = ask(lists.ShowList(station), flags.address, flags.patience_s)
    if flags.output in ("json", "yaml"):
        show_one(row, (), flags)
    elif flags.output in ("table", "wide"):
        show_one(row["list"], LIST, flags, "station")
        print()
        show_list(row["entries"], ENTRIES, flags, "token")
    else:
        show_list(row["entries"], ENTRIES, flags, "token")


@app.command("set")
def set_(
    ctx: typer.Context,
    names: Names = None,
    everything: Annotated[bool, typer.Option("--all", help="Every token that is good there.")] = False,
    nothing: Annotated[bool, typer.Option("--none", help="None: the list becomes empty.")] = False,
    tokens: Annotated[
        str | None, typer.Option("--tokens", metavar="FILTER", help="e.g. 'group=fleet'; see docs/filters.md")
    ] = None,
) -> None:
    """Choose the tokens that stations' lists should hold; `cms lists sync` sends them."""
    flags = flags_of(ctx)
    if sum((everything, nothing, tokens is not None)) != 1:
        raise Invalid("Which tokens?", "one of --all, --none, --tokens FILTER")
    choice = "all" if everything else "none" if nothing else tokens or ""
    meant, many = stations_meant(names, flags)
    each(flags, meant, many, lambda name: lists.SetList(name, choice), LIST, "choose the list of")


@app.command()
def sync(
    ctx: typer.Context,
    names: Names = None,
    stale: Annotated[bool, typer.Option("--stale", help="Every station whose list is stale.")] = False,
    full: Annotated[bool, typer.Option("--full", help="The whole list, whatever the station holds.")] = False,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Send stations what their lists lack; where nothing does, ask which version they hold."""
    flags = flags_of(ctx)

    def build(name: str, **terms: Any) -> lists.SyncList:
        return lists.SyncList(station=name, full=full, **terms)

    if stale:
        if names:
            raise Invalid("Stations by name, or all that are --stale: not both")
        rows = ask(lists.ListLists(stale=True), flags.address, flags.patience_s)
        meant, many = [row["station"] for row in rows], True
    else:
        meant, many = stations_meant(names, flags)
    give(flags, meant, many, Terms(wait, when_idle, at, queue), build)


@app.command()
def version(
    ctx: typer.Context,
    names: Names = None,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Ask stations which version they hold: 0 is none, -1 that they keep no list."""
    flags = flags_of(ctx)

    def build(name: str, **terms: Any) -> lists.AskListVersion:
        return lists.AskListVersion(station=name, **terms)

    give(flags, *stations_meant(names, flags), Terms(wait, when_idle, at, queue), build)


@app.command("clear-cache")
def clear_cache(
    ctx: typer.Context,
    names: Names = None,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Make stations forget what they learned of tokens from our answers."""
    flags = flags_of(ctx)

    def build(name: str, **terms: Any) -> lists.ClearCache:
        return lists.ClearCache(station=name, **terms)

    give(flags, *stations_meant(names, flags), Terms(wait, when_idle, at, queue), build)
