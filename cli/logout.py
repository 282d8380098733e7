"""``cms logout``: forget the token of a daemon elsewhere."""

from __future__ import annotations

import os

import typer

from cli.errors import note
from cli.noun import flags_of, single
from cms.contract.refusals import NotFound

app = single("Forget the token of a daemon elsewhere.")


@app.command()
def logout(ctx: typer.Context) -> None:
    """Forget the token of the context in use (or of --context). It stays valid: `cms access token revoke` ends it."""
    from cms import contexts, credentials

    flags = flags_of(ctx)
    meant = contexts.meant(os.environ, flags.context)
    if meant is None:
        raise NotFound("no context is in use", "see `cms context list`")
    name, there = meant
    if flags.dry_run:
        note(f"would forget the token of {name}", flags.quiet)
        return
    credentials.forget(name, there.kept)
    known = contexts.read()
    left = {other: context for other, context in known.contexts.items() if other != name}
    contexts.write(contexts.Contexts(left, None if known.current == name else known.current))
    note(f"the token of {name} is forgotten here", flags.quiet)
