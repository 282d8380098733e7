"""The loop whose time jumps."""

from __future__ import annotations

import asyncio
import time

from tests.virtual import START, VirtualClock, play


def test_a_day_of_waiting_takes_no_time() -> None:
    async def story() -> float:
        await asyncio.sleep(86_400)
        return asyncio.get_running_loop().time()

    began = time.monotonic()
    assert play(story()) == 86_400
    assert time.monotonic() - began < 60


def test_timers_fire_in_their_order_and_the_clock_goes_with_them() -> None:
    async def story() -> list[float]:
        clock, seen = VirtualClock(), []

        async def look(after_s: float) -> None:
            await asyncio.sleep(after_s)
            seen.append((clock.now() - START).total_seconds())

        await asyncio.gather(*(look(seconds) for seconds in (30, 10, 20)))
        return seen

    assert play(story()) == [10, 20, 30]


def test_time_stands_still_while_a_thread_works() -> None:
    async def story() -> tuple[int, float]:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(5):
            total = await loop.run_in_executor(None, lambda: sum(range(3_000_000)))
        return total, loop.time()

    total, passed_s = play(story())
    assert total > 0
    assert passed_s == 0


def test_bytes_on_the_loopback_arrive_before_time_passes() -> None:
    async def story() -> float:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readline())
            writer.close()

        async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
            for _ in range(50):
                reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
                writer.write(b"hello\n")
                async with asyncio.timeout(0.01):
                    assert await reader.readline() == b"hello\n"
                writer.close()
        return asyncio.get_running_loop().time()

    assert play(story()) == 0
