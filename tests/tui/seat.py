"""Somebody sits before the console: presses keys, looks at the screen, waits for what should appear."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot

from tests.tui.fake import NOON, FakeDaemon
from tui.app import CmsApp
from tui.link import Daemon
from tui.widgets.lines import Lines

PATIENCE_S = 10.0


class Seat:
    """A console on a fake daemon, in a terminal of a given size."""

    def __init__(self, app: CmsApp, pilot: Pilot[int], daemon: FakeDaemon) -> None:
        self.app = app
        self.pilot = pilot
        self.daemon = daemon

    @property
    def lines(self) -> list[str]:
        """What the terminal shows, line by line."""
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def said(self) -> str:
        """What the message line says, however many lines it takes."""
        return " ".join(line[0][0].strip() for line in self.app.screen.query_one("#flash", Lines).lines)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        await self.pilot.press(*(_KEYS.get(ch, ch) for ch in text))

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for the thing; show the screen when it does not come."""
        end = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < end, f"this never came; the screen shows:\n{self.text}"
            await self.pilot.pause(0.01)

    async def sees(self, *texts: str) -> None:
        await self.until(lambda: all(text in self.text for text in texts))

    async def loses(self, text: str) -> None:
        await self.until(lambda: text not in self.text)

    async def hears(self, text: str) -> None:
        await self.until(lambda: text in self.said)


_KEYS = {
    " ": "space",
    "~": "tilde",
    "=": "equals_sign",
    "-": "minus",
    ":": "colon",
    "[": "left_square_bracket",
    "@": "at",
    "/": "slash",
}


def console(daemon: Daemon, rest_s: float = 0.0, **more: Any) -> CmsApp:
    app = CmsApp(daemon, now=lambda: NOON, collect_s=0.0, rest_s=rest_s, stock_driver=True, **more)
    app.following.link.retry_s = (0.01,)
    return app


@asynccontextmanager
async def seated(
    daemon: FakeDaemon, size: tuple[int, int] = (80, 24), rest_s: float = 0.0, **more: Any
) -> AsyncIterator[Seat]:
    app = console(daemon, rest_s, **more)
    async with app.run_test(size=size) as pilot:
        seat = Seat(app, pilot, daemon)
        await seat.sees("● live")
        yield seat
