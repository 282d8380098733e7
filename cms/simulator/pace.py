"""How fast a simulated world lives, and what time it is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime


def real_time() -> datetime:
    return datetime.now(UTC)


class Pace:
    """``speed`` world seconds pass in one second of the loop's clock; ``now`` tells the world's time, UTC.

    With the real time as ``now`` a fast world only waits less, and a CSMS elsewhere never meets stations that
    live in its future; with a scaled clock the CSMS must live by the same one.
    """

    def __init__(self, speed: float = 1.0, now: Callable[[], datetime] = real_time) -> None:
        if speed <= 0:
            raise ValueError(f"speed must be above 0, not {speed:g}")
        self.speed = speed
        self.now = now

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


def moment(written: str) -> datetime:
    """The time that was sent, UTC; one without a zone is taken for UTC. ValueError when it is none."""
    at = datetime.fromisoformat(written)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
