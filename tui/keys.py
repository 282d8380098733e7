"""Every key of the console in one table: what it does, where it works, how it is called and explained.

Bindings, the footer, the help page and the ``:`` line are made from it. Lower case looks, upper case acts,
and acts ask first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from textual.binding import Binding

from cms.contract import sessions, stations, tokens

ANYWHERE = ""


@dataclass(frozen=True, slots=True)
class Key:
    """``keys`` in Textual's names, ``shown`` as people know them. ``where``: places, or table, or anywhere.

    ``label`` is the word in the footer (none: not there). ``word`` calls it on the ``:`` line. ``request`` is
    what it asks the daemon for.
    """

    group: str
    keys: str
    shown: str
    action: str
    help: str
    where: tuple[str, ...] = ()
    label: str = ""
    word: str = ""
    request: type[Any] | None = None


LISTS = (
    "overview",
    "stations",
    "station",
    "sessions",
    "session",
    "events",
    "tokens",
    "configuration",
    "shelf",
    "book",
)
FILTERED = ("stations", "sessions", "events", "station", "tokens", "configuration", "book")
SORTED = ("stations", "sessions", "tokens")
MARKED = (*SORTED, "book")
TOKENS = ("tokens",)
AT_STATION = ("stations", "station", "overview")
AT_CONNECTOR = ("station", "sessions", "session", "stations")
AT_SESSION = ("sessions", "session", "station", "overview")
TABLE = ("table",)

KEYS: tuple[Key, ...] = (
    Key("SCREENS", "1", "1", "go('overview')", "overview: what needs a person", (), "", "overview"),
    Key("SCREENS", "2", "2", "go('stations')", "stations", (), "", "stations"),
    Key("SCREENS", "3", "3", "go('sessions')", "sessions, running and past", (), "", "sessions"),
    Key("SCREENS", "4", "4", "go('tokens')", "drivers' tokens, and the cards that were refused", (), "", "tokens"),
    Key("SCREENS", "7", "7", "go('events')", "events as they happen", (), "", "events"),
    Key("MOVE", "j,down", "j ↓", "move(1)", "next row", TABLE),
    Key("MOVE", "k,up", "k ↑", "move(-1)", "row before", TABLE),
    Key("MOVE", "g,home", "g", "edge(False)", "first row", TABLE),
    Key("MOVE", "G,end", "G", "edge(True)", "last row; follows what comes", TABLE),
    Key("MOVE", "ctrl+d,pagedown", "^d", "page(1)", "half a page down", TABLE),
    Key("MOVE", "ctrl+u,pageup", "^u", "page(-1)", "half a page up", TABLE),
    Key("MOVE", "tab", "tab", "next_pane", "next pane", ("station", "overview", "tokens")),
    Key("SEE", "enter", "enter", "open", "open the row", LISTS, "open"),
    Key("SEE", "escape,q", "esc q", "back", "back; place and filter are kept", (), "back"),
    Key("SEE", "p", "p", "pause", "pause the picture; the data flows on", (), "", "pause"),
    Key("SEE", "y", "y", "copy", "copy: the CLI line of the last order, or the row's id", (), "", "copy"),
    Key("SEE", "H", "H", "past", "running or past sessions", ("sessions",), "past", "past"),
    Key("SEE", "x", "x", "explain", "why the session costs what it costs", ("sessions", "session"), "", "why"),
    Key("SEE", "C", "C", "configuration", "configuration of the station", ("stations", "station"), "config", "config"),
    Key("SEE", "b", "b", "books", "books: firmware, logs, reservations ... of this station or all",
        ("overview", "stations", "station", "sessions", "session", "events", "tokens"), "books", "books"),
    Key("FIND", "slash", "/", "filter", "filter, e.g. site~berlin and not online=true",
        FILTERED, "filter", "filter"),
    Key("FIND", "s", "s", "sort", "sort by the next column", SORTED, "sort", "sort"),
    Key("FIND", "r", "r", "turn", "turn the order round", SORTED, "", "reverse"),
    Key("MARK", "space", "space", "mark", "mark the row and go down: an act goes to all marked", MARKED, "mark"),
    Key("MARK", "V", "V", "mark_range", "mark a range: V, move, V", MARKED),
    Key("MARK", "asterisk", "*", "mark_all", "mark all that the filter shows", MARKED, "", "mark-all"),
    Key("MARK", "u", "u", "mark_none", "take all marks off", MARKED, "", "mark-none"),
    Key("MARK", "ampersand", "&", "only_marked", "show only what is marked, or all again", MARKED, "", "only-marked"),
    Key("FIND", "colon,ctrl+p,apostrophe", ":", "command", "command line: a screen, an act, or an id", (), "cmd"),
    Key("ACT", "R", "R", "act('reset')", "reset the station, soft or hard", AT_STATION, "reset", "reset",
        stations.ResetStation),
    Key("ACT", "U", "U", "act('unlock')", "unlock a connector", AT_CONNECTOR, "unlock", "unlock",
        stations.UnlockConnector),
    Key("ACT", "S", "S", "act('start')", "start a session for a token", ("stations", "station"), "start", "start",
        sessions.StartSession),
    Key("ACT", "X", "X", "act('stop')", "stop the session", AT_SESSION, "stop", "stop", sessions.StopSession),
    Key("ACT", "A", "A", "act('availability')", "put a station or connector in or out of operation",
        ("stations", "station"), "avail", "availability", stations.ChangeAvailability),
    Key("ACT", "T", "T", "act('trigger')", "have the station send a message now", AT_STATION, "trigger", "trigger",
        stations.TriggerMessage),
    Key("ACT", "E", "E", "act('enrol')", "enrol an unknown station that knocked", ("overview", "stations"), "enrol",
        "enrol", stations.EnrolStation),
    Key("ACT", "F", "F", "act('forget')", "forget an unknown station", ("overview",), "forget", "forget",
        stations.ForgetUnknownStation),
    Key("ACT", "N", "N", "act('token-add')", "accept a new token, or the refused card", TOKENS, "new", "add",
        tokens.AddToken),
    Key("ACT", "B", "B", "act('token-block')", "block the token", TOKENS, "block", "block", tokens.BlockToken),
    Key("ACT", "I", "I", "act('token-unblock')", "accept the blocked token again", TOKENS, "unblock", "unblock",
        tokens.UnblockToken),
    Key("ACT", "D", "D", "act('token-remove')", "remove the token", TOKENS, "remove", "remove", tokens.RemoveToken),
    Key("ACT", "L", "L", "act('config-get')", "read the configuration from the station", ("configuration",), "read",
        "read", stations.GetConfiguration),
    Key("ACT", "W", "W", "act('config-set')", "write a value", ("configuration",), "write", "write",
        stations.SetConfiguration),
    Key("ALWAYS", "f12", "", "refusals", "who refused the last act for many, and why", (), "", "refusals"),
    Key("ALWAYS", "question_mark", "?", "help", "this page", (), "help", "help"),
    Key("ALWAYS", "ctrl+l", "^L", "repaint", "paint the whole screen again", (), "", "redraw"),
    Key("ALWAYS", "ctrl+q", "^Q", "quit", "quit", (), "", "quit"),
)  # fmt: skip

#: What is always told in the footer, also when it is cut.
LAST = "?"


def bindings(
    place: str = ANYWHERE, rows: Sequence[Key] = KEYS
) -> list[Binding | tuple[str, str] | tuple[str, str, str]]:
    """Textual's bindings: those of a table, or all others (the application checks where it is).

    What names its places comes before what works anywhere: there the place's own meaning of a key wins.
    """
    chosen = [key for key in rows if ("table" in key.where) == (place == "table")]
    chosen.sort(key=lambda key: not key.where)
    return [Binding(key.keys, key.action, key.help, show=False) for key in chosen]


def here(place: str, rows: Sequence[Key] = KEYS) -> list[Key]:
    """The keys that work in a place, those of its tables left out; its own meanings of keys hide the general ones."""
    own = {name for key in rows if place in key.where for name in key.keys.split(",")}
    return [
        key
        for key in rows
        if place in key.where or (not key.where and not own.issuperset(key.keys.split(",")))
    ]


def works(action: str, place: str, rows: Sequence[Key] = KEYS) -> bool:
    """Whether an action (as the table writes it) works in a place; what is not in the table always does."""
    found = [key for key in rows if key.action == action]
    return not found or any(not key.where or place in key.where for key in found)


def footer(place: str, rows: Sequence[Key] = KEYS) -> list[tuple[str, str]]:
    """(key, label) for the footer of a place: opening and finding first, then the acts, then the rest."""
    labelled = [key for key in here(place, rows) if key.label]
    return [(key.shown.split()[0], key.label) for key in sorted(labelled, key=_footer_rank)]


def _footer_rank(key: Key) -> int:
    """The footer is cut from the right: what a person came for stands left."""
    return 0 if key.shown in ("enter", "/", "H") else 1 if key.group == "ACT" else 2


def words(rows: Sequence[Key] = KEYS) -> dict[str, Key]:
    """The words of the ``:`` line."""
    return {key.word: key for key in rows if key.word}
