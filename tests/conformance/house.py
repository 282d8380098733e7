"""The daemon under test: a process of its own on a folder of its own, asked through its control API or the CLI."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import socket
import sqlite3
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import msgspec

from cms.client import Address, ask
from cms.contract.refusals import Invalid
from cms.contract.routes import ROUTES
from tests.conformance.pki import Pki
from tests.conformance.wire import Watch
from tests.fleet import CMS, started

REQUESTS = {request.__name__: request for request in ROUTES}
PATIENCE_S = 30.0

#: Settings of every daemon here. Messages come faster than in the field; and what a daemon asks stations of its own
#: accord after their boot is left to the scenarios that are about it.
SETTINGS = {
    "log_level": "info",
    "log_format": "json",
    "rate_per_s": "10000",
    "burst": "10000",
    "inventory_after_boot": "off",
    "monitors_after_boot": "false",
    "probe_stations": "false",
    "upload_host": "127.0.0.1",
    "upload_port": "0",
}


class House:
    """One daemon; ``settings`` as in cms.settings. It can be restarted on the same folder and port."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.folder = folder
        self.settings = {**SETTINGS, **settings}
        self.port = a_free_port()
        #: ``secure`` is no setting: it stands for a TLS port and everything certificates need.
        self.pki = Pki(folder, a_free_port()) if self.settings.pop("secure", None) else None
        if self.pki is not None:
            self.settings |= self.pki.settings
        self.watch = Watch()
        self.numbers = itertools.count(1)
        self._process: AbstractContextManager[Any] | None = None
        self._running: Any = None
        self._lock: sqlite3.Connection | None = None

    @property
    def address(self) -> Address:
        return Address(socket=str(self.folder / "cms.sock"))

    @property
    def url(self) -> str:
        """Where stations connect; their identity follows."""
        return f"ws://127.0.0.1:{self.port}/ocpp"

    @property
    def secure_url(self) -> str:
        assert self.pki is not None, "a secure house"
        return f"wss://127.0.0.1:{self.pki.tls_port}/ocpp"

    def start(self) -> None:
        environ = {f"CMS_{key.upper()}": value for key, value in self.settings.items()}
        self._process = started(self.folder, "--ocpp-port", str(self.port), environ=environ)
        self._running = self._process.__enter__()

    def stop(self, *, kill: bool = False) -> None:
        """End it: asked to (SIGTERM), or killed where it stands (SIGKILL)."""
        if self._process is None:
            return
        if not kill:
            self._running.terminate()
            self._running.wait(PATIENCE_S)
        self._process.__exit__(None, None, None)
        self._process = None

    def lock_storage(self) -> None:
        """From now on the daemon cannot write its record: another process holds the database."""
        self._lock = sqlite3.connect(self.folder / "cms.db", isolation_level=None, check_same_thread=False)
        self._lock.execute("BEGIN IMMEDIATE")

    def unlock_storage(self) -> None:
        if self._lock is not None:
            self._lock.rollback()
            self._lock.close()
            self._lock = None

    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")

    async def ask(self, name: str, fields: Mapping[str, Any]) -> Any:
        """The answer to a request of cms.contract, as plain JSON values; raises refusals."""
        kind = REQUESTS.get(name)
        if kind is None:
            raise KeyError(f"{name} is no request of cms.contract.routes")
        try:
            request: Any = msgspec.convert(dict(fields), kind)
        except msgspec.ValidationError as error:
            raise Invalid(str(error)) from error
        return await asyncio.to_thread(ask, request, self.address, PATIENCE_S)

    async def cli(self, line: list[str], stdin: str = "") -> tuple[int, str, str]:
        """A command line without its ``cms``: exit code, stdout, stderr."""
        process = await asyncio.create_subprocess_exec(
            *CMS,
            *line,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "CMS_SOCKET": str(self.folder / "cms.sock")},
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(stdin.encode()), PATIENCE_S)
        except BaseException:
            process.kill()
            raise
        return process.returncode or 0, out.decode(), err.decode()


def a_free_port() -> int:
    """Below those that the system gives to outgoing connections, so that none has it when the daemon comes back."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def complaints(log: str) -> list[str]:
    """Lines of a daemon's log that tell of an exception which reached a task's edge: a bug."""
    return [line for line in log.splitlines() if "Traceback" in line or '"exception"' in line]
