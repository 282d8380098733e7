"""Long calculations are done beside the loop: no station's words hold up the others.

To parse, mask, check and translate a text takes 0.1 to 0.4 ms a KiB, to price a reading 0.1 ms. All of that is pure,
so a thread may do it. There is one for all: two would take the interpreter in turns, and the loop wait for both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

T = TypeVar("T")

#: Characters. Shorter texts are handled where they are heard: at their worst they take 20 ms, nearly all 0.2 ms.
LONG = 32 * 1024
#: Readings. Fewer are priced at once: at their worst they take 20 ms, nearly always there is one.
MANY = 200


class Aside(Protocol):
    """Does some work and returns what it returns, or raises what it raises."""

    async def __call__(self, work: Callable[[], T]) -> T: ...


async def at_once(work: Callable[[], T]) -> T:
    """Where it is asked for: on a loop whose time is simulated nothing may happen beside it."""
    return work()


class Beside:
    """In a thread of its own, one after the other."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "aside")

    async def __call__(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        """What has not begun is not done; nobody waits for it any longer."""
        self._thread.shutdown(wait=False, cancel_futures=True)
