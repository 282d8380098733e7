"""What may stand where somebody presses tab: ``cms __complete WORDS...`` of the shells.

Neither Typer nor a command is loaded for it (cli.words), and no daemon is waited for (cli.names).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from cli.flags import ALIASES, FORMATS, SHORT, TABLE, Flags, take
from cms.contract.refusals import Refusal

if TYPE_CHECKING:
    from cli.words import Words

Found = dict[str, str]
"""Candidate -> what the shell may say of it."""

TRIGGERS = (
    "BootNotification", "Heartbeat", "StatusNotification", "MeterValues", "FirmwareStatusNotification",
    "DiagnosticsStatusNotification", "LogStatusNotification", "TransactionEvent", "SignChargingStationCertificate",
)  # fmt: skip
#: What people call a thing in the usage line -> the kind of name; a NAME or an ID is the noun's own.
KINDS: Mapping[str, tuple[str, ...]] = {
    "STATION": ("stations",),
    "STATION[:EVSE]": ("stations",),
    "SESSION": ("sessions",),
    "TOKEN": ("tokens",),
    "TAG": ("tokens",),
    "DRIVER": ("drivers",),
    "DRIVER|TOKEN": ("drivers", "tokens"),
    "TARIFF": ("tariffs",),
    "BEFORE": ("tariffs",),
    "AFTER": ("tariffs",),
    "FILE|TARIFF": ("tariffs",),
    "PLAN": ("plans",),
    "INTENT": ("intents",),
    "SITE": ("sites",),
    "NUMBER": ("invoices",),
    "CHARGE": ("charges",),
    "REFERENCE": ("payments",),
    "ORGANISATION": ("organisations",),
}
OWN_NAMES: Mapping[str, tuple[str, ...]] = {
    **{
        noun: (noun,)
        for noun in ("tokens", "drivers", "sites", "grants", "approvals", "reservations", "plans")
    },
    **{noun: (noun,) for noun in ("tariffs", "invoices", "payments", "organisations")},
    "access": ("rules",),
    "stations enrol": ("unknown stations",),
    "stations forget": ("unknown stations",),
    "tokens enrol": ("unknown cards",),
    "tokens forget": ("unknown cards",),
    **{
        f"{noun} add": ()
        for noun in ("tokens", "drivers", "sites", "organisations", "plans", "tariffs", "access")
    },
    "access token revoke": (),
    "profiles show": (),
    "context": (),
    "sessions stop": ("active sessions",),
}
#: Flags whose values are names, whatever their metavar says.
FLAGS: Mapping[str, tuple[str, ...]] = {
    "--station": ("stations",),
    "--site": ("sites",),
    "--token": ("tokens",),
    "--driver": ("drivers",),
    "--tariff": ("tariffs",),
    "--plan": ("plans",),
    "--invoice": ("invoices",),
    "--session": ("sessions",),
    "--org": ("organisations",),
}


def lines(words: list[str]) -> Iterable[str]:
    """The candidates as the shells read them: ``NAME`` or ``NAME<tab>WHAT IT IS``."""
    return (f"{name}\t{about}" if about else name for name, about in described(words).items())


def candidates(words: list[str]) -> list[str]:
    """What may stand where the last word stands."""
    return list(described(words))


def described(words: list[str]) -> Found:
    """What may stand where the last word stands, and what it is; nothing rather than an error."""
    *before, word = words or [""]
    line = _Line()
    for earlier in before:
        line.take(earlier)
    found, typed = _found(line, word)
    prefix = word[: len(word) - len(typed)]
    return {prefix + name: about for name, about in found.items() if name.startswith(typed)}


class _Line:
    """A command line as far as it is written: which command, which names, which flag waits for its value."""

    def __init__(self) -> None:
        self.path: list[str] = []
        self.words: Words | None = None
        self.names: list[str] = []
        self.flag: str | None = None
        self.flags = Flags()
        self._told: list[str] = []
        self.literal = False

    def take(self, word: str) -> None:
        """Read one more word."""
        if self.flag is not None:
            self._tell(self.flag, word)
            self.flag = None
        elif word == "--" and not self.literal:
            self.literal = True
        elif word.startswith("-") and len(word) > 1 and not self.literal:
            self._take_flag(word)
        else:
            self._take_word(word)

    def takes(self, flag: str) -> str | None:
        """The metavar of a flag's value; None for a switch."""
        own = self.words["options"].get(flag) if self.words else None
        if own is not None:
            takes: str | None = own["takes"]
            return takes
        return "" if flag in TABLE and TABLE[flag][1] is not None else None

    def _take_flag(self, word: str) -> None:
        flag, equals, value = _spelled(word).partition("=")
        if equals:
            self._tell(flag, value)
        elif self.takes(flag) is not None:
            self.flag = flag

    def _tell(self, flag: str, value: str) -> None:
        """Which daemon is meant."""
        with suppress(Refusal):
            self.flags, _ = take([*self._told, flag, value])
            self._told += [flag, value]

    def _take_word(self, word: str) -> None:
        if self.words is None:
            from cli.main import COMMANDS

            if word in COMMANDS:
                from cli.words import words_of

                self.words = words_of(word)
                self.keys: list[str] = self.words["keys"]
            else:
                self.words = {"verbs": {}, "options": {}, "arguments": []}
                self.keys = []
            self.path = [word]
        elif word in self.words["verbs"]:
            self.words = self.words["verbs"][word]
            self.path.append(word)
        else:
            self.names.append(word)


