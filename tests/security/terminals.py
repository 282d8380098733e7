"""Programs in a real pseudo terminal; what they send is kept whole."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

#: Long enough for every sentence and QR code, so that nothing is cut away before it is looked at.
SIZE = (160, 48)
PATIENCE_S = 20.0


def sized(file: int, size: tuple[int, int] = SIZE, *, echo: bool = True) -> None:
    """Make the terminal so many columns and rows; without echo what is typed is not shown."""
    fcntl.ioctl(file, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    if not echo:
        modes = termios.tcgetattr(file)
        modes[3] &= ~termios.ECHO
        termios.tcsetattr(file, termios.TCSANOW, modes)


def in_a_terminal(work: Callable[[], int], typed: bytes = b"") -> tuple[int, bytes]:
    """Do the work in a copy of this process on a terminal of its own; its exit code and all that it sent."""
    process, master = pty.fork()
    if process == 0:
        sized(0, echo=False)
        code = 70
        try:
            code = work()
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)
    sized(master, echo=False)
    with suppress(OSError):
        os.write(master, typed)
    sent = bytearray()
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if select.select([master], [], [], 0.1)[0]:
            try:
                part = os.read(master, 65536)
            except OSError:
                break  # Linux tells the end so
            if not part:
                break
            sent += part
    else:
        os.kill(process, signal.SIGKILL)
        sent += b"\x1b?it did not end"
    os.close(master)
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status), bytes(sent)


@contextmanager
def program(
    arguments: list[str], environ: Mapping[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A program with a terminal of its own, and the master's side of that."""
    master, slave = pty.openpty()
    sized(slave)
    process = subprocess.Popen(
        arguments, stdin=slave, stdout=slave, stderr=slave, env=dict(environ), start_new_session=True
    )
    os.close(slave)
    try:
        yield process, master
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(master)


@contextmanager
def hostile_daemon(folder: Path) -> Iterator[Path]:
    """The daemon of ``hostile.py`` in a process of its own; the folder with its sockets."""
    command = [sys.executable, "-m", "tests.security.hostile", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline(), "the hostile daemon did not start"
        yield folder
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
