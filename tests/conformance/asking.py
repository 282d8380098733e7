"""Verbs of asking: the control API, orders to stations, the command line, and what the record shows."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
from collections.abc import Callable
from typing import Any, Final

from cms.contract.refusals import REFUSALS, Refusal
from tests.conformance.house import REQUESTS
from tests.conformance.language import Mistaken, shown
from tests.conformance.play import (
    LOOK_AGAIN_S,
    PATIENCE_S,
    Outcome,
    Play,
    Rows,
    Step,
    Unmet,
    Verb,
    listed,
    words,
)
from tests.conformance.talking import REPLIES, expect_call, quiet

_JUDGED: Final = {"gives", "has", "lacks", "count", "distinct", "refuses", "says", "as"}


async def ask(play: Play, step: Step) -> None:
    name, fields = _request(play, step)
    if step["within"]:
        await until(play, step, name, fields)
        return
    try:
        outcome = Outcome(await play.house.ask(name, fields))
    except Refusal as refusal:
        outcome = Outcome(refusal=refusal)
    judge(play, step, outcome, name)


def _request(play: Play, step: Step) -> tuple[str, dict[str, Any]]:
    """A request's name and fields; ``station`` is the one that the step is about, where it must be told or narrows."""
    name, told = next(iter(step.value.items())) if isinstance(step.value, dict) else (step.value, {})
    if name not in REQUESTS:
        raise Mistaken(f"{name} is no request of cms.contract.routes")
    told = play.scope.fill(told or {})
    kept = {item.name: item for item in dataclasses.fields(REQUESTS[name])}.get("station")
    if kept and "station" not in told and (kept.default is dataclasses.MISSING or name.startswith("List")):
        told["station"] = play.station(step).identity
    return name, {key: value for key, value in told.items() if value is not None}


async def until(play: Play, step: Step, name: str, fields: dict[str, Any]) -> None:
    """Ask again until the answer fits, or the deadline has passed."""
    deadline = asyncio.get_running_loop().time() + float(step["within"])
    while True:
        try:
            judge(play, step, Outcome(await play.house.ask(name, fields)), name)
            return
        except (Unmet, Refusal):
            if asyncio.get_running_loop().time() > deadline:
                raise
        await asyncio.sleep(LOOK_AGAIN_S)


def judge(play: Play, step: Step, outcome: Outcome, what: str) -> None:
    """Compare what became of a request with gives, has, lacks, count, refuses and says."""
    refusal = outcome.refusal
    if step["refuses"]:
        _judge_refusal(step, outcome, what, play)
        return
    if refusal is not None:
        raise Unmet(f"{what} was refused: {refusal.name}: {refusal.message}") from refusal
    judge_answer(play, step, outcome.answer)
    if step["as"]:
        play.scope.names[play.scope.text(step["as"])] = outcome.answer


def _judge_refusal(step: Step, outcome: Outcome, what: str, play: Play) -> None:
    names = str(step["refuses"]).split("|")
    if unknown := set(names) - REFUSALS.keys():
        raise Mistaken(f"{unknown} are no refusals of cms.contract.refusals")
    if outcome.refusal is None:
        raise Unmet(f"{what} was answered {shown(outcome.answer)}, expected {step['refuses']}")
    said = f"{outcome.refusal.name}: {outcome.refusal.message}"
    if outcome.refusal.name not in names or not re.search(play.scope.text(step["says"] or ""), said):
        raise Unmet(f"{what} was refused with {said!r}, expected {step['refuses']} {step['says'] or ''}")


