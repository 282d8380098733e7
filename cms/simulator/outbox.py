"""A station's queue of transaction messages: kept through outages, delivered in order, given up in the end.

OCPP 1.6 section 3.7.1, OCPP 2.0.1 E04 and E13: a message that gets a CALLERROR or no answer is repeated with
a new message id after a growing wait, and thrown away after its last attempt; a lost link is no attempt.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator

from cms.simulator.language import Queued
from cms.simulator.wire import Payload, Refused, Silence

Call = Callable[[str, Payload], Awaitable[Payload]]
#: After so many vain attempts: how long to wait before the next one; None: give up.
Patience = Callable[[int], float | None]


class Outbox:
    """``replays``: what waited through an outage is sent with its meter values last, as some firmware does."""

    def __init__(
        self, patience: Patience, sleep: Callable[[float], Awaitable[None]], *, replays: bool = False
    ) -> None:
        self._patience = patience
        self._sleep = sleep
        self._replays = replays
        self._queue: deque[Queued] = deque()
        self._more = asyncio.Event()

    def __iter__(self) -> Iterator[Queued]:
        return iter(self._queue)

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, queued: Queued) -> None:
        self._queue.append(queued)
        self._more.set()

    async def deliver(self, call: Call) -> None:
        """Send what waits, for as long as the link lives: LinkLost leaves the rest for the next one."""
        if self._replays:
            self._queue = deque(sorted(self._queue, key=lambda queued: queued.meter))
        while True:
            while self._queue:
                await self._deliver_first(call)
            self._more.clear()
            await self._more.wait()

    async def _deliver_first(self, call: Call) -> None:
        queued = self._queue[0]
        try:
            answer = await call(*queued.build())
        except (Refused, Silence):
            queued.attempts += 1
            wait_s = self._patience(queued.attempts)
            if wait_s is None:
                queued.transaction.lost += 1
                self._queue.popleft()
            else:
                await self._sleep(wait_s)
        else:
            self._queue.popleft()
            queued.settle(answer)
