"""What a command costs before it does anything: ``python -m tests.benchmarks.startup``. CPU, not wall time."""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
from pathlib import Path

from tests.fleet import CMS, serving

RUNS = 7
AIMS_MS = {"--help": 150, "stations list": 400}


def cpu_ms(*arguments: str, socket: str = "") -> float:
    """The best of some runs: user and system time of the command's process."""
    spent: list[float] = []
    for _ in range(RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [*CMS, *arguments], check=True, capture_output=True, env={**os.environ, "CMS_SOCKET": socket}
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(spent) * 1000


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="cms-bench-") as folder,
        serving(Path(folder)) as (_, status),
    ):
        for command, aim_ms in AIMS_MS.items():
            spent_ms = cpu_ms(*command.split(), socket=status["socket"])
            print(f"cms {command:<14} {spent_ms:6.0f} ms of CPU (aim: < {aim_ms})")


if __name__ == "__main__":
    main()