def judge_answer(play: Play, step: Step, answer: Any) -> None:
    if step["gives"] is not None:
        play.require(play.scope.differences(step["gives"], answer))
    elements = answer if isinstance(answer, list) else [answer]
    for wanted in listed(step["has"]):
        if not any(not play.scope.differences(wanted, element) for element in elements):
            raise Unmet(f"none of {shown(answer, 1500)} is {shown(wanted)}")
    for unwanted in listed(step["lacks"]):
        if found := [element for element in elements if not play.scope.differences(unwanted, element)]:
            raise Unmet(f"there is {shown(found[0])}, expected none like {shown(unwanted)}")
    if step["distinct"] is not None:
        values = [element[step["distinct"]] for element in elements]
        if doubled := {value for value in values if values.count(value) > 1}:
            raise Unmet(f"{step['distinct']} is not unique: {shown(sorted(doubled))}")
    if step["count"] is not None and len(elements) != int(step["count"]):
        raise Unmet(f"there are {len(elements)}, expected {step['count']}: {shown(answer, 1500)}")


async def order(play: Play, step: Step) -> None:
    """Ask for what a station must answer: in the background; with ``sends``, the whole of it."""
    name, fields = _request(play, step)
    fields.setdefault("timeout_s", PATIENCE_S)
    keep, station = play.scope.text(step["as"] or "order"), play.station(step)
    play.background(keep, play.house.ask(name, fields))
    if step["sends"] is not None:
        await _sends(play, step, play.orders[keep])
    elif step["refuses"] is None and step["gives"] is None:
        return
    judge(play, Step(step.verb, None, _without_as(step)), await play.outcome(keep), name)
    _keep_outcome(play, keep)
    if step["refuses"] and step["sends"] is None and station.wire.open:
        await quiet(play, step)


async def _sends(play: Play, step: Step, asked: asyncio.Task[Outcome]) -> None:
    """The CALL that the request makes the CSMS send comes, and is replied to; at once a failure when it does not."""
    expected = Step("expect", None, _without_as(step))
    coming = asyncio.create_task(expect_call(play, expected, play.station(step), step["sends"]))
    await asyncio.wait({coming, asked}, return_when=asyncio.FIRST_COMPLETED)
    if not coming.done():
        # What was asked has ended first. A frame on its way comes before the answer to a Heartbeat.
        await asyncio.wait({coming}, timeout=0.2)
    if not coming.done():
        coming.cancel()
        outcome = asked.result()
        said = outcome.refusal.message if outcome.refusal else shown(outcome.answer)
        raise Unmet(f"nothing was sent to the station; the asker was told: {said}")
    await coming


def _without_as(step: Step) -> dict[str, Any]:
    return {key: value for key, value in step.more.items() if key != "as"}


def _keep_outcome(play: Play, name: str) -> None:
    task = play.orders[name]
    if task.result().refusal is None:
        play.scope.names[name] = task.result().answer


async def ordered(play: Play, step: Step) -> None:
    """What became of an order given in the background."""
    name = play.scope.text(step.value or "order")
    outcome = await play.outcome(name, float(step["deadline"] or PATIENCE_S))
    judge(play, Step(step.verb, None, _without_as(step)), outcome, f"the order {name}")
    _keep_outcome(play, name)


async def intent(play: Play, step: Step) -> None:
    """The order's record becomes like this: its status after the effect was seen, its answer."""
    fields = {"intent": play.scope.look_up(f"{step['of'] or 'order'}.id")}
    looked = Step(
        step.verb, None, {"gives": step.value, "within": step["within"] or PATIENCE_S, "as": step["as"]}
    )
    await until(play, looked, "ShowIntent", fields)


async def cli(play: Play, step: Step) -> None:
    """A command line of ``cms``: ``exit`` code, ``gives`` a subset of its JSON, ``says`` matches what it said."""
    line = words(play.scope.text(step.value))
    play.background("cli", play.house.cli(line, play.scope.text(step["stdin"] or "")))
    if step["sends"] is not None:
        await _sends(play, step, play.orders["cli"])
    code, out, err = (await play.outcome("cli", 20)).answer
    play.watch.note("cli", "--", f"cms {' '.join(line)}: exit {code}, {out[:400]} {err[:400]}")
    if code != int(step["exit"] or 0):
        raise Unmet(f"exit code {code}, expected {step['exit'] or 0}; it said {out[:500]} {err[:500]}")
    if step["says"] and not re.search(play.scope.text(step["says"]), out + err):
        raise Unmet(f"it said {out[:1000]!r} {err[:500]!r}, expected {step['says']!r}")
    if any(step[key] is not None for key in ("gives", "has", "lacks", "count", "as")):
        told = _json(out)
        judge_answer(play, step, told)
        if step["as"]:
            play.scope.names[play.scope.text(step["as"])] = told


