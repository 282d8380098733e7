"""The part of ``cms access`` that is about operators: roles of users and groups, API tokens, pairing."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli import orders
from cli.errors import note
from cli.flags import Flags
from cli.noun import flags_of, group, tell_list
from cli.render import Column, show_one, when
from cms.client import ask
from cms.contract import operators
from cms.contract.refusals import Invalid

MAPPED = (
    Column("who"),
    Column("name"),
    Column("role"),
    Column("added_at", "since", when),
    Column("added_by", "by"),
)
TOKENS = (
    Column("id"),
    Column("name"),
    Column("role"),
    Column("status"),
    Column("expires_at", "expires", when),
    Column("last_used_at", "used", when),
    Column("networks", "from", wide=True),
    Column("organisations", wide=True),
    Column("created_at", "created", when, wide=True),
    Column("created_by", "by", wide=True),
)
MADE = (Column("id"), Column("name"), Column("role"), Column("expires_at", "expires", when), Column("secret"))

Role = Annotated[str, typer.Argument(metavar="app|viewer|technician|operator|finance|admin")]
Who = Annotated[str, typer.Argument(metavar="uid:NAME|gid:NAME")]
For = Annotated[str, typer.Option("--for", metavar="DURATION", help="e.g. 90d; at most 366d.")]


def add_to(app: typer.Typer) -> None:
    """Put these verbs beside those of access rules."""
    app.command("map")(map_)
    app.command("unmap")(unmap)
    app.command("mapped")(mapped)
    app.command("approve")(approve)
    app.add_typer(_tokens, name="token")


def map_(ctx: typer.Context, who: Who, role: Role) -> None:
    """Give a user or group of the daemon's machine a role."""
    flags = flags_of(ctx)
    if flags.dry_run:
        note(f"would give {who} the role {role}", flags.quiet)
        return
    show_one(ask(operators.MapOperator(who, role), flags.address, flags.patience_s), MAPPED, flags, "who")


def unmap(ctx: typer.Context, who: Annotated[list[str], typer.Argument(metavar="uid:NAME|gid:NAME")]) -> None:
    """Take the role away; what is open with it ends."""
    orders.removed(flags_of(ctx), who, "role of", operators.UnmapOperator, asks=False)


def mapped(ctx: typer.Context) -> None:
    """Users and groups with a role."""
    flags = flags_of(ctx)
    tell_list(flags, operators.ListOperators(flags.filter), MAPPED, name="who", filtered=True)


def approve(
    ctx: typer.Context,
    code: Annotated[str, typer.Argument(metavar="CODE")],
    role: Annotated[str, typer.Option("--role", metavar="ROLE", help="What the token may do.")],
    name: Annotated[str | None, typer.Option("--name", help="Whose it is, unless as asked.")] = None,
    lasts: For = "90d",
) -> None:
    """Let somebody in who shows the code of `cms login`."""
    flags = flags_of(ctx)
    request = operators.ApprovePairing(code, role, name, days(lasts))
    show_one(ask(request, flags.address, flags.patience_s), TOKENS, flags)


_tokens = group("API tokens, for those who come from elsewhere.")


@_tokens.command("list")
def list_(ctx: typer.Context) -> None:
    """All tokens, without their secrets."""
    flags = flags_of(ctx)
    tell_list(flags, operators.ListApiTokens(flags.filter), TOKENS, filtered=True)


@_tokens.command()
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose it is.")],
    role: Annotated[str, typer.Option("--role", metavar="ROLE", help="What it may do.")],
    lasts: For = "90d",
    networks: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="NETWORK", help="Taken from there alone; may be given several times."),
    ] = None,
    organisations: Annotated[
        list[str] | None,
        typer.Option("--for-org", metavar="NAME", help="With --org '*': those it opens, else all."),
    ] = None,
) -> None:
    """Make a token; its secret is shown this once."""
    flags = flags_of(ctx)
    request = operators.AddApiToken(
        name, role, days(lasts), tuple(networks or ()), tuple(organisations or ())
    )
    if flags.dry_run:
        note(f"would make a token with the role {role} for {name}", flags.quiet)
        return
    made: dict[str, Any] = ask(request, flags.address, flags.patience_s)
    _show_secret(made, flags)


def _show_secret(made: dict[str, Any], flags: Flags) -> None:
    show_one(made, MADE, flags)
    note("the secret is shown this once: cms login URL --token-stdin", flags.quiet)


@_tokens.command()
def revoke(ctx: typer.Context, ids: Annotated[list[str], typer.Argument(metavar="ID...")]) -> None:
    """Make tokens worthless now."""
    orders.removed(flags_of(ctx), ids, "API token", operators.RevokeApiToken, asks=False)


def days(text: str) -> int:
    """Whole days of ``90d``. Raises Invalid."""
    from cli.times import duration_s

    number, rest = divmod(duration_s(text), 86_400)
    if rest or not number:
        raise Invalid(f"{text!r} is not a number of days", "e.g. 90d")
    return int(number)
