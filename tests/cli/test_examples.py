"""The examples in help are lines that work."""

from __future__ import annotations

import shlex

import pytest

from cli import flags
from cli.examples import EXAMPLES
from cli.noun import command_of
from tests.cli.conftest import Cms
from tests.cli.test_daemon import address, daemon
from tests.security.commands import tree

__all__ = ["address", "daemon"]

LINES = [(path, line) for path, lines in EXAMPLES.items() for line in lines]


@pytest.mark.parametrize(("path", "line"), LINES)
def test_an_example_is_taken_by_its_command(path: str, line: str) -> None:
    for part in line.split(" && ", maxsplit=1)[0].split(" | "):
        first, *words = shlex.split(part.partition(" > ")[0].partition(" < ")[0])
        assert first == "cms"
        _, rest = flags.take(words)
        command = command_of(rest.pop(0))
        while subcommands := getattr(command, "commands", None):
            command = subcommands[rest.pop(0)]
        command.make_context(path, rest)  # raises for what it does not take


def test_every_command_has_an_example() -> None:
    without = [path for path in tree() if path not in EXAMPLES]
    assert not without, "a row in cli/examples.py for each"


def test_every_example_is_of_a_command() -> None:
    commands = {" ".join(path.split()[:n]) for path in tree() for n in range(1, len(path.split()) + 1)}
    assert EXAMPLES.keys() <= commands


@pytest.mark.parametrize("path", EXAMPLES)
def test_help_shows_the_examples_line_by_line(path: str) -> None:
    noun, *verbs = path.split()
    command = command_of(noun)
    for verb in verbs:
        command = command.commands[verb]
    shown = command.get_help(command.make_context(path, [], resilient_parsing=True)).splitlines()
    assert [line for line in EXAMPLES[path] if f"    {line}" not in shown] == []
    assert shown.index("  Examples:") < shown.index("Options:")


#: Verbs that look and change nothing.
LOOKS = (
    "list",
    "show",
    "status",
    "mapped",
    "unknown",
    "members",
    "uses",
    "limits",
    "needs",
    "rights",
    "mutes",
)


async def test_the_examples_that_only_look_are_answered_by_a_daemon(cms: Cms) -> None:
    asked = 0
    for path, line in LINES:
        if path.split()[-1] in LOOKS and not set(line) & set("|>&") and not path.startswith("context"):
            said = await cms(*shlex.split(line)[1:])
            # What an example names may not be there; but it is understood, and nothing breaks.
            assert said.code in (0, 4), f"{line}: {said.err}"
            assert said.code == 0 or "no such route" not in said.err, line
            asked += 1
    assert asked > 50
