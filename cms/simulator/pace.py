"""How fast a simulated world lives, and what time it is there."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta


class Pace:
    """World time: ``speed`` world seconds pass in one second of the loop's clock.

    ``start`` is the world's time at the first look; without it the world's calendar is the real one (and only
    waiting is shortened), so that a CSMS elsewhere never meets stations that live in its future.
    """

    def __init__(self, speed: float = 1.0, start: datetime | None = None) -> None:
        if speed <= 0:
            raise ValueError(f"speed must be above 0, not {speed}")
        self.speed = speed
        self._start = start
        self._zero: float | None = None

    def now(self) -> datetime:
        """The present of the world, aware, UTC."""
        if self._start is None:
            return datetime.now(UTC)
        loop_s = asyncio.get_running_loop().time()
        if self._zero is None:
            self._zero = loop_s
        return self._start + timedelta(seconds=(loop_s - self._zero) * self.speed)

    async def sleep(self, world_s: float) -> None:
        await asyncio.sleep(max(0.0, world_s) / self.speed)

    async def wait(self, event: asyncio.Event, world_s: float) -> bool:
        """Wait for the event, at most so long; tell whether it came."""
        try:
            async with asyncio.timeout(max(0.0, world_s) / self.speed):
                await event.wait()
        except TimeoutError:
            return False
        return True


def stamp(at: datetime) -> str:
    """RFC 3339 with milliseconds and ``Z``, as stations send it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
