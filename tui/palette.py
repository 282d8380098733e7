"""The palette: every act, place, book, station, session, token and help line, found by a part of its name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from cms.contract.intents import IntentView, Preview
from cms.contract.refusals import Refusal
from tui import bulk, keys, signs, words
from tui.books import BOOKS
from tui.link import Daemon
from tui.notes import Foretold
from tui.orders import Draft
from tui.widgets.menu import Choice, Menu

if TYPE_CHECKING:
    from tui.app import CmsApp

ORDERS = 200
"""So many of the latest orders can be found."""
FOUND = 40
"""So many are told of; who wants another types more."""
CONSIDER_S = 0.15
"""So long one rests on an act before the daemon is asked what it would do."""
#: The rank of names that have the letters, but not together: told of where there is nothing better.
SCATTERED = 4
TITLE = "Palette"
HINT = "enter runs · prefix: >act @token #order =tariff /filter :command ?help · esc"
#: What a prefix leaves of the kinds.
PREFIXES = {
    ">": ("act",),
    "@": ("token", "driver"),
    "#": ("order",),
    "=": ("tariff",),
    "?": ("help",),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to find: its kind, its name, its key, what it does when picked, and the act it would be."""

    kind: str
    name: str
    run: Callable[[], None]
    key: str = ""
    draft: Draft | None = None
    note: str = ""


def rank(typed: str, name: str) -> int | None:
    """How well a name answers what was typed, 0 the best; None: not at all. Both are casefolded."""
    if name.startswith(typed):
        return 0
    place = name.find(typed)
    if place > 0:
        return 1 if not name[place - 1].isalnum() else 2
    parts = typed.split()
    if len(parts) > 1:
        return 3 if all(part in name for part in parts) else None
    letters = iter(name)
    return SCATTERED if all(letter in letters for letter in typed) else None


