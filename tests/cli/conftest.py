"""``cms`` as a script calls it, against a small house behind the real API on a real socket."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.main import run
from tests.api.conftest import address, api, folder, house, metrics

__all__ = ["address", "api", "folder", "house", "metrics"]


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        return json.loads(self.err)["error"]

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


#: The command as a process of its own.
CMS = (sys.executable, "-c", "from cli.main import main; main()")

Cms = Callable[..., Awaitable[Said]]


class Terminal(io.StringIO):
    """Somebody at a keyboard who types this."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", f"{tmp_path}/cache")
    monkeypatch.setattr("cli.names.FIRST_S", 20.0)  # a busy machine is no reason to fail
    for name in [name for name in os.environ if name.startswith("CMS_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def cms(address: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cms:
    """Call the command; ``stdin`` is piped in, ``types`` is typed at a terminal."""

    async def call(*arguments: str, stdin: str = "", types: str | None = None) -> Said:
        given = Terminal(types) if types is not None else io.StringIO(stdin)
        monkeypatch.setattr("sys.stdin", given)
        code = await asyncio.to_thread(run, ["--socket", address.socket, *arguments])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call
