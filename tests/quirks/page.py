"""``python -m tests.quirks.page`` writes docs/quirks.md from the tables it speaks of; a test fails when it is stale."""

from __future__ import annotations

import re
from pathlib import Path

from cms.domain.quirks import DEFAULTS, SWITCHES, TABLE, Make, text_of

PAGE = Path(__file__).parents[2] / "docs" / "quirks.md"
_TESTS = Path(__file__).parent / "test_real_stations.py"

#: What real stations do, by number; the tests that prove it begin with the number.
BEHAVIOURS = {
    1: "No BootNotification after a (re)connect",
    2: "A short 1.6 probe, then 2.0.1; two sockets with one identity",
    3: "No subprotocol offered; payloads of another version than agreed",
    4: "Identity under any prefix, in other case, percent-encoded, or with a serial number behind it",
    5: "Empty texts, null payloads, fields of its own, fields too long",
    6: "StopTransaction of an unknown, old, stopped or foreign transaction",
    7: "StartTransaction repeated after a lost answer",
    8: "Stop below start, stop before start, times of 1970 or of the future",
    9: "Stops that never come",
    10: "Meter values after our restart, closing values after the stop",
    11: "transactionId 0 or -1, reservationId 0",
    12: "Meter values that are blank, no number, signed, without unit, misspelt, or in mixed units",
    13: "Energy registers that restart with each session",
    14: "Phases without totals, neutral currents, voltages between lines",
    15: "Configuration keys in any case, without a value, with words of their own; AuthorizationKey as text",
    16: "A list of measurands that is taken and makes the station boot for ever",
    17: "Charging profiles: stack level 0 only, one kind, one unit",
    18: "No availability of connector 0; triggers per connector unanswered",
    19: "Tokens with something added, cut, or in other case",
    20: "2.0.1: reports without place or from seqNo 1, EVSE 0, seqNo always 0, no values",
    21: "A queue replayed out of order",
    22: "A diagnostics status before the answer to GetDiagnostics",
    23: "A reset whose answer never comes, or whose old socket stays open",
    24: "Pending intervals ignored; redialling for ever when refused",
    25: "Triggers accepted and not followed; invented actions",
}

_HEAD = """# Quirks

Stations differ from the specification, and from each other. What every station may do is handled for all of them;
what only some want is a *switch*. A switch stands as the specification has it, as it is known of the station's make
(vendor, model, firmware as in its BootNotification), or as an operator set it for this one station:

```sh
cms stations show CP-7                                  # those that stand otherwise than usual, and why
cms stations quirks CP-7                                # all of them
cms stations quirks CP-7 --set assume-subprotocol=ocpp1.6 --reason 'offers none'
cms stations quirks CP-7 --unset assume-subprotocol
cms stations probe CP-7                                 # what it takes: profiles, limits, units, measurands
cms stations capabilities CP-7                          # what one of its make and firmware told before
```

No other code names a vendor: it asks for the switch (`cms/domain/quirks.py`). `assume-subprotocol`, `identity-alias`
and `lenient-lengths` hold from the next connection on, the others at once.

A probe only reads. What could not be read is told as such and concluded from never: no list is widened or narrowed
because of it. With `probe_stations` the first station of each make and firmware is asked by itself after its boot;
nothing is asked of stations with `automatic-commands` = no.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_switches(), *_makes(), *_behaviours()])


def _switches() -> list[str]:
    rows = [
        f"| `{name}` | {text_of(DEFAULTS[name]) or '(empty)'} | {s.about} |" for name, s in SWITCHES.items()
    ]
    return ["## Switches", "", "| switch | usually | what it does |", "| --- | --- | --- |", *rows, ""]


def _makes() -> list[str]:
    return [
        "## What is known of makes",
        "",
        "| vendor | model | firmware | switches | why | known from |",
        "| --- | --- | --- | --- | --- | --- |",
        *(_make(make) for make in TABLE),
        "",
    ]


def _make(make: Make) -> str:
    changes = ", ".join(f"`{name}` = {text_of(value)}" for name, value in make.changes.items())
    words = ((make.since and f"from {make.since}"), (make.before and f"before {make.before}"))
    firmware = " ".join(word for word in words if word) or "any"
    model = make.model.replace("|", " or ")
    return f"| {make.vendor} | {model} | {firmware} | {changes} | {make.why} | <{make.source}> |"


def _behaviours() -> list[str]:
    return [
        "## What real stations do",
        "",
        "Each was seen on a product or on an independent implementation. The tests are in",
        "`tests/quirks/test_real_stations.py`, against a whole daemon, and begin with the number.",
        "",
        "| | behaviour | tests |",
        "| --- | --- | --- |",
        *(f"| {number} | {words} | {_tests(number)} |" for number, words in BEHAVIOURS.items()),
        "",
    ]


def _tests(number: int) -> str:
    found = re.findall(rf"async def (test_{number:02}_\w+)", _TESTS.read_text())
    return "<br>".join(name.removeprefix(f"test_{number:02}_").replace("_", " ") for name in found)


if __name__ == "__main__":
    PAGE.write_text(page())
