"""Tokens: who may charge, and the cards that were refused lately."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, ClassVar

from textual.widget import Widget

from cms.contract.events import Event
from cms.contract.tokens import TokenView
from tui import signs, words
from tui.mirror import Ref
from tui.orders import Target
from tui.screens.drivers import TOKENS, Drivers
from tui.screens.events import as_json
from tui.screens.listed import Listed
from tui.screens.place import ago, titled
from tui.screens.tabbed import tab_bar
from tui.widgets.lines import Lines
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.paint import Span

_NEVER = datetime(9999, 1, 1, tzinfo=UTC)
REFUSED_SEEN = 5
REFUSED = (
    Column("", 1),
    Column("Token", 16, most=24),
    Column("Answer", 10),
    Column("Times", 5, right=True, drop=3),
    Column("Last at", 12, drop=2),
    Column("Ago", 4, right=True),
    Column("", 8, grow=True),
)


class Tokens(Listed):
    """The list of tokens; below it the cards that were refused, to be accepted with one key."""

    place = "tokens"
    title_words = "Tokens"
    AUTO_FOCUS = "#list"
    kind = "token"
    view_type = TokenView
    columns = (
        Column("", 1),
        Column("Token", 16, sort="id", most=24),
        Column("State", 9, sort="state"),
        Column("Driver", 14, sort="driver", drop=3, most=24),
        Column("Charging", 14, drop=2, most=24),
        Column("Expires", 10, sort="expires", drop=5),
        Column("Group", 8, drop=7),
        Column("Kind", 6, drop=8),
        Column("Added", 10, drop=9),
        Column("Why", 8, grow=True, drop=4),
    )
    sorts: ClassVar[dict[str, Callable[[Any], Any]]] = {
        "id": lambda t: t.id.casefold(),
        "state": lambda t: (t.status == "accepted", t.status, t.id.casefold()),
        "driver": lambda t: (t.driver or "").casefold(),
        "expires": lambda t: t.valid_to or _NEVER,
    }
    sort_name = "id"

    def __init__(self) -> None:
        super().__init__()
        self.refused: OrderedDict[str, list[Event]] = OrderedDict()
        """By card, the latest last: the times it was presented and not accepted."""

    def body(self) -> Iterable[Widget]:
        yield Lines(id="lists")
        yield from super().body()
        yield Lines(id="refusedtitle")
        table = LiveTable(REFUSED, self._refused_cells, id="refused", header=False)
        table.empty = "no card was refused lately"
        yield table

    def on_mount(self) -> None:
        super().on_mount()
        self.list_table().empty = "no token is registered: N adds one"
        self.console.reading.read_presented(self)

    def draw_frame(self) -> None:
        super().draw_frame()
        self.query_one("#lists", Lines).show([tab_bar(list(Drivers.BAR), TOKENS, self.app.size.width)])

    def turn_tab(self, by: int) -> None:
        """Drivers are at the left, their groups at the right."""
        self.console.travel.go("drivers")
        if isinstance(place := self.console.here, Drivers):
            bar = Drivers.BAR
            place.open_tab(bar[(bar.index(TOKENS) + by) % len(bar)])

    def views(self) -> Mapping[str, TokenView]:
        return self.mirror.tokens

    def status_of(self, token: TokenView) -> str:
        """Tokens expire without an event."""
        over = token.valid_to is not None and token.valid_to <= self.console.now()
        return "expired" if over and token.status == "accepted" else token.status

    def cells(self, key: str) -> Sequence[Span]:
        token = self.mirror.tokens.get(key)
        if token is None:
            return (("–", "dim"), (key, "dim"), ("removed", "dim"), *[""] * (len(self.columns) - 3))
        sign = signs.of_token(self.status_of(token))
        running = self.mirror.sessions_with(token.id)
        return (
            (sign.mark, sign.tone),
            token.id,
            (sign.word, sign.tone),
            token.driver or "",
            (" ".join(f"{s.station}/{words.plug(s.evse, s.connector)}" for s in running), "busy"),
            f"{token.valid_to.astimezone():%Y-%m-%d}" if token.valid_to else "",
            token.group or "",
            token.kind,
            f"{token.added_at.astimezone():%Y-%m-%d}" if token.added_at else "",
            (token.blocked_reason or "", "warn"),
        )

    # ---- refused cards

    def draw(self, changed: set[Ref] | None) -> None:
        super().draw(changed)
        if changed is not None:
            # A session shows at the token it charges for.
            charged = (self.mirror.sessions.get(key) for kind, key in changed if kind == "session")
            self.list_table().rows_changed(
                {session.token for session in charged if session and session.token}
            )
        told = self.mirror.events if changed is None else [key for kind, key in changed if kind == "event"]
        self.hear([event for event in map(self.mirror.events.get, told) if event is not None])

    def come_back(self) -> None:
        super().come_back()
        self.hear(list(self.mirror.events.values()))

    def hear(self, events: Sequence[Event]) -> None:
        """Cards were presented, lately or just now."""
        for event in events:
            if event.type == "token.presented" and event.data.get("status") != "accepted":
                times = self.refused.setdefault(str(event.data.get("token")), [])
                if all(known.cursor != event.cursor for known in times):
                    times.append(event)
                    times.sort(key=lambda known: known.at)
        self._draw_refused()

    def _draw_refused(self) -> None:
        accepted = {t.id.casefold() for t in self.mirror.tokens.values() if self.status_of(t) == "accepted"}
        cards = [card for card in self.refused if card.casefold() not in accepted]
        cards.sort(key=lambda card: self.refused[card][-1].at, reverse=True)
        table = self.query_one("#refused", LiveTable)
        if table.ids != cards:
            table.set_ids(cards)
            table.styles.height = min(max(1, len(cards)), REFUSED_SEEN)
        table.repaint_changed()
        count = f" · {len(cards):,} · tab, then N accepts one" if cards else ""
        self.query_one("#refusedtitle", Lines).show([titled(f"Refused lately{count}")])

    def _refused_cells(self, key: str) -> Sequence[Span]:
        times = self.refused.get(key)
        if not times:
            return [""] * len(REFUSED)
        last = times[-1]
        sign = signs.of_token(str(last.data.get("status")))
        known = self.mirror.tokens.get(key)
        return (
            (sign.mark, sign.tone),
            key,
            (sign.word, sign.tone),
            f"{len(times)}x",
            last.station or "",
            ago(self, last.at),
            (known.driver if known else None) or "",
        )

    # ---- acting

    def target(self) -> Target | None:
        focused = self.focused
        if focused is not None and focused.id == "refused":
            card = self.query_one("#refused", LiveTable).cursor_id
            if card is not None and card not in self.mirror.tokens:
                return Target("", kind="card", token=card)
            return Target("", kind="token", token=card) if card else None
        key = self.list_table().cursor_id
        return Target("", kind="token", token=key) if key else None

    def near(self) -> set[Ref]:
        target = self.target()
        return {("token", target.token)} if target else set()

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        if event.table.id == "refused":
            self.console.action_act("token-add")
            return
        running = self.mirror.sessions_with(event.key)
        if len(running) == 1:
            self.console.travel.open_session(running[0].id)
        elif (token := self.mirror.tokens.get(event.key)) is not None:
            self.console.travel.open_paper(f"Token {token.id}", as_json(asdict(token)))
