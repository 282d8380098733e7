"""``cms help``: a topic, or the help of a command."""

from __future__ import annotations

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
    elif words[0] not in COMMANDS:
        raise unknown_command("cms help", words[0], [*TOPICS, *COMMANDS])
    else:
        print(_help_of(words))


def _help_of(words: list[str]) -> str:
    """The help of a command, e.g. of ``stations config get``."""
    command, path = command_of(words[0]), f"cms {words[0]}"
    for word in words[1:]:
        below = getattr(command, "commands", {})
        if word not in below:
            raise unknown_command(path, word, list(below))
        command, path = below[word], f"{path} {word}"
    with command.make_context(path, [], resilient_parsing=True) as context:
        return str(command.get_help(context))
