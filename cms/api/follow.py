"""GET /v1/events: the server-sent event stream, resumed after a cursor without a gap or a repeat.

Subscribe to the bus first, read the record from the cursor until nothing more comes, then the bus, skipping
what the record told already. When the bus drops us for being slow, the same again from the last cursor: the
record is the truth, the bus is only fast.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    ExitStack,
    aclosing,
)
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import msgspec
import structlog
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from cms.api.errors import refused
from cms.contract.events import Event
from cms.contract.refusals import TooMany, Unreachable
from cms.contract.stations import Message
from cms.core import Core, StoreDown

#: Gives the frames of one station of an organisation as they cross its link, for as long as the context lasts.
WatchFrames = Callable[[str, str], AbstractAsyncContextManager["asyncio.Queue[Message]"]]

KEEP_ALIVE_S = 15.0
_PAGE = 500
#: Chunks that wait for a slow reader; beyond that its own subscription waits, and nobody else.
_WAITING = 256

log = structlog.get_logger("cms.api")
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events: of one station, of types like ``session.*`` (commas between several)."""

    station: str | None = None
    type: str | None = None

    def __call__(self, event: Event) -> bool:
        """Whether this event is among them."""
        if self.station is not None and (event.station or "").casefold() != self.station.casefold():
            return False
        return self.type is None or any(fnmatchcase(event.type, kind) for kind in self.type.split(","))


async def events_after(core: Core, cursor: str, wanted: Wanted) -> AsyncGenerator[Event, None]:
    """All wanted events after the cursor, those of the past and those to come, each once, in order."""
    while True:
        subscription = core.bus.subscribe()
        try:
            async for event in _recorded(core, cursor):
                cursor = event.cursor
                if wanted(event):
                    yield event
            async for event in subscription:
                if _position(event.cursor) <= _position(cursor):
                    continue
                cursor = event.cursor
                if wanted(event):
                    yield event
        finally:
            subscription.close()
        if not subscription.overflowed:
            return


async def _recorded(core: Core, cursor: str) -> AsyncGenerator[Event, None]:
    while page := await core.store.events_after(cursor, _PAGE):
        for event in page:
            yield event
        cursor = page[-1].cursor


def _position(cursor: str) -> int:
    """Cursors of one record are ascending whole numbers (store.events)."""
    return int(cursor)


class Following(StreamingResponse):
    """A stream that takes its place before anything is sent: of two at once, one may hear that there is none.

    The place is held as long as the stream; its event says that the reader may no more.
    """

    def __init__(
        self,
        place: AbstractContextManager[asyncio.Event],
        begin: Callable[[asyncio.Event], AsyncGenerator[bytes, None]],
    ) -> None:
        super().__init__((), media_type="text/event-stream", headers={"Cache-Control": "no-store"})
        self._place = place
        self._begin = begin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        with ExitStack() as stack:
            try:
                no_more = stack.enter_context(self._place)
            except TooMany as error:
                await refused(error)(scope, receive, send)
                return
            self.body_iterator = self._begin(no_more)
            await super().__call__(scope, receive, send)


async def stream(
    core: Core,
    cursor: str,
    wanted: Wanted,
    closing: asyncio.Event,
    frames: AbstractAsyncContextManager[asyncio.Queue[Message]] | None = None,
    no_more: asyncio.Event | None = None,
    shown: Callable[[Any], Any] = lambda told: told,
) -> AsyncGenerator[bytes, None]:
    """The stream as bytes, until the reader goes, may no more, or the daemon closes; first the cursor it begins after.

    ``no_more`` says that the reader may no more. ``shown`` is how he sees an event or a frame.
    """
    chunks: asyncio.Queue[bytes | None] = asyncio.Queue(_WAITING)
    yield f"id: {cursor}\n\n".encode()
    async with AsyncExitStack() as stack:
        queue = await stack.enter_async_context(frames) if frames is not None else None
        tasks = [
            asyncio.create_task(_tell_events(core, cursor, wanted, shown, chunks)),
            asyncio.create_task(_end_when(closing, chunks)),
        ]
        if no_more is not None:
            tasks.append(asyncio.create_task(_end_when(no_more, chunks)))
        if queue is not None:
            tasks.append(asyncio.create_task(_tell_frames(queue, shown, chunks)))
        try:
            while (chunk := await _next_or_keep_alive(chunks)) is not None:
                yield chunk
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _next_or_keep_alive(chunks: asyncio.Queue[bytes | None]) -> bytes | None:
    try:
        return await asyncio.wait_for(chunks.get(), KEEP_ALIVE_S)
    except TimeoutError:
        return b": still here\n\n"


async def _tell_events(
    core: Core,
    cursor: str,
    wanted: Wanted,
    shown: Callable[[Any], Any],
    chunks: asyncio.Queue[bytes | None],
) -> None:
    """Feed the events; when they end (or the record is down) the stream ends, and the client comes back."""
    try:
        async with aclosing(events_after(core, cursor, wanted)) as events:
            async for event in events:
                await chunks.put(_chunk(event, shown))
    except (StoreDown, Unreachable):
        pass
    except Exception:
        log.exception("follow.failed")
    await chunks.put(None)


async def _tell_frames(
    frames: asyncio.Queue[Message], shown: Callable[[Any], Any], chunks: asyncio.Queue[bytes | None]
) -> None:
    while True:
        message = await frames.get()
        await chunks.put(b"event: frame\ndata: " + _encode(shown(message)) + b"\n\n")


async def _end_when(closing: asyncio.Event, chunks: asyncio.Queue[bytes | None]) -> None:
    await closing.wait()
    await chunks.put(None)


def _chunk(event: Event, shown: Callable[[Any], Any]) -> bytes:
    return f"id: {event.cursor}\nevent: {event.type}\ndata: ".encode() + _encode(shown(event)) + b"\n\n"
