"""Every key of the console in one table: what it does, where it works, how it is called and explained.

Bindings, the footer, the help page and the ``:`` line are made from it. Lower case looks, upper case acts,
and acts ask first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from textual.binding import Binding

from cms.contract import alerts, charging, jobs, sessions, stationnotes, stations, tokens

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

    @property
    def acts(self) -> bool:
        """Whether it changes something, at a station or in our books."""
        return self.group == "ACT" or self.request is not None

    @property
    def names(self) -> list[str]:
        """Textual's names of its keys; none for what is only a word of the ``:`` line."""
        return self.keys.split(",") if self.keys else []


LISTS = (
    "overview",
    "stations",
    "station",
    "sessions",
    "session",
    "alerts",
    "alert",
    "events",
    "tokens",
    "configuration",
    "frames",
    "jobs",
    "history",
    "notes",
    "card",
    "drivers",
    "shelf",
    "book",
    "usage",
    "billing",
    "billing-run",
    "invoice",
    "what-if",
    "orders",
    "sites",
    "site",
)
#: Lists behind a bar of tabs; and places that are a list of money, or hang on one.
TABBED = ("billing", "orders", "drivers", "tokens")
OF_MONEY = ("billing", "billing-run", "invoice", "what-if")
FILTERED = ("stations", "sessions", "alerts", "events", "tokens", "configuration", "frames", "history", "drivers",
            "book", *OF_MONEY, "orders", "site")  # fmt: skip
SORTED = ("stations", "sessions", "tokens", "site")
MARKED = (*SORTED, "book", "billing", "orders", "drivers")
LISTED = (*MARKED, "events", "alerts", "billing-run", "invoice", "what-if")
MARKS = (*MARKED, "alerts")
TOKENS = ("tokens",)
MINDED = ("overview", "alerts", "alert")
TABS_OF_SESSION = ("session", "session-price", "session-samples")
TABS_OF_STATION = ("station", "frames", "configuration", "jobs", "history", "notes")
TABS = (*TABS_OF_STATION, *TABS_OF_SESSION)
USAGE = ("usage",)
AT_STATION = ("stations", "station", "overview", "sites", "site")
AT_CONNECTOR = ("station", "sessions", "session", "stations", "card", "sites", "site")
AT_SESSION = ("sessions", "session", "station", "overview", "card", "sites", "site")
TABLE = ("table",)

