"""What a durable answer costs, beside what any answer costs: ``python -m tests.benchmarks.throughput``.

Three servers, each a process of its own, under the same load from another process: the daemon (every class-A
message durable before its answer), a bare ``websockets`` echo that parses and answers JSON, and a central
system on the ``ocpp`` package that answers from memory. Measured on this machine, with the generator on it;
the ratios are what can be compared elsewhere.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from cms.client import Address, ask
from cms.contract.status import ShowStatus
from cms.contract.tokens import AddToken
from tests.fleet import serving

VERSIONS = ("1.6", "2.0.1")
#: (server, version) -> sessions per station; slower servers get fewer, ten messages each.
SESSIONS = {"daemon": 30, "echo": 60, "package": 6}
STATIONS = 50
AIMS = {"1.6": 7.0, "2.0.1": 15.0}


@dataclass(frozen=True, slots=True)
class Server:
    url: str
    process: psutil.Process
    socket: str = ""
    """The daemon's control socket."""

    def cpu_s(self) -> float:
        times = self.process.cpu_times()
        return times.user + times.system

    def rss_kib(self) -> float:
        return self.process.memory_info().rss / 1024


@contextmanager
def peer(module: str) -> Iterator[Server]:
    """A server module that prints its URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"tests.benchmarks.{module}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        yield Server(process.stdout.readline().decode().strip(), psutil.Process(process.pid))
    finally:
        process.kill()
        process.wait()


@contextmanager
def daemon() -> Iterator[Server]:
    """``cms serve`` in an empty directory, with enrolment open and no limit to what a station may send."""
    with tempfile.TemporaryDirectory(prefix="cms-bench-") as folder:
        limits = {"CMS_RATE_PER_S": "1000000", "CMS_BURST": "1000000"}
        with serving(Path(folder), "--open-enrolment", environ=limits) as (process, status):
            ask(AddToken("LOAD"), Address(socket=status["socket"]))
            yield Server(status["ocpp_url"], psutil.Process(process.pid), status["socket"])


def load(server: Server, mode: str, version: str, **options: Any) -> dict[str, Any]:
    flags = [f"--{name}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", "tests.benchmarks.load", mode, server.url, f"--ocpp={version}", *flags]
    before_s = server.cpu_s()
    seen = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    seen["cpu_s"] = server.cpu_s() - before_s
    seen["per_cpu_s"] = seen["messages"] / seen["cpu_s"] if seen["cpu_s"] else 0.0
    return seen


def measure(name: str, server: Server, version: str, scale: float) -> dict[str, Any]:
    load(server, "busy", version, stations=10, sessions=2, group="W")  # warm: imports, caches, schemas
    sessions = max(1, round(SESSIONS[name] * scale))
    seen = load(server, "busy", version, stations=STATIONS, sessions=sessions, group="B")
    print(
        f"  {name:<8} {seen['per_cpu_s']:>9,.0f} messages per CPU-second"
        f"   p50 {seen['p50_ms']:7.2f}  p95 {seen['p95_ms']:7.2f}  p99 {seen['p99_ms']:7.2f} ms"
        f"   ({seen['messages']:,} messages in {seen['seconds']:.1f} s, {seen['errors']} errors)"
    )
    if seen["first_error"]:
        print(f"           first error: {seen['first_error']}")
    return seen


def idle_memory(server: Server, stations: int, version: str) -> float:
    """KiB of RSS per station that is connected, has booted and told a status, and says no more."""
    command = [
        *(sys.executable, "-m", "tests.benchmarks.load", "idle", server.url),
        *(f"--ocpp={version}", f"--stations={stations}", "--group=I"),
    ]
    before_kib = server.rss_kib()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as generator:
        assert generator.stdin is not None and generator.stdout is not None
        generator.stdout.readline()
        assert ask(ShowStatus(), Address(socket=server.socket))["stations"]["online"] == stations
        grown_kib = server.rss_kib() - before_kib
        generator.stdin.close()
    return grown_kib / stations


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the usual number of messages")
    parser.add_argument("--idle", type=int, default=1000, help="idle stations for the memory figure")
    parser.add_argument("--seconds", type=float, default=20.0, help="of 500 busy stations")
    told = parser.parse_args()
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, load generator on the same machine")
    seen: dict[tuple[str, str], dict[str, Any]] = {}
    with daemon() as ours, peer("echo") as echo, peer("package") as package:
        for version in VERSIONS:
            print(f"OCPP {version}, {STATIONS} stations, each as fast as it is answered")
            for name, server in (("daemon", ours), ("echo", echo), ("package", package)):
                seen[name, version] = measure(name, server, version, told.scale)
            _print_ratios(seen, version)
        for version in VERSIONS:
            paced = load(ours, "paced", version, stations=500, seconds=told.seconds, every=10, group="P")
            print(
                f"500 busy stations of {version}, a meter value every 10 s each: p50 {paced['p50_ms']:.2f}"
                f"  p95 {paced['p95_ms']:.2f}  p99 {paced['p99_ms']:.2f} ms (aim: p99 < 50),"
                f" {paced['cpu_s'] / paced['seconds']:.0%} of a core, {paced['errors']} errors"
            )
    for version in VERSIONS:
        with daemon() as ours:
            load(ours, "busy", version, stations=20, sessions=2, group="W")
            kib = idle_memory(ours, told.idle, version)
            print(f"{told.idle:,} idle stations of {version}: {kib:.1f} KiB each (aim: < 60)")


def _print_ratios(seen: dict[tuple[str, str], dict[str, Any]], version: str) -> None:
    ours, echo, package = (seen[name, version]["per_cpu_s"] for name in ("daemon", "echo", "package"))
    print(f"  {ours / package:.1f} times the ocpp package (aim: {AIMS[version]:g})", end="; ")
    print(f"{ours / echo:.2f} of the bare echo (aim: 0.35)")


if __name__ == "__main__":
    main()
