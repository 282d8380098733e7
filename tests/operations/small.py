"""A core of small real parts: SQLite in a folder, a clock one sets, stations that answer as they are told."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cms.bus.local import LocalBus
from cms.clock import RandomMint
from cms.contract.refusals import Refusal, Unreachable
from cms.contract.stations import Message
from cms.core import Actor, Core, Lane, LinkInfo
from cms.domain.handshakes import Attempt
from cms.domain.observations import Observation, Received
from cms.domain.orders import Order, OrderAnswer
from cms.operations import openingbalances
from cms.operations.deciding import index
from cms.operations.intents import Agenda, recover
from cms.operations.observe import observe
from cms.pki import Trust, TrustSources
from cms.store.engine import open_store
from tests.domain.build import NOON

ANA = Actor("ana", "admin", frozenset())


class SetClock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        return self.time

    def pass_(self, **span: float) -> None:
        self.time += timedelta(**span)


class ToldStations:
    """Stations that are online when put there, and answer what a test says."""

    def __init__(self, clock: SetClock) -> None:
        self.links: dict[str, LinkInfo] = {}
        self.given: list[tuple[str, Order]] = []
        self.patience_s: list[float] = []
        self.closed: list[tuple[str, int]] = []
        self.answer: OrderAnswer | Refusal = OrderAnswer("accepted", "Accepted", {"status": "Accepted"})
        self.before_answer: Callable[[], Coroutine[Any, Any, None]] | None = None
        self.forgotten: tuple[str, ...] = ()
        self.failed: list[Attempt] = []
        self._clock = clock

    def connect(self, station: str, version: str = "1.6") -> None:
        self.links[station] = LinkInfo(version, "127.0.0.1", self._clock.now(), self._clock.now())

    def link(self, station_id: str) -> LinkInfo | None:
        return self.links.get(station_id)

    def online(self) -> int:
        return len(self.links)

    async def give(self, station_id: str, order: Order, timeout_s: float) -> OrderAnswer:
        if station_id not in self.links:
            raise Unreachable(f"{station_id} is offline")
        self.given.append((station_id, order))
        self.patience_s.append(timeout_s)
        if self.before_answer is not None:
            await self.before_answer()
        if isinstance(self.answer, Refusal):
            raise self.answer
        return self.answer

    def messages(self, station_id: str) -> list[Message]:
        return []

    def forget(self, words: Sequence[str]) -> None:
        self.forgotten = tuple(words)

    def attempts(self) -> list[Attempt]:
        return list(self.failed)

    def disconnect(self, station_id: str, code: int, reason: str) -> None:
        self.closed.append((station_id, code))
        self.links.pop(station_id, None)


class Small:
    """The core and what stands around it; ``restart`` opens the same record anew."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = SetClock()
        self.stations = ToldStations(self.clock)
        self.tasks: list[asyncio.Task[None]] = []
        self.core: Core

    async def open(self) -> Small:
        bus = LocalBus()
        url = f"sqlite+aiosqlite:///{self.folder / 'cms.db'}"
        store = await open_store(url, self.clock, bus.publish, threaded=False)
        self.agenda = Agenda()
        self.core = Core(
            store=store,
            stations=self.stations,
            bus=bus,
            clock=self.clock,
            mint=RandomMint(random.Random(7)),
            secret=b"k" * 32,
            trust=Trust(TrustSources(self.folder / "pki")),
            spawn=self._spawn,
            wake=self.agenda.add,
        )
        picture = await store.load()
        self.core.lanes = {state.station.id.casefold(): Lane(state) for state in picture.states}
        self.core.tokens = {token.id.casefold(): token for token in picture.tokens}
        self.core.kept = picture.kept
        for lane in self.core.lanes.values():
            for session in lane.state.sessions.values():
                index(self.core, session)
        await recover(self.core)
        await openingbalances.recover(self.core)
        return self

    async def close(self) -> None:
        await self.settled()
        await self.core.store.close()

    async def restart(self) -> None:
        await self.close()
        await self.open()

    async def settled(self) -> None:
        """Until everything that was spawned has ended."""
        while self.tasks:
            await self.tasks.pop()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(work))

    async def hear(self, station: str, said: Observation, version: str = "1.6", action: str = "") -> Any:
        """What the station is answered."""
        received = Received(said, self.clock.now(), version, action or type(said).__name__, "[raw]")
        answer = await observe(self.core, station, received)
        await self.settled()
        return answer
