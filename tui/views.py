"""How lists are looked at, under a name; and what the console remembers from one time to the next.

All of it is one small file (``$XDG_STATE_HOME/cms/console.json``). It is only a convenience: what cannot be read
or written is done without.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

HISTORY = 100
"""Lines that were typed, kept."""
DAEMONS = 20
"""Daemons whose lists' places are kept; the one that was left longest ago goes first."""
MARKS = 2000


@dataclass(frozen=True, slots=True)
class View:
    """A list, its filter and order, and the headings of its columns (None: all that fit)."""

    place: str
    filter: str = ""
    sort: str = ""
    down: bool = False
    columns: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """How a list was left: its view, the row under the cursor, the marked rows."""

    view: View
    cursor: str | None = None
    marks: tuple[str, ...] = ()


@dataclass
class _File:
    views: dict[str, View] = field(default_factory=dict)
    typed: list[str] = field(default_factory=list)
    positions: dict[str, dict[str, Position]] = field(default_factory=dict)
    bell: bool = False


def state_file(environ: Mapping[str, str]) -> Path:
    """Where it is kept."""
    base = environ.get("XDG_STATE_HOME") or Path(environ.get("HOME", "~")).expanduser() / ".local" / "state"
    return Path(base) / "cms" / "console.json"


class Kept:
    """What is remembered; without a ``path`` until the console is left. ``daemon``: whose ids they are."""

    def __init__(self, path: Path | None = None, daemon: str = "") -> None:
        self._path = path
        self._file = _read(path)
        self._daemon = daemon
        positions = self._file.positions
        positions[daemon] = positions.pop(daemon, {})

    @property
    def views(self) -> dict[str, View]:
        return self._file.views

    @property
    def positions(self) -> dict[str, Position]:
        """By list: how it was left."""
        return self._file.positions[self._daemon]

    @property
    def typed(self) -> list[str]:
        """The lines of the command line, the latest last."""
        return self._file.typed

    @property
    def bell(self) -> bool:
        """Whether alarms ring."""
        return self._file.bell

    def ring(self, on: bool) -> None:
        self._file.bell = on
        self.save()

    def add_typed(self, line: str) -> None:
        typed = [known for known in self._file.typed if known != line]
        self._file.typed = [*typed, line][-HISTORY:]

    def add_view(self, name: str, view: View) -> None:
        self._file.views[name] = view
        self.save()

    def drop_view(self, name: str) -> None:
        self._file.views.pop(name, None)
        self.save()

    def leave(self, name: str, position: Position) -> None:
        """A list is left like this."""
        self.positions[name] = position

    def save(self) -> None:
        """Write it anew, whole or not at all."""
        if self._path is None:
            return
        positions = self._file.positions
        for daemon in list(positions)[:-DAEMONS]:
            del positions[daemon]
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=".console-")
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(self._file))
            Path(name).replace(self._path)
        except OSError:
            return  # a full or read-only disk: the console works without


def _read(path: Path | None) -> _File:
    if path is None:
        return _File()
    try:
        return msgspec.json.decode(path.read_bytes(), type=_File)
    except (OSError, msgspec.DecodeError):
        return _File()
