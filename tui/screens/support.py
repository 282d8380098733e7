"""The support card: everything to answer a caller, and the acts that help him. ``~`` opens it from any screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import Any

from textual import events
from textual.widget import Widget

from cms.contract.balances import ShowBalance
from cms.contract.billingprofiles import ShowBillingProfile
from cms.contract.drivers import DriverView
from cms.contract.ledger import ListAccounts
from cms.contract.refusals import Conflict, Refusal
from cms.contract.support import FindDrivers, ShowSupportCard, SupportCard
from tui import words
from tui.caller import Money, Row, as_text, found_rows, plain, rows_of
from tui.mirror import Mirror, Ref
from tui.orders import Target
from tui.screens.place import Place, target_of_session
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.paint import Span, clean

#: After these something on the card is old.
STALE = ("session.started", "session.ended", "token.", "driver.", "balance.", "payment.", "invoice.")
READ_AGAIN_S = 0.5
LOUDNESS = ("bad", "warn", "good", "busy", "strong", "dim")
#: Cells of the label, and those that a table takes for itself.
MARGIN = 12


async def read_card(ask: Any, who: str) -> Any:
    """The card with what may be seen of his money; where it is not clear who is meant, those it may be."""
    try:
        card: SupportCard = await ask(ShowSupportCard(who))
    except Conflict:
        return await ask(FindDrivers(who))
    return card, await _money(ask, card)


async def _money(ask: Any, card: SupportCard) -> Money:
    if card.driver is None:
        return Money()
    driver = card.driver.id
    account = f"receivable/{driver}"
    accounts = await _allowed(ask, ListAccounts(begins=account)) or []
    return Money(
        await _allowed(ask, ShowBillingProfile(driver)),
        await _allowed(ask, ShowBalance(driver)),
        tuple(row for row in accounts if row.account == account),
    )


async def _allowed(ask: Any, request: Any) -> Any | None:
    """The answer; None where there is nothing, or not for him who asks."""
    try:
        return await ask(request)
    except Refusal:
        return None


def caller_at(mirror: Mirror, target: Target | None) -> str | None:
    """Whom the row under the cursor is about: a driver, whose token or session it is; nobody at a whole station."""
    if target is None:
        return None
    if isinstance(target.row, DriverView):
        return target.row.id
    if target.kind in ("token", "card"):
        return target.token or None
    session = mirror.sessions.get(target.session or "") if target.plug is not None else None
    return session.token if session is not None else None


def folded(row: Row, width: int) -> list[Row]:
    """A row as lines of at most so many cells, in its loudest tone; all of them are about the same."""
    label, told, about = row
    tones = [span[1] for span in told if not isinstance(span, str)]
    tone = next((tone for tone in LOUDNESS if tone in tones), "")
    lines = wrap(clean(plain(told), None), max(10, width)) or [""]
    return [("" if number else label, ((line, tone),), about) for number, line in enumerate(lines)]


class Support(Place):
    """One caller; enter on a session opens it, ``y`` copies the card."""

    place = "card"

    def __init__(self, who: str) -> None:
        super().__init__()
        self.who = who
        self.rows: list[Row] = []
        self._lines: list[Row] = []
        """The rows as they are folded to the width of the screen."""
        self.card: SupportCard | None = None
        self._due = False

    def body(self) -> Iterable[Widget]:
        table = LiveTable((Column("", 8), Column("", 20, grow=True)), self._cells, id="list", header=False)
        table.empty = "reading …"
        yield table

    def on_mount(self) -> None:
        self.read()

    def crumbs(self) -> list[str]:
        driver = self.card.driver if self.card is not None else None
        return ["Support card", driver.id if driver is not None else self.who]

    # ---- reading

    def read(self) -> None:
        self._due = False
        self.console.reading.fetch(self, "card", lambda ask: read_card(ask, self.who))

    def take(self, what: str, found: Any) -> None:
        """The card, those it may be, or why there is none."""
        match found:
            case Refusal():
                self.rows = []
                self.query_one("#list", LiveTable).empty = words.sentence(found)
            case (SupportCard() as card, Money() as money):
                self.card = card
                self.rows = list(rows_of(card, money, self.console.now()))
                for session in card.now:
                    self.console.painting.collect(self.mirror.put(session))
            case list():
                self.rows = list(found_rows(found))
        self.draw(None)
        self.draw_frame()

    def draw(self, changed: set[Ref] | None) -> None:
        if changed is None:
            table = self.query_one("#list", LiveTable)
            self._lines = [line for row in self.rows for line in folded(row, self.app.size.width - MARGIN)]
            table.set_ids([str(number) for number in range(len(self._lines))])
            table.forget()
        elif self.card is not None and not self._due and any(self._tells(ref) for ref in changed):
            self._due = True
            self.set_timer(READ_AGAIN_S, self.read)

    def _tells(self, ref: Ref) -> bool:
        """An event that is about him."""
        event = self.mirror.events.get(ref[1]) if ref[0] == "event" else None
        if event is None or not event.type.startswith(STALE) or self.card is None:
            return False
        his = {token.id.casefold() for token in self.card.tokens}
        his |= {self.card.driver.id.casefold()} if self.card.driver is not None else set()
        session = self.mirror.sessions.get(event.session or "")
        named = [event.data.get("token"), event.data.get("driver"), session.token if session else None]
        return any(isinstance(name, str) and name.casefold() in his for name in named)

    def _cells(self, key: str) -> Sequence[Span]:
        if int(key) >= len(self._lines):
            return ("", "")
        label, told, _ = self._lines[int(key)]
        return ((label, "dim"), *told)

    def on_resize(self, event: events.Resize) -> None:
        self.draw(None)

    # ---- acting

    def _about(self) -> tuple[str, str]:
        key = self.query_one("#list", LiveTable).cursor_id
        return self._lines[int(key)][2] if key is not None else ("", "")

    def target(self) -> Target | None:
        """The session or token under the cursor; else the session that runs, where it is one, else his token."""
        kind, key = self._about()
        if kind == "session":
            return target_of_session(self.mirror, key)
        if kind == "token" or self.card is None:
            return Target("", kind="token", token=key) if key else None
        if len(self.card.now) == 1:
            return target_of_session(self.mirror, self.card.now[0].id)
        tokens = self.card.tokens
        return Target("", kind="token", token=tokens[0].id) if tokens else None

    def copied(self) -> tuple[str, str] | None:
        return (as_text(self.rows), "the card") if self.rows else None

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        kind, key = self._lines[int(event.key)][2]
        if kind == "session":
            self.console.travel.open_session(key)
        elif kind == "driver":
            self.console.travel.open_support(key)
