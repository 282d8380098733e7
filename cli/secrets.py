"""``cms secrets``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.noun import flags_of, group
from cli.render import Row, show_one, show_pairs
from cms.client import ask
from cms.contract import secrets

app = group("The keys under which passwords and secrets are kept: status, rotate, forget.")


@app.command()
def status(ctx: typer.Context) -> None:
    """Where the master key is, which versions of the keys there are, and what hangs on each."""
    _show(ctx, secrets.ShowSecrets())


@app.command()
def rotate(ctx: typer.Context) -> None:
    """Make a new version of the keys. Nobody is locked out: passwords follow when their stations connect."""
    _show(ctx, secrets.RotateSecrets(reason=flags_of(ctx).reason))


@app.command()
def forget(
    ctx: typer.Context,
    version: Annotated[int, typer.Argument(metavar="VERSION")],
    force: Annotated[
        bool, typer.Option("--force", help="Although stations need it: they get new passwords.")
    ] = False,
) -> None:
    """Forget an old version of the keys, for ever."""
    _show(ctx, secrets.ForgetSecrets(version=version, force=force, reason=flags_of(ctx).reason))


def _show(ctx: typer.Context, request: Any) -> None:
    flags = flags_of(ctx)
    told = ask(request, flags.address, flags.patience_s)
    if flags.output in ("table", "wide"):
        show_pairs(_lines(told))
    else:
        show_one(told, (), flags, name="in_force")


def _lines(told: Row) -> list[tuple[str, str]]:
    lines = [("master key", told["master_key"]), ("in force", f"version {told['in_force']}")]
    lines += [(_name(version), _hanging(version)) for version in told["versions"]]
    if told["waiting"]:
        lines.append(("not seen since", ", ".join(told["waiting"])))
    if told["chosen_passwords"]:
        lines.append(("chosen by people", f"{told['chosen_passwords']} passwords: cms security rotate"))
    return [*lines, *(("to mend", text) for text in told["warnings"])]


def _name(version: Row) -> str:
    return f"version {version['version']}" if version["version"] else "before versions"


def _hanging(version: Row) -> str:
    return ", ".join(f"{version[what]} {what}" for what in ("passwords", "secrets", "files"))
