"""How far long work is: one line on stderr, on a terminal alone, gone when the work is over.

It comes only when the work takes a while, is drawn at most ten times a second by one write each, has neither colour
nor animation, and fits whatever width the terminal has.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cli.flags import Flags

#: Work that is over sooner needs no bar.
_AFTER_S = 0.3
_EVERY_S = 0.1
#: An estimate before that is worth nothing.
_GUESS_AFTER_S = 2.0
_NARROWEST = 20
_LONGEST_BAR = 30


@contextmanager
def progress(flags: Flags, what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Give the block a function that is told how much of ``total`` is done; threads may tell it at once."""
    if not wanted(flags) or total <= 0:
        yield _silent
        return
    line = _Line(what, total)
    try:
        yield line.at
    finally:
        line.clear()


def wanted(flags: Flags) -> bool:
    """Whether somebody sits before stderr who can be shown a line that changes."""
    return not flags.quiet and sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _silent(done: int) -> None:
    pass


class _Line:
    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._began = time.monotonic()
        self._drawn_at = self._began + _AFTER_S - _EVERY_S
        self._text = ""
        self._lock = threading.Lock()

    def at(self, done: int) -> None:
        with self._lock:
            now = time.monotonic()
            if now - self._drawn_at < _EVERY_S:
                return
            self._drawn_at = now
            text = told(self._what, done, self._total, now - self._began, _width())
            if text != self._text:
                # Blanks, not a sequence that erases: no terminal is too simple for them.
                _write(f"\r{text:<{len(self._text)}}")
                self._text = text

    def clear(self) -> None:
        with self._lock:
            # Nothing that comes late draws it again.
            self._drawn_at = float("inf")
            if self._text:
                _write(f"\r{'':<{len(self._text)}}\r")
                self._text = ""


def told(what: str, done: int, total: int, took_s: float, width: int) -> str:
    """The line for a terminal of this width: what does not fit is left out, the bar first."""
    done = min(max(done, 0), total)
    share = done / total
    left = f"  {_span(took_s / share - took_s)} left" if share and took_s > _GUESS_AFTER_S else ""
    counts = f"  {done:,} of {total:,}"
    # The last column stays free: some terminals go on to the next line when it is written.
    room = max(width, _NARROWEST) - 1
    head, percent = what, f" {share:4.0%}"
    for tail in (counts + left, counts, ""):
        bar = min(room - len(head) - len(percent) - len(tail) - 3, _LONGEST_BAR)
        if bar >= 5:
            full = int(share * bar)
            return f"{head} [{'#' * full}{'.' * (bar - full)}]{percent}{tail}"
        if tail and len(head) + len(percent) + len(tail) <= room:
            return f"{head}{percent}{tail}"
    return f"{head}{percent}"[-room:]


def _span(seconds: float) -> str:
    if seconds < 60:
        return f"{max(int(seconds), 1)} s"
    return f"{int(seconds // 60)} min" if seconds < 3600 else f"{int(seconds // 3600)} h"


def _width() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
