"""The story of a session: what happened when, in sentences, ready for a mail.

Events tell what was decided; the samples tell how it charged: each stretch of about the same power is a line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cms.contract.events import Event
from cms.contract.sessions import SessionView
from tui import words
from tui.trend import Sample

#: A stretch of power: it ends where a sample differs by more than this share of the greatest, and is told from so long.
STEADY = 0.2
TOLD_FROM = timedelta(minutes=2)
#: Below this a car draws nothing that a person would call charging.
IDLE_W = 300


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence with its instant; ``event`` is what it was made of, where it was one."""

    at: datetime
    text: str
    tone: str = ""
    event: Event | None = None


def story(
    session: SessionView, events: Iterable[Event], samples: Sequence[Sample], payer: str = ""
) -> list[Line]:
    """Everything in the order in which it happened."""
    lines = [_begin(session, payer)]
    before = ""
    for event in sorted(events, key=lambda event: event.at):
        text = _TELLING.get(event.type, _any)(event)
        if text and text != before:
            lines.append(Line(event.at, text, words.tone_of(event), event))
            before = text
    lines += stretches(samples)
    lines.sort(key=lambda line: line.at)
    return [*lines, *_end(session)]


def _begin(session: SessionView, payer: str) -> Line:
    who = payer if payer == session.token or not session.token else f"{payer} (token {session.token})"
    offline = ", while the station was offline" if session.offline else ""
    began = f"begins at {session.station}, connector {words.plug(session.evse, session.connector)}"
    return Line(session.started_at, f"{began}{f', for {who}' if who else ', without a token'}{offline}")


def _end(session: SessionView) -> list[Line]:
    if session.ended_at is None:
        return []
    why = f" ({session.stop_reason})" if session.stop_reason else ""
    lasted = words.lasting(session.started_at, session.ended_at)
    return [Line(session.ended_at, f"ended{why} after {lasted} h with {words.energy(session.energy_wh)}")]


def stretches(samples: Sequence[Sample]) -> list[Line]:
    """How it charged: each long enough time of about the same power."""
    if len(samples) < 2:
        return []
    band = max(IDLE_W, STEADY * max(watts for _, watts in samples))
    lines: list[Line] = []
    first = 0
    for place in range(1, len(samples) + 1):
        leaves = place == len(samples) or abs(samples[place][1] - samples[first][1]) > band
        if not leaves:
            continue
        end = samples[min(place, len(samples) - 1)][0]
        if end - samples[first][0] >= TOLD_FROM:
            lines.append(_stretch(samples[first:place], end))
        first = place
    return lines


def _stretch(samples: Sequence[Sample], end: datetime) -> Line:
    minutes = round((end - samples[0][0]).total_seconds() / 60)
    mean = sum(watts for _, watts in samples) // len(samples)
    if mean < IDLE_W:
        return Line(samples[0][0], f"draws nothing for {minutes} min: the car is full, or waits", "dim")
    return Line(samples[0][0], f"draws {words.power(mean)} for {minutes} min")


def _view_of(event: Event) -> Mapping[str, Any]:
    view = event.data.get("session")
    return view if isinstance(view, Mapping) else {}


#: What a session is now, as a person says it.
_STATES = {
    "pending": "waits for the car, or for the card",
    "charging": "charges",
    "suspended": "pauses",
    "suspect": "is in doubt: the station did not tell how it ended",
}


def _changed(event: Event) -> str:
    return _STATES.get(str(_view_of(event).get("status")), "")


def _flagged(event: Event) -> str:
    return "odd about it: " + ", ".join(map(str, event.data.get("flags") or ()))


def _billed(event: Event) -> str:
    cost = event.data.get("cost")
    if not isinstance(cost, Mapping):
        return ""
    return f"costs {cost.get('amount')} {cost.get('currency')}"


def _told(event: Event) -> str:
    limit = event.data.get("limit")
    said = [str(event.data.get("trigger") or "")]
    if limit:
        said.append(f"ends by itself at {words.told(event)}")
    return "the station tells: " + ", ".join(filter(None, said)) if any(said) else ""


def _intent(event: Event) -> str:
    view = event.data.get("intent")
    if not isinstance(view, Mapping):
        return ""
    detail = f": {view['detail']}" if view.get("detail") else ""
    return f"order {view.get('order')} by {view.get('requested_by')} is {view.get('status')}{detail}"


def _any(event: Event) -> str:
    return f"{event.type} {words.told(event)}".strip()


def _nothing(_: Event) -> str:
    return ""


_TELLING: dict[str, Callable[[Event], str]] = {
    "session.started": _changed,
    "session.changed": _changed,
    "session.ended": _nothing,
    "session.metered": _nothing,
    "session.flagged": _flagged,
    "session.billed": _billed,
    "session.told": _told,
    "session.tariff": lambda event: f"tariff {event.data.get('tariff')}",
    "session.budget": lambda event: f"budget of rule {event.data.get('rule')}: {event.data.get('reason')}",
    "cdr.made": lambda event: "",
    "intent.created": _intent,
    "intent.changed": _intent,
}


def as_text(session: SessionView, lines: Sequence[Line], where: str = "") -> str:
    """The story to paste into a mail: a heading, dated lines, what it came to."""
    zone = session.started_at.astimezone().tzname() or "local time"
    place = f"{session.station}{f', {where}' if where else ''}"
    head = f"Charging session {session.id} at {place}, {words.moment(session.started_at)} ({zone})"
    told = [f"{_stamp(line.at, session.started_at)}  {line.text}" for line in lines]
    cost = f", {session.cost['amount']} {session.cost['currency']}" if session.cost else ""
    still = " so far" if session.ended_at is None else ""
    sum_up = f"In all{still}: {words.energy(session.energy_wh)}{cost}."
    return "\n".join([head, "", *told, "", sum_up])


def _stamp(at: datetime, start: datetime) -> str:
    """The time of day; the date too where it is another day than that of the start."""
    local, begun = at.astimezone(), start.astimezone()
    return f"{local:%H:%M:%S}" if local.date() == begun.date() else f"{local:%Y-%m-%d %H:%M:%S}"
