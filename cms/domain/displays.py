"""Display messages of 2.x stations: what we set, what they report, what is on the screen (block O)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cms.domain import reports
from cms.domain.changes import Change, Decision, Happened, Keep
from cms.domain.evolve import evolve
from cms.domain.observations import Noted, Observation, Received
from cms.domain.orders import Order, OrderAnswer
from cms.domain.record import record
from cms.domain.stations import StationState

if TYPE_CHECKING:
    from cms.domain.intents import Intent

KIND = "display"
#: A report of all messages replaces what was known; one of some only adds.
ALL, SOME = "displays", "displays-some"
GET = "display-get"
PRIORITIES = ("always-front", "in-front", "normal-cycle")
STATES = ("charging", "faulted", "idle", "unavailable", "suspended", "discharging")
FORMATS = ("utf8", "ascii", "html", "uri", "qrcode")
#: How many messages of a station are kept; a station that reports more is not believed.
MOST = 500


@record
class Content:
    """One text in one language. 2.0.1 takes 512 characters, 2.1 takes 1024."""

    text: str
    format: str = "utf8"
    language: str | None = None


@record
class Display:
    """One message. ``state``: only shown while the station is so; ``transaction_id``: gone when that ends (O02)."""

    id: int
    content: Content
    priority: str = "normal-cycle"
    state: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    transaction_id: str | None = None
    extra: tuple[Content, ...] = ()
    """The same in other languages (2.1)."""
    set_by: str | None = None
    """Who set it from here; None: only the station told of it."""
    seen_at: datetime | None = None
    """When the station took it or told of it."""


@record
class SetDisplay(Order):
    """A message with an id that the station has already replaces that one (O06)."""

    display: Display


@record
class GetDisplays(Order):
    """Ask for all messages, or for those with these ids, this priority, this state (O03, O04)."""

    request_id: int
    ids: tuple[int, ...] = ()
    priority: str | None = None
    state: str | None = None

    @property
    def everything(self) -> bool:
        return not self.ids and self.priority is None and self.state is None


@record
class ClearDisplay(Order):
    id: int


@record
class DisplaysTold(Observation):
    """One part of NotifyDisplayMessages; parts are not numbered."""

    request_id: int
    displays: tuple[Display, ...]
    more: bool = False


def set_answered(
    state: StationState, intent: Intent, order: SetDisplay, answer: OrderAnswer, now: datetime
) -> Decision:
    if answer.verdict == "rejected":
        return Decision(Noted(), state)
    display = evolve(order.display, set_by=intent.requested_by, seen_at=now)
    return _kept(state, {display.id: display}, now)


def clear_answered(
    state: StationState, intent: Intent, order: ClearDisplay, answer: OrderAnswer, now: datetime
) -> Decision:
    """Unknown means that it is gone, too (O05.FR.02)."""
    gone = answer.verdict != "rejected" or answer.word == "Unknown"
    return _kept(state, {order.id: None}, now) if gone else Decision(Noted(), state)


def get_answered(
    state: StationState, intent: Intent, order: GetDisplays, answer: OrderAnswer, now: datetime
) -> Decision:
    """Accepted: a report will come. Unknown: there is no such message (O03.FR.05), and no report either."""
    if answer.verdict == "rejected":
        return Decision(Noted(), state)
    if answer.word == "Unknown":
        return _kept(state, dict.fromkeys(order.ids), now)
    subject = ALL if order.everything else SOME
    state, changes = reports.asked(state, order.request_id, subject, now)
    return Decision(Noted(), state, tuple(changes))


def reports_follow(intent: Intent) -> bool:
    """Whether an answered GetDisplays has parts to wait for."""
    return (intent.answer or {}).get("status") != "Unknown"


def told(
    state: StationState, received: Received, part: DisplaysTold, known: Mapping[str, Display]
) -> Decision:
    """NotifyDisplayMessages. ``known`` is what is kept of this station, by key."""
    subject = _subject(state, part.request_id)
    state, changes, report = reports.part(
        state, part.request_id, subject or SOME, received.at, items=len(part.displays), more=part.more
    )
    found: dict[int, Display | None] = {}
    if report.subject == ALL and reports.begun(report):
        found = {int(key): None for key in known}
    for display in part.displays:
        mine = known.get(str(display.id))
        set_by = mine.set_by if mine is not None and mine.content.text == display.content.text else None
        found[display.id] = evolve(display, set_by=set_by, seen_at=received.at)
    kept = len(known.keys() - {str(id) for id, display in found.items() if display is None})
    new = [id for id, display in found.items() if display is not None and str(id) not in known]
    for id in new[max(0, MOST - kept) :]:
        del found[id]
    decision = _kept(state, found, received.at)
    return evolve(decision, changes=(*changes, *decision.changes))


def _subject(state: StationState, request_id: int) -> str | None:
    """What was asked for under this id, also while the answer to the question is still on its way."""
    for intent in state.intents.values():
        if intent.order == GET and intent.params.get("request_id") == request_id:
            filters = (intent.params.get(name) for name in ("ids", "priority", "state"))
            return SOME if any(filters) else ALL
    return None


def _kept(state: StationState, found: Mapping[int, Display | None], now: datetime) -> Decision:
    station = state.station.id
    changes: Iterable[Change] = (Keep(station, KIND, str(id), shown, now) for id, shown in found.items())
    data: dict[str, Any] = {
        "set": [id for id, shown in found.items() if shown is not None],
        "cleared": [id for id, shown in found.items() if shown is None],
    }
    happened = (Happened("display.changed", now, station, data=data),) if found else ()
    return Decision(Noted(), state, tuple(changes), happened)
