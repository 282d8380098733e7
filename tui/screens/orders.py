"""Orders and audit: what stations were told, what of it waits, long work, and who did what."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from cms.contract.audit import AuditView
from cms.contract.intents import IntentView, Preview
from cms.contract.refusals import Refusal
from tui import signs, words
from tui.books import audit
from tui.books.orders import JOBS, ORDERS, QUEUE, again, said_of
from tui.books.shape import Book, Cell, field
from tui.mirror import Ref
from tui.screens.tabbed import Tabbed
from tui.widgets.live_table import LiveTable
from tui.widgets.paint import Line, Span

#: By list, what people call a column where the field has another name.
SAID = {
    "Orders": {"by": "requested_by", "who": "requested_by", "state": "status", "result": "detail"},
    "Queue": {"by": "requested_by", "who": "requested_by", "why": "detail"},
    "Audit": {"who": "actor", "what": "operation", "on": "target", "from": "via", "why": "reason"},
}
#: What somebody gave with one key or one command came within this time of the order before.
TOGETHER = timedelta(seconds=60)
_BAR = 18


@dataclass(frozen=True, slots=True)
class Batch:
    """Orders that were given together: the same order by the same person for the same reason, one after the other."""

    id: str
    order: str
    requested_by: str
    reason: str | None
    began_at: datetime
    orders: int
    done: int
    failed: int
    under_way: int
    stations: tuple[str, ...]
    members: tuple[str, ...]


def batches(intents: Mapping[str, IntentView]) -> list[Batch]:
    """Those of two orders and more, the latest first."""
    groups: list[list[IntentView]] = []
    last: dict[tuple[str, str, str | None], list[IntentView]] = {}
    for intent in sorted(intents.values(), key=lambda i: i.created_at):
        alike = (intent.order, intent.requested_by, intent.reason)
        group = last.get(alike)
        if group is None or intent.created_at - group[-1].created_at > TOGETHER:
            group = last[alike] = []
            groups.append(group)
        group.append(intent)
    return [_batch(group) for group in reversed(groups) if len(group) > 1]


def _batch(group: Sequence[IntentView]) -> Batch:
    first = group[0]
    done = sum(
        one.status == "confirmed" or (one.status == "accepted" and not one.has_effect) for one in group
    )
    failed = sum(one.status in signs.FINAL and one.status != "confirmed" for one in group)
    return Batch(
        id=first.id,
        order=first.order if len({said_of(one) for one in group}) > 1 else said_of(first),
        requested_by=first.requested_by,
        reason=first.reason,
        began_at=first.created_at,
        orders=len(group),
        done=done,
        failed=failed,
        under_way=len(group) - done - failed,
        stations=tuple(one.station for one in group),
        members=tuple(one.id for one in group),
    )


def _progress(row: Batch) -> Span:
    full = (row.done + row.failed) * _BAR // row.orders
    return "█" * full + "·" * (_BAR - full), "busy" if row.under_way else "warn" if row.failed else "good"


def _count(name: str, tone: str) -> Any:
    def show(row: Batch) -> Span:
        value = getattr(row, name)
        return (f"{value}", tone) if value else ("0", "dim")

    return show


TOGETHER_BOOK = Book(
    "together",
    "Together",
    "orders that were given to several stations at once, and how far they are",
    Batch,
    lambda station: None,
    lambda row: row.id,
    (
        Cell("When", 8, lambda row: words.clock(row.began_at)),
        Cell("Order", 16, lambda row: f"{row.orders} x {row.order}", grow=True),
        Cell("Progress", _BAR, _progress, drop=1),
        Cell("Done", 4, _count("done", "good"), right=True),
        Cell("Fail", 4, _count("failed", "bad"), right=True),
        Cell("Left", 4, _count("under_way", "busy"), right=True),
        Cell("By", 10, field("requested_by"), drop=2),
        Cell("Reason", 14, field("reason"), drop=3),
        Cell("Stations", 10, lambda row: " ".join(row.stations), grow=True, drop=4),
    ),
    "nobody gave the same order to several stations at once",
    kind="intent",
    rank=lambda row: -row.began_at.timestamp(),
)


class Orders(Tabbed):
    """Tabs: orders, those given together, those that wait, long work, and the audit log."""

    place = "orders"
    title_words = "Orders & audit"
    contents: ClassVar[Mapping[str, Book]] = {
        "Orders": ORDERS,
        "Together": TOGETHER_BOOK,
        "Queue": QUEUE,
        "Jobs": JOBS,
        "Audit": audit.AUDIT,
    }

    # ---- orders given together are put together here, of the mirror's

    @property
    def _puts_together(self) -> bool:
        return self.book is TOGETHER_BOOK

    def read(self) -> None:
        if self._puts_together:
            self.hear(batches(self.mirror.intents))
        else:
            super().read()

    def draw(self, changed: set[Ref] | None) -> None:
        if self._puts_together and changed is not None:
            if any(kind == "intent" for kind, _ in changed):
                self.read()
        else:
            super().draw(changed)
        self.draw_frame()

    # ---- what it says

    def summary_line(self) -> Line:
        """How many orders are under way, wait, succeeded and failed, of those that the console knows."""
        counts = {"queued": 0, "way": 0, "good": 0, "bad": 0}
        for intent in self.mirror.intents.values():
            counts[_outcome(intent)] += 1
        spans: list[Span] = [
            (f" under way {counts['way']}", "busy" if counts["way"] else "dim"),
            (f" · wait {counts['queued']}", "busy" if counts["queued"] else "dim"),
            (f" · ok {counts['good']:,}", "dim"),
            (f" · failed {counts['bad']:,}", "bad" if counts["bad"] else "dim"),
        ]
        if (median_s := median_answer_s(self.mirror.intents)) is not None:
            spans.append((f" · median answer {median_s:.1f} s", "dim"))
        return tuple(spans)

    # ---- going on

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        """Orders given together open as a list of them, a row of the audit log as a sheet; the rest as books do."""
        row = self.views().get(event.key)
        if isinstance(row, AuditView):
            event.prevent_default()
            self.console.travel.open_paper(f"Audit log {row.seq}", audit.sheet(row))
        if isinstance(row, Batch):
            event.prevent_default()
            members = " or ".join(f"id={member}" for member in row.members)
            self.open_tab("Orders", members)

    def apply_filter(self, text: str, *, final: bool) -> None:
        """Headings are understood for what they head: ``who=anna``."""
        said = SAID.get(self.tab, {})
        for heading, name in said.items():
            text = re.sub(rf"\b{heading}(?=\s*(?:!?=|~|<|>))", name, text)
        super().apply_filter(text, final=final)

    # ---- the line for the shell

    def fetch_cli(self) -> bool:
        """Ask for the CLI line of the order under the cursor; answers whether there is one to ask for."""
        row = self.row()
        if not isinstance(row, IntentView):
            return False
        try:
            request = replace(again(row), dry_run=True)
        except Refusal as refusal:
            self.console.say(words.sentence(refusal), "warn")
            return True
        self.console.reading.fetch(self, "cli", lambda ask: ask(request))
        return True

    def take(self, what: str, found: Any | Refusal) -> None:
        if what == "cli" and isinstance(found, Preview):
            self.console.copy(found.cli)
            self.console.say(f"copied: {found.cli}", "good")
        else:
            super().take(what, found)


def _outcome(intent: IntentView) -> str:
    if intent.status == "queued":
        return "queued"
    if intent.status == "confirmed" or (intent.status == "accepted" and not intent.has_effect):
        return "good"
    return "bad" if intent.status in signs.FINAL and intent.status != "cancelled" else "way"


def median_answer_s(intents: Mapping[str, IntentView]) -> float | None:
    """Half of the orders that were answered were answered sooner; None: none was."""
    spans = sorted(
        (one.answered_at - one.created_at).total_seconds()
        for one in intents.values()
        if one.answered_at is not None
    )
    return spans[len(spans) // 2] if spans else None