def _json(out: str) -> Any:
    """One JSON value, or one per line."""
    try:
        return json.loads(out)
    except ValueError:
        try:
            return [json.loads(line) for line in out.splitlines()]
        except ValueError:
            raise Unmet(f"it printed {out[:500]!r}, expected JSON") from None


# What the record shows: the questions that are asked most.


def _view(name: str, fields: Callable[[Play, Step], dict[str, Any]], pick: str) -> Verb:
    """A verb that asks ``name`` until the answer fits: as a whole (gives), or an element of it (has)."""

    async def look(play: Play, step: Step) -> None:
        more = {**step.more, "within": step["within"] or 2.0}
        if step.value is not None:
            more[pick] = step.value
        await until(play, Step(step.verb, None, more), name, fields(play, step))

    return look


def _of_station(play: Play, step: Step) -> dict[str, Any]:
    return {"station": play.station(step).identity}


async def session(play: Play, step: Step) -> None:
    """The session of transaction ``$tx``; ``tx`` names another. ``as`` keeps its view."""
    number = str(play.scope.look_up(play.scope.text(step["tx"] or "tx")))
    wanted = {"transaction_id": number, **(step.value or {})}
    more = {"has": [wanted], "within": step["within"] or 2.0}
    fields = _of_station(play, step)
    await until(play, Step(step.verb, None, more), "ListSessions", fields)
    if step["as"]:
        found = await play.house.ask("ListSessions", fields)
        play.scope.names[play.scope.text(step["as"])] = next(
            item for item in found if item["transaction_id"] == number
        )


async def samples(play: Play, step: Step) -> None:
    """Samples of the session of ``$tx``: each one listed is there."""
    number = str(play.scope.look_up(play.scope.text(step["tx"] or "tx")))
    found = await play.house.ask("ListSessions", _of_station(play, step))
    known = [item for item in found if item["transaction_id"] == number]
    if not known:
        raise Unmet(f"there is no session of transaction {number}")
    more = {
        **{key: value for key, value in step.more.items() if key != "tx"},
        "has": step.value,
        "within": 2.0,
    }
    await until(play, Step(step.verb, None, more), "ListSamples", {"session": known[0]["id"]})


async def connector(play: Play, step: Step) -> None:
    """Connector 1 of EVSE 1; ``at: 2`` or ``at: [2, 1]`` is another (1.6: connector N is EVSE N)."""
    evse, number = step["at"] if isinstance(step["at"], list) else (step["at"] or 1, 1)
    wanted = {"evse": evse, "connector": number, **(step.value or {})}
    more = {"gives": {"connectors": [wanted]}, "within": step["within"] or 2.0}
    await until(play, Step(step.verb, None, more), "ShowStation", _of_station(play, step))


ASKING: Final[Rows] = (
    ("ask", ask, {*_JUDGED, "within"}),
    ("order", order, {*_JUDGED, *REPLIES, "sends"}),
    ("ordered", ordered, {*_JUDGED, "deadline"}),
    ("intent", intent, {"of", "within", "as"}),
    ("cli", cli, {*_JUDGED, *REPLIES, "sends", "exit", "stdin"}),
    ("station", _view("ShowStation", _of_station, "gives"), {"within", "as"}),
    ("session", session, {"tx", "within", "as"}),
    ("sessions", _view("ListSessions", _of_station, "has"), {*_JUDGED, "within"}),
    ("samples", samples, {"tx", "lacks", "count"}),
    ("connector", connector, {"at", "within"}),
    ("told", _view("ListEvents", _of_station, "has"), {"lacks", "within", "as"}),
    ("quarantined", _view("ListQuarantine", _of_station, "has"), {"lacks", "count", "within"}),
    ("variables", _view("ListVariables", _of_station, "has"), {"lacks", "count", "within"}),
)
