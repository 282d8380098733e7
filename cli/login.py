"""``cms login``: get in touch with a daemon elsewhere, once; from then on it is a context."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.errors import note
from cli.flags import Flags
from cli.noun import confirmed, flags_of, single
from cms.contract.refusals import Denied, Invalid

app = single("Get in touch with a daemon elsewhere.")


@app.command()
def login(
    ctx: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="e.g. https://csms.example:8443")],
    token_stdin: Annotated[
        bool, typer.Option("--token-stdin", help="Read the token from stdin instead of asking for a code.")
    ] = False,
    ca: Annotated[
        str | None, typer.Option("--ca", metavar="FILE", help="Authorities (PEM) that vouch for it.")
    ] = None,
    pin: Annotated[
        str | None, typer.Option("--pin", metavar="SHA256", help="The fingerprint of its certificate.")
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure-storage", help="Keep the token in a file (0600), in clear.")
    ] = False,
) -> None:
    """Log in at a daemon elsewhere: without a token, by a code that somebody approves there.

    --context names it (else its host does), --org the organisation that is meant.
    """
    from cms import contexts, joining
    from cms.client import Address, ask
    from cms.contract.operators import ShowIdentity

    flags = flags_of(ctx)
    url = url.rstrip("/")
    name = flags.context or _name_of(url)
    address = Address(url=url, organisation=flags.organisation, pin=_pinned(url, ca, pin, flags), ca=ca)
    insecure = _storage(insecure, flags)
    if token_stdin:
        token = sys.stdin.readline().strip()
        if not token:
            raise Invalid("there is no token on stdin", "e.g. cms login URL --token-stdin < file")
    else:
        token = _paired(address, flags, joining)
    who = ask(ShowIdentity(), replace(address, token=token), flags.patience_s)
    kept, where = _stored(name, token, insecure)
    there = contexts.Context(url, None, flags.organisation, address.pin, _absolute(ca), kept)
    others = contexts.read()
    contexts.write(contexts.Contexts({**others.contexts, name: there}, name))
    note(
        f"logged in at {url} as {who['name']} ({'+'.join(who['roles'])}); context {name} is in use",
        flags.quiet,
    )
    note(f"the token is kept in {where}", flags.quiet)


def _name_of(url: str) -> str:
    """A daemon is called by its host unless somebody names it."""
    from urllib.parse import urlsplit

    split = urlsplit(url)
    if split.scheme not in ("http", "https") or not split.hostname:
        raise Invalid(f"{url} is not the address of a daemon", "e.g. https://csms.example:8443")
    return split.hostname


def _absolute(file: str | None) -> str | None:
    return None if file is None else str(Path(file).expanduser().absolute())


def _pinned(url: str, ca: str | None, pin: str | None, flags: Flags) -> str | None:
    """The fingerprint to hold on to; None where an authority vouches for the server (or nothing is encrypted)."""
    from cms import tls

    if pin is not None:
        return pin.replace(":", "").casefold()
    if not url.startswith("https://") or tls.believed(url, ca):
        return None
    if ca is not None:
        raise Denied(f"the authorities in {ca} do not vouch for {url}", "name another file with --ca")
    shown = tls.shown_by(url)
    said = tls.spoken(shown)
    note(f"no authority that this machine knows vouches for {url}", flags.quiet)
    if not sys.stdin.isatty() and not flags.yes:
        raise Denied(f"its certificate has the fingerprint {said}", f"if that is right: --pin {shown}")
    if not confirmed(flags, f"Its certificate has the fingerprint\n  {said}\nIs that what the server shows?"):
        raise typer.Abort
    return shown


def _storage(insecure: bool, flags: Flags) -> bool:
    """Whether the token goes into a file; asked before anything is asked for over there."""
    import os

    from cms import credentials

    if insecure or os.environ.get("CMS_CREDENTIAL_STORE") == "file":
        return True
    if credentials.usable():
        return False
    note("this machine has no keyring that could keep a token", flags.quiet)
    if sys.stdin.isatty() and confirmed(flags, "Keep it in a file that you alone can read (0600), in clear?"):
        return True
    raise Denied("there is nowhere to keep the token", "say --insecure-storage for a file (0600), in clear")


def _stored(name: str, token: str, insecure: bool) -> tuple[str, str]:
    from cms import credentials

    return credentials.store(name, token, insecure=insecure)


def _paired(address: Any, flags: Flags, joining: Any) -> str:
    """Ask for a code, show it, wait until somebody approved it."""
    import getpass
    import platform

    code = joining.begin(address, f"{getpass.getuser()}@{platform.node()}"[:64])
    note(
        f"somebody who may must approve this code within {code.lasts_s / 60:.0f} minutes: {code.code}", False
    )
    note(f"there: cms access approve {code.code} --role ROLE", flags.quiet)
    token: str = joining.wait(address, code)
    return token
