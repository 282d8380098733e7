"""What was brought in from other systems: imports of sessions."""

from __future__ import annotations

from typing import Any

from cms.contract import history
from tui import words
from tui.books.shape import Book, Cell, field, moment
from tui.widgets.paint import Span

_TONES = {"complete": "good", "unfinished": "warn", "being removed": "warn", "removed": "dim"}


def _status(row: Any) -> Span:
    return (row.status, _TONES.get(row.status, "dim"))


def _span(row: Any) -> Span:
    return f"{row.first:%Y-%m-%d} to {row.last:%Y-%m-%d}" if row.first and row.last else ""


IMPORTS = Book(
    "imports",
    "Imports",
    "sessions that came from other systems' files: cms import sessions FILE",
    history.SessionImportView,
    lambda station: history.ListSessionImports(),
    lambda row: row.id,
    (
        Cell("Import", 6, field("id")),
        Cell("Status", 13, _status),
        Cell("Sessions", 8, field("sessions"), right=True),
        Cell("Energy", 11, lambda row: words.energy(row.energy_wh), right=True),
        Cell("Begun", 24, _span, drop=2),
        Cell("By", 10, field("by"), drop=3),
        Cell("When", 16, moment("at"), drop=4),
        Cell("File", 16, field("file"), grow=True, drop=1),
    ),
    "nothing was imported: cms import sessions FILE --dry-run",
    ("sessions.import",),
)

BOOKS = (IMPORTS,)
