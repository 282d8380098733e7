"""The manual of every command from the commands themselves: Markdown for docs/cli/, roff for docs/man/.

``python -m tests.docs.manual`` writes both; what it says is what ``--help`` says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cli import flags
from cli.examples import EXAMPLES
from cli.main import ABOUT, COMMANDS
from cli.noun import command_of
from cli.topics import TOPICS


@dataclass(frozen=True, slots=True)
class Page:
    """A command: ``path`` is its words, ``options`` are (flags with what they take, what they do)."""

    path: str
    usage: str
    about: str
    options: tuple[tuple[str, str], ...]
    examples: tuple[str, ...]
    below: tuple[Page, ...]


def page_of(noun: str) -> Page:
    """A noun with all its verbs."""
    return _page(noun, command_of(noun))


def _page(path: str, command: Any) -> Page:
    below = getattr(command, "commands", None) or {}
    options = [_option(p) for p in command.params if p.param_type_name == "option" and p.name != "help"]
    about = (command.help or "").split("\n\n\b\nExamples:")[0].strip()
    return Page(
        path,
        _usage(path, command, bool(below)),
        about,
        tuple(options),
        EXAMPLES.get(path, ()),
        tuple(_page(f"{path} {name}", verb) for name, verb in below.items()),
    )


def _usage(path: str, command: Any, has_verbs: bool) -> str:
    words = ["cms", path]
    if has_verbs:
        return " ".join([*words, "VERB"])
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            name = parameter.metavar or parameter.name.upper()
            words.append(name if parameter.required or name.startswith("[") else f"[{name}]")
        elif parameter.required:
            words.append(f"{parameter.opts[-1]} {_takes(parameter)}")
    return " ".join([*words, "[FLAGS]"])


def _option(parameter: Any) -> tuple[str, str]:
    names = ", ".join(sorted(parameter.opts, key=len))
    names = "/".join([names, *parameter.secondary_opts])
    default = parameter.default
    told = parameter.help or ""
    if not parameter.is_flag:
        names = f"{names} {_takes(parameter)}"
        if isinstance(default, str | int | float) and not isinstance(default, bool):
            told = f"{told} (default {default})".strip()
    return names, told


def _takes(parameter: Any) -> str:
    """What a flag takes: as it is called in the code, else its kind."""
    return str(parameter.metavar or parameter.type.name.upper())


# Markdown


def markdown(page: Page) -> str:
    """A noun's page of docs/cli/."""
    return "\n".join(_markdown(page)).rstrip() + "\n"


def index() -> str:
    """docs/cli/README.md: all commands, the flags of all of them, the topics."""
    lines = [
        "# The command line",
        "",
        f"{ABOUT} `cms NOUN VERB [NAME...] [FLAGS]`; every command has `--help`.",
        "",
        "Made by `python -m tests.docs.manual` from the commands themselves; `docs/man/` has the same as man pages.",
        "Scripts: [scripting.md](../scripting.md). What commands answer: [schemas](../schemas/README.md).",
        "",
        "| command | |",
        "| --- | --- |",
        *(f"| [{noun}]({noun}.md) | {_cell(about)} |" for noun, about in COMMANDS.items()),
        "",
        "## Flags of every command",
        "",
        "| flag | |",
        "| --- | --- |",
        *(f"| `{_flag(flag)}` | {_cell(_told(flag))} |" for flag in flags.TABLE),
    ]
    for name, (about, text) in TOPICS.items():
        lines += ["", f"## {name}: {about}", "", "```text", text, "```"]
    return "\n".join(lines) + "\n"


def _flag(flag: str) -> str:
    """A global flag with its short form and what it takes."""
    short = [letter for letter, long in flags.SHORT.items() if long == flag]
    words = flags.TABLE[flag][2].removeprefix(f"{short[0]}  " if short else "")
    takes = "" if flags.TABLE[flag][1] is None else f" {words.partition('  ')[0]}"
    return ", ".join([*short, flag]) + takes


