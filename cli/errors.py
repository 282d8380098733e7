"""What goes wrong, said on stderr: one sentence for people, one JSON object with ``-o json``."""

from __future__ import annotations

import re
import sys

from cms.contract.refusals import Refusal
from cms.contract.safe import escaped, safe

#: A command and nothing else: noun, verb, perhaps a name, then flags. One more word makes it a sentence.
_COMMAND = re.compile(r"cms [a-z]+(?: config)?(?: [a-z]+)?(?: [^\s-]\S*)?(?: -[a-z-]+(?:[ =][^\s-]\S*)?)*")


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
