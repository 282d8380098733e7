"""Drivers: who charges, where he charges now, and what he owes; beside them their groups, cards of nobody, local lists.

The tokens are a screen of their own, kept true by events; here they are one step to the right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from cms.contract.drivers import DriverView, ListDrivers
from cms.contract.ledger import ListAccounts
from cms.contract.refusals import Refusal
from cms.contract.sessions import SessionView
from tui import words
from tui.books.drivers import LISTS
from tui.books.people import DRIVERS, UNKNOWN
from tui.books.shape import Book, Cell, field
from tui.mirror import Ref
from tui.screens.tabbed import Tabbed, tab_bar
from tui.widgets.lines import Lines
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.paint import Span

RECEIVABLE = "receivable/"
TOKENS = "Tokens"
#: Books stand in the order of their keys: this is behind all letters.
NO_GROUP = "– no group"
SIGNS = {"active": (" ", ""), "unverified": ("◔", "warn"), "suspended": ("✖", "bad"), "closed": ("–", "dim")}
COLUMNS = (
    Column("", 1),
    Column("Driver", 10, most=20),
    Column("Name", 13, drop=1, most=26),
    Column("Tokens", 12, drop=4, most=26),
    Column("Group", 7, drop=5, most=16),
    Column("Now", 19, grow=True),
    Column("Owes", 8, right=True, drop=2),
    Column("E-mail", 22, drop=7),
    Column("Phone", 16, drop=8),
)


@dataclass(frozen=True, slots=True)
class Group:
    """A group of drivers and how many of them may charge."""

    name: str
    drivers: int
    active: int
    tokens: int


def groups_of(drivers: Sequence[DriverView]) -> list[Group]:
    """Groups by name, with those who are in none last."""
    members: dict[str, list[DriverView]] = {}
    for driver in drivers:
        for name in driver.groups or ("",):
            members.setdefault(name, []).append(driver)
    return [
        Group(name or NO_GROUP, len(of_it), _active(of_it), sum(len(d.tokens) for d in of_it))
        for name, of_it in sorted(members.items(), key=lambda item: (not item[0], item[0].casefold()))
    ]


def _active(drivers: Sequence[DriverView]) -> int:
    return sum(driver.status == "active" for driver in drivers)


GROUPS = Book(
    "driver-groups",
    "Groups",
    "groups that access rules and prices name",
    Group,
    lambda station: ListDrivers(),
    lambda row: row.name,
    (
        Cell("Group", 24, field("name")),
        Cell("Drivers", 8, lambda row: f"{row.drivers:,}", right=True),
        Cell("May charge", 10, lambda row: f"{row.active:,}", right=True),
        Cell("Tokens", 8, lambda row: f"{row.tokens:,}", right=True),
        Cell("", 4, lambda row: "", grow=True),
    ),
    "no driver is in a group: cms drivers set DRIVER --group NAME",
    ("driver.",),
    rows=groups_of,
)


class Drivers(Tabbed):
    """Screen 4. Enter opens the support card."""

    place = "drivers"
    title_words = "Drivers & tokens"
    contents: ClassVar[Mapping[str, Book]] = {
        "Drivers": DRIVERS,
        "Groups": GROUPS,
        "Unknown cards": UNKNOWN,
        "Local lists": LISTS,
    }
    BAR: ClassVar[tuple[str, ...]] = ("Drivers", TOKENS, "Groups", "Unknown cards", "Local lists")

    def __init__(self, tab: str = "") -> None:
        super().__init__(tab)
        self._owes: dict[str, tuple[Decimal, str]] = {}

    @property
    def columns(self) -> Sequence[Column]:  # type: ignore[override]
        return COLUMNS if self.tab == "Drivers" else super().columns

    # ---- the bar

    def draw_frame(self) -> None:
        super().draw_frame()
        self.query_one("#lists", Lines).show([tab_bar(list(self.BAR), self.tab, self.app.size.width)])

    def turn_tab(self, by: int) -> None:
        tab = self.BAR[(self.BAR.index(self.tab) + by) % len(self.BAR)]
        if tab == TOKENS:
            self.console.travel.go("tokens")
        else:
            self.open_tab(tab)

    # ---- money, and where they charge

    def read(self) -> None:
        super().read()
        if self.tab == "Drivers":
            self.console.reading.fetch(self, "owes", lambda ask: ask(ListAccounts(begins=RECEIVABLE)))

    def take(self, what: str, found: Any | Refusal) -> None:
        """What they owe; whoever may not see it has no such figures."""
        if what != "owes":
            super().take(what, found)
        elif not isinstance(found, Refusal):
            self._owes = {
                account.account.removeprefix(RECEIVABLE): (account.balance.amount, account.balance.currency)
                for account in found
            }
            self.list_table().forget()

    def draw(self, changed: set[Ref] | None) -> None:
        super().draw(changed)
        if changed and self.tab == "Drivers" and any(kind in ("session", "token") for kind, _ in changed):
            self.list_table().repaint_changed()

    def cells(self, key: str) -> Sequence[Span]:
        if self.tab != "Drivers":
            return super().cells(key)
        driver: DriverView | None = self.views().get(key)
        if driver is None:
            return [""] * len(COLUMNS)
        mark, tone = SIGNS.get(driver.status, ("?", "warn"))
        running = [session for token in driver.tokens for session in self.mirror.sessions_with(token)]
        return (
            ("●", "busy") if running and not tone else (mark, tone),
            driver.id,
            driver.name or "",
            _short(driver.tokens),
            ", ".join(driver.groups),
            self._now(driver, running),
            self._owed(driver.id),
            driver.email or "",
            driver.phone or "",
        )

    def _now(self, driver: DriverView, running: Sequence[SessionView]) -> Span:
        """Why he may not charge, else where he does."""
        if driver.status != "active":
            why = f" ({driver.status_reason})" if driver.status_reason else ""
            return (f"{driver.status}{why}", "bad")
        blocked = [t for t in map(self.mirror.tokens.get, driver.tokens) if t and t.status != "accepted"]
        if running:
            first = max(running, key=lambda session: session.power_w or 0)
            where = f"{first.station}/{words.plug(first.evse, first.connector)}"
            more = f" +{len(running) - 1}" if len(running) > 1 else ""
            return (f"{where} {(first.power_w or 0) / 1000:.1f}kW{more}", "busy")
        if blocked:
            why = blocked[0].blocked_reason or blocked[0].status
            of = "" if len(driver.tokens) == 1 else f"{len(blocked)} of {len(driver.tokens)} "
            return (f"{of}token{'s' if of else ''}: {why}", "warn")
        return "" if driver.tokens else ("no token", "dim")

    def _owed(self, driver: str) -> Span:
        amount, _ = self._owes.get(driver, (Decimal(0), ""))
        return (f"{amount:,.2f}", "warn" if amount > 0 else "dim") if amount else ""

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        if self.tab == "Drivers":
            event.prevent_default()
            self.console.travel.open_support(event.key)
        elif self.tab == "Groups":
            event.prevent_default()
            self.open_tab("Drivers", "" if event.key == NO_GROUP else f'groups="{event.key}"')


def _short(tokens: Sequence[str]) -> str:
    """Their beginnings and ends, as they are printed on cards: ``04A2…9F``."""
    return ", ".join(token if len(token) <= 9 else f"{token[:4]}…{token[-3:]}" for token in tokens)
