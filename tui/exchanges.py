"""Frames as conversations: each call with its answer, how long it took, and what its schema says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from cms.contract.safe import decoded
from cms.contract.stations import Message
from tui import words

OPPOSITE = {"in": "out", "out": "in"}
SIDES = {"in": "from the station", "out": "to the station"}
#: Members that say nothing in a summary: they are told elsewhere in the row.
_SILENT = frozenset({"timestamp", "currentTime", "generatedAt"})
#: Payloads longer than this are not looked into for a line.
_SUMMED_UP = 4_000
VALID = "valid"


def frame_key(frame: Message) -> str:
    """One frame's identity: the same when it is read from the list and heard on the stream."""
    return f"{frame.at.isoformat()} {frame.direction} {frame.kind} {frame.message_id}"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A call and what was answered to it; one of both may not be known (yet)."""

    key: str
    call: Message | None
    answer: Message | None = None

    @property
    def first(self) -> Message:
        found = self.call or self.answer
        assert found is not None  # it was made of one
        return found

    @property
    def latency_ms(self) -> float | None:
        told = [f.latency_ms for f in (self.answer, self.call) if f is not None and f.latency_ms is not None]
        return told[0] if told else None

    @property
    def failed(self) -> bool:
        return self.answer is not None and self.answer.kind == "error"

    @property
    def wrong(self) -> str | None:
        """The first thing that does not follow the schema."""
        verdicts = (f.verdict for f in (self.call, self.answer) if f is not None)
        return next((verdict for verdict in verdicts if verdict not in (None, VALID)), None)

    @property
    def judged(self) -> bool:
        return any(f is not None and f.verdict is not None for f in (self.call, self.answer))


def paired(frames: Iterable[Message]) -> list[Exchange]:
    """Exchanges in the order of their first frames; ``frames`` are in time order. Ids may come again."""
    exchanges: dict[str, Exchange] = {}
    waiting: dict[tuple[str, str], str] = {}
    for frame in frames:
        key = frame_key(frame)
        if frame.kind == "call":
            exchanges[key] = Exchange(key, frame)
            waiting[frame.direction, frame.message_id] = key
            continue
        called = waiting.pop((OPPOSITE.get(frame.direction, ""), frame.message_id), None)
        if called is None:
            exchanges[key] = Exchange(key, None, frame)
        else:
            exchanges[called] = replace(exchanges[called], answer=frame)
    return list(exchanges.values())


def payload_of(frame: Message) -> Any:
    """What the frame carries, or None where it is no JSON (or too much of it)."""
    try:
        return decoded(frame.payload)
    except ValueError:
        return None


def summary(exchange: Exchange) -> str:
    """What was said in a line, and what was answered."""
    told = _said(exchange.call)
    if exchange.answer is None:
        return told
    answered = exchange.answer.payload if exchange.failed else _said(exchange.answer)
    return f"{told} → {answered}" if told and answered else told or answered


def _said(frame: Message | None) -> str:
    if frame is None:
        return ""
    if len(frame.payload) > _SUMMED_UP:
        return _unframed(frame.payload)
    told = payload_of(frame)
    return " ".join(_words(told)) if isinstance(told, dict | list) else _unframed(frame.payload)


def _unframed(text: str) -> str:
    """What is kept of a long frame begins with its envelope: kind, id, action."""
    return text[text.index("{") :] if text.startswith("[") and "{" in text else text


def _words(told: Any, name: str = "") -> list[str]:
    """Members as words: what is nested speaks for itself."""
    match told:
        case dict():
            return [word for key, value in told.items() if key not in _SILENT for word in _words(value, key)]
        case list():
            return [word for value in told for word in _words(value, name)]
        case None | "":
            return []
        case bool():
            return [f"{name} {'yes' if told else 'no'}"]
        case str() if name:
            return [told]
    return [f"{name} {told}".strip()]


def explained(exchange: Exchange, others: Sequence[Exchange]) -> list[str]:
    """How usual it is, among the exchanges that are kept: its latency, its schema, how often it was said."""
    first = exchange.first
    alike = [other for other in others if other.first.action == first.action]
    lines = [f"{first.action}, {SIDES.get(first.direction, first.direction)}, {words.moment(first.at)}"]
    if exchange.latency_ms is not None:
        usual = [o.latency_ms for o in alike if o.latency_ms is not None]
        beside = f"; usual is {median(usual):.0f} ms of {len(usual)}" if len(usual) > 1 else ""
        lines.append(f"answered after {exchange.latency_ms:.1f} ms{beside}")
    elif exchange.answer is None:
        lines.append("no answer is known")
    if exchange.failed:
        lines.append("the answer is an error: what it was asked it did not do")
    if exchange.wrong is not None:
        lines.append(f"schema: {exchange.wrong}")
    elif exchange.judged:
        lines.append(
            "schema: both follow the schema of their version" if exchange.answer else "schema: valid"
        )
    if len(alike) > 1:
        troubled = sum(other.failed or other.wrong is not None for other in alike)
        lines.append(f"{len(alike)} of them are kept, {troubled} in trouble")
    return lines


def sheet(exchange: Exchange, others: Sequence[Exchange]) -> list[str]:
    """An exchange to read: how usual it is, then both frames indented."""
    lines = explained(exchange, others)
    for frame in (exchange.call, exchange.answer):
        if frame is not None:
            arrow = "→" if frame.direction == "in" else "←"
            lines += ["", f"{arrow} {frame.action} {frame.kind} · id {frame.message_id}", *_indented(frame)]
    return lines


def _indented(frame: Message) -> list[str]:
    told = payload_of(frame)
    if told is None:
        return frame.payload.splitlines()
    return json.dumps(told, indent=2, ensure_ascii=False).splitlines()
