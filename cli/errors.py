"""What goes wrong, said on stderr: one sentence for people, one JSON object with ``-o json``."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from cms.contract.refusals import NotFound, Refusal
from cms.contract.safe import escaped, safe

if TYPE_CHECKING:
    from cli.flags import Flags

#: A command and nothing else: noun, verb, perhaps a name, then flags. One more word makes it a sentence.
_COMMAND = re.compile(r"cms [a-z]+(?: config)?(?: [a-z]+)?(?: [^\s-]\S*)?(?: -[a-z-]+(?:[ =][^\s-]\S*)?)*")


def say_of(refusal: Refusal, flags: Flags) -> None:
    """Tell a refusal of the daemon; of a name that it does not know, the nearest that it knows."""
    if isinstance(refusal, NotFound):
        from cli.nearest import with_nearest

        refusal = with_nearest(refusal, flags)
    say(refusal, flags.output)


def say(refusal: Refusal, output: str = "table") -> None:
    """Tell a refusal."""
    if output == "json":
        import msgspec

        told = {"refusal": refusal.name, "message": refusal.message, "hint": refusal.hint}
        print(escaped(msgspec.json.encode({"error": told}).decode()), file=sys.stderr)
        return
    print(f"cms: {sentence(refusal)}", file=sys.stderr)


def sentence(refusal: Refusal) -> str:
    """What, which, why, and what to try next."""
    message = safe(refusal.message).rstrip(".")
    if not refusal.hint:
        return message
    hint = safe(refusal.hint)
    asks = message.endswith(("?", "!"))
    if _COMMAND.fullmatch(hint):
        return f"{message} Try: {hint}" if asks else f"{message}. Try: {hint}"
    if not asks:
        return f"{message}: {hint}"
    return f"{message} {hint if hint.startswith('cms ') else hint[:1].upper() + hint[1:]}"


def note(text: str, quiet: bool = False) -> None:
    """Talk: what happened, for people; scripts read stdout and the exit code."""
    if not quiet:
        print(f"cms: {safe(text)}", file=sys.stderr)
