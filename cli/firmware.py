"""``cms firmware``."""

from __future__ import annotations

import os.path
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.files import text_of
from cli.jobs import FIRMWARE, tell_jobs
from cli.noun import Station, flags_of, group
from cli.orders import At, Names, Queue, Terms, Wait, WhenIdle, give, stations_meant
from cli.times import later
from cms.contract import jobs

app = group("Firmware of stations: update, publish, list.")

Retries = Annotated[int | None, typer.Option("--retries", metavar="N", help="How often the station tries.")]
Checksum = Annotated[str, typer.Argument(metavar="MD5", help="MD5 of the file, 32 hexadecimal digits.")]


@app.command("list")
def list_(
    ctx: typer.Context,
    station: Annotated[str | None, typer.Option("--station", metavar="NAME")] = None,
    publications: Annotated[
        bool, typer.Option("--publications", help="What local controllers publish, instead.")
    ] = False,
) -> None:
    """Updates that were ordered, and how far they are."""
    tell_jobs(flags_of(ctx), station, "publish" if publications else "firmware", FIRMWARE)


@app.command()
def update(
    ctx: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="Where the station finds the file.")],
    names: Names = None,
    certificate: Annotated[
        Path | None,
        typer.Option("--certificate", metavar="FILE", help="Signing certificate, PEM; - for stdin."),
    ] = None,
    signature: Annotated[
        str | None, typer.Option("--signature", metavar="BASE64", help="Signature, or a file with it.")
    ] = None,
    retrieve_at: Annotated[
        str | None, typer.Option("--retrieve-at", metavar="TIME", help="Download then, e.g. 02:00.")
    ] = None,
    install_at: Annotated[
        str | None, typer.Option("--install-at", metavar="TIME", help="Install then, e.g. 03:00.")
    ] = None,
    retries: Retries = None,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Give stations another firmware: cms firmware update URL STATION..."""
    flags = flags_of(ctx)
    meant, many = stations_meant(names, flags)
    pem = None if certificate is None else text_of(certificate)
    signed = _signature(signature)

    def build(name: str, **fields: Any) -> jobs.UpdateFirmware:
        return jobs.UpdateFirmware(
            station=name,
            location=url,
            retrieve_at=later(retrieve_at) if retrieve_at else None,
            install_at=later(install_at) if install_at else None,
            certificate=pem,
            signature=signed,
            retries=retries,
            **fields,
        )

    give(flags, meant, many, Terms(wait, when_idle, at, queue), build)


@app.command()
def publish(
    ctx: typer.Context,
    station: Station,
    url: Annotated[str, typer.Argument(metavar="URL")],
    checksum: Checksum,
    retries: Retries = None,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Let a local controller offer a firmware to its stations (2.x)."""

    def build(name: str, **fields: Any) -> jobs.PublishFirmware:
        return jobs.PublishFirmware(station=name, location=url, checksum=checksum, retries=retries, **fields)

    give(flags_of(ctx), [station], False, Terms(wait, when_idle, at, queue), build)


@app.command()
def unpublish(
    ctx: typer.Context,
    station: Station,
    checksum: Checksum,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Let a local controller offer a firmware no longer (2.x)."""

    def build(name: str, **fields: Any) -> jobs.UnpublishFirmware:
        return jobs.UnpublishFirmware(station=name, checksum=checksum, **fields)

    give(flags_of(ctx), [station], False, Terms(wait, when_idle, at, queue), build)


def _signature(text: str | None) -> str | None:
    """The signature itself, or the file that has it."""
    if text is None or not os.path.isfile(text):  # noqa: PTH113 - Path raises where a signature is too long a name
        return text
    return text_of(text).strip()
