"""One alert: what it is about, each thing that has the trouble, what they share, what was written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from textual.widget import Widget

from cms.contract.alerts import AlertMember, AlertView, ShowAlert
from cms.contract.refusals import Refusal
from tui import words
from tui.attention import SIGNS, STRANGER, concern
from tui.mirror import Ref
from tui.orders import Target
from tui.screens.place import Place, ago, target_of_session, target_of_station, titled
from tui.widgets.lines import Lines
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.paint import Line, Span
from tui.widgets.question import wrapped

if TYPE_CHECKING:
    from tui.app import CmsApp

MEMBERS = (
    Column("", 1),
    Column("What", 16, most=28),
    Column("Site", 14, drop=2),
    Column("Since", 8),
    Column("Seen", 5, right=True, drop=1),
    Column("Why", 12, grow=True),
)


class Alert(Place):
    """The sheet of an alert. It stays when the alert is over, and says so."""

    place = "alert"
    title_words = "Alert"

    def __init__(self, alert: AlertView) -> None:
        super().__init__()
        self.alert = alert
        self._shown = alert
        """As it was read last, with all its members."""
        self._over = alert.ended_at is not None

    def body(self) -> Iterable[Widget]:
        yield Lines(id="facts", classes="values")
        yield Lines(id="memberstitle")
        yield LiveTable(MEMBERS, self._cells, id="list")

    def on_mount(self) -> None:
        super().on_mount()
        self._read()

    def come_back(self) -> None:
        self._read()

    def _read(self) -> None:
        key = self.alert.id

        async def fetch(ask: Callable[[Any], Awaitable[Any]]) -> Any:
            return await ask(ShowAlert(key))

        self.console.reading.fetch(self, "alert", fetch)

    def take(self, what: str, found: Any) -> None:
        """It was read."""
        if isinstance(found, Refusal):
            self.console.say(words.sentence(found), "warn")
        else:
            self.alert = self._shown = found
            self._over = found.ended_at is not None
        self._show()

    def draw(self, changed: set[Ref] | None) -> None:
        if changed is not None and ("alert", self.alert.id) in changed:
            now = self.mirror.alerts.get(self.alert.id)
            self._over = now is None
            if now is not None:
                self.alert = now
            self._read()
        self._show()

    def _show(self) -> None:
        self.query_one("#facts", Lines).show(facts(self.alert, self._shown, self.app.size.width, self._over))
        table = self.query_one("#list", LiveTable)
        keys = [str(number) for number in range(len(self._shown.members))]
        if table.ids != keys:
            table.set_ids(keys)
        table.repaint_changed()
        told = f"{len(keys):,}" if len(keys) >= self.alert.count else f"{len(keys):,} of {self.alert.count:,}"
        self.query_one("#memberstitle", Lines).show([titled(f"What has it · {told}")])

    def crumbs(self) -> list[str]:
        return ["Alerts", self.alert.what]

    def _member(self, key: str) -> AlertMember | None:
        number = int(key)
        return self._shown.members[number] if number < len(self._shown.members) else None

    def _cells(self, key: str) -> Sequence[Span]:
        member = self._member(key)
        if member is None:
            return [""] * len(MEMBERS)
        station = self.mirror.stations.get(member.station or "")
        mark: Span = (
            ("●", "good") if station and station.online else ("⊘", "bad") if station else ("?", "dim")
        )
        seen = ago(self, station.last_seen) if station else ""
        return (mark, member.what, member.site or "", words.clock(member.since), seen, member.why)

    def alert_here(self) -> str | None:
        return None if self._over else self.alert.id

    def target(self) -> Target | None:
        """The member under the cursor."""
        key = self.query_one("#list", LiveTable).cursor_id
        member = self._member(key) if key is not None else None
        if member is None:
            return None
        if self.alert.kind == STRANGER:
            return Target(member.what, kind="stranger")
        if member.session is not None:
            return target_of_session(self.mirror, member.session)
        return target_of_station(self.mirror, member.station) if member.station else None

    def on_live_table_opened(self, event: LiveTable.Opened) -> None:
        member = self._member(event.key)
        if member is None:
            return
        if member.session is not None:
            self.console.travel.open_session(member.session)
        elif member.station is not None and member.station in self.mirror.stations:
            self.console.travel.open_station(member.station)
        elif self.alert.kind == STRANGER:
            self.console.action_act("enrol")


def facts(one: AlertView, shown: AlertView, width: int, over: bool = False) -> list[Line]:
    """What an alert is, in a few lines: ``one`` as it is now, ``shown`` with what only its sheet knows."""
    line = concern(one)
    _, tone = SIGNS.get(one.severity, SIGNS["warning"])
    state: Span = ("over", "good") if over else (line.state, "dim" if one.state == "new" else "busy")
    lines: list[Line] = [
        ((f" {line.mark} ", line.tone), (one.what, "strong")),
        *(((f"  {text}", tone),) for text in wrapped(one.why, max(10, width - 4), 3)),
        ("   ", state, *_muted(one), f" · {one.severity} · since {words.minute(one.since)}"),
    ]
    if shown.sessions:
        lines.append(
            (
                (
                    f"   {words.counted(shown.sessions, 'session')} run{'s' * (shown.sessions == 1)} there:"
                    " the energy comes when the stations are back",
                    "warn",
                ),
            )
        )
    if shown.shared:
        lines.append((f"   all of them: {' · '.join(shown.shared)}",))
    if shown.before_at is not None and shown.before_lasted_s is not None:
        minutes = round(shown.before_lasted_s / 60)
        lines.append((f"   last time {words.minute(shown.before_at)}, for {minutes} min",))
    lines += [((f"   {words.minute(note.at)} {note.by}: ", "dim"), note.note) for note in one.notes[-3:]]
    if one.command:
        lines.append(((f"   {one.command}", "dim"),))
    return lines


def _muted(one: AlertView) -> tuple[Span, ...]:
    return (f" until {words.minute(one.muted_until)}",) if one.muted_until is not None else ()


def open_alert(console: CmsApp, one: AlertView) -> None:
    """What an alert speaks of: its sheet where it is about several things, else the session or the station."""
    line = concern(one)
    if not line.is_group and one.session is not None:
        console.travel.open_session(one.session)
    elif not line.is_group and one.station is not None and one.station in console.mirror.stations:
        console.travel.open_station(one.station)
    elif line.stranger is not None:
        console.action_act("enrol")
    else:
        console.hush()
        console.travel.open_alert(one)
