"""What people who know other tools say first, and what it is called here.

These names work and nobody is told of them: help, manual and completion know one name of each thing. What means the
same is understood; what might mean several things, or acts, is answered by a sentence that leads on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

#: Other names of our nouns and commands. A singular needs no line.
NOUNS: Final = {
    "charger": "stations", "chargers": "stations", "chargepoint": "stations", "chargepoints": "stations",
    "charge-points": "stations", "cp": "stations", "cps": "stations", "st": "stations",
    "transaction": "sessions", "transactions": "sessions", "tx": "sessions", "charging-sessions": "sessions",
    "card": "tokens", "cards": "tokens", "rfid": "tokens", "tag": "tokens", "tags": "tokens", "idtags": "tokens",
    "cdr": "bills", "cdrs": "bills", "location": "sites", "locations": "sites", "org": "organisations",
    "orgs": "organisations", "tenants": "organisations", "order": "intents", "orders": "intents", "commands": "intents",
    "alarm": "alerts", "alarms": "alerts", "incidents": "alerts", "cert": "certificates", "certs": "certificates",
    "contexts": "context", "ctx": "context", "stats": "usage", "statistics": "usage", "kpis": "usage",
    "subscriptions": "plans", "settings": "config", "info": "status", "health": "doctor", "check": "doctor",
    "diagnose": "doctor", "frames": "tail", "trace": "tail", "ui": "tui", "console": "tui", "dashboard": "tui",
    "repl": "shell", "sim": "simulate", "man": "help",
}  # fmt: skip
#: Whole commands.
WHOLE: Final = {"whoami": ("auth", "status")}
#: Verbs of others -> ours, of which the first is taken that the noun has.
VERBS: Final = {
    "ls": ("list",), "all": ("list",), "get": ("show", "list"), "describe": ("show",), "view": ("show",),
    "inspect": ("show",), "info": ("show",), "details": ("show",), "status": ("show",), "cat": ("read", "show"),
    "rm": ("remove",), "delete": ("remove",), "del": ("remove",), "create": ("add",), "new": ("add",),
    "edit": ("set",), "update": ("set",), "modify": ("set",), "patch": ("set",), "reboot": ("reset",),
    "restart": ("reset",), "acknowledge": ("ack",), "kill": ("stop",), "end": ("stop",), "configure": ("config",),
    "switch": ("use",), "use-context": ("use",), "disable": ("block", "suspend"), "enable": ("unblock", "resume"),
}  # fmt: skip
#: Verbs that may stand first (``get stations``): they only look.
LOOKING: Final = frozenset({"get", "list", "ls", "show", "describe", "view", "inspect"})
#: Nouns in which a verb that was said alone is looked for.
_LIKELY: Final = ("stations", "sessions", "tokens", "alerts", "drivers", "intents", "firmware", "invoices")
#: What leads on where no one command is meant.
SENTENCES: Final = {
    "ls": "try `cms stations list`, `cms sessions list --active`; `cms --help` lists what there is",
    "ps": "running sessions are `cms sessions list --active`",
    "top": "try `cms status --watch`, or `cms tui` for the console",
    "watch": "every list takes --watch; `cms events --follow` tells what happens, `cms tail` what stations say",
    "log": "`cms events` is what happened, `cms tail` what stations say, `cms logs` their own log files",
    "journal": "`cms events` is what happened, `cms audit list` who did what",
    "connectors": "`cms stations list` shows them, `cms stations show NAME` in full; `cms evses` names EVSEs",
    "users": "who charges is in `cms drivers`, who operates in `cms access`",
    "user": "who charges is in `cms drivers`, who operates in `cms access`",
    "people": "who charges is in `cms drivers`, who operates in `cms access`",
    "operators": "`cms access --help` has them",
    "start": "`cms serve` runs the daemon, `cms sessions start STATION` begins a session",
    "run": "`cms serve` runs the daemon, `cms demo` one with simulated stations",
    "up": "`cms serve` runs the daemon, `cms demo` one with simulated stations",
    "daemon": "`cms serve` runs it, `cms status` tells how it is",
    "server": "`cms serve` runs it, `cms status` tells how it is",
    "api": "`cms ask REQUEST JSON` reaches any operation",
    "apply": "there are no manifests: `cms stations import FILE` and `cms stations add` make stations known",
    "logs": "`cms tail {word}` shows what a station says, `cms logs get {word}` fetches its own log",
    "config": "`cms context list` names the daemons, `cms config show` the daemon's settings",
    "usage": "try `cms usage show --by day --last 30d`",
}  # fmt: skip
#: Flags of others -> what is said of them.
FLAGS: Final = {
    "--force": "--yes", "-f": "--filter", "--format": "-o", "--all": "--limit 0", "--running": "--active",
    "--query": "--filter", "--where": "--filter", "--search": "--filter", "--order-by": "--sort",
    "--sort-by": "--sort", "--fields": "--columns", "--top": "--limit", "--last": "--since", "--namespace": "--org",
    "--server": "--url", "--no-header": "--no-headers", "--tail": "--limit", "--plain": "--no-color",
    "--all-namespaces": "--org '*'", "-A": "--org '*'", "--message": "--reason", "-m": "--reason",
}  # fmt: skip


def noun_meant(word: str, nouns: Collection[str]) -> str | None:
    """``station`` and ``chargers`` are stations."""
    word = word.casefold()
    found = word if word in nouns else NOUNS.get(word, f"{word}s")
    return found if found in nouns else None


def command_meant(words: Sequence[str], nouns: Collection[str]) -> list[str] | None:
    """The words as they are said here, where there is no doubt: ``get station CP-7`` is ``stations show CP-7``."""
    first, *rest = words
    if first in WHOLE:
        return [*WHOLE[first], *rest]
    if (noun := noun_meant(first, nouns)) is not None:
        return [noun, *rest]
    if first in LOOKING and rest and (noun := noun_meant(rest[0], nouns)) is not None:
        return [noun, "show" if _names(rest[1:]) else "list", *rest[1:]]
    return None


def verb_meant(word: str, rest: Sequence[str], verbs: Collection[str]) -> str | None:
    """The noun's own verb for somebody else's: ``get`` shows what is named, and lists where nothing is."""
    found = [verb for verb in VERBS.get(word.casefold(), ()) if verb in verbs]
    if word == "get" and "list" in found and not _names(rest):
        return "list"
    return next(iter(found), None)


def _names(words: Iterable[str]) -> bool:
    return any(not word.startswith("-") for word in words)


def sentence_for(path: str, word: str, known: Sequence[str]) -> str:
    """What leads on from a command that there is not: ``path`` is all before ``word``."""
    below = path.rpartition(" ")[2]
    if path == "cms" and word in SENTENCES:
        return SENTENCES[word]
    if path == "cms" and word in LOOKING:
        return "say of what: `cms stations list`, `cms stations show NAME`"
    if near := get_close_matches(word, known, n=1, cutoff=0.8):
        return f"did you mean `{path} {near[0]}`?"
    if below in SENTENCES and path == f"cms {below}":
        return SENTENCES[below].format(word=word)
    if path in ("cms", "cms help") and (found := having(word)):
        return "did you mean " + " or ".join(f"`{path} {noun} {verb}`" for noun, verb in found[:3]) + "?"
    if near := get_close_matches(word, known, n=1, cutoff=0.6):
        return f"did you mean `{path} {near[0]}`?"
    if any(character.isdigit() for character in word) and (path == "cms" or "show" in known):
        return f"did you mean `{path}{' stations' if path == 'cms' else ''} show {word}`?"
    return f"one of {', '.join(known)}" if len(known) <= 12 else f"see `{path} --help`"


def having(verb: str) -> list[tuple[str, str]]:
    """The nouns that have such a verb, and what it is called there; looking is done to all of them."""
    from cli.words import words_of

    if verb in LOOKING:
        return []
    asked = (verb, *VERBS.get(verb, ()))
    found = [(noun, words_of(noun)["verbs"]) for noun in _LIKELY]
    return [(noun, each) for noun, verbs in found for each in asked if each in verbs]


def flag_of_verb(path: str, flag: str, verbs: Mapping[str, Any]) -> str | None:
    """A flag that was given to a noun and is one of its verbs'."""
    for name, verb in verbs.items():
        if any(flag in option.opts for option in verb.params):
            return f"did you mean `{path} {name} {flag}`?"
    return None


def keys_of(path: str) -> frozenset[str]:
    """By what the rows of ``cms NOUN list`` may be chosen."""
    from cli.words import words_of

    match path.split():
        case [_, noun, "list"]:
            return frozenset({*words_of(noun)["keys"], "status"})
    return frozenset()


def flag_for(flag: str, options: Iterable[Any], flags: Iterable[str], keys: Collection[str]) -> str | None:
    """What is said of a flag that there is not, if anything: ``options`` of the command, ``keys`` of what it lists."""
    told = list(options)
    word = flag.lstrip("-")
    for option in told:
        if word in str(option.metavar or "").split("|"):
            return f"did you mean {option.opts[0]} {word}?"
    known = [*(name for option in told for name in option.opts), *flags]
    if FLAGS.get(flag, "").split(" ")[0] in known:
        return f"did you mean {FLAGS[flag]}?"
    if near := get_close_matches(flag, known, n=1, cutoff=0.7):
        return f"did you mean {near[0]}?"
    return f"to choose rows: --filter '{word}=...'" if word in keys else None
