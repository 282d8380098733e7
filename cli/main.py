"""``cms``: finds the noun, loads its file alone, and turns whatever happens into an exit code."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from typing import Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from cli import errors, flags
from cms.contract.refusals import Invalid, Refusal

#: Noun or top-level command -> one line of help. Its file ``cli/NOUN.py`` has a Typer called ``app``.
COMMANDS: dict[str, str] = {
    "status": "How the daemon and the stations are.",
    "stations": "Stations: list, show, add, enrol, reset, unlock, configure ...",
    "sessions": "Charging sessions: list, show, start, stop.",
    "tokens": "What drivers identify themselves with: list, add, block ...",
    "intents": "Orders that were given, and what became of them.",
    "events": "What happens; --follow to see it as it happens.",
    "tui": "The console for people.",
    "serve": "Run the daemon.",
    "demo": "A daemon with simulated stations, to look around.",
    "simulate": "Simulated stations against any central system.",
    "config": "The daemon's settings.",
    "completion": "Completion for bash, zsh and fish.",
}

EXAMPLES = """Examples:
  cms status
  cms stations list --filter 'status=faulted or online=false'
  cms stations reset CP-7 --wait && echo it is back
  cms stations list --filter 'site~garage' -o name | cms stations reset - --queue 2h --wait
  cms sessions list --active -o json
  cms events --follow"""


class Nouns(TyperGroup):
    """The commands of the table; a noun's file is imported when it is named."""

    def list_commands(self, ctx: Any) -> list[str]:
        """In the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The noun's own commands."""
        if cmd_name not in COMMANDS:
            return None
        command = typer.main.get_command(importlib.import_module(f"cli.{cmd_name}").app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """From the table, without loading anything; then the flags that go with every command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))
        with formatter.section("Flags of every command (before or after it)"):
            formatter.write_dl([(flag, about) for flag, (_, _, about) in flags.TABLE.items()])

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Examples as they stand."""
        formatter.write(f"\n{EXAMPLES}\n")

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """A bare noun shows its help."""
        return super().parse_args(ctx, args or ["--help"])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command meant, or the nearest name."""
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            raise unknown_command(ctx.command_path, name, self.list_commands(ctx))
        return super().resolve_command(ctx, args)


def unknown_command(path: str, name: str, known: list[str]) -> Invalid:
    """What is said of a command that does not exist."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean `{path} {near[0]}`?" if near else f"one of {', '.join(known)}"
    return Invalid(f"There is no command `{path} {name}`", hint)


def run(arguments: list[str]) -> int:
    """Do what the arguments say; the exit code."""
    output = flags.wants(arguments)
    verbose = "--verbose" in arguments or "-v" in arguments
    try:
        given, rest = flags.take(arguments)
        code = _root().main(rest, prog_name="cms", standalone_mode=False, obj=given)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except Refusal as refusal:
        errors.say(refusal, output)
        return refusal.exit_code
    except TyperException as usage:
        errors.say(Invalid(usage.format_message(), _where(usage)), output)
        return Invalid.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except BrokenPipeError:
        # Whoever read our output has enough; what is still buffered must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as bug:
        if verbose:
            raise
        errors.say(Refusal(f"A bug of ours: {type(bug).__name__}: {bug}", "again with --verbose"), output)
        return Refusal.exit_code


def _where(usage: TyperException) -> str | None:
    """The command whose help answers."""
    context = getattr(usage, "ctx", None)
    return f"see `{context.command_path} --help`" if context is not None else None


def _root() -> Any:
    app = typer.Typer(
        cls=Nouns,
        help="A charging station management system: what happens at your stations, and what to do about it.",
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def cms(version: bool = typer.Option(False, "--version", help="The version, and nothing else.")) -> None:
        pass

    return typer.main.get_command(app)


def main() -> None:
    """Entry point."""
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        from cms import __version__

        print(__version__)
        sys.exit(0)
    if arguments[:1] == ["__complete"]:
        from cli.completion import candidates

        print("\n".join(candidates(arguments[1:])))
        sys.exit(0)
    sys.exit(run(arguments))
