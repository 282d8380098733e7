"""``cms completion bash|zsh|fish``, and the candidates that the shells ask for (``cms __complete WORDS...``)."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.noun import command_of, single
from cms.contract.refusals import Invalid, Refusal
from cms.contract.safe import safe

app = single("Completion for bash, zsh and fish.")

_BASH = """\
_cms() {
    local IFS=$'\\n'
    COMPREPLY=( $(cms __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null) )
}
complete -o default -F _cms cms
"""
_ZSH = """\
#compdef cms
_cms() {
    local -a found
    found=( ${(f)"$(cms __complete "${(@)words[2,CURRENT]}" 2>/dev/null)"} )
    (( ${#found} )) && compadd -a found || _files
}
compdef _cms cms
"""
_FISH = """\
function __cms_complete
    set -l words (commandline -opc) (commandline -ct)
    cms __complete $words[2..-1] 2>/dev/null
end
complete -c cms -f -a '(__cms_complete)'
"""
SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}

#: A shell waits for us while somebody presses tab.
_PATIENCE_S = 0.5
_MOST = 500


@app.command()
def completion(shell: Annotated[str, typer.Argument(metavar="bash|zsh|fish")]) -> None:
    """Print the completion script: eval "$(cms completion bash)"."""
    if shell not in SCRIPTS:
        raise Invalid(f"There is no completion for {shell!r}", f"one of {', '.join(SCRIPTS)}")
    print(SCRIPTS[shell], end="")


def candidates(words: list[str]) -> list[str]:
    """What may stand where the last word stands; nothing rather than an error."""
    from cli import flags

    *before, word = words or [""]
    try:
        given, rest = flags.take(before)
    except Refusal:
        return _value_of(before[-1] if before else "", word)
    found = _flags(word) if word.startswith("-") else _words(given, rest)
    return [name for name in found if name.startswith(word)]


def _value_of(flag: str, word: str) -> list[str]:
    from cli.flags import FORMATS

    return [name for name in FORMATS if name.startswith(word)] if flag in ("-o", "--output") else []


def _flags(word: str) -> list[str]:
    from cli.flags import TABLE

    return list(TABLE)


def _words(flags: Any, rest: list[str]) -> list[str]:
    from cli.main import COMMANDS

    if not rest:
        return list(COMMANDS)
    verbs = _verbs(rest[0])
    if len(rest) == 1 and verbs:
        return verbs
    if rest[:2] == ["stations", "config"] and len(rest) == 2:
        return ["get", "set", "list"]
    return _names(flags, rest)


def _verbs(noun: str) -> list[str]:
    from cli.main import COMMANDS

    return list(getattr(command_of(noun), "commands", ())) if noun in COMMANDS else []


def _names(flags: Any, rest: list[str]) -> list[str]:
    """Names that the daemon knows, for the noun and verb at hand."""
    from cms.client import ask
    from cms.contract import (
        access,
        approvals,
        drivers,
        grants,
        intents,
        organisations,
        reservations,
        sessions,
        sites,
        stations,
        tokens,
    )

    sources: dict[str, Any] = {
        "stations": stations.ListStations(),
        "tokens": tokens.ListTokens(),
        "sessions": sessions.ListSessions(limit=_MOST),
        "intents": intents.ListIntents(limit=_MOST),
        "reservations": reservations.ListReservations(),
        "sites": sites.ListSites(),
        "organisations": organisations.ListOrganisations(),
        "drivers": drivers.ListDrivers(),
        "grants": grants.ListGrants(),
        "approvals": approvals.ListApprovals(),
        **dict.fromkeys(("lists", "displays", "customers", "evses"), stations.ListStations()),
    }
    special: dict[tuple[str, ...], Any] = {
        ("stations", "enrol"): stations.ListUnknownStations(),
        ("stations", "forget"): stations.ListUnknownStations(),
        ("tokens", "enrol"): tokens.ListUnknownCards(),
        ("tokens", "forget"): tokens.ListUnknownCards(),
        ("access", "explain"): tokens.ListTokens(),
        **{("access", verb): access.ListRules() for verb in ("show", "set", "remove")},
        ("sessions", "start"): stations.ListStations(),
        ("reservations", "add"): stations.ListStations(),
        ("reservations", "cancel"): reservations.ListReservations(active=True),
        ("sessions", "stop"): sessions.ListSessions(active=True, limit=_MOST),
    }
    request = special.get(tuple(rest[:2]), sources.get(rest[0]))
    if request is None:
        return []
    try:
        rows = ask(request, flags.address, _PATIENCE_S)
    except Refusal:
        return []
    names = [str(row["id"]) for row in rows[:_MOST]]
    return [name for name in names if safe(name) == name]
