"""``cms stations quirks``, ``probe`` and ``capabilities``: how a station differs, and what its make takes."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.errors import note
from cli.noun import Station, flags_of, tell_list
from cli.render import Column, show_list, show_one, when
from cms.client import ask
from cms.contract import quirks
from cms.contract.refusals import Invalid

_ORIGINS = {"default": "", "table": "its make", "operator": "set here"}

QUIRKS = (
    Column("name"),
    Column("value"),
    Column("origin", "from", lambda word: _ORIGINS.get(word, word)),
    Column("about"),
    Column("why"),
    Column("source", wide=True),
    Column("default", wide=True),
)
CAPABILITIES = (
    Column("vendor"),
    Column("model"),
    Column("firmware"),
    Column("ocpp_version", "ocpp"),
    Column("probed_at", "probed", when),
    Column("station", "asked"),
    Column("profiles"),
    Column("connectors"),
    Column("stack_levels", "stack levels"),
    Column("rate_units", "rate units"),
    Column("periods"),
    Column("charging_profiles", "charging profiles"),
    Column("list_entries", "local list"),
    Column("list_message", "list entries/message"),
    Column("read_message", "keys read/message"),
    Column("write_message", "keys set/message"),
    Column("measurands"),
    Column("max_measurands", "most measurands"),
    Column("unread", "could not be read"),
)


def in_a_line(found: Any) -> str:
    """``boot-trigger=always (its make)``: what is unusual, and where that comes from."""
    return ", ".join(f"{quirk['name']}={quirk['value']} ({_origin(quirk)})" for quirk in found)


def _origin(quirk: Any) -> str:
    return str(_ORIGINS.get(quirk["origin"], quirk["origin"]))


def show_quirks(
    ctx: typer.Context,
    station: Station,
    values: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE")] = None,
    unset: Annotated[list[str] | None, typer.Option("--unset", metavar="NAME")] = None,
) -> None:
    """How it differs from the specification; --set and --unset change that."""
    flags = flags_of(ctx)
    if not values and not unset:
        tell_list(flags, quirks.ListQuirks(station), QUIRKS, name="name")
        return
    pairs = dict(_pair(word) for word in values or [])
    request = quirks.SetQuirks(station, pairs, tuple(unset or ()), reason=flags.reason)
    show_list(ask(request, flags.address, flags.patience_s), QUIRKS, flags, "name")


def _pair(word: str) -> tuple[str, str]:
    name, sign, value = word.partition("=")
    if not sign:
        raise Invalid(f"{word!r} sets nothing", "write --set NAME=VALUE, e.g. --set boot-trigger=always")
    return name.strip(), value


def probe(ctx: typer.Context, station: Station) -> None:
    """Ask it what it takes (profiles, limits, measurands); remembered for its make and firmware."""
    flags = flags_of(ctx)
    if flags.dry_run:
        note(f"would read the configuration of {station}; nothing was asked", flags.quiet)
        return
    view = ask(quirks.ProbeStation(station), flags.address, max(flags.patience_s or 0, 300))
    show_one(view, CAPABILITIES, flags)


def capabilities(ctx: typer.Context, station: Station) -> None:
    """What is known of its make and firmware, without asking it."""
    flags = flags_of(ctx)
    show_one(ask(quirks.ShowCapabilities(station), flags.address, flags.patience_s), CAPABILITIES, flags)


def add_to(app: typer.Typer) -> None:
    """Make these verbs of ``cms stations``."""
    app.command("quirks")(show_quirks)
    app.command("probe")(probe)
    app.command("capabilities")(capabilities)
