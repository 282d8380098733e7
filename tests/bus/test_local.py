from __future__ import annotations

import asyncio

from cms.bus.local import LocalBus
from cms.contract.events import Event
from tests.domain.build import NOON


def event(number: int) -> Event:
    return Event(str(number), NOON, "session.metered")


async def test_every_listener_hears_every_event_in_order() -> None:
    bus = LocalBus()
    one, two = bus.subscribe(), bus.subscribe()
    bus.publish([event(1), event(2)])
    one.close()
    two.close()
    assert [e.cursor async for e in one] == [e.cursor async for e in two] == ["1", "2"]


async def test_a_listener_that_does_not_keep_up_is_dropped_and_nobody_waits_for_it() -> None:
    bus = LocalBus()
    slow = bus.subscribe(limit=2)
    bus.publish([event(1), event(2)])
    bus.publish([event(3)])
    assert slow.overflowed and [e async for e in slow] == []
    assert bus.listeners == 0


async def test_a_listener_that_waits_is_woken() -> None:
    bus = LocalBus()
    subscription = bus.subscribe()
    waiting = asyncio.ensure_future(anext(aiter(subscription)))
    await asyncio.sleep(0)
    bus.publish([event(7)])
    assert (await waiting).cursor == "7"
