"""``cms context``: the daemons that are known by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import typer

from cli.errors import note
from cli.noun import flags_of, group
from cli.render import Column, select, show_list, show_one
from cms import contexts

app = group("The daemons known by name. `cms login` adds one.")

LIST = (
    Column("name"),
    Column("current"),
    Column("url"),
    Column("socket", wide=True),
    Column("organisation", "org"),
    Column("kept", "token in"),
    Column("pin", wide=True),
    Column("ca", wide=True),
)

Name = Annotated[str, typer.Argument(metavar="NAME")]


def _row(name: str, context: contexts.Context, current: str | None) -> dict[str, Any]:
    return {
        "name": name,
        "current": name == current,
        "url": context.url,
        "socket": context.socket,
        "organisation": context.organisation,
        "kept": context.kept or None,
        "pin": context.pin,
        "ca": context.ca,
    }


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """All of them; without one in use, commands go to the daemon of this machine."""
    flags = flags_of(ctx)
    known = contexts.read()
    rows = [_row(name, context, known.current) for name, context in sorted(known.contexts.items())]
    show_list(select(rows, flags), LIST, flags, "name")


@app.command()
def show(ctx: typer.Context, name: Name) -> None:
    """One of them."""
    known = contexts.read()
    show_one(_row(name, known.named(name), known.current), LIST, flags_of(ctx), "name")


@app.command()
def use(ctx: typer.Context, name: Name) -> None:
    """Mean this one from now on; `-` is the daemon of this machine again."""
    known = contexts.read()
    if name != "-":
        known.named(name)
    contexts.write(replace(known, current=None if name == "-" else name))
    told = "commands go to this machine's daemon" if name == "-" else f"context {name} is in use"
    note(told, flags_of(ctx).quiet)


@app.command()
def add(
    ctx: typer.Context,
    name: Name,
    socket: Annotated[
        str, typer.Option("--path", metavar="SOCKET", help="A control socket of this machine.")
    ],
) -> None:
    """Give a daemon of this machine a name; --org names the organisation that is meant."""
    flags = flags_of(ctx)
    known = contexts.read()
    there = contexts.Context(socket=socket, organisation=flags.organisation)
    contexts.write(replace(known, contexts={**known.contexts, name: there}))


@app.command()
def remove(ctx: typer.Context, name: Name) -> None:
    """Forget a context, and its token here."""
    from cms import credentials

    known = contexts.read()
    credentials.forget(name, known.named(name).kept)
    left = {other: context for other, context in known.contexts.items() if other != name}
    contexts.write(contexts.Contexts(left, None if known.current == name else known.current))
    note(f"context {name} is forgotten", flags_of(ctx).quiet)
