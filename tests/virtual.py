"""A loop whose time jumps to the next timer as soon as nothing is ready: a day passes in seconds.

Sockets are real. Before time may jump, the selector is asked a few more times without waiting, because bytes on
the loopback need a moment of real time, and time stands still while an executor works.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

START = datetime(2026, 3, 2, tzinfo=UTC)
"""A Monday."""
GRACE_S = 30.0
"""Real time without anything ready after which waiting is taken for a deadlock."""


class JumpingSelector(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    """Never waits for a timer: reports the jump instead."""

    def __init__(self, jump: Callable[[float], None], busy: Callable[[], bool], patience: int) -> None:
        super().__init__()
        self._jump = jump
        self._busy = busy
        self._patience = patience

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return super().select(0)
        for _ in range(self._patience):
            if ready := super().select(0):
                return ready
            time.sleep(0)
        if timeout is None:
            return self._await_the_world()
        while self._busy():
            if ready := super().select(0.001):
                return ready
        self._jump(timeout)
        return super().select(0)

    def _await_the_world(self) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(GRACE_S)
        assert ready, "nothing is ready and no timer is set: the simulated world waits for nothing"
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time stands still while an executor works for the world."""

    def __init__(self, patience: int = 3) -> None:
        self._virtual_s = 0.0
        self._working = 0
        super().__init__(JumpingSelector(self._jump, self._is_busy, patience))

    def _jump(self, seconds: float) -> None:
        self._virtual_s += seconds

    def _is_busy(self) -> bool:
        return self._working > 0

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> asyncio.Future[Any]:
        self._working += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._worked)
        return future

    def _worked(self, _: object) -> None:
        self._working -= 1

    def time(self) -> float:
        return self._virtual_s


class VirtualClock:
    """Wall time of the simulated world; a cms.core.Clock."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start

    def now(self) -> datetime:
        return self._start + timedelta(seconds=asyncio.get_running_loop().time())


def play(story: Coroutine[Any, Any, T], loop: VirtualLoop | None = None) -> T:
    """Run a story to its end on virtual time."""
    with asyncio.Runner(loop_factory=lambda: loop or VirtualLoop()) as runner:
        return runner.run(story)
