"""The console as an application: one link to the daemon, one mirror, places that draw from it.

Workers fetch, messages tell, handlers draw. What changes is collected and painted together, and at once
where the eye rests.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar, cast
from weakref import WeakSet

from textual import events
from textual.message import Message as Note
from textual.timer import Timer

from cms.client import Address, AsyncClient, Back, Lost
from cms.contract.events import Event, ListEvents
from cms.contract.intents import IntentView, Preview
from cms.contract.refusals import Refusal
from cms.contract.sessions import ListSamples, Sample, ShowSession
from cms.contract.stations import ListMessages, ListVariables, Message, StationCredential, Variable
from cms.contract.status import ShowStatus
from cms.contract.tokens import TokenView
from tui import keys, signs, theme
from tui.driver import CellsDriver, LeanApp, wants_stock_driver
from tui.link import Daemon, Link, LinkState
from tui.mirror import Mirror, Ref
from tui.orders import ACTS, Act, Draft, Target
from tui.screens.configuration import Configuration
from tui.screens.events import Events
from tui.screens.listed import Listed
from tui.screens.overview import Overview
from tui.screens.paper import Paper, help_lines
from tui.screens.place import Place
from tui.screens.session import Session
from tui.screens.sessions import Sessions
from tui.screens.station import Station
from tui.screens.stations import Stations
from tui.screens.tokens import Tokens
from tui.widgets.entry import Entry
from tui.widgets.live_table import LiveTable
from tui.widgets.paint import Line
from tui.widgets.question import TYPED_LEVEL, Question

#: Changes are painted together this often; those where the eye rests sooner.
COLLECT_S = 0.5
NEAR_S = 0.1
#: After this long without a key a person rests, and rows may take their new places.
REST_S = 2.0
FILTER_PAUSE_S = 0.15
FRAME_RETRY_S = 2.0
BASKET_LIMIT = 50_000


Answer = IntentView | StationCredential | TokenView | None


class CmsApp(LeanApp):
    """The console on one daemon."""

    CSS_PATH = str(theme.STYLE_SHEET)
    TITLE = "cms"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS = keys.bindings()
    MODES: ClassVar[dict[str, Any]] = {
        "overview": Overview,
        "stations": Stations,
        "sessions": Sessions,
        "events": Events,
        "tokens": Tokens,
    }
    DEFAULT_MODE = "overview"

    class LinkTurned(Note):
        """The daemon is gone, or back."""

        def __init__(self, state: LinkState) -> None:
            super().__init__()
            self.state = state

    class Considered(Note):
        """What the daemon says an order would do, or why not."""

        def __init__(self, draft: Draft, verdict: Preview | Refusal) -> None:
            super().__init__()
            self.draft = draft
            self.verdict = verdict

    class Given(Note):
        """An order was taken, or not; what is only in our books is done then."""

        def __init__(self, draft: Draft, verdict: Answer | Refusal) -> None:
            super().__init__()
            self.draft = draft
            self.verdict = verdict

    class FramesHeard(Note):
        """Frames of the station that is looked at."""

        def __init__(self, place: Station, frames: list[Message]) -> None:
            super().__init__()
            self.place = place
            self.frames = frames

    class PowerRead(Note):
        """The samples of a session that runs at the station that is looked at."""

        def __init__(self, place: Station, session: str, samples: list[Sample]) -> None:
            super().__init__()
            self.place = place
            self.session = session
            self.samples = samples

    class StoryRead(Note):
        """What the record has about a session."""

        def __init__(self, place: Session, story: list[Event], samples: list[Sample]) -> None:
            super().__init__()
            self.place = place
            self.story = story
            self.samples = samples

    class PresentedRead(Note):
        """The cards that were presented lately."""

        def __init__(self, place: Tokens, presented: list[Event]) -> None:
            super().__init__()
            self.place = place
            self.presented = presented

    class VariablesRead(Note):
        """What is known of a station's configuration."""

        def __init__(self, place: Configuration, variables: list[Variable]) -> None:
            super().__init__()
            self.place = place
            self.variables = variables

    class Collected(Note):
        """Something changed; it waits in the basket."""

    def __init__(
        self,
        daemon: Daemon,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        collect_s: float = COLLECT_S,
        rest_s: float = REST_S,
        stock_driver: bool | None = None,
    ) -> None:
        stock = wants_stock_driver() if stock_driver is None else stock_driver
        super().__init__(driver_class=None if stock or sys.platform == "win32" else CellsDriver)
        for each in theme.THEMES:
            self.register_theme(each)
        self.theme = theme.fitting(os.environ).name
        self.animation_level = "none"
        self.daemon = daemon
        self._clock = now
        self.collect_s = collect_s
        self.rest_s = rest_s
        self.mirror = Mirror()
        self.link = Link(daemon, self.mirror, self._heard, self._turned)
        self.link_state = LinkState(False, "asking the daemon")
        self.was_live = False
        self.lost_at: datetime | None = None
        self.paused = False
        self.flash: tuple[str, str] = ("", "")
        """The message line: text and tone."""
        self.last_cli = ""
        self.places: WeakSet[Place] = WeakSet()
        """Every place that is open, shown or not."""
        self._basket: set[Ref] = set()
        self._flush_timer: Timer | None = None
        self._flush_due = 0.0
        self._flushed_at = 0.0
        self._last_key_at = 0.0
        self._followed: str | None = None
        """The order whose progress the message line tells."""
        self._giving: Draft | None = None
        self._pending: tuple[Act, Target] | None = None
        """An act that waits for a token to be typed."""
        self._filter_timer: Timer | None = None

    def now(self) -> datetime:
        """Our time, or the daemon's where its clock is ahead (a simulated one is)."""
        now, heard = self._clock(), self.mirror.latest_at
        return now if heard is None else max(now, heard)

    @property
    def here(self) -> Place | None:
        """The place that is shown; none while the console opens and closes."""
        stack = self.screen_stack
        return stack[-1] if stack and isinstance(stack[-1], Place) else None

    # ---- the link

    def on_mount(self) -> None:
        self.run_worker(self.link.run(), group="link", exit_on_error=True)
        self.set_interval(1.0, self._each_second, name="minutes")
        self._minute = self.now().replace(second=0, microsecond=0)

    def _each_second(self) -> None:
        """Ages and the clock are in minutes: nothing is painted while the minute lasts."""
        minute = self.now().replace(second=0, microsecond=0)
        if minute == self._minute:
            return
        if minute.date() != self._minute.date():
            self.run_worker(self._begin_day(), group="day")
        self._minute = minute
        if (place := self.here) is not None:
            place.draw_frame()
            for table in place.query(LiveTable):
                table.repaint_changed()

    async def _begin_day(self) -> None:
        """A new day (UTC): what was delivered "today" begins anew."""
        try:
            status = await self.daemon.ask(ShowStatus())
        except Refusal:
            return  # the daemon is gone; its return brings a whole reading
        self.mirror.energy_today_wh = status.sessions.energy_today_wh
        self._heard({("daemon", "")})

    def _heard(self, changed: set[Ref]) -> None:
        empty = not self._basket
        self._basket |= changed
        if len(self._basket) > BASKET_LIMIT:
            # A long pause: what is not kept any more need not be drawn.
            kept = self.mirror.events
            self._basket = {ref for ref in self._basket if ref[0] != "event" or ref[1] in kept}
        if empty and changed:
            self.post_message(self.Collected())
        elif changed and self._flush_timer is not None:
            self._plan_flush()

    def _turned(self, state: LinkState) -> None:
        self.post_message(self.LinkTurned(state))

    def on_cms_app_collected(self) -> None:
        self._plan_flush()

    def _plan_flush(self) -> None:
        """Paint after what is left of the collecting time; sooner where the eye rests."""
        if self.paused:
            return
        place = self.here
        near = place is not None and not self._basket.isdisjoint(place.near() | self._order_refs())
        due = self._flushed_at + min(self.collect_s, NEAR_S if near else self.collect_s)
        if self._flush_timer is not None:
            if due >= self._flush_due:
                return
            self._flush_timer.stop()
        self._flush_due = due
        wait_s = due - time.monotonic()
        if wait_s <= 0:
            self._flush_timer = None
            self.flush()
        else:
            self._flush_timer = self.set_timer(wait_s, self.flush)

    def _order_refs(self) -> set[Ref]:
        if self._giving is not None:
            return {("intent", key) for kind, key in self._basket if kind == "intent"}
        return {("intent", self._followed)} if self._followed else set()

    def flush(self) -> None:
        """Draw what was collected."""
        if self._flush_timer is not None:
            self._flush_timer.stop()
            self._flush_timer = None
        changed, self._basket = self._basket, set()
        self._flushed_at = time.monotonic()
        self._tell_order(changed)
        place = self.here
        for other in self.places:
            if other is not place:
                other.miss(changed)
        if place is not None and place.is_mounted:
            place.draw_frame()
            place.draw(changed)

    def on_cms_app_link_turned(self, event: LinkTurned) -> None:
        state = event.state
        if state.live:
            if self.was_live and not self.link_state.live:
                self.say("the daemon is back: nothing was missed", "good")
            self.was_live = True
            self.lost_at = None
        elif self.link_state.live or self.lost_at is None:
            self.lost_at = self.now()
        self.link_state = state
        if (place := self.here) is not None:
            place.draw_frame()
            for table in place.query(LiveTable):
                table.refresh()

    def banner(self) -> Line:
        """What the red line says while the daemon is gone."""
        if self.link_state.live:
            return ()
        since = ""
        if self.was_live and self.lost_at is not None:
            since = f"daemon gone since {self.lost_at.astimezone():%H:%M:%S}, acts are off: "
        return ((f" ▒ {since}{self.link_state.reason}".ljust(400), "banner"),)

    # ---- messages to the person

    def say(self, text: str, tone: str = "") -> None:
        """One sentence in the bottom line; it stays until there is another."""
        self.flash = (text, tone)
        if (place := self.here) is not None and place.is_mounted:
            place.draw_frame()

    def hush(self) -> None:
        """Take the message away, unless it tells of an order that is still under way."""
        if self._followed is None and self._giving is None:
            self.say("")

    def notify(self, message: str, **_: Any) -> None:
        """Textual's own messages go to the bottom line too: a toast would repaint the screen."""
        self.say(message)

    def rests(self) -> bool:
        """Whether the person has not pressed a key lately."""
        return time.monotonic() - self._last_key_at >= self.rest_s

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key):
            self._last_key_at = time.monotonic()
        await super().on_event(event)

    # ---- going places

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key works where the key table says so."""
        name = f"{action}({parameters[0]!r})" if parameters else action
        place = self.here
        return place is None or keys.works(name, place.place)

    def action_go(self, mode: str) -> None:
        self.hush()
        if mode == self.current_mode:
            while len(self.screen_stack) > 1:
                self.pop_screen()
        else:
            self.switch_mode(mode)

    async def action_back(self) -> None:
        place = self.screen
        entry = place.query_one(Entry)
        if entry.is_open:
            self._close_entry()
        elif isinstance(place, Place) and place.filter_text() and len(self.screen_stack) == 1:
            place.apply_filter("", final=True)
        elif len(self.screen_stack) > 1:
            self.hush()
            self.pop_screen()
        else:
            self.say("^Q quits")

    def action_open(self) -> None:
        if (place := self.here) is not None and (table := place.table()) is not None:
            table.action_open()

    def action_next_pane(self) -> None:
        self.screen.focus_next(LiveTable)

    def open_station(self, key: str) -> None:
        self.hush()
        self.push_screen(Station(key))

    def action_configuration(self) -> None:
        target = self.here.target() if self.here else None
        if target is None or target.kind != "station":
            self.say("put the cursor on a station first", "warn")
            return
        self.hush()
        self.push_screen(Configuration(target.station))

    def open_session(self, key: str) -> None:
        self.hush()
        self.push_screen(Session(key))

    def open_paper(self, title: str, lines: list[str]) -> None:
        self.push_screen(Paper(title, lines))

    def action_help(self) -> None:
        if not isinstance(self.screen, Paper):
            self.open_paper("Keys", help_lines(self.here.place if self.here else ""))

    def action_help_quit(self) -> None:
        self.say("^Q quits")

    def action_repaint(self) -> None:
        self.repaint_all()
        self.screen.refresh(layout=True)

    def action_pause(self) -> None:
        self.paused = not self.paused
        if not self.paused:
            self.say(f"{len(self._basket):,} changes while the picture stood still")
            self.flush()
            if isinstance(self.screen, Station):
                self.screen.draw_frames()
        else:
            self.say("the picture stands still; p goes on")

    def action_copy(self) -> None:
        place = self.screen
        if isinstance(place, Paper):
            text, what = "\n".join(place.text), "the text"
        elif self.last_cli:
            text = what = self.last_cli
        else:
            target = place.target() if isinstance(place, Place) else None
            text = what = (target.session or target.station) if target else ""
        if text:
            self.copy(text)
            self.say(f"copied: {what}", "good")

    def copy(self, text: str) -> None:
        """Into the terminal's clipboard (OSC 52); tmux is asked to pass it on."""
        if "TMUX" not in os.environ or self._driver is None:
            self.copy_to_clipboard(text)
            return
        import base64

        encoded = base64.b64encode(text.encode()).decode()
        self._driver.write(f"\x1bPtmux;\x1b\x1b]52;c;{encoded}\a\x1b\\")

    # ---- lists

    def action_sort(self) -> None:
        if isinstance(self.screen, Listed):
            self.screen.sort_next()

    def action_turn(self) -> None:
        if isinstance(self.screen, Listed):
            self.screen.turn()

    def action_past(self) -> None:
        if isinstance(self.screen, Sessions):
            self.screen.turn_to_past()

    # ---- typing

    def action_filter(self) -> None:
        place = self.screen
        if isinstance(place, Place):
            place.query_one(Entry).open("filter", "/", place.filter_text())

    def action_command(self) -> None:
        self.screen.query_one(Entry).open("command", ":", choices=self._commands)

    def _commands(self) -> list[str]:
        return [*keys.words(), *self.mirror.stations, *self.mirror.active]

    def _close_entry(self) -> None:
        place = self.screen
        place.query_one(Entry).close()
        question = place.query_one(Question)
        if question.is_open:
            question.focus()
        elif isinstance(place, Place) and (table := place.table()) is not None:
            table.focus()

    def on_entry_said(self, event: Entry.Said) -> None:
        if not event.final:
            if event.purpose == "filter":
                self._filter_soon(event.text)
            elif event.purpose == "command":
                entry = self.screen.query_one(Entry)
                self.say("  ".join(entry.matches()[:8]), "dim")
            return
        self._stop_filter_timer()
        self._close_entry()
        text = event.text.strip()
        match event.purpose:
            case "filter":
                if (place := self.here) is not None:
                    place.apply_filter(text, final=True)
            case "command":
                self._command(text)
            case "token" | "stranger" | "value" | "names":
                self._needed_typed(event.purpose, text)
            case "reason" | "confirm" | "text":
                self._question_typed(event.purpose, text)

    def _filter_soon(self, text: str) -> None:
        self._stop_filter_timer()
        place = self.screen
        if isinstance(place, Place):
            self._filter_timer = self.set_timer(FILTER_PAUSE_S, lambda: place.apply_filter(text, final=False))

    def _stop_filter_timer(self) -> None:
        if self._filter_timer is not None:
            self._filter_timer.stop()
            self._filter_timer = None

    def _command(self, text: str) -> None:
        """A word of the key table, or the id of a station or a session."""
        self.hush()
        if not text:
            return
        if (key := keys.words().get(text)) is not None:
            if self.here is not None and keys.works(key.action, self.here.place):
                self.call_later(self.run_action, key.action)
            else:
                self.say(f"{text} does not work here", "warn")
            return
        for station in self.mirror.stations:
            if station.casefold() == text.casefold():
                self.open_station(station)
                return
        if text in self.mirror.sessions:
            self.open_session(text)
            return
        self.say(f"no command, station or session is called {text}", "warn")

    # ---- acts: ask what would happen, ask the person, give the order, tell what became of it

    def action_act(self, name: str) -> None:
        act = ACTS[name]
        target = self.here.target() if self.here else None
        if not self.link_state.live:
            self.say("the daemon is gone: acts are off until it is back", "bad")
        elif target is None or target.kind != act.kind:
            self._act_elsewhere(act, target)
        elif act.needs_session and target.session is None:
            self.say(f"no single session is running here at {target.station}: open it and choose one", "warn")
        elif act.name == "config-set" and not target.variable:
            self.say("put the cursor on a variable first", "warn")
        elif act.needs == "value" or (act.needs == "token" and not target.token):
            self._ask_for(act, target, target.value)
        elif act.needs == "names" and target.must_name:
            self.say("this station wants names, e.g. OCPPCommCtrlr.HeartbeatInterval", "dim")
            self._ask_for(act, target, " ".join(target.variables))
        else:
            self._ask(Draft.of(act, target))

    def _act_elsewhere(self, act: Act, target: Target | None) -> None:
        """The cursor stands on nothing that the act could be about."""
        if act.needs == "stranger" and self.mirror.strangers:
            self._ask_for(act, Target("", kind="stranger"), next(iter(self.mirror.strangers)))
        elif act.needs == "stranger":
            self.say("no unknown station has knocked")
        elif act.name == "token-add":
            self._ask_for(act, Target("", kind="card"))
        elif target is not None and target.kind == "stranger":
            self.say(f"{target.station} is not enrolled: E enrols it", "warn")
        else:
            self.say(f"put the cursor on a {act.kind} first", "warn")

    def _ask_for(self, act: Act, target: Target, text: str = "") -> None:
        """Have a token, a value or a station typed; the question follows."""
        choices: dict[str, Callable[[], list[str]]] = {
            "token": lambda: list(self.mirror.tokens),
            "stranger": lambda: list(self.mirror.strangers),
        }
        self._pending = (act, target)
        prompt = {"value": f"{target.variable} =", "stranger": f"{act.name}:", "names": "names to read:"}.get(
            act.needs, f"{act.needs}:"
        )
        self.screen.query_one(Entry).open(act.needs, prompt, text, choices.get(act.needs, list))

    def _needed_typed(self, purpose: str, text: str) -> None:
        pending, self._pending = self._pending, None
        if pending is None or not (text or purpose == "value"):
            return
        act, target = pending
        match purpose:
            case "token":
                self._ask(Draft.of(act, replace(target, token=text)))
            case "stranger":
                self._ask(Draft.of(act, replace(target, station=text)))
            case "value":
                self._ask(replace(Draft.of(act, target), text=text))
            case "names":
                self._ask(Draft.of(act, replace(target, variables=tuple(text.split()))))

    def _ask(self, draft: Draft) -> None:
        self.hush()
        self.screen.query_one(Question).open(draft)
        if self.here is not None:
            self.here.draw_frame()
        self._consider(draft)

    def _consider(self, draft: Draft) -> None:
        if (foretell := draft.act.foretell) is not None:
            self.post_message(self.Considered(draft, foretell(draft)))
            return
        self.run_worker(self._fetch_preview(draft), group="preview", exclusive=True)

    async def _fetch_preview(self, draft: Draft) -> None:
        try:
            verdict: Preview | Refusal = await self.daemon.ask(draft.request(dry_run=True))
        except Refusal as refusal:
            verdict = refusal
        self.post_message(self.Considered(draft, verdict))

    def on_cms_app_considered(self, event: Considered) -> None:
        place = self.here
        if place is None or (question := place.query_one(Question)).draft != event.draft:
            return
        if isinstance(event.verdict, Refusal):
            question.refuse(_sentence(event.verdict))
            return
        question.tell(event.verdict)
        if event.verdict.level == 0:
            self._give(event.draft)

    def on_question_altered(self, event: Question.Altered) -> None:
        self._consider(event.draft)

    def on_question_answered(self, event: Question.Answered) -> None:
        question = self.screen.query_one(Question)
        match event.word:
            case "no":
                self._close_question()
                self.say("nothing was done")
            case "copy" if question.preview is not None:
                self.copy(question.preview.cli)
                self.say(f"copied: {question.preview.cli}", "good")
            case "reason":
                self.screen.query_one(Entry).open("reason", "reason:", event.draft.reason)
            case "text" if event.draft.act.text is not None:
                name = event.draft.act.text[1]
                self.screen.query_one(Entry).open("text", f"{name}:", event.draft.text)
            case "yes" if question.preview is not None and question.preview.level >= TYPED_LEVEL:
                self.screen.query_one(Entry).open("confirm", f"type {event.draft.target.subject}:")
            case "yes":
                self._give(event.draft)

    def _question_typed(self, purpose: str, text: str) -> None:
        question = self.screen.query_one(Question)
        draft = question.draft
        if draft is None:
            return
        if purpose == "reason":
            question.reopen(replace(draft, reason=text))
        elif purpose == "text":
            question.reopen(replace(draft, text=text))
        elif text == draft.target.subject:
            self._give(draft)
        else:
            self.say(f"that is not {draft.target.subject}: nothing was done", "warn")

    def _close_question(self) -> None:
        self.screen.query_one(Question).close()
        if (place := self.here) is not None and (table := place.table()) is not None:
            table.focus()

    def _give(self, draft: Draft) -> None:
        question = self.screen.query_one(Question)
        if question.preview is not None:
            self.last_cli = question.preview.cli
        self._close_question()
        self._giving, self._followed = draft, None
        self.say(f"→ {draft.act.name} {draft.target.subject}: asking …", "busy")
        self.run_worker(self._fetch_order(draft), group="orders")

    async def _fetch_order(self, draft: Draft) -> None:
        try:
            verdict: Answer | Refusal = await self.daemon.ask(draft.request(dry_run=False))
        except Refusal as refusal:
            verdict = refusal
        self.post_message(self.Given(draft, verdict))

    def on_cms_app_given(self, event: Given) -> None:
        mine = event.draft is self._giving
        if mine:
            self._giving, self._followed = None, None
        subject = event.draft.target.subject
        match event.verdict:
            case Refusal():
                self.say(f"✖ {event.draft.act.name} {subject}: {_sentence(event.verdict)}", "bad")
            case IntentView() as intent:
                if mine:
                    self._followed = intent.id
                self._heard(self.mirror.put(intent) | {("intent", intent.id)})
            case StationCredential() as credential:
                self.say(f"✔ {credential.id} is enrolled; the password is shown this once", "good")
                self.open_paper(f"{credential.id} is enrolled", credential_lines(credential))
            case TokenView() as token:
                self.say(f"✔ token {token.id} is {token.status}", "good")
                self._heard(self.mirror.put(token))
            case None:
                self.say(f"✔ {event.draft.act.name} {subject}: done", "good")

    def _tell_order(self, changed: set[Ref]) -> None:
        """The progress of the last order in the message line, until it is confirmed or has failed."""
        if self._giving is not None and self._followed is None:
            self._followed = self._intent_of(self._giving, changed)
        if self._followed is None or ("intent", self._followed) not in changed:
            return
        intent = self.mirror.intents.get(self._followed)
        if intent is None:
            return
        self.flash = order_line(intent)
        if intent.status in signs.FINAL:
            self._followed = None

    def _intent_of(self, draft: Draft, changed: set[Ref]) -> str | None:
        """The order that our request became, before the daemon has answered it."""
        for kind, key in changed:
            intent = self.mirror.intents.get(key) if kind == "intent" else None
            if intent and (intent.station, intent.order) == (draft.target.station, draft.act.name):
                return key
        return None

    # ---- one station's frames, one session's story

    def watch_frames(self, place: Station) -> None:
        """Follow the station's frames as long as its place exists; read what its sessions have drawn so far."""
        for session in self.mirror.sessions_of(place.station):
            place.run_worker(self._fetch_power(place, session.id), group="power")
        place.run_worker(self._follow_frames(place), group="frames", exclusive=True)

    async def _follow_frames(self, place: Station) -> None:
        """The list, then the stream; with the first frame heard the list again: it has what fell between."""
        while True:
            try:
                await self._list_frames(place)
                stream = self.daemon.follow(None, frames=place.station, station=place.station)
                async with aclosing(cast("Any", stream)) as frames:
                    await self._hear_frames(place, frames)
            except Refusal as refusal:
                if self.link_state.live:
                    self.call_later(self.say, _sentence(refusal), "warn")
            await asyncio.sleep(FRAME_RETRY_S)

    async def _hear_frames(self, place: Station, stream: AsyncIterator[Any]) -> None:
        first = True
        async for item in stream:
            match item:
                case Message() if first:
                    first = False
                    await self._list_frames(place)
                    self.post_message(self.FramesHeard(place, [item]))
                case Message():
                    self.post_message(self.FramesHeard(place, [item]))
                case Event(type="station.connected") | Back():
                    await self._list_frames(place)
                case Lost():
                    pass

    async def _list_frames(self, place: Station) -> None:
        frames = await self.daemon.ask(ListMessages(station=place.station))
        self.post_message(self.FramesHeard(place, frames))

    def on_cms_app_frames_heard(self, event: FramesHeard) -> None:
        if event.place.is_attached:
            event.place.hear(event.frames)

    def read_presented(self, place: Tokens) -> None:
        place.run_worker(self._fetch_presented(place), group="presented", exclusive=True)

    async def _fetch_presented(self, place: Tokens) -> None:
        try:
            presented = await self.daemon.ask(ListEvents(type="token.presented"))
        except Refusal:
            return  # those that are heard from now on are shown
        self.post_message(self.PresentedRead(place, presented))

    def on_cms_app_presented_read(self, event: PresentedRead) -> None:
        if event.place.is_attached:
            event.place.hear(event.presented)

    def read_variables(self, place: Configuration) -> None:
        place.run_worker(self._fetch_variables(place), group="variables", exclusive=True)

    async def _fetch_variables(self, place: Configuration) -> None:
        try:
            variables = await self.daemon.ask(ListVariables(place.station))
        except Refusal as refusal:
            self.call_later(self.say, _sentence(refusal), "warn")
            return
        self.post_message(self.VariablesRead(place, variables))

    def on_cms_app_variables_read(self, event: VariablesRead) -> None:
        if event.place.is_attached:
            event.place.hear(event.variables)

    def read_story(self, place: Session) -> None:
        place.run_worker(self._fetch_story(place), group="story", exclusive=True)

    async def _fetch_power(self, place: Station, session: str) -> None:
        try:
            samples = await self.daemon.ask(ListSamples(session))
        except Refusal:
            return  # the picture does without: what is heard from now on is drawn
        self.post_message(self.PowerRead(place, session, samples))

    def on_cms_app_power_read(self, event: PowerRead) -> None:
        self.mirror.seed_power(event.session, power_samples(event.samples))
        if event.place.is_attached:
            event.place.draw_session()

    async def _fetch_story(self, place: Session) -> None:
        try:
            if place.session not in self.mirror.sessions:
                self._heard(self.mirror.put(await self.daemon.ask(ShowSession(place.session))))
            story = await self.daemon.ask(ListEvents(session=place.session, limit=500))
            samples = await self.daemon.ask(ListSamples(place.session))
        except Refusal as refusal:
            self.call_later(self.say, _sentence(refusal), "warn")
            return
        self.post_message(self.StoryRead(place, story, samples))

    def on_cms_app_story_read(self, event: StoryRead) -> None:
        self.mirror.seed_power(event.place.session, power_samples(event.samples))
        if event.place.is_attached:
            event.place.hear(event.story)
            event.place.draw(set())


