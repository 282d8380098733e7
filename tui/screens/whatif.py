"""What if another tariff held: for one session beside all tariffs, for a tariff over what was charged lately."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from textual.widget import Widget

from cms.contract.cdrs import RerateSessions, RerateView
from cms.contract.money import money
from cms.contract.prices import SimulatedStation, SimulateTariff, Simulation
from cms.contract.record import record
from cms.contract.refusals import Refusal
from cms.contract.tariffs import ListTariffs
from tui import words
from tui.books.shape import Book, Cell, field
from tui.reading import Ask
from tui.screens.book import BookPlace
from tui.widgets.lines import Lines
from tui.widgets.paint import Line, Span

#: So many tariffs are tried on a session, and so far back a tariff is tried on sessions.
MOST_TARIFFS = 30
BACK = timedelta(days=30)
#: What a dry run says why; nothing is written by it.
REASON = "what if"


@record
class Tried:
    """A session's price by one tariff; ``after`` null: it could not be priced, ``why`` says why."""

    tariff: str
    summary: str
    currency: str | None
    before: Decimal | None
    after: Decimal | None
    why: str | None


async def try_on(ask: Ask, session: str) -> list[Tried]:
    """The session by every registered tariff; nothing is changed."""
    tried: list[Tried] = []
    for tariff in (await ask(ListTariffs()))[:MOST_TARIFFS]:
        request = RerateSessions(REASON, (session,), tariff=tariff.id, dry_run=True)
        try:
            views: list[RerateView] = await ask(request)
        except Refusal as refusal:
            tried.append(Tried(tariff.id, tariff.summary, None, None, None, refusal.message))
            continue
        tried += [Tried(tariff.id, tariff.summary, v.currency, v.before, v.after, v.why) for v in views]
    return tried


def _some(name: str) -> Any:
    def show(row: Tried) -> Span:
        amount = getattr(row, name)
        return "" if amount is None else money(amount, row.currency)

    return show


def _more(row: Tried) -> Span:
    if row.before is None or row.after is None:
        return ""
    change = row.after - row.before
    return f"{'+' if change > 0 else ''}{money(change, row.currency)}", "warn" if change < 0 else ""


SESSION = Book(
    "what-if",
    "What if",
    "what a session would have come to by each tariff",
    Tried,
    lambda station: None,
    lambda row: row.tariff,
    (
        Cell("Tariff", 14, field("tariff")),
        Cell("Now", 12, _some("before"), right=True, drop=1),
        Cell("By this", 12, _some("after"), right=True),
        Cell("Change", 12, _more, right=True),
        Cell("Prices", 20, lambda row: (row.why, "warn") if row.why else row.summary, grow=True, drop=2),
    ),
    "there is no tariff to try",
)

STATIONS = Book(
    "what-if-stations",
    "What if",
    "what stations would have brought by a tariff",
    SimulatedStation,
    lambda station: None,
    lambda row: row.id,
    (
        Cell("Station", 14, field("id"), grow=True),
        Cell("Sessions", 8, lambda row: f"{row.sessions:,}", right=True, drop=3),
        Cell("kWh", 10, lambda row: words.kilowatt_hours(row.energy_wh), right=True, drop=2),
        Cell("Was", 12, lambda row: money(row.before.amount, row.before.currency), right=True, drop=1),
        Cell("By this", 12, lambda row: money(row.after.amount, row.after.currency), right=True),
        Cell("Change", 12, lambda row: money(row.change.amount, row.change.currency), right=True),
        Cell("%", 7, lambda row: "" if row.change_percent is None else f"{row.change_percent:+}", right=True, drop=4),
        Cell("No price", 8, field("unpriced"), right=True, drop=5),
    ),
    "nothing was charged in this time",
)  # fmt: skip


class WhatIf(BookPlace):
    """Of a ``session``, or of a ``tariff``."""

    place = "what-if"

    def __init__(self, *, session: str = "", tariff: str = "") -> None:
        super().__init__(SESSION if session else STATIONS, None)
        self.session = session
        self.tariff = tariff
        self._found: Simulation | None = None

    def body(self) -> Iterable[Widget]:
        yield Lines(id="facts", classes="values")
        yield from super().body()

    def crumbs(self) -> list[str]:
        return ["Billing", f"what if, {f'session {self.session}' if self.session else self.tariff}"]

    def read(self) -> None:
        if self.session:
            self.console.reading.fetch(self, "what if", lambda ask: try_on(ask, self.session))
        else:
            request = SimulateTariff(since=self.console.now() - BACK, tariff=self.tariff)
            self.console.reading.fetch(self, "what if", lambda ask: ask(request))

    def take(self, what: str, found: Any | Refusal) -> None:
        match found:
            case Refusal():
                self.fail(words.sentence(found))
            case Simulation():
                self._found = found
                self.hear(found.stations)
                self.query_one("#facts", Lines).show(simulation_lines(found))
            case _:
                self.hear(found)


def simulation_lines(found: Simulation) -> list[Line]:
    """What all of it comes to, and what could not be told."""
    percent = "" if found.change_percent is None else f" ({found.change_percent:+} %)"
    change = money(found.change.amount, found.change.currency)
    lines: list[Line] = [
        (
            f" {found.since:%Y-%m-%d} to {found.until:%Y-%m-%d}, {found.sessions:,} sessions: ",
            f"{money(found.before.amount, found.before.currency)} was, ",
            (f"{money(found.after.amount, found.after.currency)} by {found.tariff}", "strong"),
            f", {change}{percent}",
        )
    ]
    if found.skipped:
        lines.append(((f" {found.skipped:,} sessions could not be priced anew", "warn"),))
    return [*lines, *(((f" {remark}", "dim"),) for remark in found.remarks[:3])]