def _spelled(flag: str) -> str:
    """A flag by its long name, with the value that is glued to it."""
    name, equals, value = flag.partition("=")
    return f"{SHORT.get(name) or ALIASES.get(name, name)}{equals}{value}"


def _found(line: _Line, word: str) -> tuple[Found, str]:
    """The candidates, and the part of the word that they continue."""
    if line.flag is not None:
        return _value(line, line.flag, word)
    if word.startswith("--") and "=" in word and not line.literal:
        flag, _, value = _spelled(word).partition("=")
        return _value(line, flag, value)
    if word.startswith("-") and not line.literal:
        return _flags(line), word
    if line.words is None:
        from cli.main import COMMANDS

        return dict(COMMANDS), word
    if verbs := line.words["verbs"]:
        return {name: words["about"] for name, words in verbs.items()}, word
    return _names(line), word


def _flags(line: _Line) -> Found:
    own = line.words["options"] if line.words else {}
    everywhere = {flag: about.partition("  ")[2] or about for flag, (_, _, about) in TABLE.items()}
    return {**{flag: told["about"] for flag, told in own.items()}, **everywhere}


def _value(line: _Line, flag: str, word: str) -> tuple[Found, str]:
    """What a flag takes, and the part of the word that it continues."""
    if flag in _GLOBAL:
        return _GLOBAL[flag](line, word)
    metavar = line.takes(flag) or ""
    if flag in FLAGS:
        return _of_kinds(FLAGS[flag], line), word
    return _meant(metavar, line), word


def _names(line: _Line) -> Found:
    """What may stand at the place of a name."""
    assert line.words is not None
    places: list[tuple[str, bool]] = []
    for argument in line.words["arguments"]:
        for metavar in argument["takes"].split():
            many = "..." in metavar or (argument["many"] and " " not in argument["takes"])
            places.append((metavar.strip("[]").removesuffix("...").strip("[]"), many))
    found: Found = {}
    for at, (metavar, many) in enumerate(places):
        after_many = any(again for _, again in places[:at])
        if after_many or at == len(line.names) or (many and at < len(line.names)):
            found |= _meant(metavar, line)
    return {name: about for name, about in found.items() if name not in line.names}


def _meant(metavar: str, line: _Line) -> Found:
    """What a word of the usage line stands for: one of these words, or a name of some kind."""
    if line.path[0] == "context" and metavar == "NAME":
        return _contexts(line, "")[0]
    words = TRIGGERS if line.path == ["stations", "trigger"] and metavar == "MESSAGE" else metavar.split("|")
    if len(words) > 1 and metavar not in KINDS and not any(word.isupper() for word in words):
        return dict.fromkeys(words, "")
    return _of_kinds(_kinds(metavar, line.path), line)


def _kinds(metavar: str, path: Sequence[str]) -> tuple[str, ...]:
    """The kinds of names that are meant: this command's own, this noun's own, or what the word says."""
    command = " ".join(path)
    if command in OWN_NAMES and metavar != "STATION":
        return OWN_NAMES[command]
    if metavar in ("NAME", "ID"):
        return OWN_NAMES.get(path[0], ("stations",) if metavar == "NAME" else ())
    return KINDS.get(metavar, ())


def _of_kinds(kinds: Sequence[str], line: _Line) -> Found:
    from cli.names import known

    found: Found = {}
    for kind in kinds:
        found |= known(kind, line.flags)
    return found


def _formats(line: _Line, word: str) -> tuple[Found, str]:
    return dict.fromkeys(FORMATS, ""), word


def _columns(line: _Line, word: str) -> tuple[Found, str]:
    return dict.fromkeys(_keys(line), ""), word.rpartition(",")[2]


def _sorting(line: _Line, word: str) -> tuple[Found, str]:
    return dict.fromkeys(_keys(line), ""), word.removeprefix("-")


def _filtering(line: _Line, word: str) -> tuple[Found, str]:
    begun = word.rpartition(" ")[2].lstrip("(")
    return {f"{key}=": "" for key in _keys(line)}, begun


def _contexts(line: _Line, word: str) -> tuple[Found, str]:
    from cms import contexts

    try:
        known = contexts.read()
    except Refusal:
        return {}, word
    return {name: there.url or there.socket or "" for name, there in known.contexts.items()}, word


def _organisations(line: _Line, word: str) -> tuple[Found, str]:
    return _of_kinds(("organisations",), line), word


def _keys(line: _Line) -> list[str]:
    return line.keys if line.words is not None else []


_GLOBAL: Mapping[str, Callable[[_Line, str], tuple[Found, str]]] = {
    "--output": _formats,
    "--columns": _columns,
    "--sort": _sorting,
    "--filter": _filtering,
    "--context": _contexts,
    "--org": _organisations,
}