def order_line(intent: IntentView) -> tuple[str, str]:
    """An order's progress as text and tone: sign, what, where, word, and how long the effect took."""
    sign = signs.of_intent(intent)
    took = ""
    if intent.status == "confirmed" and intent.confirmed_at is not None:
        took = f" after {(intent.confirmed_at - intent.created_at).total_seconds():.0f} s"
    detail = f" · {intent.detail}" if intent.detail else ""
    return (f"{sign.mark} {intent.order} {intent.station}: {sign.word}{took}{detail}", sign.tone)


def credential_lines(credential: StationCredential) -> list[str]:
    """What the new station is to be configured with."""
    password = credential.password or "none (security profile 0)"
    return [
        "Set this in the station. The password is shown this once, and kept nowhere:",
        "it is gone when this sheet is closed. y copies it all.",
        "",
        f"url       {credential.url}",
        f"user      {credential.username}",
        f"password  {password}",
        f"profile   {credential.security_profile}",
    ]


def power_samples(samples: list[Sample]) -> list[tuple[datetime, int]]:
    """The power imported (W) over time; phases are summed where there is no total."""
    totals: dict[datetime, int] = {}
    phases: dict[datetime, int] = {}
    for sample in samples:
        if sample.measurand != "Power.Active.Import":
            continue
        try:
            watts = round(float(sample.value))
        except ValueError:
            continue
        if sample.phase is None:
            totals[sample.at] = watts
        else:
            phases[sample.at] = phases.get(sample.at, 0) + watts
    return sorted({**phases, **totals}.items())


def _sentence(refusal: Refusal) -> str:
    return f"{refusal.message} ({refusal.hint})" if refusal.hint else refusal.message


async def _run(address: Address, stock_driver: bool | None) -> int:
    async with AsyncClient(address) as client:
        await client.ask(ShowStatus())
        app = CmsApp(cast("Daemon", client), stock_driver=stock_driver)
        await app.run_async(mouse="SSH_CONNECTION" not in os.environ)
        return app.return_code or 0


def run(address: Address, stock_driver: bool | None = None) -> int:
    """Show the console until it is left; answers the exit code. Raises refusals when no daemon answers."""
    return asyncio.run(_run(address, stock_driver))
