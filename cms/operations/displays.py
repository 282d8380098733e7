"""Messages on the displays of stations: set, asked for, cleared, and what we know to be there."""

from __future__ import annotations

import shlex

from cms.contract.displays import (
    ClearDisplayMessage,
    DisplayView,
    GetDisplayMessages,
    ListDisplayMessages,
    SetDisplayMessage,
)
from cms.contract.intents import IntentView, Preview
from cms.contract.refusals import Conflict, Invalid, NotSupported
from cms.core import Actor, Core, Lane
from cms.domain import displays
from cms.domain.changes import Decision
from cms.domain.displays import FORMATS, PRIORITIES, STATES, Content, Display, DisplaysTold
from cms.domain.observations import Received
from cms.domain.stations import StationState
from cms.operations.intents import give
from cms.operations.previews import preview
from cms.operations.sessions import find
from cms.operations.stations import version_of

_HIGHEST = 2**31 - 1


async def told(core: Core, state: StationState, received: Received, part: DisplaysTold) -> Decision:
    """NotifyDisplayMessages."""
    known = await core.store.kept(state.station.id, displays.KIND)
    return displays.told(state, received, part, known)


async def list_(core: Core, request: ListDisplayMessages, actor: Actor) -> list[DisplayView]:
    if request.station is not None:
        lane = core.lane(request.station)
        found = await core.store.kept(lane.state.station.id, displays.KIND)
        return [_view(core, lane, display) for display in found.values()]
    everywhere = await core.store.kept_everywhere(displays.KIND)
    return [
        _view(core, core.lanes[station], display)
        for station, _, display in everywhere
        if station in core.lanes
    ]


def _view(core: Core, lane: Lane, display: Display) -> DisplayView:
    transaction = display.transaction_id
    past = display.ends_at is not None and display.ends_at <= core.clock.now()
    return DisplayView(
        id=display.id,
        station=lane.state.station.id,
        text=display.content.text,
        format=display.content.format,
        language=display.content.language,
        priority=display.priority,
        state=display.state,
        starts_at=display.starts_at,
        ends_at=display.ends_at,
        transaction_id=transaction,
        translations={content.language or "": content.text for content in display.extra},
        set_by=display.set_by,
        seen_at=display.seen_at,
        over=past or (transaction is not None and lane.state.session_of(transaction) is None),
    )


async def set_(core: Core, request: SetDisplayMessage, actor: Actor) -> IntentView | Preview:
    lane = core.lane(request.station)
    _check_version(core, lane)
    _check_words(request)
    if not request.force:
        await _check_supported(core, lane, request)
    display = Display(
        id=_number(core, request.message),
        content=Content(request.text, request.format, request.language),
        priority=request.priority,
        state=request.state,
        starts_at=request.starts_at,
        ends_at=request.ends_at,
        transaction_id=await _transaction(core, lane, request.session),
        extra=tuple(
            Content(text, request.format, language) for language, text in (request.translations or {}).items()
        ),
    )
    station = lane.state.station.id
    shown = preview(
        lane.state, "display-set", _set_line(station, request), (), "its display shows the message", level=1
    )
    return await give(core, actor, station, "display-set", displays.SetDisplay(display), request, shown)


def _check_version(core: Core, lane: Lane) -> None:
    if version_of(core, lane) == "1.6":
        raise NotSupported(f"OCPP 1.6 has no display messages, and {lane.state.station.id} speaks 1.6")


def _check_words(request: SetDisplayMessage) -> None:
    if not request.text:
        raise Invalid("a message says something")
    for what, word, words in (
        ("priority", request.priority, PRIORITIES),
        ("state", request.state, STATES),
        ("format", request.format, FORMATS),
    ):
        if word is not None and word not in words:
            raise Invalid(f"{what} must be one of {', '.join(words)}, not {word!r}")
    if request.starts_at and request.ends_at and request.ends_at <= request.starts_at:
        raise Invalid("the message would end before it begins")


#: The variable in which a station lists what it can show -> the field of the request.
_SUPPORTED = {
    "displaymessagectrlr.supportedpriorities": "priority",
    "displaymessagectrlr.supportedformats": "format",
    "displaymessagectrlr.supportedstates": "state",
}


async def _check_supported(core: Core, lane: Lane, request: SetDisplayMessage) -> None:
    """As far as the station told what it can (O01.FR.12 to 14): it would only refuse the rest."""
    station = lane.state.station.id
    for variable in await core.store.variables(station):
        field = _SUPPORTED.get(variable.name.casefold())
        word = getattr(request, field) if field else None
        listed = {item.strip().casefold() for item in (variable.value or "").split(",")} - {""}
        if word is not None and listed and word.replace("-", "") not in listed:
            raise NotSupported(
                f"{station} shows no message of {field} {word}: its {variable.name} is {variable.value}",
                "add --force to try it all the same",
            )


def _number(core: Core, given: int | None) -> int:
    if given is None:
        return core.mint.number()
    if not 0 < given <= _HIGHEST:
        raise Invalid(f"a message has a number from 1 to {_HIGHEST}, not {given}")
    return given


async def _transaction(core: Core, lane: Lane, session_id: str | None) -> str | None:
    """An ended session too: the station says UnknownTransaction, and that it is so."""
    if session_id is None:
        return None
    session = await find(core, session_id)
    station = lane.state.station.id
    if session.station != station:
        raise Conflict(f"session {session.id} is at {session.station}, not at {station}")
    return session.transaction_id


def _set_line(station: str, request: SetDisplayMessage) -> str:
    words = ["displays set", station, shlex.quote(request.text)]
    for flag, value in (
        ("--message", request.message),
        ("--priority", None if request.priority == "normal-cycle" else request.priority),
        ("--state", request.state),
        ("--format", None if request.format == "utf8" else request.format),
        ("--language", request.language),
        ("--session", request.session),
    ):
        words += [flag, str(value)] if value is not None else []
    return " ".join(words)


async def get(core: Core, request: GetDisplayMessages, actor: Actor) -> IntentView | Preview:
    lane = core.lane(request.station)
    _check_version(core, lane)
    if request.priority is not None and request.priority not in PRIORITIES:
        raise Invalid(f"priority must be one of {', '.join(PRIORITIES)}, not {request.priority!r}")
    if request.state is not None and request.state not in STATES:
        raise Invalid(f"state must be one of {', '.join(STATES)}, not {request.state!r}")
    station = lane.state.station.id
    order = displays.GetDisplays(core.mint.number(), request.messages, request.priority, request.state)
    shown = preview(
        lane.state, displays.GET, f"displays get {station}", (), "it reports its messages", level=0
    )
    return await give(core, actor, station, displays.GET, order, request, shown)


async def clear(core: Core, request: ClearDisplayMessage, actor: Actor) -> IntentView | Preview:
    lane = core.lane(request.station)
    _check_version(core, lane)
    station = lane.state.station.id
    shown = preview(
        lane.state,
        "display-clear",
        f"displays clear {station} {request.message}",
        (),
        "its display does not show the message any more",
        level=1,
    )
    order = displays.ClearDisplay(request.message)
    return await give(core, actor, station, "display-clear", order, request, shown)
