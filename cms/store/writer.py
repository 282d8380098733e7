"""Group commit: what waits is written in one transaction, and only then is any of it answered.

All state lives on the loop; a pen (sqlite.py, postgresql.py) writes one batch after the other. While one is on
its way to the disk, the next one collects. A batch lingers for no time: only until the loop has handled what it
has already heard, since a commit costs about as much as ten messages.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from cms.contract.events import Event
from cms.core import StoreDown
from cms.domain.changes import Happened
from cms.store.changes import Item
from cms.store.events import numbered

_LARGEST_BATCH = 256
#: How often the loop turns, at most, before a batch is taken: the messages that wait in sockets become commits.
_TURNS = 4

#: What became of an item: the number before that of its first event, or why it was not written.
Outcome = int | Exception


class Poisoned(StoreDown):
    """The disk lied or the file is damaged: nothing may be written until a restart has recovered it."""


class Pen(Protocol):
    """Writes batches durably. A bad item fails alone; ``write`` raises StoreDown when none was written."""

    async def write(self, items: Sequence[Item]) -> list[Outcome]: ...

    async def rest(self) -> None:
        """There is nothing to write for a while: put the house in order."""
        ...

    async def close(self) -> None: ...


@dataclass(slots=True, eq=False)
class _Waiting:
    item: Item
    events: Sequence[Happened]
    written: asyncio.Future[None]


class Writer:
    """The one place that commits. ``on_batch`` is told the size and the seconds of every batch."""

    def __init__(
        self,
        pen: Pen,
        published: Callable[[Sequence[Event]], None],
        *,
        rest_after_s: float,
    ) -> None:
        self.healthy = True
        self.poisoned = False
        self.on_batch: Callable[[int, float], None] | None = None
        self._pen = pen
        self._published = published
        self._rest_after_s = rest_after_s
        self._queue: deque[_Waiting] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._untidy = False
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._run(), name="store writer")

    @property
    def waiting(self) -> int:
        """How many commits wait for their turn."""
        return len(self._queue)

    async def write(self, item: Item, events: Sequence[Happened]) -> None:
        """Return when the item is durable and its events are published."""
        if self.poisoned or self._closing:
            raise StoreDown(
                "the store is closed" if self._closing else "the database failed: restart the daemon"
            )
        written: asyncio.Future[None] = self._loop.create_future()
        self._queue.append(_Waiting(item, events, written))
        self._wake.set()
        await written

    async def close(self) -> None:
        """Write what waits, then let the pen close."""
        if self._closing:
            return
        self._closing = True
        self._wake.set()
        await self._task
        await self._pen.close()

    async def _run(self) -> None:
        while await self._something():
            await self._gather()
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), _LARGEST_BATCH))]
            began = time.perf_counter()
            self._untidy = True
            try:
                outcomes = await self._pen.write([waiting.item for waiting in batch])
            except Exception as error:
                self._fail(batch, error)
                continue
            self._release(batch, outcomes)
            if self.on_batch is not None:
                self.on_batch(len(batch), time.perf_counter() - began)

    async def _something(self) -> bool:
        """Whether there is something to write; waits for it, and lets the pen rest meanwhile."""
        while not self._queue and not self._closing:
            self._wake.clear()
            timer = self._loop.call_later(self._rest_after_s, self._wake.set) if self._untidy else None
            await self._wake.wait()
            if timer is not None:
                timer.cancel()
                await self._rest()
        return bool(self._queue)

    async def _gather(self) -> None:
        """Let the loop turn as long as that brings more."""
        collected = 0
        for _ in range(_TURNS):
            if len(self._queue) == collected or len(self._queue) >= _LARGEST_BATCH:
                return
            collected = len(self._queue)
            await asyncio.sleep(0)

    async def _rest(self) -> None:
        if self._queue or self._closing:
            return
        self._untidy = False
        try:
            await self._pen.rest()
        except Exception as error:
            self._fail([], error)

    def _fail(self, batch: list[_Waiting], error: Exception) -> None:
        """Nothing of the batch was written, or nobody knows: nobody is told otherwise."""
        self.healthy = False
        self.poisoned = self.poisoned or isinstance(error, Poisoned)
        rest = list(self._queue) if self.poisoned else []
        if rest:
            self._queue.clear()
        for waiting in [*batch, *rest]:
            if not waiting.written.done():
                waiting.written.set_exception(_down(error))

    def _release(self, batch: list[_Waiting], outcomes: list[Outcome]) -> None:
        """Tell the world first, then those who waited: who is answered can read his event already."""
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if waiting.item.done is not None and not isinstance(outcome, Exception):
                waiting.item.done()
        events = [
            numbered(happened, seq, waiting.item.organisation)
            for waiting, outcome in zip(batch, outcomes, strict=True)
            if not isinstance(outcome, Exception)
            for seq, happened in enumerate(waiting.events, outcome + 1)
        ]
        if events:
            self._published(events)
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if waiting.written.done():
                continue  # its asker was cancelled; it is written all the same
            if isinstance(outcome, Exception):
                waiting.written.set_exception(outcome)
            else:
                waiting.written.set_result(None)


def _down(error: Exception) -> StoreDown:
    """A StoreDown of his own for each who waits: a raised exception collects tracebacks."""
    down = StoreDown(str(error))
    down.__cause__ = error
    return down
