"""What may stand in a command line: the verbs of each noun, their flags and what these take, for completion.

Loading a noun takes longer than anybody should wait for tab: its words are kept in a file, until the program changes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from cli.names import SOURCES, cache_folder

Words = dict[str, Any]
"""``about``, ``verbs`` (name -> Words), ``options`` (flag -> {about, takes}), ``arguments`` (metavars), ``keys``.

``takes`` is the metavar of its value, None for a switch; ``keys`` are those of the objects that the noun lists.
"""


def words_of(noun: str) -> Words:
    """A noun's words."""
    file = cache_folder() / "words" / f"{noun}.json"
    stamp = _stamp()
    with suppress(OSError, ValueError):
        kept: Words = json.loads(file.read_text("utf-8"))
        if kept["stamp"] == stamp:
            return kept
    found = _read(noun)
    with suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = file.with_name(f"{file.name}.{os.getpid()}")
        fresh.write_text(json.dumps({**found, "stamp": stamp}), "utf-8")
        fresh.replace(file)
    return found


def _stamp() -> str:
    """Another one as soon as any of our commands changed, or is another installation's."""
    here = Path(__file__).parent
    with os.scandir(here) as files:
        newest = max(entry.stat().st_mtime_ns for entry in files if entry.name.endswith(".py"))
    return f"{here} {newest}"


def _read(noun: str) -> Words:
    from cli.noun import command_of

    return {**_words(command_of(noun)), "keys": _keys(noun)}


def _words(command: Any) -> Words:
    below: Mapping[str, Any] = getattr(command, "commands", None) or {}
    options, arguments = {}, []
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            many = parameter.nargs == -1
            arguments.append({"takes": _metavar(parameter), "many": many})
        elif parameter.name != "help":
            takes = None if parameter.is_flag else _metavar(parameter)
            for flag in (*parameter.opts, *parameter.secondary_opts):
                options[flag] = {"about": parameter.help or "", "takes": takes}
    return {
        "about": (command.help or "").partition("\n")[0].rstrip("."),
        "verbs": {name: _words(verb) for name, verb in below.items()},
        "options": options,
        "arguments": arguments,
    }


def _metavar(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _keys(noun: str) -> list[str]:
    """The keys of what a noun lists."""
    from dataclasses import fields

    from cms.contract.routes import ROUTES

    if noun not in SOURCES:
        return []
    make, _, _ = SOURCES[noun]
    answers = ROUTES[type(make())].answers
    return [field.name for field in fields(answers.__args__[0])]
