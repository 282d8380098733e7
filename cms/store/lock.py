"""One daemon per data directory."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from cms.contract.refusals import Conflict


@dataclass(frozen=True, slots=True)
class Lock:
    """Held until ``release``, or until the process ends however it ends."""

    file: TextIO

    def release(self) -> None:
        self.file.close()


def lock(path: Path) -> Lock:
    """Take the lock file; Conflict when another process holds it. The file names the holder's process id."""
    file = path.open("a+", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        holder = file.read(20).strip() or "unknown"
        file.close()
        raise Conflict(
            f"another daemon (process {holder}) already uses {path.parent}",
            "stop it, or give this one a data directory of its own",
        ) from error
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return Lock(file)
