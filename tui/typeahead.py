"""Keys that come faster than they are answered: each waits until the one before it has had its effect.

Textual hands every key at once to what has the focus, and a key may move the focus. Of ``:stations`` that comes in one
piece (a fast hand, a paste, a line over SSH that gathers) all would go to the rows, where letters are acts.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from textual import events
from textual.dom import DOMNode
from textual.message import Message

if TYPE_CHECKING:
    from tui.app import CmsApp

#: A key whose effect is not seen by then holds nobody up: what it went to may be gone.
PATIENCE_S = 0.25
#: How often the way of a key is gone behind it, at least and at most. What it set going follows it: enter becomes
#: what the line says, that what the entry says, that a place; each is a message that begins after the key.
_ROUNDS, _MOST_ROUNDS = 3, 8


class Landed(Message):
    """Goes the way of a key behind it: what the key did is done when this comes to the console."""

    def __init__(self, key: int, round: int = 1) -> None:
        super().__init__()
        self.key = key
        self.round = round


class Typeahead:
    """Lets one key, or one paste, through at a time; in order, and none is lost."""

    def __init__(self, app: CmsApp, deliver: Callable[[events.Event], Awaitable[None]]) -> None:
        self._app = app
        self._deliver = deliver
        self._waiting: deque[events.Event] = deque()
        self._key = 0
        self._since: float | None = None
        """Since when one is on its way (monotonic); none is."""

    async def take(self, event: events.Event) -> None:
        """Deliver it, or have it wait for its turn."""
        if self._since is not None and time.monotonic() - self._since < PATIENCE_S:
            self._waiting.append(event)
            return
        self._waiting.append(event)
        await self._next()

    async def landed(self, note: Landed) -> None:
        """The key has had its effect, unless something that it set going is still on its way."""
        if note.key != self._key:
            return
        if note.round < _ROUNDS or (note.round < _MOST_ROUNDS and self._is_busy()):
            self._follow(note.round + 1)
            return
        self._since = None
        if self._waiting:
            await self._next()

    async def _next(self) -> None:
        self._key += 1
        self._since = time.monotonic()
        await self._deliver(self._waiting.popleft())
        self._follow(1)
        if self._waiting:
            self._app.set_timer(PATIENCE_S, self._go_on)

    async def _go_on(self) -> None:
        """Nothing came back of the last key: the next one, all the same."""
        if self._waiting and self._since is not None and time.monotonic() - self._since >= PATIENCE_S:
            await self._next()

    def _follow(self, round: int) -> None:
        self._hands[0].post_message(Landed(self._key, round))

    def _is_busy(self) -> bool:
        return any(node.message_queue_size for node in self._hands)

    @property
    def _hands(self) -> list[DOMNode]:
        """Whom a key passes now, from what has the focus up to the console."""
        target = self._app.focused or (self._app.screen if self._app.screen_stack else self._app)
        return target.ancestors_with_self
