"""What a billing run would make now, document by document; one act makes it so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from textual.widget import Widget

from cms.contract.intents import Preview
from cms.contract.invoices import BilledView, BillingRunView, LeftOutView, RunBilling
from cms.contract.money import money
from cms.contract.refusals import Refusal
from tui import words
from tui.books.shape import Book, Cell, order
from tui.orders import Draft, Target
from tui.reading import Ask
from tui.screens.book import BookPlace
from tui.widgets.lines import Lines
from tui.widgets.paint import Line

#: A run answers after so many accounts (the most that it does at once); this often is it asked to go on.
AT_ONCE = 500
MOST_PARTS = 200


async def run_dry(ask: Ask) -> list[BillingRunView]:
    """What the run would make from its first account to its last, part by part."""
    parts: list[BillingRunView] = []
    after: str | None = None
    while len(parts) < MOST_PARTS:
        part = await ask(RunBilling(dry_run=True, after=after))
        parts.append(part)
        if part.next is None or (after is not None and part.next <= after):
            break
        after = part.next
    return parts


def _who(row: BilledView | LeftOutView) -> str:
    return (row.driver or row.account) if isinstance(row, BilledView) else row.account


def _document(row: BilledView | LeftOutView) -> tuple[str, str]:
    if isinstance(row, LeftOutView):
        return "left out", "warn"
    return row.kind, "busy" if row.kind == "invoice" else "warn"


def _amount(row: BilledView | LeftOutView) -> str:
    return money(row.payable if isinstance(row, BilledView) else row.gross, row.currency)


def _sessions(row: BilledView | LeftOutView) -> str:
    return f"{row.sessions:,}" if isinstance(row, BilledView) else f"session {row.session}"


RUN = Book(
    "billing-run",
    "Billing run",
    "what a billing run would make",
    BilledView,
    lambda station: RunBilling(dry_run=True),
    lambda row: (
        f"{isinstance(row, LeftOutView):d} {_who(row)} {getattr(row, 'session', row.currency)} {id(row)}"
    ),
    (
        Cell("Document", 11, _document),
        Cell("Who", 14, _who, grow=True),
        Cell("Sessions", 22, _sessions, right=True, drop=1),
        Cell("To pay", 12, _amount, right=True),
        Cell("Corrects", 12, lambda row: getattr(row, "corrects", None) or "", drop=3),
        Cell("Why", 30, lambda row: getattr(row, "why", ""), drop=2),
    ),
    "nobody is to be billed: all that ended last month is on an invoice",
    ("invoice.",),
)


class BillingRun(BookPlace):
    """A dry run of last month, and the act that makes its documents."""

    place = "billing-run"

    def __init__(self) -> None:
        run = order("B", "bill", "make these documents", "Make the documents of",
                    lambda target, _: RunBilling(limit=AT_ONCE), foretell=self._foretold)  # fmt: skip
        super().__init__(replace(RUN, acts=(replace(run, act=replace(run.act, kind="row")),)), None)
        self._parts: list[BillingRunView] = []

    def body(self) -> Iterable[Widget]:
        yield Lines(id="facts", classes="values")
        yield from super().body()

    def crumbs(self) -> list[str]:
        return ["Billing", "Billing run"]

    def read(self) -> None:
        self.console.reading.fetch(self, "dry run", run_dry)

    def take(self, what: str, found: Any | Refusal) -> None:
        if isinstance(found, Refusal):
            self.fail(words.sentence(found))
            self.console.say(words.sentence(found), "warn")
            return
        self._parts = found
        self.hear([row for part in found for row in (*part.invoices, *part.left_out)])
        self.query_one("#facts", Lines).show(self._facts())

    def _facts(self) -> list[Line]:
        if not self._parts:
            return []
        left_out = sum(len(part.left_out) for part in self._parts)
        more: Line = ((f" sessions left out: {left_out}", "warn"),) if left_out else ()
        return [
            (f" {self._period()}: would make {self.totals()}",),
            (*more, (" B makes them; another month: cms billing run --month", "dim")),
        ]

    def totals(self) -> str:
        """How many documents, and their sum in each currency; a credit note counts against it."""
        sums: dict[str, Decimal] = {}
        count = 0
        for part in self._parts:
            for row in part.invoices:
                count += 1
                sign = -1 if row.kind == "credit-note" else 1
                sums[row.currency] = sums.get(row.currency, Decimal(0)) + sign * row.payable
        worth = ", ".join(money(amount, currency) for currency, amount in sorted(sums.items()))
        return f"{count:,} document{'' if count == 1 else 's'}{f' over {worth}' if worth else ''}"

    def target(self) -> Target | None:
        """The run as a whole, whichever document the cursor stands on."""
        return Target(self._period(), kind="row", now=self.console.now())

    def _period(self) -> str:
        first = self._parts[0] if self._parts else None
        return f"{first.since} to {first.until}" if first else "last month"

    def _foretold(self, draft: Draft) -> Preview:
        does = f"{self.totals()} are numbered and owed; only a credit note takes one back"
        return Preview(draft.act.name, "", 2, does, "cms billing run")
