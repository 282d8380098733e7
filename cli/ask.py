"""``cms ask REQUEST JSON``: any operation of the daemon, by the name of its request."""

from __future__ import annotations

import dataclasses
import difflib
import re
from typing import Annotated, Any, get_type_hints

import msgspec
import typer

from cli.files import json_object
from cli.noun import flags_of, single
from cli.render import Column, Row, select, show_list, show_one
from cms.client import ask as ask_daemon
from cms.contract.refusals import Invalid, NotFound
from cms.contract.routes import ROUTES

app = single("Any operation of the daemon, by the name of its request, with JSON.")

LIST = (
    Column("request"),
    Column("method"),
    Column("path"),
    Column("fields", show=" ".join),
    Column("about", wide=True),
)


@app.command()
def ask(
    ctx: typer.Context,
    request: Annotated[
        str | None,
        typer.Argument(metavar="[REQUEST]", help="e.g. ListStations or list-stations; without: all."),
    ] = None,
    fields: Annotated[str, typer.Argument(metavar="JSON", help="Its fields, or - for stdin.")] = "{}",
    explain: Annotated[bool, typer.Option("--explain", help="Say what it takes, and ask nothing.")] = False,
) -> None:
    """Ask for what no other command is made for; the answer is JSON unless -o says otherwise."""
    flags = flags_of(ctx)
    if request is None:
        rows = select([described(kind) for kind in ROUTES], flags)
        show_list(rows, LIST, flags, name="request")
        return
    kind = called(request)
    if explain:
        show_one(described(kind), LIST, flags, name="request")
        return
    answer = ask_daemon(
        built(kind, json_object(fields, "the fields are", "{}")), flags.address, flags.patience_s
    )
    _tell(answer, flags if flags.output != "table" else dataclasses.replace(flags, output="json"))


def called(word: str) -> type[Any]:
    """The request of this name, however it is spelled. Raises NotFound with the nearest one."""
    names = {_plain(kind.__name__): kind for kind in ROUTES}
    kind = names.get(_plain(word))
    if kind is not None:
        return kind
    near = difflib.get_close_matches(_plain(word), names, n=1, cutoff=0.5)
    hint = f"did you mean {names[near[0]].__name__}?" if near else "see `cms ask`"
    raise NotFound(f"there is no request {word!r}", hint)


def _plain(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.casefold())


def built(kind: type[Any], fields: dict[str, Any]) -> Any:
    """The request of these fields. Raises Invalid where one is unknown, missing, or of another kind."""
    known = [field.name for field in dataclasses.fields(kind)]
    strange = [name for name in fields if name not in known]
    if strange:
        near = difflib.get_close_matches(strange[0], known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it takes {', '.join(known) or 'nothing'}"
        raise Invalid(f"{kind.__name__} has no field {strange[0]!r}", hint)
    try:
        return msgspec.convert(fields, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(f"{kind.__name__}: {error}", f"see `cms ask {kind.__name__} --explain`") from error


def described(kind: type[Any]) -> Row:
    """What a request takes: names with their types, those that must be given first with ``*``."""
    route, hints = ROUTES[kind], get_type_hints(kind)
    fields = []
    for field in dataclasses.fields(kind):
        must = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        fields.append(f"{'*' if must else ''}{field.name}:{_type_name(hints[field.name])}")
    return {
        "request": kind.__name__,
        "method": route.method,
        "path": route.path,
        "fields": fields,
        "about": (kind.__doc__ or "").strip().split("\n")[0],
    }


def _type_name(hint: Any) -> str:
    name = hint.__name__ if isinstance(hint, type) and not hasattr(hint, "__args__") else str(hint)
    return re.sub(r"\b[a-z_]+(?:\.[a-z_0-9]+)*\.", "", name).replace(" ", "")


def _tell(answer: Any, flags: Any) -> None:
    if isinstance(answer, list):
        rows = [row if isinstance(row, dict) else {"value": row} for row in answer]
        show_list(
            select(rows, flags), _columns(rows), flags, name=next(iter(rows[0]), "id") if rows else "id"
        )
    elif isinstance(answer, dict):
        show_one(answer, _columns([answer]), flags)
    elif answer is not None:
        show_one({"value": answer}, (Column("value"),), flags, name="value")


def _columns(rows: list[Row]) -> tuple[Column, ...]:
    return tuple(Column(key) for key in (rows[0] if rows else ()))
