"""Who did what: the audit log, the latest rows first."""

from __future__ import annotations

import json
from typing import Any

from cms.contract import audit
from tui.books.shape import Book, Cell, field, moment
from tui.words import minute

_TONES = {"changed": "good", "ordered": "busy", "held": "warn", "nothing": "dim", "read": "dim"}
_ROWS = 500
_LAST = 2**63 - 1


def _result(row: Any) -> tuple[str, str]:
    times = f" ×{row.times}" if row.times > 1 else ""
    return (row.result + times, _TONES.get(row.result, "bad"))


def _newest_first(row: Any) -> str:
    """Books stand in the order of their keys."""
    return f"{_LAST - row.seq:019d}"


def sheet(row: audit.AuditView) -> list[str]:
    """A row to read: who, what, and what was before and after it.

    What changed is kept as keyed digests: the same digest is the same content, and tells no more.
    """
    who = f"{row.actor} as {row.role}, came by {row.via}"
    lines = [
        f"{minute(row.at)} (row {row.seq}, request {row.request_id})",
        f"who      {who}",
        f"what     {row.operation}{f' on {row.target}' if row.target else ''}, allowed by {row.permission}",
        f"result   {_result(row)[0]}{f': {row.detail}' if row.detail else ''}",
    ]
    if row.reason:
        lines.append(f"why      {row.reason}")
    if row.intent:
        lines.append(f"order    {row.intent}: its state is on the first list of this screen")
    if row.before or row.after:
        same = " (nothing is different)" if row.before == row.after else ""
        lines += ["", f"before   {row.before or 'nothing was there'}"]
        lines.append(f"after    {row.after or 'nothing is there'}{same}")
    request = json.dumps(row.request, indent=2, default=str, ensure_ascii=False)
    return [*lines, "", "asked for", *request.splitlines(), "", f"seal     {row.mac}"]


AUDIT = Book(
    "audit",
    "Audit log",
    "who did what to what, why, and with which result",
    audit.AuditView,
    lambda station: audit.ListAudit(target=station, looks=False, limit=_ROWS),
    _newest_first,
    (
        Cell("#", 8, field("seq"), right=True, drop=6),
        Cell("When", 16, moment("at")),
        Cell("Who", 10, field("actor")),
        Cell("What", 14, field("operation"), grow=True),
        Cell("On", 14, field("target"), drop=2),
        Cell("Result", 12, _result, drop=1),
        Cell("Why", 16, lambda row: row.reason or row.detail or "", grow=True, drop=3),
        Cell("Role", 10, field("role"), drop=4),
        Cell("Via", 20, field("via"), drop=5),
    ),
    "nobody has changed anything yet",
    ("station.enrolled", "station.changed", "intent.created", "token.", "driver.", "approval.", "grant."),
    called=lambda row: str(row.seq),
)

BOOKS = (AUDIT,)
