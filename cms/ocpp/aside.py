"""Long texts are taken apart beside the loop: no station's words hold up the others.

What a text of this length costs (parse, mask, check, translate: 0.1 to 0.4 ms a KiB) is pure, so a thread may do it.
There is one thread for all of them: two would take the interpreter in turns, and the loop would wait for both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

T = TypeVar("T")

#: Characters. Shorter texts are handled where they are heard: at their worst they take 20 ms, nearly all 0.2 ms.
LONG = 32 * 1024


class Aside(Protocol):
    """Does some work and returns what it returns, or raises what it raises."""

    async def __call__(self, work: Callable[[], T]) -> T: ...


async def at_once(work: Callable[[], T]) -> T:
    """Where it is asked for: on a loop whose time is simulated nothing may happen beside it."""
    return work()


class Beside:
    """In a thread of its own, one after the other."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "long texts")

    async def __call__(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        """What has not begun is not done; nobody waits for it any longer."""
        self._thread.shutdown(wait=False, cancel_futures=True)
