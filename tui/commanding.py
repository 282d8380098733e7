"""``:cms WORDS``: any command of the command line from within the console, its answer as a sheet to read.

What no key is made for (registering, files, long forms) is said in the words that a script would use. It runs as
a process of its own with nobody to ask: what asks first wants ``--yes``, and where one may only look it is a dry run.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from tui.notes import CommandEnded

if TYPE_CHECKING:
    from tui.app import CmsApp

#: What does not end by itself, wants a terminal, or is about another daemon than the console's.
NOT_HERE: Final = frozenset(
    {"tui", "serve", "demo", "simulate", "shell", "login", "logout", "context", "completion", "bench"}
)
#: Set (to anything) where the console must stay all that somebody has, e.g. behind sshd's ForceCommand:
#: commands read and write files.
CONSOLE_ONLY: Final = "CMS_CONSOLE_ONLY"
_LONGEST_S: Final = 60.0
#: What a command tells at most; a list of everything is for a terminal of its own.
_MOST_BYTES: Final = 256 * 1024
_CMS: Final = (sys.executable, "-P", "-c", "from cli.main import main; main()")


class Commanding:
    """Runs what was typed after ``:cms``; one command at a time."""

    def __init__(self, app: CmsApp, daemon: Any, environ: Mapping[str, str] = os.environ) -> None:
        self._app = app
        self._address = getattr(daemon, "address", None)
        self._environ = environ

    def run(self, line: str) -> None:
        """Begin; CommandEnded brings what came of it."""
        try:
            words = shlex.split(line)
        except ValueError as error:
            self._app.say(f"{line}: {error}", "warn")
            return
        if refused := self._refused(words):
            self._app.say(refused, "warn")
            return
        if self._app.read_only:
            words = ["--dry-run", *words]
        self._app.say(f"cms {line} ...", "dim")
        self._app.run_worker(self._do(line, words), group="command", exclusive=True)

    def _refused(self, words: list[str]) -> str | None:
        """Why these words are not run here."""
        if CONSOLE_ONLY in self._environ:
            return "commands are not to be had here: this console is all there is"
        if not words:
            return "which command? :cms help lists them"
        if words[0] in NOT_HERE:
            return f"cms {words[0]} wants a terminal of its own"
        return None

    async def _do(self, line: str, words: list[str]) -> None:
        process = await asyncio.create_subprocess_exec(
            *_CMS,
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=self._surroundings(),
            limit=_MOST_BYTES,
        )
        assert process.stdout is not None
        told, code = b"", None
        try:
            async with asyncio.timeout(_LONGEST_S):
                while len(told) < _MOST_BYTES and (part := await process.stdout.read(_MOST_BYTES)):
                    told += part
                code = await process.wait() if len(told) < _MOST_BYTES else None
        except TimeoutError:
            pass
        finally:
            with suppress(ProcessLookupError):
                process.kill()
        lines = told[:_MOST_BYTES].decode("utf-8", "replace").splitlines()
        self._app.post_message(CommandEnded(f"cms {line}", code, lines))

    def _surroundings(self) -> dict[str, str]:
        """The environment of the command: the console's daemon, and no colour."""
        told = {**self._environ, "NO_COLOR": "1", "TERM": "dumb"}
        if (address := self._address) is None:
            return told
        for name in ("CMS_URL", "CMS_SOCKET", "CMS_CONTEXT", "CMS_ORG", "CMS_TOKEN"):
            told.pop(name, None)
        known = {
            "CMS_URL": address.url,
            "CMS_SOCKET": address.socket,
            "CMS_ORG": address.organisation,
            "CMS_TOKEN": address.token,
        }
        return told | {name: value for name, value in known.items() if value}


def told_of(note: CommandEnded) -> list[str]:
    """The sheet: what the command told, and how it ended."""
    end = (
        "it did not end in time, or told too much: run it in a terminal"
        if note.code is None
        else f"exit {note.code}"
    )
    return [*note.lines, "", end]
