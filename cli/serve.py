"""``cms serve``: the daemon, in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.noun import single

app = single("Run the daemon.")


@app.command()
def serve(
    data_dir: Annotated[Path | None, typer.Option("--data-dir", metavar="DIR", help="What it knows.")] = None,
    ocpp_host: Annotated[str | None, typer.Option("--ocpp-host", metavar="H", help="For stations.")] = None,
    ocpp_port: Annotated[str | None, typer.Option("--ocpp-port", metavar="N", help="0 picks one.")] = None,
    ocpp_tls_port: Annotated[
        str | None, typer.Option("--ocpp-tls-port", metavar="N", help="With TLS; 0 picks one.")
    ] = None,
    socket: Annotated[Path | None, typer.Option("--socket", metavar="PATH", help="For clients.")] = None,
    api_host: Annotated[str | None, typer.Option("--api-host", metavar="H", help="API over TCP.")] = None,
    api_port: Annotated[str | None, typer.Option("--api-port", metavar="N")] = None,
    insecure_lab: Annotated[
        bool | None, typer.Option("--insecure-lab", help="Stations need no proof (on loopback alone).")
    ] = None,
    open_enrolment: Annotated[
        bool | None, typer.Option("--open-enrolment", help="Register whoever connects (a lab).")
    ] = None,
    database: Annotated[
        str | None, typer.Option("--database", metavar="URL", help="e.g. postgresql+asyncpg://...")
    ] = None,
    bus: Annotated[str | None, typer.Option("--bus", metavar="URL")] = None,
    config: Annotated[Path | None, typer.Option("--config", metavar="FILE", help="A TOML file.")] = None,
    log_level: Annotated[str | None, typer.Option("--log-level", metavar="debug|info|warning|error")] = None,
    log_format: Annotated[str | None, typer.Option("--log-format", metavar="auto|human|json")] = None,
) -> int:
    """Run the daemon until SIGTERM. Settings: flags over CMS_* variables over the TOML file over defaults."""
    from cms.settings import load

    settings = load(
        {
            "data_dir": data_dir,
            "ocpp_host": ocpp_host,
            "ocpp_port": ocpp_port,
            "ocpp_tls_port": ocpp_tls_port,
            "socket": socket,
            "api_host": api_host,
            "api_port": api_port,
            "insecure_lab": insecure_lab,
            "open_enrolment": open_enrolment,
            "database": database,
            "bus": bus,
            "log_level": log_level,
            "log_format": log_format,
        },
        config,
    )
    from cms.daemon import run

    return run(settings)
