"""Files that the console writes for whoever sits before it: never over another, readable by nobody else."""

from __future__ import annotations

import os
from pathlib import Path

_TRIES = 100


def written(name: str, content: bytes) -> Path:
    """The content as a new file in the present folder; a number goes into the name where there is one already.

    Raises OSError where nothing can be written.
    """
    folder, stem, suffix = Path.cwd(), Path(name).stem, Path(name).suffix
    for number in range(1, _TRIES):
        path = folder / (f"{stem}{suffix}" if number == 1 else f"{stem}-{number}{suffix}")
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        return path
    raise FileExistsError(f"{folder / name} is there already")


def told(name: str, content: bytes, what: str) -> tuple[str, str]:
    """Write it, and say so: the sentence and its tone."""
    try:
        path = written(name, content)
    except OSError as error:
        return f"{name} could not be written: {error.strerror or error}", "bad"
    return f"✔ {what} written to {path}", "good"
