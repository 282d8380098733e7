"""Structured logs on stderr: for people on a terminal, JSON lines otherwise.

Station-supplied text is data: the JSON encoder, or repr for people, keeps every event on one line.
"""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Hashable
from datetime import datetime
from typing import Any, TextIO

import structlog

from cms.contract.safe import safe


class Sparing:
    """Lets so many lines a minute pass about each subject, and remembers how many it kept back.

    A station that is refused, or loses its link, redials every few seconds for ever: one line tells as much.
    """

    _MOST_SUBJECTS = 10_000

    def __init__(self, per_minute: int = 6) -> None:
        self._per_minute = per_minute
        self._minutes: dict[Hashable, tuple[int, int]] = {}
        """By subject: the minute, and how many lines it had."""

    def kept_back(self, subject: Hashable, at: datetime) -> int | None:
        """None: this line is one too many. Otherwise how many were kept back since the last that passed."""
        minute = int(at.timestamp() // 60)
        if len(self._minutes) > self._MOST_SUBJECTS:
            self._minutes.clear()
        last, lines = self._minutes.get(subject, (minute, 0))
        missed = 0
        if last != minute:
            missed, lines = max(0, lines - self._per_minute), 0
        self._minutes[subject] = minute, lines + 1
        return missed if lines < self._per_minute else None


def set_up(level: str, style: str, stream: TextIO = sys.stderr) -> None:
    """Send all logs, ours and the libraries', through one formatter. ``style``: auto, human or json."""
    human = style == "human" or (style == "auto" and stream.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    final: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if human:
        final += [
            _harmless,
            structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=_harmless_traceback),
        ]
    else:
        final += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    formatter = structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=final)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("websockets").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # It writes every value that goes to the database: card numbers too.
    logging.getLogger("aiosqlite").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _harmless(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """A terminal must never see what a station wrote raw."""
    return {key: safe(value) if isinstance(value, str) else value for key, value in event.items()}


def _harmless_traceback(stream: TextIO, error: structlog.typing.ExcInfo) -> None:
    """Plain: the pretty ones print every local variable, keys and passwords among them. Indented: what stands in an
    error's text can look like no line of its own.
    """
    told = io.StringIO()
    structlog.dev.plain_traceback(told, error)
    lines = told.getvalue().strip("\n").split("\n")
    stream.write("\n" + "\n".join(f"    {safe(line)}" for line in lines))
