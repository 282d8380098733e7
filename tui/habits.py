"""What people who know k9s, vim or the command line press and type first, and what it is called here.

Other words of the ``:`` line work and nobody is told of them; a key that means nothing in a place says what to press.
"""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import Final

#: Words of the ``:`` line -> ours. A singular or a plural needs no line.
WORDS: Final = {
    "q!": "quit", "quit!": "quit", "qa": "quit", "qa!": "quit", "wq": "quit", "x": "quit", "exit": "quit",
    "q": "quit", "h": "help", "st": "stations", "se": "sessions", "tok": "tokens", "ev": "events",
    "ls": "stations", "cp": "stations", "cps": "stations", "charger": "stations", "chargers": "stations",
    "chargepoints": "stations", "connectors": "stations", "evse": "evses", "tx": "sessions",
    "transactions": "sessions", "cards": "tokens", "rfid": "tokens", "tags": "tokens",
    "users": "drivers", "people": "drivers", "customers": "drivers", "cdr": "bills", "cdrs": "bills",
    "intents": "orders", "commands": "orders", "locations": "sites", "map": "sites", "incidents": "alerts",
    "alarms": "alerts", "problems": "alerts", "home": "overview", "dashboard": "overview", "pulse": "overview",
    "pulses": "overview", "status": "overview", "stats": "usage", "charts": "usage", "reports": "usage",
    "kpi": "usage", "info": "cluster", "version": "cluster", "about": "cluster", "health": "cluster",
    "daemon": "cluster", "org": "organisations", "orgs": "organisations", "certs": "certificates",
    "frames": "messages", "tail": "messages", "reboot": "reset", "restart": "reset",
    "edit": "config", "configuration": "config", "kill": "stop", "delete": "remove", "ack-all": "ack-alike",
    "aliases": "palette", "a": "palette", "search": "palette", "find": "palette", "keys": "help", "man": "help",
    "reload": "reread", "refresh": "reread", "w": "export", "save": "export", "yank": "copy",
    "screenshot": "picture", "svg": "picture", "ro": "read-only", "readonly": "read-only", "log": "logs",
    "history": "past", "bn": "forward", "bp": "back-to", "undo": "back-to",
}  # fmt: skip
#: Words that open what is named after them: ``:describe CP-7``.
OPENING: Final = frozenset(
    {
        "station",
        "session",
        "token",
        "driver",
        "order",
        "intent",
        "describe",
        "show",
        "open",
        "get",
        "go",
        "jump",
    }
)
#: What leads on where no word is meant.
SENTENCES: Final = {
    "ctx": "another daemon: ^Q, then cms tui --context NAME; cms context list names them",
    "context": "another daemon: ^Q, then cms tui --context NAME; cms context list names them",
    "contexts": "another daemon: ^Q, then cms tui --context NAME; cms context list names them",
    "ns": "another organisation: ^Q, then cms tui --org NAME; 0 lists them",
    "namespaces": "another organisation: ^Q, then cms tui --org NAME; 0 lists them",
    "theme": "colours: ^Q, then cms tui --theme dark, light, safe or 16; theme.toml keeps it",
    "skin": "colours: ^Q, then cms tui --theme dark, light, safe or 16; theme.toml keeps it",
    "set": "own keys and colours are in keys.toml and theme.toml; :config reads a station's configuration",
    "shell": "the prompt for a technician's visit is cms shell, in a terminal of its own",
    "new": "a station: :cms stations add NAME; a token: N on screen 4, or :cms tokens add TAG",
    "create": "a station: :cms stations add NAME; a token: N on screen 4, or :cms tokens add TAG",
    "import": "in the command line: :cms import sessions FILE --dry-run",
}  # fmt: skip
#: Keys of other tools -> which key of ours is meant, and what it does; told where that works.
KEYS: Final = {
    "d": ("enter", "opens it"), "i": ("enter", "opens it"), "h": ("esc", "goes back"),
    "backspace": ("esc", "goes back"), "n": ("/", "filters"), "f": ("/", "filters"), "ctrl+f": ("/", "filters"),
    "delete": ("a", "shows all acts"), "ctrl+k": ("a", "shows all acts"), "ctrl+a": (";", "finds everything"),
    "f1": ("?", "tells the keys"), "f5": ("r", "reads again"), "ctrl+e": ("e", "exports"),
    "ctrl+w": ("o", "picks columns"), "z": ("o", "picks columns"), "c": ("y", "copies"),
    "t": ("T", "has the station send a message"), "m": ("space", "marks"), "N": ("s", "sorts"),
    "ctrl+d": ("a", "shows all acts"),
}  # fmt: skip


def word_meant(word: str, known: Collection[str]) -> str:
    """Our word for it, or the word itself."""
    if word in known:
        return word
    for other in (WORDS.get(word.casefold(), ""), word.casefold(), f"{word}s", word.removesuffix("s")):
        if other in known:
            return other
    return word


def answer_to_word(word: str, known: Collection[str], line: str) -> str:
    """What is said of a ``line`` whose word there is not."""
    if word in SENTENCES:
        return SENTENCES[word]
    near = get_close_matches(word, known, n=1)
    return f"no command, station or session is called {line}" + (
        f"; did you mean :{near[0]}?" if near else ""
    )


def answer_to_key(key: str, shown: str, working: Collection[str]) -> str:
    """What is said of a key that means nothing here; ``working`` are those that do, as people know them."""
    ours, does = KEYS.get(key, ("?", "tells the keys"))
    return f"{shown} does nothing here; " + (f"{ours} {does}" if ours in working else "? tells the keys")
