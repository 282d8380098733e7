"""DataTransfer, both ways. Vendors plug in by the entry point group ``charging_cms.datatransfer``.

An entry point's name is the vendor id; it loads a mapping of message id ("" for all others) to a function
``(Transfer) -> (status, data)``, plain or async. ``status``: accepted, rejected, unknown-message-id.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from cms.contract.datatransfer import SendData
from cms.contract.intents import IntentView, Preview
from cms.contract.refusals import Invalid
from cms.core import Actor, Core
from cms.domain import datatransfer
from cms.domain.datatransfer import Handler, Transfer, Vendors
from cms.domain.evolve import evolve
from cms.domain.observations import DataAnswer, DataTransferred, Observation, Received
from cms.operations.intents import give
from cms.operations.previews import line, preview

log = logging.getLogger(__name__)

GROUP = "charging_cms.datatransfer"
#: A station waits for the answer, and others wait for the station: a handler that is slower has said no.
PATIENCE_S = 5.0
_ANSWERS = frozenset({"accepted", "rejected", "unknown-message-id", "unknown-vendor-id"})
_MOST = {"vendor": 255, "message": 50}


async def send(core: Core, request: SendData, actor: Actor) -> IntentView | Preview:
    for name, most in _MOST.items():
        text = getattr(request, name)
        if text is not None and not 0 < len(text) <= most:
            raise Invalid(f"a {name} id has 1 to {most} characters")
    lane = core.lane(request.station)
    # A message id is not empty: an empty word stands for none where data follows.
    message = "" if request.message is None and request.data is not None else request.message
    shown = preview(
        lane.state,
        "data",
        line(
            "ocpp data",
            lane.state.station.id,
            request.vendor,
            message,
            request.data,
            json=request.as_json,
        ),
        (),
        f"the station is sent data of {request.vendor}",
    )
    order = datatransfer.SendData(request.vendor, request.message, request.data, request.as_json)
    return await give(core, actor, request.station, "data", order, request, shown)


async def asked(core: Core, received: Received, seen: DataTransferred) -> Observation:
    """A station's DataTransfer with the answer of its vendor's handler; the station's lane is free meanwhile."""
    handler = datatransfer.handler_for(core.vendors, seen.vendor, seen.message)
    if isinstance(handler, DataAnswer):
        return evolve(seen, answer=handler)
    transfer = Transfer(received.station, received.ocpp_version, seen.vendor, seen.message, seen.data)
    return evolve(seen, answer=await _answer(handler, transfer))


async def _answer(handler: Handler, transfer: Transfer) -> DataAnswer:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return _understood(await _asked(handler, transfer))
    except Exception:
        # A plug-in's bug is its vendor's: the station is told no, and the log says why.
        log.exception("the handler of %r %r failed", transfer.vendor, transfer.message)
        return DataAnswer("rejected")


async def _asked(handler: Handler, transfer: Transfer) -> Any:
    told = handler(transfer)
    return await told if inspect.isawaitable(told) else told


def _understood(told: Any) -> DataAnswer:
    status, data = (told, None) if isinstance(told, str) else told
    if status not in _ANSWERS or not (data is None or isinstance(data, str)):
        raise ValueError(f"a handler answers with (status, text or None), not {told!r}")
    return DataAnswer(status, data)


def installed() -> Vendors:
    """The vendors whose packages are installed beside this one, by their id without case."""
    return {point.name.casefold(): _loaded(point) for point in entry_points(group=GROUP)}


def _loaded(point: EntryPoint) -> Mapping[str, Handler]:
    try:
        return dict(point.load())
    except Exception:
        # Everything else works without it; its data is answered with unknown-message-id.
        log.exception("the data transfer plug-in %s cannot be loaded", point.name)
        return {}
