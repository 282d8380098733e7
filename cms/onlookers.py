"""Who looks at the frames of stations now: ``cms stations messages --follow``, a station's page in the console."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator

from cms.contract.stations import Message

_KEPT = 1_000
#: Whoever looks at all stations.
ALL = "*"


class Onlookers:
    """By station; a slow one misses frames rather than slowing the station."""

    def __init__(self) -> None:
        self._queues: defaultdict[str, set[asyncio.Queue[Message]]] = defaultdict(set)

    def watch(self, station: str) -> bool:
        """Whether anybody looks at this station now."""
        return station in self._queues or ALL in self._queues

    def show(self, station: str, message: Message) -> None:
        for queue in (*self._queues.get(station, ()), *self._queues.get(ALL, ())):
            with contextlib.suppress(asyncio.QueueFull):  # frames are a look, not a record
                queue.put_nowait(message)

    @contextlib.asynccontextmanager
    async def frames(self, station: str) -> AsyncIterator[asyncio.Queue[Message]]:
        """The frames of one station, or of all, as they cross the link."""
        queue: asyncio.Queue[Message] = asyncio.Queue(_KEPT)
        self._queues[station].add(queue)
        try:
            yield queue
        finally:
            self._queues[station].discard(queue)
            if not self._queues[station]:
                del self._queues[station]
