"""``cms certificates``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.files import text_of
from cli.noun import Station, confirmed, flags_of, group, tell_list
from cli.orders import At, Names, Queue, Terms, Wait, WhenIdle, give, stations_meant
from cli.render import Column, show_list, show_one, when
from cli.times import duration_s
from cms.client import ask
from cms.contract import certificates
from cms.contract.refusals import NotFound
from cms.contract.safe import safe

app = group("Certificates: our authority, what it signed, what stations have.")
authority = group("Our own certificate authorities.")
app.add_typer(authority, name="ca")

Use = Annotated[str, typer.Option("--use", metavar="station|v2g", help="Whose certificates it signs.")]

LIST = (
    Column("id"),
    Column("station"),
    Column("place"),
    Column("type"),
    Column("status"),
    Column("name"),
    Column("not_after", "ends", when),
    Column("at", "as of", when, wide=True),
    Column("hash_algorithm", "hash", wide=True),
    Column("issuer_name_hash", wide=True),
    Column("issuer_key_hash", wide=True),
    Column("below", wide=True),
    Column("fingerprint", wide=True),
)
AUTHORITIES = (
    Column("use"),
    Column("name"),
    Column("key"),
    Column("not_after", "ends", when),
    Column("expired"),
    Column("fingerprint", wide=True),
)


@app.command("list")
def list_(
    ctx: typer.Context,
    station: Annotated[str | None, typer.Argument(metavar="STATION")] = None,
    expiring: Annotated[
        str | None, typer.Option("--expiring", metavar="DURATION", help="Those that end within, e.g. 30d.")
    ] = None,
) -> None:
    """What is known of certificates, without asking a station."""
    flags = flags_of(ctx)
    within_s = None if expiring is None else duration_s(expiring)
    request = certificates.ListCertificates(station, within_s, flags.filter)
    tell_list(flags, request, LIST, filtered=True)


@app.command()
def read(
    ctx: typer.Context,
    station: Station,
    types: Annotated[list[str] | None, typer.Argument(metavar="TYPE...", help="None: all of them.")] = None,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Ask a station which certificates it has."""

    def build(name: str, **fields: Any) -> certificates.ReadCertificates:
        return certificates.ReadCertificates(station=name, types=tuple(types or ()), **fields)

    give(flags_of(ctx), [station], False, Terms(wait, when_idle, at, queue), build)


@app.command()
def install(
    ctx: typer.Context,
    station: Station,
    type: Annotated[
        str,
        typer.Argument(metavar="TYPE", help="csms-root, manufacturer-root, v2g-root, mo-root or oem-root."),
    ],
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="PEM, - for stdin; without: our own root.")
    ] = None,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Put a root certificate into a station."""
    pem = None if file is None else text_of(file)

    def build(name: str, **fields: Any) -> certificates.InstallCertificate:
        return certificates.InstallCertificate(station=name, type=type, pem=pem, **fields)

    give(flags_of(ctx), [station], False, Terms(wait, when_idle, at, queue), build)


@app.command()
def delete(
    ctx: typer.Context,
    station: Station,
    certificate: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="Its serial number, from the list; ALGORITHM:NAME_HASH:KEY_HASH:SERIAL of several.",
        ),
    ],
    force: Annotated[bool, typer.Option("--force", help="Although the station knows us by it.")] = False,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Delete an installed certificate from a station."""

    def build(name: str, **fields: Any) -> certificates.DeleteCertificate:
        return certificates.DeleteCertificate(station=name, certificate=certificate, force=force, **fields)

    give(flags_of(ctx), [station], False, Terms(wait, when_idle, at, queue), build)


@app.command()
def renew(
    ctx: typer.Context,
    names: Names = None,
    use: Annotated[
        str, typer.Option("--use", metavar="station|v2g|v2g20|combined", help="Which certificate.")
    ] = "station",
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Have stations make a new key and ask for a certificate."""
    flags = flags_of(ctx)
    meant, many = stations_meant(names, flags)

    def build(name: str, **fields: Any) -> certificates.RenewCertificate:
        return certificates.RenewCertificate(station=name, use=use, **fields)

    give(flags, meant, many, Terms(wait, when_idle, at, queue), build)


@app.command()
def revoke(
    ctx: typer.Context,
    station: Station,
    certificate: Annotated[str, typer.Argument(metavar="ID", help="The start of its fingerprint.")],
) -> None:
    """Never take a station's certificate again; its link is closed."""
    flags = flags_of(ctx)
    if flags.dry_run or not confirmed(flags, f"Revoke {certificate} of {station} for good?"):
        raise typer.Exit(0)
    request = certificates.RevokeCertificate(station, certificate, flags.reason)
    show_one(ask(request, flags.address, flags.patience_s), LIST, flags)


@authority.command("list")
def list_authorities(ctx: typer.Context) -> None:
    """Our authorities."""
    tell_list(flags_of(ctx), certificates.ListAuthorities(), AUTHORITIES, name="use")


@authority.command()
def create(
    ctx: typer.Context,
    use: Use = "station",
    key: Annotated[str, typer.Option("--key", metavar="ec|rsa", help="Its key.")] = "ec",
    replace: Annotated[bool, typer.Option("--replace", help="Although there is one.")] = False,
) -> None:
    """Make an authority; its key stays in the daemon's data directory."""
    flags = flags_of(ctx)
    if replace and not confirmed(flags, "Stations that know only the old root will not know us. Replace it?"):
        raise typer.Exit(0)
    request = certificates.CreateAuthority(use, key, replace)
    show_list([ask(request, flags.address, flags.patience_s)], AUTHORITIES, flags, "use")


@authority.command()
def root(ctx: typer.Context, use: Use = "station") -> None:
    """An authority's certificate in PEM, for stations and clients that are to trust it."""
    flags = flags_of(ctx)
    for ours in ask(certificates.ListAuthorities(), flags.address, flags.patience_s):
        if ours["use"] == use:
            sys.stdout.writelines(f"{safe(line)}\n" for line in ours["pem"].splitlines())
            return
    raise NotFound(f"there is no {use} authority", f"cms certificates ca create --use {use}")
