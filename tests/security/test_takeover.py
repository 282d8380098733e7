"""T2: the newest authenticated connection is the station; what an older one still does or says counts for nothing."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection

from cms.contract.refusals import Unreachable
from cms.domain.orders import Reset
from cms.ocpp import Endpoint, Limits
from cms.ocpp.connection import StationConnection
from tests.ocpp.fakes import Backend, FixedClock
from tests.ocpp.test_endpoint import station


class Careless(Endpoint):
    """An endpoint that takes a station off line whenever any of its connections ends: what one writes first."""

    async def _serve(self, connection: ServerConnection) -> None:
        assert isinstance(connection, StationConnection) and connection.link is not None
        link, key = connection.link, connection.place
        self._gate.leave(connection)
        self._replace(key, connection)
        await self._welcome(link)
        try:
            await connection.wait_closed()
        finally:
            link.lost(connection.why_lost())
            await link.settled()
            if self._connections.pop(key, None) is not None:
                await self._part(link)


async def answering(client: ClientConnection) -> None:
    """A station that accepts whatever it is told."""
    async for text in client:
        message = json.loads(text)
        if message[0] == 2:
            await client.send(json.dumps([3, message[1], {"status": "Accepted"}]))


async def story(kind: type[Endpoint], seed: int) -> list[str]:
    """Connections of one station come and go; what does not hold after a step, and then it is over.

    All come from one address: a station that reboots, again and again.
    """
    chance, backend = random.Random(seed), Backend()
    endpoint = kind(
        "127.0.0.1", 0, backend.admit, backend.hooks_of, FixedClock(), Limits(close_s=1, ping_s=600)
    )
    await endpoint.start()
    async with AsyncExitStack() as undo:
        undo.push_async_callback(endpoint.close, 1001, "the test is over")
        newest: ClientConnection | None = None
        for step in range(12):
            if newest is None or chance.random() < 0.6:
                older, newest = newest, await station(endpoint)
                task = asyncio.create_task(answering(newest))
                undo.callback(task.cancel)
                if older is not None and not await _ended(older):
                    return [f"step {step}: an older connection goes on beside the newest one"]
            elif chance.random() < 0.5:
                newest.transport.abort()  # half open: nobody said goodbye
                newest = None
            await _settle(endpoint, newest)
            if faults := await _faults(endpoint, newest):
                return [f"step {step}: {fault}" for fault in faults]
    return [] if backend.events else ["nobody was told of anything"]


async def _ended(older: ClientConnection) -> bool:
    try:
        async with asyncio.timeout(2):
            await older.wait_closed()
    except TimeoutError:
        return False
    return True


async def _settle(endpoint: Endpoint, newest: ClientConnection | None) -> None:
    """Until the endpoint has heard of what was done; it is never heard of more than a second later."""
    for _ in range(200):
        live = sum(1 for one in endpoint._connections.values() if one.link and one.link.closed is None)
        if live == (newest is not None):
            return
        await asyncio.sleep(0.005)


async def _faults(endpoint: Endpoint, newest: ClientConnection | None) -> list[str]:
    stations: Any = endpoint.of("main")
    online = stations.link("CP-7") is not None
    if online != (newest is not None):
        return [f"online {online}, though its newest connection is {'open' if newest else 'gone'}"]
    if newest is None:
        return []
    try:
        answer = await stations.give("CP-7", Reset("immediate"), 2.0)
    except Unreachable as refused:
        return [f"an order did not reach the newest connection: {refused.message}"]
    return [] if answer.word == "Accepted" else [f"an order was answered {answer.word}"]


@pytest.mark.parametrize("seed", range(4))
async def test_the_newest_connection_is_the_station_whatever_the_older_ones_do(seed: int) -> None:
    assert await story(Endpoint, seed) == []


async def test_the_story_catches_an_endpoint_that_mistakes_an_old_end_for_a_new_one() -> None:
    assert await story(Careless, 0) != []
