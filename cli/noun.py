"""How every noun's Typer is made, and how it asks."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cli.errors import note, say_of
from cli.examples import with_examples
from cli.flags import Flags
from cli.render import Column, Row, select, show_list, show_one
from cms.client import ask
from cms.contract.refusals import Invalid, Refusal
from cms.contract.safe import safe

#: What most verbs are about; and where a list tells of all stations unless one is named.
Station = Annotated[str, typer.Argument(metavar="STATION")]
AnyStation = Annotated[str | None, typer.Argument(metavar="[STATION]")]

_HELP = {"help_option_names": ["-h", "--help"]}
_EPILOG = "Flags of every command (-o, --filter, --sort, --socket ...): cms --help"


def unknown_command(path: str, name: str, known: list[str]) -> Invalid:
    """What is said of a command that does not exist."""
    from cli.guesses import sentence_for

    return Invalid(f"There is no command `{path} {name}`", sentence_for(path, name, known))


class Nouns(TyperGroup):
    """The top-level commands; a noun's file is imported when it is named."""

    nouns: Mapping[str, str] = {}

    def list_commands(self, ctx: Any) -> list[str]:
        """In the order of the table."""
        return list(self.nouns)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The noun's own commands."""
        return command_of(cmd_name) if cmd_name in self.nouns else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command meant, or the nearest name."""
        if not args[0].startswith("-") and args[0] not in self.nouns:
            from cli.guesses import command_meant

            meant = command_meant(args, self.nouns)
            if meant is None:
                raise unknown_command(ctx.command_path, args[0], list(self.nouns))
            args = meant
        return super().resolve_command(ctx, args)


def command_of(noun: str) -> Any:
    """A noun's commands, from ``cli/NOUN.py``."""
    command = typer.main.get_command(importlib.import_module(f"cli.{noun}").app)
    command.name = noun
    return with_examples(noun, command)


def root(nouns: Mapping[str, str]) -> Any:
    """The whole command line."""
    group = Nouns(name="cms", context_settings=_HELP, rich_markup_mode=None)
    group.nouns = nouns
    return group


class Verbs(TyperGroup):
    """A noun's verbs; a bare noun shows its help, a mistyped verb the nearest one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """A bare noun shows its help."""
        return super().parse_args(ctx, args or ["--help"])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The verb meant, or the nearest name."""
        if not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            from cli.guesses import verb_meant

            verbs = self.list_commands(ctx)
            verb = verb_meant(args[0], args[1:], verbs)
            if verb is None:
                raise unknown_command(ctx.command_path, args[0], verbs)
            args = [verb, *args[1:]]
        return super().resolve_command(ctx, args)


def group(help: str) -> typer.Typer:
    """A noun with verbs."""
    app = typer.Typer(
        cls=Verbs,
        help=help,
        epilog=_EPILOG,
        add_completion=False,
        rich_markup_mode=None,
        context_settings=_HELP,
    )
    app.callback()(_nothing)
    return app


def single(help: str) -> typer.Typer:
    """A top-level command without verbs."""
    return typer.Typer(
        help=help,
        epilog=_EPILOG,
        add_completion=False,
        rich_markup_mode=None,
        context_settings=_HELP,
    )


def _nothing() -> None:
    pass


def flags_of(ctx: typer.Context) -> Flags:
    """The global flags of this call."""
    found: Flags = ctx.find_root().obj
    return found


def tell_list(
    flags: Flags, request: Any, columns: Sequence[Column], *, name: str = "id", filtered: bool = False
) -> None:
    """Ask for a list and print it; with --watch again whenever something happens.

    ``filtered`` when the request carries the filter itself.
    """

    def rows() -> list[Row]:
        return select(ask(request, flags.address, flags.patience_s), flags, filtered=filtered)

    if flags.watch:
        from cli.watch import watch

        watch(flags, rows, columns, name)
    else:
        show_list(rows(), columns, flags, name)


def each(
    flags: Flags,
    names: Sequence[str],
    many: bool,
    build: Callable[[str], Any],
    columns: Sequence[Column],
    what: str,
) -> None:
    """Ask for each name (``-``: those on stdin); one prints an object, many a list; exit with the worst code.

    ``what`` is done, for a dry run: ``block token``.
    """
    rows: list[Row] = []
    code = done = 0
    many = many or "-" in names
    names = named(names)
    for name in names:
        if flags.dry_run:
            note(f"would {what} {name}", flags.quiet)
            continue
        try:
            told = ask(build(name), flags.address, flags.patience_s)
        except Refusal as refusal:
            say_of(refusal, flags)
            code = max(code, refusal.exit_code)
        else:
            rows += [] if told is None else [told]
            done += 1
    for_people = flags.output in ("table", "wide")
    if (rows and for_people) or (many and not for_people):
        show_list(rows, columns, flags)
    elif rows:
        show_one(rows[0], columns, flags)
    if many and names and not flags.dry_run and flags.output != "json":
        note(f"{done} of {len(names)} done", flags.quiet)
    raise typer.Exit(code)


def named(names: Iterable[str]) -> list[str]:
    """The names given; ``-`` stands for those on stdin, one per line."""
    found: list[str] = []
    for name in names:
        if name == "-":
            found.extend(line.strip() for line in sys.stdin if line.strip())
        else:
            found.append(name)
    return list(dict.fromkeys(found))


def confirmed(flags: Flags, question: str) -> bool:
    """Ask on the terminal; without one, refuse and say --yes."""
    if flags.yes:
        return True
    if not sys.stdin.isatty():
        raise Invalid(f"{question} Nobody is there to ask", "say --yes to do it")
    print(f"{safe(question)} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
