"""The bus within one process: whoever listens has a bounded queue; nobody is ever waited for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence

from cms.contract.events import Event


class LocalSubscription:
    """A listener's queue. On overflow it drops everything, says so, and ends."""

    def __init__(self, bus: LocalBus, limit: int, organisation: str | None = None) -> None:
        self.overflowed = False
        self._organisation = organisation
        self._bus = bus
        self._limit = limit
        self._queue: deque[Event] = deque()
        self._ready = asyncio.Event()
        self._open = True

    def push(self, events: Sequence[Event]) -> None:
        if self._organisation is not None:
            events = [event for event in events if event.organisation == self._organisation]
        if len(self._queue) + len(events) > self._limit:
            self.overflowed = True
            self.close()
        else:
            self._queue.extend(events)
        self._ready.set()

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            while self._queue:
                yield self._queue.popleft()
            if not self._open:
                return
            self._ready.clear()
            await self._ready.wait()

    def close(self) -> None:
        """End the subscription; an iteration that waits ends."""
        self._open = False
        if self.overflowed:
            self._queue.clear()
        self._bus.leave(self)
        self._ready.set()


class LocalBus:
    """Hands every published event to every subscription."""

    def __init__(self) -> None:
        self._subscriptions: set[LocalSubscription] = set()

    def publish(self, events: Sequence[Event]) -> None:
        for subscription in tuple(self._subscriptions):
            subscription.push(events)

    def of(self, organisation: str) -> OrganisationBus:
        """The bus as one organisation hears it."""
        return OrganisationBus(self, organisation)

    def subscribe(self, limit: int = 10_000, organisation: str | None = None) -> LocalSubscription:
        """Events of one organisation, or of all."""
        subscription = LocalSubscription(self, limit, organisation)
        self._subscriptions.add(subscription)
        return subscription

    def leave(self, subscription: LocalSubscription) -> None:
        self._subscriptions.discard(subscription)

    @property
    def listeners(self) -> int:
        return len(self._subscriptions)


class OrganisationBus:
    """Tells what was committed in one organisation."""

    def __init__(self, bus: LocalBus, organisation: str) -> None:
        self._bus = bus
        self._organisation = organisation

    def publish(self, events: Sequence[Event]) -> None:
        self._bus.publish(events)

    def subscribe(self, limit: int = 10_000) -> LocalSubscription:
        return self._bus.subscribe(limit, self._organisation)
