"""What a step can do: the table of verbs with what may stand beside each, and how a step is done.

``README.md`` tells it to writers, with an example of each.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any, Final

import httpx

from tests.conformance.asking import ASKING
from tests.conformance.language import Mistaken, Scope
from tests.conformance.linking import LINKING
from tests.conformance.pki_verbs import PKI_VERBS
from tests.conformance.play import Play, Rows, Step, Unmet, Verb, listed
from tests.conformance.shorthand import SHORTHAND
from tests.conformance.talking import TALKING

_ACTION: Final = re.compile(r"[A-Z][A-Za-z0-9]+$")
_ID: Final = re.compile(r'^\s*\[\s*-?\d+\s*,\s*"([^"]*)"')


async def perform(play: Play, raw: Any) -> None:
    """Do what one entry of ``steps`` says; what it says for other versions is gone already."""
    if isinstance(raw, list):
        await play.steps(raw)
        return
    step = _step({raw: None} if isinstance(raw, str) else dict(raw), play.scope)
    verb, allowed = VERBS[step.verb]
    if unknown := step.more.keys() - allowed - {"by"}:
        raise Mistaken(
            f"`{step.verb}` does not know {', '.join(sorted(unknown))}; it knows {sorted(allowed)}"
        )
    await verb(play, step)


def _step(told: dict[str, Any], scope: Scope) -> Step:
    """A step in the plain language: shorthand is written out, an action's name is a call of it."""
    word = next(iter(told))
    value = told.pop(word)
    if word in SHORTHAND:
        told = {**SHORTHAND[word](scope.fill(value), scope), **told}
        if "error" in told:
            told.pop("answer", None)
        return _step(told, scope)
    if word in VERBS:
        return Step(word, value, told)
    if _ACTION.match(word):
        return Step("call", [word, value], told)
    raise Mistaken(f"`{word}` is no verb; there are: {', '.join(sorted({*VERBS, *SHORTHAND}))}")


# The daemon.


async def restart(play: Play, step: Step) -> None:
    """End the daemon (``restart: kill`` with -9) and start it on the same record; stations are disconnected."""
    for station in play.stations.values():
        station.wire.outstanding = None
    await asyncio.to_thread(play.house.stop, kill=step.value == "kill")
    await asyncio.to_thread(play.house.start)


async def storage(play: Play, step: Step) -> None:
    """``storage: fails``: nothing can be written to the record until ``storage: works``."""
    {"fails": play.house.lock_storage, "works": play.house.unlock_storage}[step.value]()


async def log(play: Play, step: Step) -> None:
    """The daemon's log ``has`` a text, and ``lacks`` another."""
    text = play.house.log()
    for wanted in listed(step.value.get("has")):
        if play.scope.text(wanted) not in text:
            raise Unmet(f"the log lacks {play.scope.text(wanted)!r}")
    for unwanted in listed(step.value.get("lacks")):
        if play.scope.text(unwanted) in text:
            raise Unmet(f"the log has {play.scope.text(unwanted)!r}")


async def upload(play: Play, step: Step) -> None:
    """The station puts a file at an address: by PUT, as a form, or as a bare POST with Content-Disposition."""
    told = play.scope.fill(step.value)
    content, how = str(told.get("content", "log")).encode(), told.get("how", "put")
    name = told.get("name", "station.log")
    kinds: dict[str, tuple[str, dict[str, Any]]] = {
        "put": ("PUT", {"content": content}),
        "form": ("POST", {"files": {"file": (name, content)}}),
        "post": (
            "POST",
            {"content": content, "headers": {"Content-Disposition": f'attachment; filename="{name}"'}},
        ),
    }
    method, sent = kinds[how]
    async with httpx.AsyncClient() as http:
        answer = await http.request(method, told["to"], **sent)
    play.watch.note(play.station(step).letter, "--", f"uploaded {name} by {how}: {answer.status_code}")
    play.require(play.scope.differences(step["gives"] or {"status": 201}, {"status": answer.status_code}))


# Steps of steps.


async def each(play: Play, step: Step) -> None:
    """The steps once for each value, which is ``$it`` meanwhile (``as`` names it otherwise)."""
    for value in step.value:
        play.scope.names[step["as"] or "it"] = play.scope.fill(value)
        await play.steps(step["steps"])


async def repeat(play: Play, step: Step) -> None:
    """The steps so many times; ``$i`` counts from 0."""
    for number in range(int(step.value)):
        play.scope.names["i"] = number
        await play.steps(step["steps"])


async def keep(play: Play, step: Step) -> None:
    """Give names to values: ``keep: {t0: $now-4h}``."""
    play.scope.names.update(play.scope.fill(step.value))


async def storm(play: Play, step: Step) -> None:
    """So many fresh stations connect and boot at once; all are accepted within ``deadline`` seconds."""
    count, letters = int(step.value), []
    for number in range(count):
        station = play.introduce(f"S{number}", {})
        letters.append(station.letter)
        await play.house.ask("AddStation", {"station": station.identity, "password": station.password})

    async def come(letter: str) -> None:
        await play.connect(play.stations[letter])
        await play.step({"boot": None, "by": letter, "deadline": 30})

    try:
        await asyncio.wait_for(asyncio.gather(*map(come, letters)), float(step["deadline"] or 30))
    except TimeoutError:
        raise Unmet(f"{count} stations were not all accepted in time") from None


_RUNNING: Final[Rows] = (
    ("restart", restart, set[str]()),
    ("storage", storage, set[str]()),
    ("log", log, set[str]()),
    ("upload", upload, {"gives"}),
    ("each", each, {"as", "steps"}),
    ("repeat", repeat, {"steps"}),
    ("keep", keep, set[str]()),
    ("storm", storm, {"deadline"}),
)

VERBS: Final[dict[str, tuple[Verb, frozenset[str]]]] = {
    name: (verb, frozenset(beside))
    for name, verb, beside in (*TALKING, *LINKING, *ASKING, *_RUNNING, *PKI_VERBS)
}

assert not VERBS.keys() & SHORTHAND.keys()
