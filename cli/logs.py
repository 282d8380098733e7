"""``cms logs``."""

from __future__ import annotations

import base64
import contextlib
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.errors import note
from cli.files import written
from cli.jobs import LOGS, tell_jobs
from cli.noun import Station, flags_of, group
from cli.orders import At, Names, Queue, Terms, Wait, WhenIdle, give, stations_meant
from cli.times import earlier
from cms.client import ask
from cms.contract import jobs
from cms.contract.refusals import Conflict, NotFound

app = group("Logs of stations: fetch, list, read.")


@app.command("list")
def list_(
    ctx: typer.Context, station: Annotated[str | None, typer.Option("--station", metavar="NAME")] = None
) -> None:
    """Logs that were asked for, and what came."""
    tell_jobs(flags_of(ctx), station, "log", LOGS)


@app.command()
def get(
    ctx: typer.Context,
    names: Names = None,
    log_type: Annotated[
        str, typer.Option("--type", metavar="WORD", help="diagnostics, security or data-collector (2.1).")
    ] = "diagnostics",
    to: Annotated[
        str | None, typer.Option("--to", metavar="URL", help="Where to put it; our own address unless given.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="The oldest entry, e.g. 2h.")
    ] = None,
    retries: Annotated[int | None, typer.Option("--retries", metavar="N")] = None,
    wait: Wait = False,
    when_idle: WhenIdle = False,
    at: At = None,
    queue: Queue = None,
) -> None:
    """Let stations upload a log."""
    flags = flags_of(ctx)
    meant, many = stations_meant(names, flags)
    oldest = earlier(since) if since else None

    def build(name: str, **fields: Any) -> jobs.GetLog:
        return jobs.GetLog(
            station=name, log_type=log_type, location=to, oldest=oldest, retries=retries, **fields
        )

    give(flags, meant, many, Terms(wait, when_idle, at, queue), build)


@app.command()
def read(
    ctx: typer.Context,
    station: Station,
    request: Annotated[
        int | None, typer.Argument(metavar="REQUEST", help="The latest that came unless given.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write it there; - or nothing is stdout.")
    ] = None,
) -> None:
    """Write an uploaded log to a file or to stdout, byte for byte."""
    flags = flags_of(ctx)
    rows = ask(jobs.ListJobs(station, "log"), flags.address, flags.patience_s)
    row = next((r for r in rows if r["uploads"] and request in (None, r["request_id"])), None)
    if row is None:
        raise NotFound(f"{station} has uploaded no such log", "see `cms logs list`")
    name, to_stdout = row["uploads"][-1]["name"], out is None or str(out) == "-"
    if to_stdout and sys.stdout.isatty():
        raise Conflict("a log may hold anything, and a terminal obeys some of it", f"--out {name}, or | less")
    offset: int | None = 0
    with contextlib.nullcontext(sys.stdout.buffer) if to_stdout else written(Path(str(out))) as target:
        while offset is not None:
            asked = jobs.ReadUpload(row["station"], row["request_id"], name, offset)
            part = ask(asked, flags.address, flags.patience_s)
            target.write(base64.b64decode(part["content"]))
            offset = part["next_offset"]
    if not to_stdout:
        note(f"wrote {out} ({part['size']} bytes)", flags.quiet)
