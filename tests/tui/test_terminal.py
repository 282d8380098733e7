"""The whole console in a real pseudo terminal, seen through an independent terminal emulator."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyte

SIZE = (80, 24)
PATIENCE_S = 30.0
QUIET_S = 1.0
CURSOR_ASKED = b"\x1b[6n"


class Terminal:
    """What a person has before him: shows what is sent, sends keys, answers where its cursor is."""

    def __init__(self, master: int, *, answers: bool) -> None:
        self.master = master
        self.answers = answers
        self.screen = pyte.Screen(*SIZE)
        self.stream = pyte.ByteStream(self.screen)
        self.received = 0
        self.asked = 0

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def until(self, holds: Callable[[str], bool]) -> str:
        """Draw what comes until the screen is as expected."""
        end = time.monotonic() + PATIENCE_S
        while not holds(self.text):
            assert time.monotonic() < end, f"this never came; the terminal shows:\n{self.text}"
            if select.select([self.master], [], [], 0.1)[0]:
                self.draw(os.read(self.master, 65536))
        return self.text

    def quiet(self) -> str:
        """Draw until nothing more comes for a while."""
        while select.select([self.master], [], [], QUIET_S)[0]:
            self.draw(os.read(self.master, 65536))
        return self.text

    def draw(self, sent: bytes) -> None:
        self.received += len(sent)
        self.stream.feed(sent.replace(b"\x1b[>25u", b"").replace(b"\x1b[<u", b""))
        asked = sent.count(CURSOR_ASKED)
        self.asked += asked
        if asked and self.answers:
            os.write(self.master, b"\x1b[2;1R" * asked)


@contextmanager
def terminal(*, stock: bool = False, answers: bool = True) -> Iterator[Terminal]:
    """The console of the small fleet, in a process of its own."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
    environ = {k: v for k, v in os.environ.items() if k not in ("SSH_CONNECTION", "NO_COLOR")}
    environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "TZ": "UTC"}
    environ["CMS_STOCK_DRIVER"] = "1" if stock else "0"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.tui.small"],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environ,
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Terminal(master, answers=answers)
    finally:
        os.write(master, b"\x11")
        _drain(process, master)
        os.close(master)


def _drain(process: subprocess.Popen[bytes], master: int) -> None:
    """Take what it still says, so that it can end; end it when it does not."""
    end = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < end:
        if select.select([master], [], [], 0.1)[0]:
            try:
                os.read(master, 65536)
            except OSError:
                break
    if process.poll() is None and time.monotonic() >= end:
        process.kill()
    assert process.wait(PATIENCE_S) == 0


#: What is pressed, and what then must be seen.
WALK = (
    ("", "Needs attention · 5"),
    ("2", "boot pending"),
    ("jj", "▌⊘ CP-0039"),
    ("?", "half a page down"),
    ("q", "▌⊘ CP-0039"),
)


def test_the_changed_cells_driver_shows_what_the_stock_driver_shows_and_sends_far_less() -> None:
    pictures: list[str] = []
    with terminal(stock=True) as stock:
        for keys, sign in WALK:
            stock.press(keys)
            stock.until(lambda text, sign=sign: sign in text)  # type: ignore[misc]
            pictures.append(stock.quiet())
    with terminal() as lean:
        for (keys, _), picture in zip(WALK, pictures, strict=True):
            lean.press(keys)
            lean.until(lambda text, picture=picture: text == picture)  # type: ignore[misc]
    assert lean.asked > 0
    assert lean.received < stock.received / 2


def test_a_terminal_that_never_answers_is_served_all_the_same() -> None:
    with terminal(answers=False) as deaf:
        deaf.until(lambda text: "Needs attention · 5" in text)
        deaf.press("2")
        deaf.until(lambda text: "boot pending" in text)


def test_a_console_whose_terminal_is_gone_ends_and_does_not_spin() -> None:
    """A connection that broke sends no signal to whoever is not of its session."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.tui.small"],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=os.environ | {"TERM": "xterm-256color"},
        start_new_session=True,
    )
    os.close(slave)
    Terminal(master, answers=True).until(lambda text: "Needs attention" in text)
    os.close(master)
    assert process.wait(PATIENCE_S) == 129
