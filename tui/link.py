"""The conversation with the daemon: a snapshot, then events, folded into the mirror in the order they come.

One coroutine reads and folds, so that a view that was read again can never undo a later event. Whoever
listens is told which ids changed; nothing here knows a widget.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol, cast

from cms.client import Back, Followed, Lost
from cms.contract.alerts import AlertView, ListAlerts
from cms.contract.events import Event, ListEvents
from cms.contract.intents import ListIntents
from cms.contract.refusals import Denied, Invalid, NotFound, Refusal
from cms.contract.sessions import ListSessions
from cms.contract.stations import ListStations, ListUnknownStations
from cms.contract.status import ShowStatus
from cms.contract.tokens import ListTokens
from tui.mirror import Mirror, Ref, Wanted

#: How many views are read one by one before reading everything anew is cheaper.
REREAD_LIMIT = 50
RETRY_S = (0.5, 1.0, 2.0, 5.0)
PAST_SESSIONS = 300
#: Events of the record that the lists begin with, and meter values that power over time begins with.
EVENTS = 1000
METERED = 1000


class Daemon(Protocol):
    """What the console needs of the daemon; cms.client.AsyncClient is one."""

    async def ask(self, request: Any) -> Any: ...

    async def ask_with_cursor(self, request: Any) -> tuple[Any, str | None]: ...

    def follow(
        self, after: str | None = None, *, frames: str | None = None, station: str | None = None
    ) -> AsyncIterator[Followed]: ...


@dataclass(frozen=True, slots=True)
class LinkState:
    """``live`` false: the picture is old; ``reason`` says why in one sentence."""

    live: bool
    reason: str = ""


Heard = Callable[[set[Ref]], None]
Turned = Callable[[LinkState], None]


class Link:
    """Keeps a mirror true. ``heard`` gets the ids that changed, ``turned`` the state of the link."""

    def __init__(self, daemon: Daemon, mirror: Mirror, heard: Heard, turned: Turned) -> None:
        self.daemon = daemon
        self.mirror = mirror
        self._heard = heard
        self._turned = turned
        self.retry_s = RETRY_S
        self.heard_last: str | None = None
        """The cursor of the last event: what follows it is still to come, however often the link breaks."""

    async def run(self) -> None:
        """Read and follow for ever; what fails is said and tried again."""
        attempt = 0
        while True:
            try:
                cursor = await self.snapshot()
                attempt = 0
                self._turned(LinkState(True))
                await self._follow(self.heard_last or cursor)
                reason = "the daemon ended the stream"
            except Refusal as refusal:
                reason = refusal.message
                if isinstance(refusal, Invalid):
                    self.heard_last = None  # a record that does not know our cursor: another database
            self._turned(LinkState(False, reason))
            await asyncio.sleep(self.retry_s[min(attempt, len(self.retry_s) - 1)])
            attempt += 1

    async def snapshot(self) -> str | None:
        """Read everything; answers the cursor from which events must be followed: that of the first list."""
        ask = self.daemon.ask
        stations, cursor = await self.daemon.ask_with_cursor(ListStations())
        running = await ask(ListSessions(active=True, limit=100_000))
        past = await ask(ListSessions(active=False, limit=PAST_SESSIONS))
        changed = self.mirror.load(
            stations,
            sessions=[*past, *running],
            tokens=await ask(ListTokens()),
            intents=await ask(ListIntents()),
            strangers=await ask(ListUnknownStations()),
            alerts=await self._alerts(),
            events=await ask(ListEvents(limit=EVENTS)),
            metered=await ask(ListEvents(type="session.metered", limit=METERED)),
            status=await ask(ShowStatus()),
        )
        self._heard(changed)
        return cursor

    async def _alerts(self) -> list[AlertView]:
        """What needs a person; nothing where we may not know, or where the daemon is older than alerts."""
        try:
            alerts: list[AlertView] = await self.daemon.ask(ListAlerts())
        except (Denied, NotFound):
            return []
        return alerts

    async def _follow(self, cursor: str | None) -> None:
        async with aclosing(cast("Any", self.daemon.follow(cursor))) as stream:
            async for item in stream:
                await self._take(item)

    async def _take(self, item: Followed) -> None:
        match item:
            case Event():
                changed = self.mirror.apply(item)
                self.heard_last = item.cursor
                if self.mirror.stale:
                    await self.snapshot()
                elif self.mirror.wanted:
                    changed |= await self._reread()
                self._heard(changed)
            case Lost(reason=reason):
                self._turned(LinkState(False, reason))
            case Back():
                # Presence is the live socket of a daemon that may be another one by now.
                await self.snapshot()
                self._turned(LinkState(True))

    async def _reread(self) -> set[Ref]:
        wanted, self.mirror.wanted = self.mirror.wanted, set()
        if len(wanted) > REREAD_LIMIT:
            await self.snapshot()
            return set()
        changed: set[Ref] = set()
        for request in sorted(wanted, key=repr):
            changed |= await self._read(request)
        return changed

    async def _read(self, request: Wanted) -> set[Ref]:
        try:
            return self.mirror.put(await self.daemon.ask(request))
        except (NotFound, Denied):
            return self.mirror.gone(request)
