"""The console in a real terminal: keys are pressed, the picture is read, every byte is screened."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyte

from tests.security.terminal import CONSOLE, Screening
from tests.security.terminals import PATIENCE_S, SIZE, program

CURSOR_ASKED = b"\x1b[6n"
CMS = (sys.executable, "-c", "from cli.main import main; main()")


ENVIRON = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/nonexistent",
    "TERM": "xterm-256color",
    "COLORTERM": "truecolor",
    "LANG": "C.UTF-8",
    "TZ": "UTC",
}


class Console:
    """What a person has before him; ``screening`` has looked at all that was ever sent."""

    def __init__(self, master: int) -> None:
        self.master = master
        self.screening = Screening(CONSOLE)
        self._screen = pyte.Screen(*SIZE)
        self._stream = pyte.ByteStream(self._screen)
        self.ended = False

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def place(self) -> str:
        """Where one is: the crumbs, without what the head says on the right."""
        return self.lines[0].split("   ")[0].strip()

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def until(self, holds: Callable[[], bool], what: str = "this") -> None:
        """Draw what comes until it holds."""
        end = time.monotonic() + PATIENCE_S
        while not holds():
            assert not self.ended, f"the console ended before {what} came:\n{self.text}"
            assert time.monotonic() < end, f"{what} never came; the terminal shows:\n{self.text}"
            self.draw(0.1)

    def draw(self, wait_s: float) -> None:
        """Take what was sent; answer where the cursor is, as a terminal does."""
        if not select.select([self.master], [], [], wait_s)[0]:
            return
        try:
            sent = os.read(self.master, 65536)
        except OSError:
            sent = b""
        if not sent:
            self.ended = True
            return
        self.screening.feed(sent)
        self._stream.feed(sent.replace(b"\x1b[>25u", b"").replace(b"\x1b[>1u", b"").replace(b"\x1b[<u", b""))
        if asked := sent.count(CURSOR_ASKED):
            os.write(self.master, b"\x1b[2;1R" * asked)

    def sees(self, *texts: str) -> None:
        self.until(lambda: all(text in self.text for text in texts), f"{texts!r}")

    def goes(self, keys: str, to: str) -> None:
        """Press keys and arrive at a place that is called so."""
        self.press(keys)
        self.until(lambda: to in self.place, f"the place {to!r}")

    def escapes(self, from_: str) -> None:
        """Press escape and see this no more; the next key would be taken for a part of the escape."""
        self.press("\x1b")
        self.until(lambda: from_ not in self.text, f"the end of {from_!r}")

    def commands(self, words: str, to: str) -> None:
        """Type on the command line, and arrive."""
        self.press(":")
        self.until(lambda: any(line.startswith(" :") for line in self.lines[-4:]), "the command line")
        self.goes(f"{words}\r", to)

    def goes_back(self, to: str) -> None:
        """Press q and be at exactly this place."""
        self.press("q")
        self.until(lambda: self.place == to, f"the place {to!r}")

    def leaves(self, keys: str) -> None:
        """Press keys and be somewhere else."""
        before = self.place
        self.press(keys)
        self.until(lambda: self.place not in ("", before), "another place")


@contextmanager
def console(socket: str, *, stock: bool = False, code: int = 0) -> Iterator[Console]:
    """``cms tui`` on the daemon at the socket; at the end it is quit and all it sent was allowed; its exit code."""
    environ = {**ENVIRON, "CMS_STOCK_DRIVER": "1" if stock else "0"}
    with program([*CMS, "--socket", socket, "tui"], environ) as (process, master):
        seen = Console(master)
        yield seen
        seen.press("\x11")
        end = time.monotonic() + PATIENCE_S
        while not seen.ended and time.monotonic() < end:
            seen.draw(0.1)
        assert process.wait(PATIENCE_S) == code, f"exit status {process.returncode}:\n{seen.text}"
        assert seen.screening.sequences > 0 or code
        found = seen.screening.end()
        assert not found, "\n".join(found[:20])


@contextmanager
def naive_console() -> Iterator[Console]:
    """The console of ``naive.py``, screened alike; what it sends is the caller's to judge."""
    with program([sys.executable, "-m", "tests.security.naive"], ENVIRON) as (_, master):
        yield Console(master)
