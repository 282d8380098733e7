"""``cms``: takes the global flags, hands over to the noun, and turns whatever happens into an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

from cli import errors, flags
from cli.topics import TOPICS
from cms.contract.refusals import Invalid, Refusal

#: Noun or top-level command -> one line of help. Its file ``cli/NOUN.py`` has a Typer called ``app``.
COMMANDS: dict[str, str] = {
    "status": "How the daemon and the stations are.",
    "stations": "Stations: list, show, add, enrol, reset, unlock, configure ...",
    "sessions": "Charging sessions: list, show, start, stop.",
    "usage": "How much the network is used: sessions, energy, revenue, utilisation, success.",
    "import": "Sessions that another system knew: bring them in, list, remove.",
    "drivers": "The people and companies who charge: list, add, import, suspend, erase ...",
    "tokens": "What drivers identify themselves with: list, add, block ...",
    "access": "Who may charge where and when, and how much; who may operate.",
    "organisations": "Who operates stations on this platform: list, add, set, suspend.",
    "sites": "Where stations stand: address, opening hours, grid connection.",
    "evses": "EVSEs: ids, what is painted on them, outlets.",
    "lists": "What stations know of tokens: local lists, versions, caches.",
    "reservations": "Reservations: list, add, cancel.",
    "displays": "Messages on the displays of stations: list, set, get, clear.",
    "customers": "What a station knows of a customer: report, clear.",
    "tariffs": "Tariffs: what charging costs, where, and what sessions cost.",
    "price": "Why a session costs what it costs, and what it would have cost otherwise.",
    "plans": "Subscription plans: fee, included energy, members: list, add, sign-up, cancel ...",
    "bills": "What sessions came to: list, show, export, rate again, correct, dispute.",
    "meters": "Public keys of meters, for signed meter values.",
    "payments": "Ad hoc payments, QR codes, balances of prepaid tokens.",
    "billing": "Who sells, and billing runs: what drivers owe becomes invoices.",
    "invoices": "Invoices and credit notes: list, show, export, send, credit, remind.",
    "balances": "Prepaid balances: list, show, top-up, refund, correct, set-warning, close.",
    "statements": "Bank statements: import, list what nobody has assigned, assign.",
    "ledger": "The ledger: list, balances, verify, export, correct.",
    "swaps": "Battery swapping: exchanges and batteries (2.1).",
    "intents": "Orders that were given, and what became of them.",
    "profiles": "Charging profiles: list, set, clear, get, composite ...",
    "der": "DER controls and grid alarms (2.1).",
    "firmware": "Firmware of stations: update, publish, list.",
    "logs": "Logs of stations: fetch, list, read.",
    "certificates": "Certificates: our authority, what it signed, what stations have.",
    "security": "Passwords, security profiles and security events of stations.",
    "secrets": "The keys under which passwords and secrets are kept: status, rotate, forget.",
    "monitoring": "What stations watch by themselves: monitors, problems, streams.",
    "ocpp": "OCPP word for word: any action of a station's version.",
    "audit": "Who did what, why and with which result: list, verify, export.",
    "alerts": "What needs a person: list, show, ack, claim, note, mute.",
    "events": "What happens; --follow to see it as it happens.",
    "doctor": "What is wrong, why, and what mends it.",
    "tail": "OCPP as it is spoken: request and answer paired, live.",
    "ask": "Any operation of the daemon, by the name of its request, with JSON.",
    "shell": "A prompt for many commands, with history and completion.",
    "tui": "The console for people.",
    "serve": "Run the daemon.",
    "demo": "A daemon with simulated stations, to look around.",
    "simulate": "Simulated stations against any central system.",
    "grant": "Give somebody rights at one station for a while.",
    "grants": "Rights for a while: list, revoke.",
    "approvals": "What waits for a second person: list, approve, reject.",
    "login": "Get in touch with a daemon elsewhere.",
    "logout": "Forget the token of a daemon elsewhere.",
    "context": "The daemons known by name: list, use, show, remove.",
    "auth": "Who the daemon takes you for.",
    "config": "The daemon's settings.",
    "help": "Help on exit codes, output, filters, orders, times; or of a command.",
    "schema": "The JSON Schema of what commands answer.",
    "completion": "Completion for bash, zsh and fish.",
}

ABOUT = "A charging station management system: what happens at your stations, and what to do about it."
EXAMPLES = """Examples:
  cms status
  cms stations list --filter 'status=faulted or online=false'
  cms stations reset CP-7 --wait && echo it is back
  cms stations list --filter 'site~garage' -o name | cms stations reset - --queue 2h --wait
  cms sessions list --active -o json
  cms events --follow"""


def help_text() -> str:
    """What ``cms --help`` says, without loading a command or Typer: it is what a newcomer waits for first."""
    return "\n".join(
        [
            "Usage: cms COMMAND [VERB] [NAME...] [FLAGS]",
            "",
            f"  {ABOUT}",
            "",
            "Commands (each with --help):",
            *_aligned(COMMANDS.items()),
            "",
            "Flags of every command, before or after it:",
            *_aligned((flag, about) for flag, (_, _, about) in flags.TABLE.items()),
            "",
            EXAMPLES,
            "",
            f"Topics: cms help {'|'.join(TOPICS)}",
        ]
    )


def _aligned(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [f"  {name:<13} {about}" for name, about in pairs]


def run(arguments: list[str]) -> int:
    """Do what the arguments say; the exit code."""
    given = flags.Flags(output=flags.wants(arguments))
    try:
        given, rest = flags.take(arguments)
        if rest in ([], ["-h"], ["--help"]):
            print(help_text())
            return 0
        code = _do(given, rest)
        sys.stdout.flush()
        return code
    except Refusal as refusal:
        errors.say_of(refusal, given)
        return refusal.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has enough; what is still buffered must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141
    except Exception as bug:
        if "--verbose" in arguments or "-v" in arguments:
            raise
        bad = Refusal(f"A bug of ours: {type(bug).__name__}: {bug}", "again with --verbose")
        errors.say(bad, given.output)
        return Refusal.exit_code


def _do(given: flags.Flags, rest: list[str]) -> int:
    """Hand over to Typer; its own complaints become Invalid."""
    import typer
    from typer.exceptions import TyperException

    from cli.noun import root
    from cms.client import WouldAsk

    try:
        code = root(COMMANDS).main(rest, prog_name="cms", standalone_mode=False, obj=given)
    except typer.Abort:
        return 130
    except WouldAsk as would:
        errors.note(f"would {would}; nothing was done", given.quiet)
        return 0
    except SystemExit as ended:
        if isinstance(ended.__context__, BrokenPipeError):
            raise ended.__context__ from None  # Typer would make it exit code 1, which is a bug of ours
        raise
    except TyperException as usage:
        raise _said_better(usage) from usage
    return code if isinstance(code, int) else 0


def _said_better(usage: Any) -> Invalid:
    """What Typer complains of, with the nearest flag that there is."""
    from cli.guesses import flag_for, flag_of_verb, keys_of

    context = getattr(usage, "ctx", None)
    if context is None:
        return Invalid(usage.format_message().rstrip("."))
    hint = f"see `{context.command_path} --help`"
    if flag := getattr(usage, "option_name", None):
        known = [*flags.TABLE, *flags.ALIASES, *flags.SHORT]
        verbs = getattr(context.command, "commands", {})
        told = flag_of_verb(context.command_path, flag, verbs) or flag_for(
            flag, context.command.params, known, keys_of(context.command_path)
        )
        return Invalid(f"There is no flag {flag}", told or hint)
    return Invalid(usage.format_message().rstrip("."), hint)


def main() -> None:
    """Entry point."""
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["-V"], ["version"]):
        from cms import __version__

        print(__version__)
        sys.exit(0)
    if arguments[:1] == ["__complete"]:
        from cli.candidates import lines

        print("\n".join(lines(arguments[1:])))
        sys.exit(0)
    sys.exit(run(arguments))