class Palette:
    """What can be found from where one is; the names of ten thousand stations are looked through as one types."""

    def __init__(self, app: CmsApp, daemon: Daemon) -> None:
        self._app = app
        self._daemon = daemon
        self._entries: list[tuple[str, Entry]] = []
        self._cli: dict[str, str] = {}
        """The line of the act that was told of last, by its name."""

    def open(self) -> None:
        """Gather what there is now, and show what can be done here."""
        self._entries = [(entry.name.casefold(), entry) for entry in self._all()]
        menu = self._app.screen.query_one(Menu)
        menu.open("palette", TITLE, find=self._find, hint=HINT)
        self.look(menu.choice)

    def take(self, choice: Choice | None, how: str, typed: str) -> None:
        """Run what was picked, or copy its line."""
        app = self._app
        app.close_menu()
        if typed[:1] in ("/", ":"):
            app.typed.take("filter" if typed[0] == "/" else "command", typed[1:].strip())
            return
        if choice is None:
            app.say("nothing is called so", "warn")
        elif how == "copy":
            self._copy(choice.value)
        else:
            choice.value.run()

    def _copy(self, entry: Entry) -> None:
        """The line that does the same, or the name."""
        text = self._cli.get(entry.name, entry.name)
        self._app.copy(text)
        self._app.say(f"copied: {text}", "good")

    # ---- what is found

    def _find(self, typed: str) -> list[Choice]:
        kinds = PREFIXES.get(typed[:1])
        if typed[:1] in ("/", ":"):
            return []
        wanted = (typed[1:] if kinds else typed).strip().casefold()
        best: list[tuple[int, int, Entry]] = []
        for number, (name, entry) in enumerate(self._entries):
            if kinds and entry.kind not in kinds:
                continue
            if (ranked := rank(wanted, name)) is not None:
                best.append((ranked, number, entry))
        best.sort(key=lambda found: found[:2])
        if best and best[0][0] < SCATTERED:
            best = [found for found in best if found[0] < SCATTERED]
        return [Choice(e.name, e.key, e.note or e.kind, value=e) for _, _, e in best[:FOUND]]

    def _all(self) -> Iterator[Entry]:
        """The acts first, then where one may go, then who and what there is, then the help."""
        yield from self._acts()
        yield from self._places()
        yield from self._things()
        yield from self._help()
        yield from self._orders()

    def _acts(self) -> Iterator[Entry]:
        app = self._app
        place = app.here
        if place is None:
            return
        target, marked = place.target(), place.marked_targets()
        about = f"{len(marked)} marked" if marked else target.subject if target else ""
        for key in keys.here(place.place, app.rows):
            if key.acts:
                draft = app.acting.draft_of(key.action, target) if not marked else None
                yield Entry(
                    "act", f"{key.help} · {about}" if about else key.help, self._run(key), key.shown, draft
                )
        yield from self._acts_of_book()

    def _acts_of_book(self) -> Iterator[Entry]:
        place = self._app.here
        for act in place.own_acts() if place is not None and not self._app.read_only else ():
            yield Entry("act", act.name, act.run, act.key)

    def _places(self) -> Iterator[Entry]:
        app = self._app
        for key in keys.here(app.here.place if app.here else "", app.rows):
            if key.group == "SCREENS":
                yield Entry("screen", f"Go: {key.help}", self._run(key), key.shown)
            elif not key.acts:
                yield Entry("key", key.help, self._run(key), key.shown)
        for word, book in BOOKS.items():
            kind = "tariff" if word == "tariffs" else "book"
            yield Entry(
                kind, f"{book.title}: {book.about}", partial(app.travel.open_book_called, word), f":{word}"
            )
        for name in app.menus.known():
            yield Entry("view", f"View: {name}", partial(app.menus.show, name))

    def _things(self) -> Iterator[Entry]:
        app = self._app
        mirror, travel = app.mirror, app.travel
        for station in mirror.stations.values():
            yield Entry(
                "station",
                station.id,
                partial(travel.open_station, station.id),
                note=station.site or "station",
            )
        for session in mirror.sessions.values():
            note = f"{session.station} {session.status}"
            yield Entry("session", session.id, partial(travel.open_session, session.id), note=note)
        for token in mirror.tokens.values():
            name = f"{token.id} {token.driver or ''}".strip()
            yield Entry(
                "token", name, partial(travel.show_row, "tokens", token.id), note=f"token, {token.status}"
            )

    def _help(self) -> Iterator[Entry]:
        for key in self._app.rows:
            yield Entry("help", f"Help: {key.help}", partial(self._app.travel.open_help, key.help), key.shown)

    def _orders(self) -> Iterator[Entry]:
        for intent in list(self._app.mirror.intents.values())[-ORDERS:]:
            show = partial(self._app.travel.open_intent, intent.id)
            yield Entry("order", _order_name(intent), show, note=intent.status)

    def _run(self, key: keys.Key) -> Callable[[], None]:
        return lambda: self._app.typed.call(key)

    # ---- what an act would do

    def look(self, choice: Choice | None) -> None:
        """Tell of the choice under the cursor; an act is asked about when one rests on it."""
        entry = choice.value if choice is not None else None
        if not isinstance(entry, Entry):
            return
        if entry.draft is None or not self._app.following.live:
            return
        self._app.run_worker(self._consider(entry), group="palette", exclusive=True)

    async def _consider(self, entry: Entry) -> None:
        assert entry.draft is not None
        await asyncio.sleep(CONSIDER_S)
        verdict = await bulk.foretold_of_one(self._daemon, entry.draft)
        self._app.post_message(Foretold(entry.name, verdict))

    def tell(self, name: str, verdict: Preview | Refusal) -> None:
        """What it would do, in one line, with the line of the shell."""
        menu = self._app.screen.query_one(Menu)
        if menu.choice is None or menu.choice.label != name:
            return
        if isinstance(verdict, Refusal):
            menu.explain(words.sentence(verdict), "warn")
            return
        self._cli = {name: verdict.cli}
        menu.explain(f"level {verdict.level} · {verdict.cli} · {verdict.impact} · ^Y copies", "")


def _order_name(intent: IntentView) -> str:
    asked = f"{intent.created_at.astimezone():%m-%d %H:%M}"
    return f"{intent.order} {intent.station} {asked} {signs.of_intent(intent).word}"
