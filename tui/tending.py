"""Looking after alerts by keys: acknowledge, claim, write, mute; at once, and told in one line."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from cms.contract.alerts import AcknowledgeAlert, AlertView, ClaimAlert, MuteAlert, NoteAlert, UnmuteAlert
from cms.contract.refusals import Refusal
from tui import attention, words
from tui.link import Daemon
from tui.notes import Tended
from tui.widgets.entry import Entry

if TYPE_CHECKING:
    from tui.app import CmsApp

MUTED_S = 3600.0


@dataclass(frozen=True, slots=True)
class Tend:
    """A way to look after an alert: its request, how it is told, and the CLI line that does the same."""

    done: str
    cli: str
    request: Callable[[AlertView, str], Any]


#: By the word of the key table; one that is done already is taken back.
TENDS: dict[str, Tend] = {
    "ack": Tend("acknowledged", "alerts ack {id}", lambda one, _: AcknowledgeAlert(one.id)),
    "unack": Tend(
        "is new again", "alerts ack {id} --undo", lambda one, _: AcknowledgeAlert(one.id, undo=True)
    ),
    "claim": Tend("is yours", "alerts claim {id}", lambda one, _: ClaimAlert(one.id)),
    "release": Tend(
        "is given back", "alerts claim {id} --release", lambda one, _: ClaimAlert(one.id, release=True)
    ),
    "note": Tend("noted", "alerts note {id} {text}", lambda one, text: NoteAlert(one.id, text)),
    "mute": Tend(
        "is muted for 1 h", "alerts mute {id} --for 1h", lambda one, _: MuteAlert(one.id, for_s=MUTED_S)
    ),
    "unmute": Tend("is not muted any more", "alerts unmute {id}", lambda one, _: UnmuteAlert(one.id)),
}
#: The same key again takes it back: word -> (state in which it does, the word then).
_BACK = {"ack": ("acknowledged", "unack"), "claim": ("claimed", "release"), "mute": ("muted", "unmute")}


@runtime_checkable
class Minding(Protocol):
    """A place where alerts are looked after."""

    def alert_here(self) -> str | None:
        """The alert under the cursor, or that the place is about."""
        ...


class Tending:
    """Asks the daemon for what a key says about an alert, or about several."""

    def __init__(self, app: CmsApp, daemon: Daemon) -> None:
        self._app = app
        self._daemon = daemon
        self._noting: tuple[AlertView, ...] = ()

    def begin(self, word: str) -> None:
        """Do it to the alert under the cursor; ``alike``: acknowledge all of its kind."""
        chosen = self._chosen()
        if not chosen:
            self._app.say("put the cursor on an alert first", "warn")
        elif not self._app.following.live:
            self._app.say("the daemon is gone: acts are off until it is back", "bad")
        elif self._app.read_only:
            self._app.say("this console only looks (read-only)", "warn")
        elif word == "alike":
            keys = attention.alike(chosen[0], self._app.mirror.alerts)
            self._do("ack", [self._app.mirror.alerts[key] for key in keys])
        elif word == "note":
            self._noting = tuple(chosen)
            self._app.screen.query_one(Entry).open("alert-note", "note:")
        else:
            state, back = _BACK[word]
            self._do(back if all(one.state == state for one in chosen) else word, chosen)

    def take_note(self, text: str) -> None:
        """What was typed about them."""
        if text:
            self._do("note", self._noting, text)

    def _chosen(self) -> list[AlertView]:
        """Those that are marked, or the one under the cursor."""
        place, alerts = self._app.here, self._app.mirror.alerts
        marked = [target.row for target in place.marked_targets()] if place is not None else []
        known = [one for one in marked if isinstance(one, AlertView)]
        if known:
            return known
        key = place.alert_here() if isinstance(place, Minding) else None
        one = alerts.get(key) if key is not None else None
        return [] if one is None else [one]

    def _do(self, word: str, chosen: Sequence[AlertView], text: str = "") -> None:
        tend = TENDS[word]
        ids = " ".join(one.id for one in chosen)
        self._app.acting.last_cli = "cms " + tend.cli.format(id=ids, text=shlex.quote(text))
        self._app.run_worker(self._ask(tend, tuple(chosen), text), group="alerts")

    async def _ask(self, tend: Tend, chosen: tuple[AlertView, ...], text: str) -> None:
        done, refused = [], None
        for one in chosen:
            try:
                done.append((one, await self._daemon.ask(tend.request(one, text))))
            except Refusal as refusal:
                refused = refusal
        self._app.post_message(Tended(tend.done, done, refused))

    def tell(self, note: Tended) -> None:
        """Say what was done; the alerts come as events too, later on a slow line."""
        app = self._app
        for _, answer in note.done:
            if isinstance(answer, AlertView) and answer.id in app.mirror.alerts:
                app.painting.collect(app.mirror.put(answer))
        if note.refused is not None:
            app.say(f"✖ {words.sentence(note.refused)}", "bad")
        elif len(note.done) == 1:
            app.say(f"✔ {note.done[0][0].what} {note.word}", "good")
        else:
            app.say(f"✔ {len(note.done)} alerts: {note.word}", "good")
