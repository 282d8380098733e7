"""``cms schema``: the JSON Schema of what the daemon answers, and so of what `-o json` prints.

Made from the contract's own types. Every key is always there (absent is null); more keys may come.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

import typer

from cli.flags import near
from cli.noun import flags_of, single
from cli.render import Column, select, show_list, show_one
from cms.contract.refusals import Invalid

app = single("The JSON Schema of what commands answer.")

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_REF = "#/$defs/{name}"
Schema = dict[str, Any]

LIST = (Column("name"), Column("requests", "is answered to"))


@app.command()
def schema(
    ctx: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="[OBJECT]", help="e.g. StationView, or StationView[] for a list.")
    ] = None,
) -> None:
    """Print the JSON Schema of an object, or say which objects there are and what they answer."""
    flags = flags_of(ctx)
    if name is None:
        show_list(select(rows(), flags), LIST, flags, "name")
        return
    found = definitions()
    base = name.removesuffix("[]")
    if base not in found:
        raise Invalid(f"There is no object {base}", near(base, list(found)))
    machine = flags.output if flags.output in ("json", "yaml") else "json"
    show_one(alone(name, found), (), type(flags)(output=machine))


def rows() -> list[dict[str, Any]]:
    """The objects that are answers, each with the requests that it answers; a list is ``NAME[]``."""
    from cms.contract.routes import ROUTES

    found: dict[str, list[str]] = {}
    for request, route in ROUTES.items():
        for kind in _parts(route.answers):
            found.setdefault(_name(kind), []).append(request.__name__)
    return [{"name": name, "requests": found[name]} for name in sorted(found)]


def definitions() -> dict[str, Schema]:
    """All objects by name."""
    import msgspec

    from cms.contract.events import Event
    from cms.contract.routes import ROUTES

    kinds = [kind for route in ROUTES.values() for kind in _parts(route.answers)]
    _, found = msgspec.json.schema_components([*kinds, Event], ref_template=_REF)
    return {name: _complete(found[name]) for name in sorted(found)}


def alone(name: str, known: Mapping[str, Schema]) -> Schema:
    """One object's schema (or that of its list), with all that it refers to."""
    base = name.removesuffix("[]")
    needed = {base: known[base]}
    left = [known[base]]
    while left:
        for other in _references(left.pop()):
            if other not in needed:
                needed[other] = known[other]
                left.append(known[other])
    reference: Schema = {"$ref": _REF.format(name=base)}
    told = {"type": "array", "items": reference} if name.endswith("[]") else reference
    return {"$schema": DRAFT, "title": name, **told, "$defs": needed}


def _parts(answers: Any) -> Iterable[Any]:
    """The kinds that an answer may be."""
    if answers is None:
        return
    if get_origin(answers) in (Union, types.UnionType):
        yield from (kind for kind in get_args(answers) if kind is not type(None))
    else:
        yield answers


def _name(kind: Any) -> str:
    if get_origin(kind) in (list, tuple):
        return f"{_name(get_args(kind)[0])}[]"
    return str(getattr(kind, "__name__", kind))


def _complete(schema: Schema) -> Schema:
    """Every key is told, also where its value is null."""
    if "properties" in schema:
        schema = {**schema, "required": list(schema["properties"])}
        schema["properties"] = {
            key: {word: value for word, value in told.items() if word != "default"}
            for key, told in schema["properties"].items()
        }
    return schema


def _references(schema: Any) -> Iterable[str]:
    if isinstance(schema, dict):
        if isinstance(reference := schema.get("$ref"), str):
            yield reference.rpartition("/")[2]
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)
