"""The global flags: the same before and after the verb, taken out of the arguments before Typer sees them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from cms.contract.refusals import Invalid

if TYPE_CHECKING:
    from cms.client import Address

#: So many questions to a daemon at the same time are enough for anybody.
MOST_AT_ONCE = 64
FORMATS = ("table", "wide", "json", "jsonl", "csv", "yaml", "name")


@dataclass(frozen=True, slots=True)
class Flags:
    """What the global flags say; times in seconds. ``filter`` in the language of cms.contract.filters."""

    output: str = "table"
    columns: tuple[str, ...] = ()
    filter: str | None = None
    sort: str | None = None
    limit: int | None = None
    no_headers: bool = False
    watch: bool = False
    socket: str | None = None
    url: str | None = None
    context: str | None = None
    organisation: str | None = None
    token_file: str | None = None
    timeout_s: float | None = None
    at_once: int = 8
    quiet: bool = False
    yes: bool = False
    dry_run: bool = False
    reason: str | None = None
    no_color: bool = False
    verbose: bool = False
    _found: list[Address] = field(default_factory=list, repr=False, compare=False)

    @property
    def address(self) -> Address:
        """The daemon meant; looked for once, because a keyring may take its time."""
        from cms.client import find_daemon

        if not self._found:
            found = find_daemon(
                self.socket,
                self.url,
                context=self.context,
                organisation=self.organisation,
                token_file=self.token_file,
            )
            self._found.append(replace(found, dry_run=self.dry_run))
        return self._found[0]

    @property
    def patience_s(self) -> float:
        """How long the daemon itself may take to answer."""
        return self.timeout_s or 10.0

    @property
    def colour(self) -> bool:
        """Whether stdout is a terminal that wants colour (NO_COLOR, TERM=dumb, CMS_COLOR)."""
        if self.no_color or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            return False
        wish = os.environ.get("CMS_COLOR", "auto")
        return wish == "always" or (wish != "never" and sys.stdout.isatty())


def _format(text: str) -> str:
    if text not in FORMATS:
        raise Invalid(f"There is no output format {text!r}", near(text, FORMATS))
    return text


def near(word: str, known: Sequence[str]) -> str:
    """What is said to who wrote this: the nearest known word, or all of them."""
    from difflib import get_close_matches

    found = get_close_matches(word, known, n=1)
    return f"did you mean {found[0]}?" if found else f"one of {', '.join(known)}"


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _limit(text: str) -> int:
    if not text.isdigit():
        raise Invalid(f"--limit takes a whole number, not {text!r}", "0 gives all")
    return int(text)


def _at_once(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MOST_AT_ONCE:
        raise Invalid(f"--at-once takes a number from 1 to {MOST_AT_ONCE}, not {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    from cli.times import duration_s

    seconds = duration_s(text)
    if not seconds:
        raise Invalid("--timeout takes more than 0 seconds", "e.g. 30s, 5m")
    return seconds


#: Flag -> (field, how its value is read or None for a switch, what help says).
TABLE: dict[str, tuple[str, Any, str]] = {
    "--output": ("output", _format, f"-o  {'|'.join(FORMATS)}"),
    "--columns": ("columns", _names, "KEY,KEY  the columns to show, by JSON key"),
    "--filter": ("filter", str, "EXPR  e.g. 'online=false and site~garage'; --selector is the same"),
    "--sort": ("sort", str, "KEY  or -KEY for descending"),
    "--limit": ("limit", _limit, "N  at most so many; 0 for all"),
    "--no-headers": ("no_headers", None, "tables and CSV without their first line"),
    "--watch": ("watch", None, "-w  show again whenever something changes"),
    "--socket": ("socket", str, "PATH  the daemon's control socket"),
    "--url": ("url", str, "URL  a daemon elsewhere; --remote is the same"),
    "--context": ("context", str, "NAME  a daemon that `cms login` made known; --host is the same"),
    "--org": ("organisation", str, "NAME  the organisation that is meant; '*' the platform"),
    "--token-file": ("token_file", str, "FILE  the API token for a daemon elsewhere"),
    "--at-once": ("at_once", _at_once, "N  so many stations at the same time (8)"),
    "--timeout": ("timeout_s", _seconds, "S  patience, in seconds or like 5m"),
    "--quiet": ("quiet", None, "-q  nothing on stderr but errors"),
    "--yes": ("yes", None, "-y  do not ask"),
    "--dry-run": ("dry_run", None, "say what would happen, and do nothing"),
    "--reason": ("reason", str, "TEXT  why, for the record"),
    "--no-color": ("no_color", None, "no colour (also NO_COLOR, TERM=dumb)"),
    "--verbose": ("verbose", None, "-v  more about errors"),
}
SHORT = {"-o": "--output", "-w": "--watch", "-q": "--quiet", "-y": "--yes", "-v": "--verbose"}
#: Other names by which people look for a flag.
ALIASES = {"--selector": "--filter", "--remote": "--url", "--host": "--context"}
#: Said by habit: what they stand for. Nobody is told of them.
GUESSED = {"--json": "--output=json", "--jsonl": "--output=jsonl", "--yaml": "--output=yaml", "--csv": "--output=csv",
           "--wide": "--output=wide"}  # fmt: skip
GUESSED_SHORT = {"-l": "--filter", "-n": "--limit", "-L": "--limit"}

#: Commands for which a flag of the same name means something else: theirs.
OWN = {"simulate": {"--url"}, "serve": {"--socket"}, "demo": set[str](), "ocpp data": {"--json"}}


def take(arguments: list[str]) -> tuple[Flags, list[str]]:
    """The global flags, and the arguments that remain. ``--`` ends the search."""
    told: dict[str, Any] = {}
    rest: list[str] = []
    left = iter(arguments)
    for word in left:
        if word == "--":
            return _agreed(told), [*rest, word, *left]
        flag, value = _split(word)
        if flag not in TABLE or not {word, flag}.isdisjoint(_own(rest)):
            rest.append(word)
            continue
        field, read, _ = TABLE[flag]
        if read is None:
            if value is not None:
                raise Invalid(f"{flag} takes no value")
            told[field] = True
            continue
        text = value if value is not None else next(left, None)
        if text is None:
            raise Invalid(f"{flag} needs a value")
        told[field] = read(text)
    return _agreed(told), rest


def _own(rest: list[str]) -> set[str]:
    """The flags that are the command's own, by the words that name it."""
    return set().union(*(OWN.get(" ".join(rest[:count]), ()) for count in (1, 2)))