def _told(flag: str) -> str:
    about = flags.TABLE[flag][2]
    return about.partition("  ")[2] or ("how stdout is written" if flag == "--output" else about)


def _markdown(page: Page, depth: int = 1) -> Iterator[str]:
    yield f"{'#' * min(depth, 3)} cms {page.path}"
    yield ""
    yield page.about
    yield ""
    yield "```sh"
    yield from [page.usage] if not page.examples else page.examples
    yield "```"
    if page.examples and not page.below:
        yield ""
        yield f"`{page.usage}`"
    if page.options:
        yield ""
        yield "| flag | |"
        yield "| --- | --- |"
        yield from (f"| `{_cell(names)}` | {_cell(about)} |" for names, about in page.options)
    for below in page.below:
        yield ""
        yield from _markdown(below, depth + 1)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


# roff

#: Left-aligned, without hyphenation: flags are to be copied, and long ones cannot be spread over a line.
_RAGGED = (".ad l", ".nh")


def roff(page: Page) -> str:
    """``cms-NOUN(1)``."""
    lines = [
        f'.TH "CMS\\-{_roff(page.path).upper()}" "1" "" "cms" "cms"',
        *_RAGGED,
        ".SH NAME",
        f"cms\\-{_roff(page.path)} \\- {_roff(COMMANDS[page.path].rstrip('.'))}",
        ".SH SYNOPSIS",
        f".B {_roff(page.usage)}",
    ]
    lines += [".SH DESCRIPTION", *_prose(page.about)]
    lines += _options(page) + _shown(page)
    if page.below:
        lines += [".SH COMMANDS", *(line for below in page.below for line in _section(below))]
    lines += [".SH SEE ALSO", r".BR cms (1)"]
    return "\n".join(lines) + "\n"


def roff_of_all() -> str:
    """``cms(1)``: the commands, the flags of all of them, the topics."""
    lines = [
        '.TH "CMS" "1" "" "cms" "cms"',
        *_RAGGED,
        ".SH NAME",
        f"cms \\- {_roff(ABOUT.rstrip('.'))}",
        ".SH SYNOPSIS",
    ]
    lines += [r".B cms COMMAND [VERB] [NAME...] [FLAGS]", ".SH COMMANDS"]
    for noun, about in COMMANDS.items():
        lines += [".TP", f".BR cms\\-{_roff(noun)} (1)", _roff(about)]
    lines.append(".SH FLAGS OF EVERY COMMAND")
    for flag in flags.TABLE:
        lines += [".TP", f".B {_roff(_flag(flag))}", _roff(_told(flag))]
    for name, (_, text) in TOPICS.items():
        lines += [f".SH {name.replace('-', ' ').upper()}", ".nf", *map(_roff, text.splitlines()), ".fi"]
    return "\n".join(lines) + "\n"


def _section(page: Page) -> Iterator[str]:
    yield f".SS {_roff(page.usage)}"
    yield from _prose(page.about)
    yield from _options(page, ".B ")
    yield from _shown(page, inside=True)
    for below in page.below:
        yield from _section(below)


def _options(page: Page, mark: str = ".B ") -> list[str]:
    lines = [".SH OPTIONS"] if page.options and not page.below and " " not in page.path else []
    for names, about in page.options:
        lines += [".TP", f"{mark}{_roff(names)}", _roff(about)]
    return lines


def _shown(page: Page, inside: bool = False) -> list[str]:
    if not page.examples:
        return []
    head = [".PP", "Examples:"] if inside else [".SH EXAMPLES"]
    return [*head, ".RS 4", ".nf", *map(_roff, page.examples), ".fi", ".RE"]


def _prose(text: str) -> list[str]:
    return [line for part in text.split("\n\n") for line in (".PP", _roff(" ".join(part.split())))]


def _roff(text: str) -> str:
    """Text as roff takes it: no requests, no escapes, hyphens that can be copied, long choices that can break."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "").replace("|", "|\\:")
    return re.sub(r"^([.'])", r"\\&\1", text)
