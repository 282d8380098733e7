"""Running daemons for stories, tests and benchmarks: in this process, or as ``cms serve`` in its own."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from cms.client import Address, AsyncClient, ask
from cms.contract.stations import AddStation
from cms.contract.status import ShowStatus
from cms.contract.tokens import AddToken
from cms.core import Clock
from cms.daemon import Daemon
from cms.settings import Settings

#: The command as installed, whatever is on the PATH.
CMS = (sys.executable, "-c", "from cli.main import main; main()")
READY_WITHIN_S = 30.0


class Died(AssertionError):
    """The daemon ended before it was ready; the message is what it said."""


@contextmanager
def started(
    folder: Path,
    *flags: str,
    command: Iterable[str] = (*CMS, "serve"),
    environ: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon in a process of its own on ``folder``, ready (it says so by sd_notify); killed at the end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify, (folder / "log").open("ab") as log:
        address = folder / "notify"
        address.unlink(missing_ok=True)
        notify.bind(str(address))
        notify.settimeout(0.2)
        process = subprocess.Popen(
            [*command, "--data-dir", str(folder), "--ocpp-host", "127.0.0.1", *flags],
            stdout=log,
            stderr=log,
            env={**os.environ, **(environ or {}), "NOTIFY_SOCKET": str(address)},
        )
        try:
            _await_ready(process, notify, folder)
            yield process
        finally:
            process.kill()
            process.wait()


def _await_ready(process: subprocess.Popen[bytes], notify: socket.socket, folder: Path) -> None:
    for _ in range(int(READY_WITHIN_S / 0.2)):
        with suppress(TimeoutError):
            if b"READY=1" in notify.recv(4096):
                return
        if process.poll() is not None:
            break
    said = (folder / "log").read_text("utf-8", "replace")[-2000:]
    raise Died(f"the daemon was not ready (exit status {process.poll()}):\n{said}")


@contextmanager
def serving(
    folder: Path, *flags: str, environ: Mapping[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, Any]]]:
    """``cms serve`` on a free port, and what ``cms status`` tells of it."""
    with started(folder, "--ocpp-port", "0", *flags, environ=environ) as process:
        status: dict[str, Any] = ask(ShowStatus(), Address(socket=str(folder / "cms.sock")))
        yield process, {**status, "ocpp_url": stations_url(status["ocpp_url"])}


def stations_url(ocpp_url: str) -> str:
    """The URL to which a station appends its identity."""
    return ocpp_url.removesuffix("/<station>")


@asynccontextmanager
async def running(folder: Path, clock: Clock | None = None, **settings: Any) -> AsyncIterator[Daemon]:
    """A daemon in this process; with a clock it lives on simulated time and commits inline."""
    told = Settings(data_dir=folder, ocpp_host="127.0.0.1", ocpp_port=0, **settings)
    simulated: dict[str, Any] = (
        {} if clock is None else {"clock": clock, "threaded": False, "watch_s": 3600.0}
    )
    daemon = Daemon(told, **simulated)
    await daemon.start()
    try:
        yield daemon
    finally:
        await daemon.stop()


def client_of(daemon: Daemon) -> AsyncClient:
    return AsyncClient(Address(socket=str(daemon.settings.socket)))


async def enrol(client: AsyncClient, stations: Iterable[str], cards: Iterable[str]) -> dict[str, str]:
    """Register stations and tokens; each station's password."""
    passwords = {}
    for station in stations:
        passwords[station] = (await client.ask(AddStation(station))).password
    for card in cards:
        await client.ask(AddToken(card))
    return passwords


async def ended(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait until it is over; what else went wrong in it is raised."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
