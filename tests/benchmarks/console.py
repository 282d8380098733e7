"""What the console costs a line and a machine: ``python -m tests.benchmarks.console``.

Each console runs in a process of its own on a real pseudo terminal, on a fleet in memory that changes 50 times a
second. The terminal answers as a real one does, through a line that is free or slow (rate and delay in both
directions, behind 4 MB of buffers that nobody sees, as sshd and TCP have). Beside it in the same run: a stock DataTable
in Textual's own driver.

Printed: bytes until the first picture and a second after, CPU of the process, and the time from a key to its answer on
the screen (the head says ``paused``), the median and the worst of several.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import os
import pty
import random
import select
import struct
import subprocess
import sys
import termios
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

CHANGES_PER_S = 50
WARM_S = 4.0
MEASURED_S = 12.0
KEYS = 5
PATIENCE_S = 30.0
_BUFFERS = 4_000_000
_ASKED, _ANSWER = b"\x1b[6n", b"\x1b[2;1R"
_TICK = os.sysconf("SC_CLK_TCK")


# The line.


@dataclass
class Direction:
    """Bytes on their way: ``rate`` a second (0: as many as come), ``delay_s`` each."""

    rate: float
    delay_s: float
    _chunks: deque[tuple[float, bytes]] = field(default_factory=deque)
    _free_at: float = 0.0
    waiting: int = 0

    def send(self, data: bytes, now: float) -> None:
        self._free_at = max(now, self._free_at) + (len(data) / self.rate if self.rate else 0.0)
        self._chunks.append((self._free_at + self.delay_s, data))
        self.waiting += len(data)

    def arrived(self, now: float) -> bytes:
        parts = []
        while self._chunks and self._chunks[0][0] <= now:
            parts.append(self._chunks.popleft()[1])
        data = b"".join(parts)
        self.waiting -= len(data)
        return data


@dataclass(frozen=True)
class Line:
    """A connection: kbit/s (0: free) and round trip in ms."""

    name: str
    kbit: int = 0
    round_trip_ms: int = 0


LINES = {
    "free": Line("free"),
    "256k": Line("256 kbit/s, 200 ms", 256, 200),
    "64k": Line("64 kbit/s, 400 ms", 64, 400),
}


class Terminal:
    """A terminal at the other end of the line. It answers where its cursor is, when it has drawn what came before."""

    def __init__(self, master: int, pid: int, line: Line) -> None:
        self.master, self.pid = master, pid
        rate = line.kbit * 1000 / 8
        self.down = Direction(rate, line.round_trip_ms / 2000)
        self.up = Direction(rate, line.round_trip_ms / 2000)
        self.sent_bytes = 0
        self._tail = b""

    def press(self, key: bytes) -> None:
        self.up.send(key, time.monotonic())

    def step(self, patience_s: float = 0.01) -> bytes:
        """What reached the screen meanwhile."""
        # Whoever has full buffers is not read: the program waits for its terminal.
        reads = [self.master] if self.down.waiting < _BUFFERS else []
        ready, _, _ = select.select(reads, [], [], patience_s)
        now = time.monotonic()
        if ready:
            data = os.read(self.master, 65536)
            self.sent_bytes += len(data)
            for start in range(0, len(data), 1024):
                self.down.send(data[start : start + 1024], now)
        shown = self.down.arrived(now)
        self._tail = (self._tail + shown)[-len(shown) - len(_ASKED) + 1 :] if shown else self._tail
        for _ in range(self._tail.count(_ASKED)):
            self.up.send(_ANSWER, now)
        if shown:
            self._tail = self._tail[-(len(_ASKED) - 1) :]
        if typed := self.up.arrived(now):
            os.write(self.master, typed)
        return shown

    def until(self, sign: bytes, patience_s: float = PATIENCE_S) -> float | None:
        """Seconds until this stands on the screen; None when it does not come."""
        began, seen = time.monotonic(), b""
        while time.monotonic() - began < patience_s:
            seen = (seen + self.step())[-4096:]
            if sign in seen:
                return time.monotonic() - began
        return None

    def for_(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.step()

    def cpu_s(self) -> float:
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _TICK


@contextmanager
def running(kind: str, stations: int, size: tuple[int, int], line: Line) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    environ = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TMUX")}
    environ |= {
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "TZ": "UTC",
        "XDG_STATE_HOME": "/nonexistent",
    }
    if line.kbit:
        environ["SSH_CONNECTION"] = "192.0.2.1 5 192.0.2.2 22"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.console", f"--be={kind}", f"--stations={stations}"],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environ,
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Terminal(master, process.pid, line)
    finally:
        process.kill()
        process.wait()
        os.close(master)


def measured(kind: str, stations: int, size: tuple[int, int], line: Line) -> dict[str, float | None]:
    """One console on one line. Bytes, seconds."""
    with running(kind, stations, size, line) as terminal:
        first_s = terminal.until(b"CP-00001")
        terminal.for_(0.3)
        first_bytes, first_cpu_s = terminal.sent_bytes, terminal.cpu_s()
        terminal.for_(WARM_S)
        began, bytes_, cpu_s = time.monotonic(), terminal.sent_bytes, terminal.cpu_s()
        terminal.for_(MEASURED_S)
        spent_s = time.monotonic() - began
        bytes_, cpu_s = terminal.sent_bytes - bytes_, terminal.cpu_s() - cpu_s
        answers: list[float] = []
        for _ in range(KEYS):
            terminal.press(b"p")
            answer_s = terminal.until(b"paused")
            if answer_s is None:
                break
            answers.append(answer_s)
            terminal.press(b"p")
            terminal.for_(1.5 + line.round_trip_ms / 500)
        return {
            "first_s": first_s,
            "first_bytes": first_bytes,
            "first_cpu_s": first_cpu_s,
            "bytes_per_s": bytes_ / spent_s,
            "cpu": cpu_s / spent_s,
            "key_s": median(answers) if len(answers) == KEYS else None,
            "worst_key_s": max(answers) if len(answers) == KEYS else None,
        }


# The consoles.


def be(kind: str, stations: int) -> None:
    """The process on the terminal."""
    fleet = [f"CP-{number:05}" for number in range(1, stations + 1)]
    _stock(fleet) if kind == "table" else _console(fleet)


def _console(fleet: list[str]) -> None:
    from tests.tui.fake import FakeDaemon, session, station
    from tui.app import CmsApp

    daemon = FakeDaemon()
    for key in fleet:
        daemon.stations[key] = station(key, site=f"Site {int(key[3:]) // 10}")
    for number, key in enumerate(fleet[: len(fleet) // 4]):
        daemon.sessions[f"S{number}"] = session(f"S{number}", key)
    app = CmsApp(daemon)
    rng = random.Random(1)

    async def change() -> None:
        states = ("available", "preparing", "charging", "finishing")
        while True:
            await asyncio.sleep(1 / CHANGES_PER_S)
            key, status = rng.choice(fleet), rng.choice(states)
            daemon.happen("connector.status", key, evse=1, connector=1, status=status)
            del daemon.log[:-2000]

    async def main() -> None:
        changing = asyncio.create_task(change())
        app.call_later(app.travel.go, "stations")
        await app.run_async(mouse=False)
        changing.cancel()

    asyncio.run(main())


def _stock(fleet: list[str]) -> None:
    """As one would write it first: a DataTable whose cells are updated as changes come."""
    from textual.app import App, ComposeResult
    from textual.widgets import DataTable, Footer, Static

    class Stock(App[None]):
        BINDINGS = [("p", "pause", "pause")]  # noqa: RUF012  # Textual's

        def compose(self) -> ComposeResult:
            yield Static("live", id="head")
            yield DataTable()
            yield Footer()

        def on_mount(self) -> None:
            table = self.query_one(DataTable)
            for title in ("Station", "Site", "Connectors", "kW", "Seen", "Model", "Note"):
                table.add_column(title, key=title)
            for key in fleet:
                table.add_row(
                    key, f"Site {int(key[3:]) // 10}", "○○", "21.7", "4s", "ABB Terra 184", "", key=key
                )
            rng = random.Random(1)
            states = "○◔●◑"

            def change() -> None:
                table.update_cell(rng.choice(fleet), "Connectors", rng.choice(states) + "○")

            self.set_interval(1 / CHANGES_PER_S, change)

        def action_pause(self) -> None:
            head = self.query_one("#head", Static)
            head.update("live" if "paused" in str(head.render()) else "‖ paused")

    Stock().run(mouse=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--be", choices=("console", "table"))
    parser.add_argument("--stations", type=int)
    parser.add_argument("--lines", default="free,256k,64k")
    parser.add_argument("--sizes", default="80x24,160x48")
    parser.add_argument("--kinds", default="console,table")
    given = parser.parse_args()
    if given.be:
        be(given.be, given.stations)
        return
    titles = f"{'what':<8}{'stations':>9} {'size':<7} {'line':<20}{'first':>8}{'':>9}{'CPU':>7}"
    print(f"{titles}{'B/s':>10}{'CPU %':>7}{'key':>8}{'worst':>8}")
    fleets = [given.stations] if given.stations else [1_000, 10_000]
    for stations in fleets:
        for size in given.sizes.split(","):
            columns, _, rows = size.partition("x")
            for line in given.lines.split(","):
                for kind in given.kinds.split(","):
                    told = measured(kind, stations, (int(columns), int(rows)), LINES[line])
                    print(_row(kind, stations, size, LINES[line], told), flush=True)


def _row(kind: str, stations: int, size: str, line: Line, told: dict[str, float | None]) -> str:
    def number(name: str, scale: float = 1.0, unit: str = "", digits: int = 0) -> str:
        value = told[name]
        return f"> {PATIENCE_S:.0f} s" if value is None else f"{value * scale:,.{digits}f}{unit}"

    return (
        f"{kind:<8}{stations:>9,} {size:<7} {line.name:<20}{number('first_s', 1, ' s', 1):>8}"
        f"{number('first_bytes', 0.001, ' kB', 1):>9}{number('first_cpu_s', 1, ' s', 2):>7}"
        f"{number('bytes_per_s'):>10}{number('cpu', 100, '', 1):>7}"
        f"{number('key_s', 1000, ' ms'):>8}{number('worst_key_s', 1000, ' ms'):>8}"
    )


if __name__ == "__main__":
    main()
