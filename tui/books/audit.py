"""Who did what: the audit log, the latest rows first."""

from __future__ import annotations

from typing import Any

from cms.contract import audit
from tui.books.shape import Book, Cell, field, moment
from tui.widgets.paint import Span

_TONES = {"changed": "good", "ordered": "busy", "held": "warn", "nothing": "dim", "read": "dim"}
_ROWS = 500
_LAST = 2**63 - 1


def _result(row: Any) -> Span:
    times = f" ×{row.times}" if row.times > 1 else ""
    return (row.result + times, _TONES.get(row.result, "bad"))


def _newest_first(row: Any) -> str:
    """Books stand in the order of their keys."""
    return f"{_LAST - row.seq:019d}"


AUDIT = Book(
    "audit",
    "Audit log",
    "who did what to what, why, and with which result",
    audit.AuditView,
    lambda station: audit.ListAudit(target=station, looks=False, limit=_ROWS),
    _newest_first,
    (
        Cell("#", 8, field("seq"), right=True, drop=4),
        Cell("When", 17, moment("at")),
        Cell("Who", 12, field("actor")),
        Cell("What", 22, field("operation")),
        Cell("On", 14, field("target")),
        Cell("Result", 12, _result),
        Cell("Why", 16, lambda row: row.reason or row.detail or "", grow=True, drop=1),
        Cell("Role", 10, field("role"), drop=2),
        Cell("Via", 20, field("via"), drop=3),
    ),
    "nobody has changed anything yet",
    ("station.enrolled", "station.changed", "intent.created", "token.", "driver.", "approval.", "grant."),
    called=lambda row: str(row.seq),
)

BOOKS = (AUDIT,)