KEYS: tuple[Key, ...] = (
    Key("SCREENS", "1", "1", "go('overview')", "overview: what needs a person", (), "", "overview"),
    Key("SCREENS", "2", "2", "go('stations')", "stations", (), "", "stations"),
    Key("SCREENS", "3", "3", "go('sessions')", "sessions, running and past", (), "", "sessions"),
    Key("SCREENS", "4", "4", "go('drivers')", "drivers: where they charge, what they owe; then tokens, groups, lists",
        (), "", "drivers"),
    Key("SCREENS", "", ":tokens", "go('tokens')", "drivers' tokens, and the cards that were refused", (), "", "tokens"),
    Key("SCREENS", "5", "5", "go('usage')", "usage: energy, sessions, revenue, utilisation, uptime", (), "", "usage"),
    Key("SCREENS", "6", "6", "go('billing')", "billing: what is open, and every list of money", (), "", "billing"),
    Key("SCREENS", "7", "7", "go('alerts')", "alerts: what needs a person; tab: events", (), "", "alerts"),
    Key("SCREENS", "", ":events", "go('events')", "events as they happen", (), "", "events"),
    Key("SCREENS", "8", "8", "go('orders')", "orders to stations, what waits, jobs, the audit log", (), "", "orders"),
    Key("SCREENS", "9", "9", "go('sites')", "sites, and all that stands there, as a tree", (), "", "sites"),
    Key("SCREENS", "0", "0", "cluster", "cluster: the daemon, its addresses, organisations, keys, operators", (), "",
        "cluster"),
    Key("MOVE", "j,down", "j ↓", "move(1)", "next row", TABLE),
    Key("MOVE", "k,up", "k ↑", "move(-1)", "row before", TABLE),
    Key("MOVE", "g,home", "g", "edge(False)", "first row", TABLE),
    Key("MOVE", "G,end", "G", "edge(True)", "last row; follows what comes", TABLE),
    Key("MOVE", "ctrl+d,pagedown", "^d", "page(1)", "half a page down", TABLE),
    Key("MOVE", "ctrl+u,pageup", "^u", "page(-1)", "half a page up", TABLE),
    Key("MOVE", "tab", "tab", "next_pane", "next pane", ("overview", "tokens")),
    Key("MOVE", "tab,right", "tab →", "turn_tab(1)", "next tab", TABS, "tabs", "tab"),
    Key("MOVE", "shift+tab,left", "⇧tab ←", "turn_tab(-1)", "tab before", TABS),
    Key("LOOK", "d", "d", "direction", "one way alone: from the station, to it; one kind alone", ("frames", "history"),
        "way", "way"),
    Key("LOOK", "t", "t", "to_station", "the station of the session", ("sessions", *TABS_OF_SESSION),
        "station", "station"),
    Key("LOOK", "d", "d", "to_driver", "the driver of the session: his support card",
        ("sessions", *TABS_OF_SESSION), "driver", "driver"),
    Key("SEE", "tilde", "~", "support", "support card of the driver under the cursor, or of whom you name", (), "",
        "card"),
    Key("LOOK", "l", "l", "messages", "what the station says and hears: its messages",
        ("overview", "stations", "station", "sessions"), "", "messages"),
    Key("LOOK", "f", "f", "follow", "go to the end, and follow what comes", ("frames",), "follow", "follow"),
    Key("LOOK", "x", "x", "explain", "how usual this frame is, and what its schema says", ("frames",), "explain",
        "explain"),
    Key("MOVE", "right,l", "→ l", "turn_tab(1)", "the next list of this screen; tab too", TABBED, "next list"),
    Key("MOVE", "left,h", "← h", "turn_tab(-1)", "the list before; shift+tab too", TABBED),
    Key("MOVE", "right,l", "→ l", "unfold(True)", "open the branch", ("sites",), "unfold"),
    Key("MOVE", "left,h", "← h", "unfold(False)", "close the branch, or go to what it belongs to", ("sites",)),
    Key("SEE", "enter", "enter", "open", "open the row", LISTS, "open"),
    Key("SEE", "escape,q", "esc q", "back", "back; place and filter are kept", (), "back"),
    Key("SEE", "p", "p", "pause", "pause the picture; the data flows on", (), "", "pause"),
    Key("SEE", "y", "y", "copy", "copy: the CLI line of the last order, or the row's id", (), "", "copy"),
    Key("SEE", "H", "H", "past", "running or past sessions", ("sessions",), "past", "past"),
    Key("SEE", "x", "x", "explain", "why the session costs what it costs",
        ("sessions", "session", "billing", "invoice"), "", "why"),
    Key("SEE", "w", "w", "what_if", "what the bill, or the last month, would come to by another tariff", ("billing",),
        "what if", "what-if"),
    Key("SEE", "d", "d", "document", "write the invoice as PDF, and say where", ("billing", "invoice"), "pdf", "pdf"),
    Key("LOOK", "n", "n", "figures", "the power as figures, instant by instant", ("site", *TABS_OF_SESSION), "figures",
        "power"),
    Key("SEE", "e", "e", "export", "write the power to a CSV file (of the samples: all of them), and say where",
        TABS_OF_SESSION, "csv"),
    Key("SEE", "e", "e", "export", "write the sites that are shown to a CSV file, and say where", ("sites",), "csv"),
    Key("SEE", "C", "C", "configuration", "configuration of the station", ("stations", "station", "frames"), "config",
        "config"),
    Key("SEE", "b", "b", "books", "books: firmware, logs, reservations ... of this station or all",
        ("overview", "stations", "station", "sessions", "session", "events", "tokens"), "books", "books"),
    Key("LOOK", "m", "m", "usage('measure')", "the next measure; uptime is the last", USAGE, "measure", "measure"),
    Key("LOOK", "b", "b", "usage('by')", "by hour, day, week, month, site, station, connector, driver, tariff",
        USAGE, "by", "by"),
    Key("LOOK", "left_square_bracket", "[", "usage('earlier')", "the span before", USAGE, "earlier", "earlier"),
    Key("LOOK", "right_square_bracket", "]", "usage('later')", "the span after", USAGE, "", "later"),
    Key("LOOK", "plus", "+", "usage('longer')", "a longer span", USAGE, "", "longer"),
    Key("LOOK", "minus", "-", "usage('shorter')", "a shorter span", USAGE, "", "shorter"),
    Key("LOOK", "h", "h", "usage('heat')", "bars and the week as a heat map, or one of them", USAGE, "heat", "heat"),
    Key("LOOK", "n", "n", "usage('figures')", "the figures instead of the picture", USAGE, "figures", "figures"),
    Key("LOOK", "c", "c", "usage('compare')", "compare each row with the span before", USAGE, "compare", "compare"),
    Key("LOOK", "s", "s", "usage('turned')", "turn the order round", USAGE, "", "turned"),
    Key("LOOK", "e", "e", "export", "the figures as a CSV file in the present folder (y copies them)", USAGE, "csv",
        "csv"),
    Key("FIND", "slash", "/", "filter", "find in this sheet", ("paper",), "find"),
    Key("FIND", "slash", "/", "filter", "find among the stations", ("overview",), "find"),
    Key("FIND", "slash", "/", "filter", "filter, e.g. site~berlin and not online=true",
        (*FILTERED, "sites"), "filter", "filter"),
    Key("FIND", "s", "s", "order_sites", "order the sites by name, power, headroom, trouble, size", ("sites",), "sort"),
    Key("FIND", "s", "s", "sort", "sort: pick the column, the same again turns it round", FILTERED, "sort", "sort"),
    Key("FIND", "", ":reverse", "turn", "turn the order round", FILTERED, "", "reverse"),
    Key("FIND", "o", "o", "columns", "choose the columns", FILTERED, "", "columns"),
    Key("FIND", "v", "v", "views", "saved views: 1-9 shows one, w saves what is shown", (), "views", "views"),
    Key("MARK", "space", "space", "mark", "mark the row and go down: an act goes to all marked", MARKS, "mark"),
    Key("MARK", "V", "V", "mark_range", "mark a range: V, move, V", MARKS),
    Key("MARK", "asterisk", "*", "mark_all", "mark all that the filter shows", MARKS, "", "mark-all"),
    Key("MARK", "u", "u", "mark_none", "take all marks off", MARKS, "", "mark-none"),
    Key("MARK", "ampersand", "&", "only_marked", "show only what is marked, or all again", MARKED, "", "only-marked"),
    Key("FIND", "colon", ":", "command", "command line: a screen and its filter, an act, a book, an id", (), "cmd"),
    Key("FIND", "ctrl+p,semicolon", "; ^P", "palette", "palette: all that can be done or found, by a part of its name",
        (), "find", "palette"),
    Key("FIND", "apostrophe", "'", "jump", "jump to an id: station, session, token, driver, order", (), "", "jump"),
    Key("MOVE", "minus", "-", "last", "the place where one was last", (), "", "last"),
    Key("MOVE", "left_square_bracket", "[", "step(-1)", "the place before this one", (), "", "back-to"),
    Key("MOVE", "right_square_bracket", "]", "step(1)", "the place after this one", (), "", "forward"),
    Key("SEE", "a", "a", "actions", "all that can be done with this row", (), "acts", "actions"),
    Key("MOVE", "tab", "tab", "turn_over", "alerts, or events", ("alerts", "events"), "events"),
    Key("ALERTS", "A", "A", "tend('ack')", "acknowledge the alert: it was seen; again: it is new", MINDED, "ack", "ack",
        alerts.AcknowledgeAlert),
    Key("ALERTS", "ampersand", "&", "tend('alike')", "acknowledge all alerts of its kind", MINDED, "all alike",
        "ack-alike", alerts.AcknowledgeAlert),
    Key("ALERTS", "c", "c", "tend('claim')", "claim the alert: others see that you are on it; again: give it back",
        MINDED, "claim", "claim", alerts.ClaimAlert),
    Key("ALERTS", "n", "n", "tend('note')", "write something about the alert", MINDED, "note", "alert-note",
        alerts.NoteAlert),
    Key("ALERTS", "m", "m", "tend('mute')", "mute the alert for 1 h; again: end that", MINDED, "mute", "mute",
        alerts.MuteAlert),
    Key("ACT", "R", "R", "act('reset')", "reset the station, soft or hard", AT_STATION, "reset", "reset",
        stations.ResetStation),
    Key("ACT", "U", "U", "act('unlock')", "unlock a connector", AT_CONNECTOR, "unlock", "unlock",
        stations.UnlockConnector),
    Key("ACT", "S", "S", "act('start')", "start a session for a token", ("stations", "station"), "start", "start",
        sessions.StartSession),
    Key("ACT", "S", "S", "act('start-for')", "start a session for the token: STATION EVSE", (*TOKENS, "card"), "start",
        "start-for", sessions.StartSession),
    Key("ACT", "X", "X", "act('stop')", "stop the session", AT_SESSION, "stop", "stop", sessions.StopSession),
    Key("ACT", "A", "A", "act('availability')", "put a station or connector in or out of operation",
        ("stations", "station"), "avail", "availability", stations.ChangeAvailability),
    Key("ACT", "T", "T", "act('trigger')", "have the station send a message now", AT_STATION, "trigger", "trigger",
        stations.TriggerMessage),
    Key("ACT", "P", "P", "act('limit')", "limit the power of the station or of an EVSE", ("stations", "station"),
        "limit", "limit", charging.SetProfile),
    Key("ACT", "M", "M", "act('maintenance')", "maintenance: the whole station out of operation, and back",
        ("stations", "station"), "maint", "maintenance", stations.ChangeAvailability),
    Key("ACT", "F", "F", "act('firmware')", "give the station another firmware", ("stations", "station", "jobs"),
        "firmware", "update", jobs.UpdateFirmware),
    Key("ACT", "D", "D", "act('diagnostics')", "let the station upload its diagnostics to us",
        ("stations", "station", "jobs"), "diag", "diagnostics", jobs.GetLog),
    Key("ACT", "N", "N", "act('note')", "write something about the station", ("stations", "station", "notes"), "note",
        "note", stationnotes.AddStationNote),
    Key("ACT", "E", "E", "act('enrol')", "enrol an unknown station that knocked", ("overview", "stations"), "enrol",
        "enrol", stations.EnrolStation),
    Key("ACT", "F", "F", "act('forget')", "forget an unknown station", ("overview",), "forget", "forget",
        stations.ForgetUnknownStation),
    Key("ACT", "N", "N", "act('token-add')", "accept a new token, or the refused card", TOKENS, "new", "add",
        tokens.AddToken),
    Key("ACT", "B", "B", "act('token-block')", "block the token", (*TOKENS, "card"), "block", "block",
        tokens.BlockToken),
    Key("ACT", "I", "I", "act('token-unblock')", "accept the blocked token again", (*TOKENS, "card"),
        "unblock", "unblock",
        tokens.UnblockToken),
    Key("ACT", "D", "D", "act('token-remove')", "remove the token", TOKENS, "remove", "remove", tokens.RemoveToken),
    Key("ACT", "L", "L", "act('config-get')", "read the configuration from the station", ("configuration",), "read",
        "read", stations.GetConfiguration),
    Key("ACT", "W", "W", "act('config-set')", "write a value", ("configuration",), "write", "write",
        stations.SetConfiguration),
    Key("ALWAYS", "", ":refusals", "refusals", "who refused the last act for many, and why", (), "", "refusals"),
    Key("ALWAYS", "question_mark", "?", "help", "this page", (), "help", "help"),
    Key("SEE", "r", "r", "reread", "read again what is shown", (), "", "reread"),
    Key("SEE", "e", "e", "export", "export the rows that are shown: CSV, JSON, or copied", LISTED, "", "export"),
    Key("SEE", "ctrl+s", "^S", "picture", "picture of the screen as SVG and text, into the present folder", (), "",
        "picture"),
    Key("ALWAYS", "exclamation_mark", "!", "read_only", "read-only on or off: no act works", (), "", "read-only"),
    Key("ALWAYS", "B", "B", "alarm", "bell on or off: it rings when something new is wrong", (), "", "bell"),
    Key("ALWAYS", "ctrl+r", "^R", "reconnect", "reach for the daemon now", (), "", "reconnect"),
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
    return [Binding(key.keys, key.action, key.help, show=False) for key in chosen if key.keys]


def here(place: str, rows: Sequence[Key] = KEYS) -> list[Key]:
    """The keys that work in a place, those of its tables left out; its own meanings of keys hide the general ones."""
    own = {name for key in rows if place in key.where for name in key.names}
    return [
        key
        for key in rows
        if place in key.where or (not key.where and not (key.keys and own.issuperset(key.names)))
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
    return 0 if key.shown in ("enter", "/", "H") else 1 if key.group in ("ACT", "ALERTS") else 2


def words(rows: Sequence[Key] = KEYS) -> dict[str, Key]:
    """The words of the ``:`` line."""
    return {key.word: key for key in rows if key.word}
