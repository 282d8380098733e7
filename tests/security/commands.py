"""Every command of the CLI with arguments that get it as far as the daemon's answer, from the tree itself.

``python -m tests.security.commands`` runs command lines that come as JSON on stdin, each in a copy of itself on a
terminal of its own: starting Python for each would take minutes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from tests.security.strings import MARK
from tests.security.terminals import in_a_terminal

#: Commands that do not end by themselves, or are not about what a daemon told.
APART = {
    "tui": "its screens are walked in test_screens",
    "serve": "a daemon: what it says is its log",
    "demo": "a daemon and a console",
    "simulate": "stations: they tell what they do themselves",
    "tail": "never ends: its lines are looked at in tests/cli/test_tail.py",
    "shell": "a prompt: it runs the others",
    "login": "waits for a person at another terminal",
}

#: Values for required parameters, by name; else by type.
VALUES = {
    "effect": "allow",
    "until": "2h",
    "settings": "{}",
    "signal": "50",
    "url": f"https://files.example/{MARK}",
    "amount": "5",
    "checksum": "0" * 32,
    "shell": "bash",
    "role": "viewer",
    "severity": "3",
    "for": "2h",
    "duration": "2h",
}
#: Parameters that take a list: (name, words of the metavar) is too much for a rule.
WORDS = {
    "ask": ["ListStations"],
    "drivers set": ["D1", "--language", "de"],
    "drivers billing set": ["D1", "--way", "card"],
    "stations availability": ["CP1", "operative"],
    "stations trigger": ["CP1", "Heartbeat"],
    "stations config get": ["CP1", "HeartbeatInterval"],
    "stations config set": ["CP1", "HeartbeatInterval=60"],
    "stations config report": ["CP1", "A.B"],
    "stations reset": ["CP1"],
    "stations unlock": ["CP1"],
    "profiles update": ["CP1", "1", "limit=5"],
    "profiles allow": ["S1", "AC_single_phase"],
    "profiles afrr": ["CP1", "50"],
    "monitoring set": ["CP1", "A.B", "upper-threshold", "4", "--severity", "3"],
    "monitoring base": ["CP1", "all"],
    "monitoring level": ["CP1", "4"],
    "monitoring report": ["CP1", "A.B"],
    "der set": ["CP1", "FreqDroop", "{}"],
    "der clear": ["CP1", "--type", "FreqDroop"],
    "certificates install": ["CP1", "CSMSRootCertificate", "--file", "/dev/null"],
    "displays clear": ["CP1", "1"],
    "events": ["list"],
    "help": [],
    "schema": [],
    "alerts mute": ["4f9c02aa"],
    "access add": ["R1", "allow", "--everyone"],
    "access set": ["R1", "allow", "--everyone"],
    "organisations set": [f"{MARK}1", "--party", "DE*ABC"],
    "sites set": [f"{MARK}1", "--name", "North"],
    "lists set": ["CP1", "--all"],
    "tariffs assign": ["T1", "--station", "CP1"],
    "tariffs add": ["/dev/null"],
    "price simulate": ["--tariff", "T1"],
    "plans add": [f"{MARK}1", "--fee", "5"],
    "reservations cancel": ["1"],
    "displays get": ["CP1", "1"],
    "profiles set": ["CP1", "--rate", "16A"],
    "profiles get": ["CP1", "1"],
    "grant": [f"{MARK}1", "technician", "--station", "CP1", "--for", "2h", "--reason", "x"],
    "logs read": ["CP1", "--out", "/dev/null"],
    "audit export": ["--format", "csv"],
    "bills rerate": ["S1", "--reason", "x"],
    "bills correct": ["S1", "--amount", "5", "--reason", "x"],
    "bills release": ["S1", "--reason", "x"],
    "bills dispute": ["S1", "--reason", "x"],
    "bills resolve": ["S1", "--reason", "x"],
    "meters key": ["CP1:1", "30"],
    "meters forget": ["CP1:1"],
    "billing seller set": ["--name", f"{MARK}1"],
    "billing run": ["--month", "2026-11"],
    "balances correct": ["D1", "5", "--reason", "x"],
    "balances refund": ["D1", "--yes"],
    "ledger correct": [
        "--debit",
        "written-off",
        "--credit",
        "bank",
        "--amount",
        "5",
        "--yes",
        "--reason",
        "x",
    ],
    "statements import": ["/dev/null", "--dry-run"],
    "statements assign": ["bank/1", "--driver", "D1"],
    "invoices export": ["2026-0001", "--out", "/dev/null"],
    "invoices send": ["2026-0001"],
    "invoices credit": ["2026-0001", "--yes", "--reason", "x"],
    "invoices void": ["2026-0001", "--yes", "--reason", "x"],
    "invoices dispute": ["2026-0001", "--reason", "x"],
    "invoices resolve": ["2026-0001", "--reason", "x"],
    "drivers import": ["/dev/null"],
    "import sessions": ["/dev/null"],
    "import remove": ["I1", "--yes"],
    "stations import": ["/dev/null"],
    "sites import": ["/dev/null"],
}
#: Commands that write JSON whatever the format.
ALWAYS_JSON = {"drivers export"}
#: Commands that tell nothing of what a daemon supplied, and how they may end.
SILENT = {
    "stations config get": {0},
    "access remove": {0},
    "alerts unmute": {0},
    "completion": {0},
    "help": {0},
    "schema": {0},
    "config show": {0},
    "context list": {0},
    "context add": {0},
    "context show": {0, 4},
    "context use": {0, 4},
    "context remove": {0, 4},
    "logout": {0, 4},
    "drivers import": {2},
    "import sessions": {2},
    "stations import": {2},
    "sites import": {2},
    "evses remove": {0},
    "logs read": {0},
    "invoices export": {0, 2},
    "ledger verify": {5},
    "tariffs assign": {0},
    "tariffs default": {0},
    "tariffs use": {0},
    "meters forget": {0},
}
#: Commands that tell it and end otherwise than well: the daemon that tells it is a sick one.
ENDS = {"doctor": {5}}


@cache
def tree() -> dict[str, Any]:
    """Every command that can be run, by its words."""
    from cli.main import COMMANDS
    from cli.noun import command_of

    found: dict[str, Any] = {}

    def walk(command: Any, path: str) -> None:
        below = getattr(command, "commands", None)
        if below is None:
            found[path] = command
            return
        for name, child in below.items():
            walk(child, f"{path} {name}")

    for noun in COMMANDS:
        walk(command_of(noun), noun)
    return found


def lines() -> list[str]:
    """The words of every command that is tried."""
    return [path for path in tree() if path.split()[0] not in APART]


def arguments(path: str) -> list[str]:
    """The command with what it must be given, and a name where it takes one."""
    if path in WORDS:
        return [*path.split(), *WORDS[path]]
    told = path.split()
    for parameter in tree()[path].params:
        if parameter.param_type_name == "argument" and (parameter.required or parameter.nargs == -1):
            told.append(_value(parameter))
        elif parameter.required:
            told += [parameter.opts[-1], _value(parameter)]
    return told


def _value(parameter: Any) -> str:
    if parameter.name in VALUES:
        return VALUES[parameter.name]
    if parameter.type.name.startswith(("int", "float")):
        return "1"
    return f"{MARK}1"


class Teller:
    """Runs commands, each on a terminal of its own."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def __call__(self, *words: str) -> tuple[int, bytes]:
        """The exit code of ``cms WORDS`` and what it sent to the terminal, stdout and stderr together."""
        asks, tells = self._process.stdin, self._process.stdout
        assert asks is not None
        assert tells is not None
        asks.write(json.dumps(words).encode() + b"\n")
        asks.flush()
        code, sent = json.loads(tells.readline())
        return code, sent.encode("latin-1")


@contextmanager
def teller(home: str) -> Iterator[Teller]:
    """A process with all commands loaded; ``home`` is where they keep what they keep."""
    environ = {
        "HOME": home,
        "PATH": "/usr/bin:/bin",
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.security.commands"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environ,
    )
    try:
        yield Teller(process)
    finally:
        process.kill()
        process.communicate()


def main() -> None:
    from cli.main import main as cms

    def run_as_main(words: list[str]) -> int:
        sys.argv = ["cms", *words]
        try:
            cms()
        except SystemExit as ended:
            return int(ended.code or 0)
        return 0

    tree()
    for line in sys.stdin:
        words = json.loads(line)
        code, sent = in_a_terminal(lambda words=words: run_as_main(words), b"y\n\x04\x04")  # type: ignore[misc]
        print(json.dumps([code, sent.decode("latin-1")]), flush=True)


if __name__ == "__main__":
    main()
