"""``cms shell``: a prompt with history and completion; ``at CP-7`` makes a station the one that is meant."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.errors import note, say
from cli.flags import Flags
from cli.noun import flags_of, single
from cms.contract.refusals import Invalid, Refusal
from cms.contract.safe import safe

app = single("A prompt for many commands, with history and completion.")

#: Our own words; everything else is a command as outside, without ``cms``.
OWN = {
    "at": "at STATION: the station that is meant from now on; at: none",
    "visit": "what was done here, with times and results, to paste into a report",
    "help": "this page; help COMMAND: that command's help",
    "exit": "leave (also quit, Ctrl-D)",
}
#: Words in a line that must not be found in a file later.
_SECRET = ("password", "secret", "token-file", "--key")
_KEPT_LINES = 2_000
#: Commands that would start a shell in the shell, or that never were one line's business.
_NOT_HERE = frozenset({"shell", "serve", "demo"})


@dataclass(slots=True)
class Visit:
    """What was done: time, line, exit code."""

    done: list[tuple[datetime, str, int]] = field(default_factory=list)

    def lines(self) -> list[str]:
        return [f"{at:%H:%M:%S}  {_result(code):<12}  cms {line}" for at, line, code in self.done]

    @property
    def worst(self) -> int:
        return max((code for _, _, code in self.done), default=0)


#: Exit codes in words (docs/scripting.md).
RESULTS = {
    0: "done",
    2: "invalid",
    3: "denied",
    4: "not found",
    5: "conflict",
    6: "unsupported",
    7: "unreachable",
    8: "refused",
    9: "too late",
    130: "interrupted",
}


def _result(code: int) -> str:
    return RESULTS.get(code, f"failed ({code})")


@dataclass(slots=True)
class Shell:
    """``given`` are global flags that go with every command: which daemon, which format."""

    given: list[str]
    station: str = ""
    visit: Visit = field(default_factory=Visit)
    over: bool = False

    @property
    def prompt(self) -> str:
        return f"cms {safe(self.station)}> " if self.station else "cms> "

    def take(self, line: str) -> None:
        """Do one line. What goes wrong is said, and the prompt comes back."""
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            say(Invalid(f"This line cannot be read: {str(error).lower()}"))
            return
        if not words:
            return
        match words:
            case ["exit" | "quit"]:
                self.over = True
            case ["at", *rest]:
                self.station = rest[0] if rest else ""
            case ["visit"]:
                print("\n".join(self.visit.lines()) or "nothing was done yet")
            case ["help" | "?"]:
                print("\n".join(f"  {word:<6} {about}" for word, about in OWN.items()))
                self._run(["--help"])
            case ["help" | "?", *rest]:
                self._run([*self.meant(rest), "--help"])
            case _:
                self._do(line, words)

    def _do(self, line: str, words: list[str]) -> None:
        meant = self.meant(words)
        if meant[0] in _NOT_HERE:
            say(Invalid(f"`cms {meant[0]}` is not for here", "leave the shell first: exit"))
            return
        began = datetime.now().astimezone()
        code = self._run(meant)
        if not any(secret in line for secret in _SECRET):
            self.visit.done.append((began, shlex.join(meant), code))

    def meant(self, words: Sequence[str]) -> list[str]:
        """The command in full: ``reset`` is ``stations reset CP-7`` at CP-7; ``.`` is the station too."""
        from cli.main import COMMANDS

        words = list(words[1:] if words[0] == "cms" and len(words) > 1 else words)
        if not self.station:
            return words
        words = [self.station if word == "." else word for word in words]
        if (
            _is_verb(words[:2]) and len(words) > 1
        ):  # `config get` is the station's, `config show` the daemon's
            return ["stations", *words[:2], self.station, *words[2:]]
        if words[0] in COMMANDS or not _is_verb(words[:1]):
            return words
        return ["stations", words[0], self.station, *words[1:]]

    def _run(self, words: Sequence[str]) -> int:
        from cli.main import run

        try:
            return run([*self.given, *words])
        except KeyboardInterrupt:
            return 130

    def candidates(self, text: str, words: Sequence[str]) -> list[str]:
        """What may stand where ``text`` stands, after these words."""
        from cli.candidates import candidates

        if words and words[0] == "at":
            return candidates([*self.given, "stations", "show", text])
        found = candidates([*self.given, *(self.meant(words) if words else []), text])
        if not words:
            verbs = _verbs() if self.station else ()
            found += [word for word in (*OWN, *verbs) if word.startswith(text)]
        return sorted(dict.fromkeys(found))


def _verbs() -> dict[str, Any]:
    from cli.noun import command_of

    commands: dict[str, Any] = getattr(command_of("stations"), "commands", {})
    return commands


def _is_verb(words: Sequence[str]) -> bool:
    """Whether these words are a verb of stations: ``reset``, or one below another: ``config get``."""
    commands: Any = _verbs()
    for word in words:
        command = commands.get(word)
        if command is None:
            return False
        commands = getattr(command, "commands", {})
    return not commands


@app.command()
def shell(
    ctx: typer.Context,
    station: Annotated[str | None, typer.Argument(metavar="[STATION]", help="The one that is meant.")] = None,
) -> int:
    """Commands without `cms` before them, until exit; in a pipe, the lines of stdin and then the worst code."""
    session = Shell(carried(flags_of(ctx)), station or "")
    if sys.stdin.isatty():
        with suppress(Refusal):
            _interactive(session)
        return 0
    for line in sys.stdin:
        session.take(line)
        if session.over:
            break
    return session.visit.worst


def carried(flags: Flags) -> list[str]:
    """The flags of ``cms shell`` itself that every command in it has."""
    told = {
        "--socket": flags.socket,
        "--url": flags.url,
        "--context": flags.context,
        "--org": flags.organisation,
        "--token-file": flags.token_file,
        "--output": flags.output if flags.output != "table" else None,
    }
    words = [word for flag, value in told.items() if value is not None for word in (flag, value)]
    return [*words, *(["--no-color"] if flags.no_color else []), *(["--quiet"] if flags.quiet else [])]


def _interactive(session: Shell) -> None:
    readline = _readline(session)
    note("commands without `cms`; at STATION, visit, help, exit", "--quiet" in session.given)
    while not session.over:
        try:
            line = input(session.prompt)
        except EOFError:
            print()
            break
        except KeyboardInterrupt:
            print()
            continue
        session.take(line)
        if readline is not None:
            _remember(readline, line)


def history_file() -> Path:
    """Where lines are kept (XDG)."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "cms" / "history"


def _readline(session: Shell) -> Any:
    """Line editing, history and completion; None where Python was built without."""
    try:
        import readline
    except ImportError:
        return None
    found: list[str] = []

    def complete(text: str, state: int) -> str | None:
        if state == 0:
            before = readline.get_line_buffer()[: readline.get_begidx()]
            try:
                found[:] = session.candidates(text, shlex.split(before))
            except ValueError:
                found.clear()
        return f"{found[state]} " if state < len(found) else None

    readline.set_completer(complete)
    readline.set_completer_delims(" \t\n")
    readline.parse_and_bind(
        "bind ^I rl_complete" if "libedit" in (readline.__doc__ or "") else "tab: complete"
    )
    readline.set_history_length(_KEPT_LINES)
    with suppress(OSError):
        readline.read_history_file(history_file())
    return readline


def _remember(readline: Any, line: str) -> None:
    """Keep the line for the next time, unless something secret may stand in it."""
    if any(secret in line for secret in _SECRET):
        with suppress(ValueError):
            readline.remove_history_item(readline.get_current_history_length() - 1)
    path = history_file()
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        readline.write_history_file(path)
        path.chmod(0o600)
