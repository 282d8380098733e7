"""``cms tokens``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli import orders
from cli.flags import Flags
from cli.noun import each, flags_of, group, named, tell_list
from cli.orders import Names
from cli.render import Column, show_one, when
from cli.times import later
from cms.client import ask
from cms.contract import tokens
from cms.contract.refusals import Invalid

app = group("What drivers identify themselves with.")

LIST = (
    Column("id"),
    Column("kind"),
    Column("status"),
    Column("driver"),
    Column("group"),
    Column("valid_from", "from", when, wide=True),
    Column("valid_to", "expires", when),
    Column("visual_number", "number", wide=True),
    Column("max_sessions", "most", right=True, wide=True),
    Column("blocked_reason", "why"),
    Column("places", "only at", wide=True),
    Column("master", wide=True),
    Column("weak_identity", "weak", wide=True),
    Column("added_at", "added", when, wide=True),
)


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """All tokens."""
    flags = flags_of(ctx)
    tell_list(flags, tokens.ListTokens(flags.filter), LIST, filtered=True)


@app.command()
def show(ctx: typer.Context, token: str) -> None:
    """One token."""
    flags = flags_of(ctx)
    show_one(ask(tokens.ShowToken(token), flags.address, flags.patience_s), LIST, flags)


@app.command()
def add(
    ctx: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="TAG...")],
    kind: Annotated[str, typer.Option(metavar="rfid|app|emaid|...")] = "rfid",
    driver: Annotated[str | None, typer.Option("--driver")] = None,
    group_: Annotated[str | None, typer.Option("--group", help="Its parent id.")] = None,
    starts: Annotated[str | None, typer.Option("--from", metavar="TIME")] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="TIME", help="e.g. 2027-01-01, 30d")
    ] = None,
    number: Annotated[str | None, typer.Option("--visual-number", help="What is printed on it.")] = None,
    most: Annotated[int | None, typer.Option("--max-sessions", metavar="N", help="At the same time.")] = None,
    places: Annotated[
        list[str] | None,
        typer.Option("--at", metavar="STATION[:EVSE]", help="Only there; may be given several times."),
    ] = None,
    master: Annotated[
        bool, typer.Option("--master", help="Stops everybody's sessions, starts none; with --group.")
    ] = False,
) -> None:
    """Register tokens."""

    def build(token: str) -> tokens.AddToken:
        return tokens.AddToken(
            token,
            kind,
            driver,
            group_,
            _utc(starts),
            _utc(expires),
            number,
            most,
            tuple(places or ()),
            master,
        )

    _each(flags_of(ctx), names, build, "add")


@app.command("set")
def set_(
    ctx: typer.Context,
    names: Names = None,
    driver: Annotated[str | None, typer.Option("--driver")] = None,
    group_: Annotated[str | None, typer.Option("--group", help="Its parent id.")] = None,
    starts: Annotated[str | None, typer.Option("--from", metavar="TIME")] = None,
    expires: Annotated[str | None, typer.Option("--expires", metavar="TIME")] = None,
    number: Annotated[str | None, typer.Option("--visual-number", help="What is printed on it.")] = None,
    most: Annotated[int | None, typer.Option("--max-sessions", metavar="N", help="At the same time.")] = None,
    places: Annotated[
        list[str] | None,
        typer.Option("--at", metavar="STATION[:EVSE]", help="Only there; may be given several times."),
    ] = None,
    master: Annotated[bool | None, typer.Option("--master/--no-master")] = None,
    clear: Annotated[
        list[str] | None,
        typer.Option("--clear", metavar="FIELD", help="driver, group, valid_from, valid_to, places ..."),
    ] = None,
) -> None:
    """Change tokens; what is not given stays, --clear takes a field away."""
    flags = flags_of(ctx)

    def build(token: str) -> tokens.SetToken:
        return tokens.SetToken(
            token,
            driver,
            group_,
            _utc(starts),
            _utc(expires),
            number,
            most,
            tuple(places) if places else None,
            master,
            tuple(clear or ()),
            flags.reason,
        )

    _each(flags, names, build, "set")


@app.command()
def block(ctx: typer.Context, names: Names = None) -> None:
    """Refuse these tokens from now on; --reason says why."""
    flags = flags_of(ctx)
    _each(flags, names, lambda token: tokens.BlockToken(token, flags.reason), "block")


@app.command()
def unblock(ctx: typer.Context, names: Names = None) -> None:
    """Accept these tokens again."""
    flags = flags_of(ctx)
    _each(flags, names, lambda token: tokens.UnblockToken(token, flags.reason), "unblock")


@app.command()
def remove(ctx: typer.Context, names: Names = None) -> None:
    """Remove tokens; sessions keep what they were charged with."""
    flags = flags_of(ctx)
    orders.removed(flags, _meant(flags, names), "token", tokens.RemoveToken, asks=True)


UNKNOWN = (
    Column("id"),
    Column("kind"),
    Column("station"),
    Column("evse", right=True),
    Column("last_seen", "last", when),
    Column("first_seen", "first", when, wide=True),
    Column("count", "times", right=True),
)


@app.command()
def unknown(
    ctx: typer.Context,
    station: Annotated[str | None, typer.Option("--station", metavar="NAME")] = None,
) -> None:
    """Cards that were presented lately and nobody has registered, the latest first."""
    flags = flags_of(ctx)
    tell_list(flags, tokens.ListUnknownCards(station, flags.filter), UNKNOWN, filtered=True)


@app.command()
def enrol(
    ctx: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="TAG...")],
    kind: Annotated[
        str | None, typer.Option(metavar="rfid|mac|...", help="Else what the station said.")
    ] = None,
    driver: Annotated[str | None, typer.Option("--driver")] = None,
    group_: Annotated[str | None, typer.Option("--group", help="Its parent id.")] = None,
    number: Annotated[str | None, typer.Option("--visual-number", help="What is printed on it.")] = None,
    expires: Annotated[str | None, typer.Option("--expires", metavar="TIME")] = None,
    most: Annotated[int | None, typer.Option("--max-sessions", metavar="N", help="At the same time.")] = None,
) -> None:
    """Register unknown cards that were presented."""
    flags = flags_of(ctx)

    def build(token: str) -> tokens.EnrolCard:
        return tokens.EnrolCard(token, kind, driver, group_, number, _utc(expires), most)

    each(flags, named(names), len(names) > 1 or "-" in names, build, LIST, "enrol token")


@app.command()
def forget(ctx: typer.Context, names: Annotated[list[str], typer.Argument(metavar="TAG...")]) -> None:
    """Take unknown cards out of the inbox."""
    orders.removed(flags_of(ctx), named(names), "unknown card", tokens.ForgetUnknownCard, asks=False)


@app.command()
def learn(
    ctx: typer.Context,
    station: Annotated[str, typer.Option("--station", metavar="NAME", help="Where the card is held to.")],
    driver: Annotated[str | None, typer.Option("--driver")] = None,
    group_: Annotated[str | None, typer.Option("--group", help="Its parent id.")] = None,
) -> None:
    """Wait for the next unknown card at a station and register it; --yes does not ask."""
    from cli.learning import learned

    flags = flags_of(ctx)
    row = learned(flags, station, driver, group_)
    if row is not None:
        show_one(row, LIST, flags)


def _meant(flags: Flags, names: list[str] | None) -> list[str]:
    if flags.filter:
        orders.only_one(names, "tokens")
        rows = ask(tokens.ListTokens(flags.filter), flags.address, flags.patience_s)
        return [row["id"] for row in rows]
    if not names:
        raise Invalid("Which token?", "give its id, - for stdin, or --filter")
    return named(names)


def _each(flags: Flags, names: list[str] | None, build: Callable[[str], Any], verb: str) -> None:
    """Ask for each token; one prints an object, several a list; the exit code is the worst."""
    meant = _meant(flags, names)
    many = bool(flags.filter) or len(meant) > 1 or "-" in (names or ())
    each(flags, meant, many, build, LIST, f"{verb} token")


def _utc(text: str | None) -> datetime | None:
    return later(text).astimezone(UTC) if text else None
