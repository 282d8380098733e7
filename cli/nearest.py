"""Did you mean CP-0042? The nearest name that the daemon knows, when it knows none that was given."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cms.contract.refusals import NotFound, Refusal

if TYPE_CHECKING:
    from cli.flags import Flags

_NO_SUCH = re.compile(r"[Tt]here is no (\w+) (\S+?)[.:]?(?: |$)")
#: What a refusal calls a thing -> the kinds of names it may be.
_KINDS = {
    "station": ("stations", "unknown stations"),
    "token": ("tokens",),
    "session": ("sessions",),
    "driver": ("drivers",),
    "site": ("sites",),
    "tariff": ("tariffs",),
    "plan": ("plans",),
    "invoice": ("invoices",),
    "intent": ("intents",),
    "reservation": ("reservations",),
    "organisation": ("organisations",),
    "charge": ("charges",),
    "grant": ("grants",),
    "approval": ("approvals",),
}
#: Noughts before a number: CP-1 is said for CP-001.
_NOUGHTS = re.compile(r"(?<!\d)0+(?=\d)")
#: Whoever mistyped a name waits a little longer than who presses tab.
_PATIENCE_S = 1.0


def with_nearest(refusal: Refusal, flags: Flags) -> Refusal:
    """The refusal, with the name that was probably meant where there is one."""
    said = _NO_SUCH.search(refusal.message) if isinstance(refusal, NotFound) else None
    if said is None or said[1] not in _KINDS:
        return refusal
    from cli.names import known

    names = [name for kind in _KINDS[said[1]] for name in known(kind, flags, _PATIENCE_S)]
    near = _nearest(said[2], names)
    return NotFound(refusal.message, f"did you mean {near}?") if near else refusal


def _nearest(name: str, names: list[str]) -> str | None:
    """The nearest of the names, without case; of equally near ones the first."""
    from difflib import get_close_matches

    by_case = {other.casefold(): other for other in reversed(names)}
    wanted = name.casefold()
    for other in reversed(by_case):
        if _NOUGHTS.sub("", other) == _NOUGHTS.sub("", wanted):
            return by_case[other]
    likely = [other for other in by_case if abs(len(other) - len(wanted)) <= 2]
    found = get_close_matches(wanted, likely, n=1, cutoff=0.75)
    return by_case[found[0]] if found else None
