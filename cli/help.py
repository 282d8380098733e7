"""``cms help``: a topic, or the help of a command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from cli.noun import command_of, single, unknown_command
from cli.topics import TOPICS

app = single("Help: of a command, or on a topic.")


@app.command("help")
def help_(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[exit-codes|output|filter|orders|times|environment] [COMMAND...]"),
    ] = None,
) -> None:
    """Help on a topic, or of a command; without either, all commands and topics."""
    from cli.main import COMMANDS, help_text

    if not words:
        print(help_text())
    elif words[0] in TOPICS and len(words) == 1:
        print(TOPICS[words[0]][1])
    else:
        print(_help_of(_meant(words, COMMANDS)))


def _meant(words: list[str], nouns: Mapping[str, str]) -> list[str]:
    """The words of a command; for a verb alone those of the noun that has it, where it is one."""
    from cli.guesses import command_meant, having

    if words[0] in nouns:
        return words
    if found := command_meant(words, nouns):
        return found
    if len(only := having(words[0])) == 1:
        return [*only[0], *words[1:]]
    raise unknown_command("cms help", words[0], [*TOPICS, *nouns])


def _help_of(words: list[str]) -> str:
    """The help of a command, e.g. of ``stations config get``."""
    from cli.guesses import verb_meant

    command, path = command_of(words[0]), f"cms {words[0]}"
    for said in words[1:]:
        below = getattr(command, "commands", {})
        word = said if said in below else verb_meant(said, ["NAME"], below) or said
        if word not in below:
            raise unknown_command(path, word, list(below))
        command, path = below[word], f"{path} {word}"
    with command.make_context(path, [], resilient_parsing=True) as context:
        return str(command.get_help(context))
