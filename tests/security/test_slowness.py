"""T7: many sockets that say little, or nothing, or read nothing: good stations are served all the while."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack

from tests.ocpp.fakes import Backend
from tests.ocpp.test_endpoint import ALIVE, ask, listening, station

_HEAD = b"GET /ocpp/CP-7 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


async def idle(port: int, address: str, says: bytes = b"") -> asyncio.StreamWriter:
    _, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
    writer.write(says)
    return writer


async def test_slow_and_silent_sockets_keep_no_station_out_and_are_gone_in_time() -> None:
    before = open_files()
    async with listening(Backend(), handshakes=128, handshake_s=1.0) as endpoint, AsyncExitStack() as undo:
        assert endpoint.port is not None
        for number in range(200):
            says = (b"", _HEAD, _HEAD[:7])[number % 3]
            writer = await idle(endpoint.port, f"127.0.{number % 3}.9", says)
            undo.callback(writer.close)
        silent = await station(endpoint, "CP-9", local_addr=("127.0.9.1", 0))
        undo.callback(silent.transport.abort)
        silent.transport.pause_reading()
        for number in range(20):
            async with station(endpoint, f"GOOD-{number}", local_addr=("127.0.7.1", 0)) as client:
                assert await ask(client) == ALIVE
        assert len(endpoint._gate) <= 128
        async with asyncio.timeout(10):
            while len(endpoint._gate):  # the deadline of a handshake
                await asyncio.sleep(0.05)
    async with asyncio.timeout(10):
        while open_files() > before + 2:
            await asyncio.sleep(0.05)


async def test_a_place_at_the_door_is_found_though_one_network_took_them_all() -> None:
    async with listening(Backend(), handshakes=32, handshake_s=60) as endpoint, AsyncExitStack() as undo:
        assert endpoint.port is not None
        for _ in range(64):
            undo.callback((await idle(endpoint.port, "127.0.66.6")).close)
        for number in range(8):
            async with station(endpoint, f"GOOD-{number}", local_addr=("127.0.7.1", 0)) as client:
                assert await ask(client) == ALIVE