def _agreed(told: dict[str, Any]) -> Flags:
    """The flags, unless they name two daemons."""
    named = [f"--{key}" for key in ("socket", "url", "context") if told.get(key)]
    if len(named) > 1:
        raise Invalid(f"{' and '.join(named)} name two daemons", "give one of them")
    return Flags(**told)


def _split(word: str) -> tuple[str, str | None]:
    """``--output=json``, ``-o=json``, ``-ojson`` and plain words."""
    word = GUESSED.get(word, word)
    short = SHORT | GUESSED_SHORT
    if word[:2] in short and not word.startswith("--"):
        flag = short[word[:2]]
        value = word[2:].removeprefix("=")
        return (flag, value or None) if TABLE[flag][1] is not None or not value else (word, None)
    flag, equals, value = word.partition("=")
    flag = ALIASES.get(flag, flag)
    return flag, value if equals else None


def wants(arguments: list[str]) -> str:
    """The output format asked for, even when the flags cannot be read: how errors are to be said."""
    words = [SHORT.get(word, word) for word in arguments]
    for word, following in zip(words, [*words[1:], ""][: len(words)], strict=True):
        if word in ("--json", "--output=json", "-ojson", "-o=json") or (
            word == "--output" and following == "json"
        ):
            return "json"
    return "table"
