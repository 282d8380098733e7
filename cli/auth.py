"""``cms auth``: who the daemon takes you for, and where your token lives."""

from __future__ import annotations

import os
from typing import Any

import typer

from cli.flags import Flags
from cli.noun import flags_of, group
from cli.render import show_one, show_pairs, when
from cms.client import ask
from cms.contract.operators import ShowIdentity

app = group("Who the daemon takes you for.")


@app.command()
def status(ctx: typer.Context) -> None:
    """Who the daemon takes you for, what you may do there, and where your token lives."""
    flags = flags_of(ctx)
    told: dict[str, Any] = ask(ShowIdentity(), flags.address, flags.patience_s)
    told |= {"daemon": str(flags.address), "token_in": _token_in(flags)}
    if flags.output not in ("table", "wide"):
        show_one(told, (), flags, name="name")
        return
    lines = [
        ("daemon", told["daemon"]),
        ("you are", f"{told['name']} ({told['via']})"),
        ("organisation", told["organisation"] or "the platform"),
        ("roles", ", ".join(told["roles"])),
        ("you may", ", ".join(told["permissions"])),
    ]
    if told["proposes"]:
        lines.append(("you may propose", ", ".join(told["proposes"])))
    if told["expires_at"]:
        lines.append(("token ends", when(told["expires_at"])))
    if told["token_in"]:
        lines.append(("token in", told["token_in"]))
    show_pairs(lines)


def _token_in(flags: Flags) -> str | None:
    if flags.address.url is None:
        return None
    from cms import contexts, credentials

    url = flags.url or (None if flags.context else os.environ.get("CMS_URL"))
    known = contexts.at(url.rstrip("/")) if url else contexts.meant(os.environ, flags.context)
    name, kept = (None, "") if known is None else (known[0], known[1].kept)
    found = credentials.find(name, kept, token_file=flags.token_file)
    return found.where if found is not None else None
