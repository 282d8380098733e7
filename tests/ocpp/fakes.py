"""Small real stand-ins: a clock one sets, a wire that keeps what was written, a backend that remembers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cms.aside import Aside, at_once
from cms.contract.stations import Message
from cms.domain.observations import (
    Alive,
    AliveAnswer,
    Answer,
    BootAnswer,
    Booted,
    DataAnswer,
    DataTransferred,
    Noted,
    Received,
    TokenAnswer,
    TokenPresented,
    TransactionAnswer,
    TransactionPhase,
    TransactionReported,
)
from cms.ocpp.dialect import V16, Dialect
from cms.ocpp.door import Admitted, Knock, Turned
from cms.ocpp.link import Link
from cms.ocpp.ports import Hooks, Limits

NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@dataclass
class FixedClock:
    at: datetime = NOON

    def now(self) -> datetime:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Backend:
    """What the daemon is to the border. ``answering`` may be replaced; ``gate`` holds answers back."""

    received: list[Received] = field(default_factory=list)
    events: list[tuple[str, ...]] = field(default_factory=list)
    counts: list[tuple[str, str, str]] = field(default_factory=list)
    frames: list[Message] = field(default_factory=list)
    knocks: list[Knock] = field(default_factory=list)
    contests: list[tuple[str, str, str]] = field(default_factory=list)
    gate: asyncio.Event | None = None
    failing: BaseException | None = None
    unwelcome: BaseException | None = None
    admitting: Callable[[Knock], Admitted | Turned] = lambda knock: Admitted(knock.identity)
    answering: Callable[[Received], Answer] | None = None
    aside: Aside = at_once
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def hooks(self) -> Hooks:
        return Hooks(
            connected=self.connected,
            disconnected=self.disconnected,
            observe=self.observe,
            frame=lambda station, message: self.frames.append(message),
            count=lambda *row: self.counts.append(row),
            contested=self.contested,
            aside=self.aside,
        )

    async def contested(self, station: str, served: str, kept_out: str) -> None:
        self.contests.append((station, served, kept_out))

    def hooks_of(self, organisation: str) -> Hooks:
        return self.hooks()

    async def admit(self, knock: Knock) -> Admitted | Turned:
        self.knocks.append(knock)
        return self.admitting(knock)

    async def connected(self, station: str, version: str, address: str) -> None:
        if self.unwelcome is not None:
            raise self.unwelcome
        await self._happened("connected", station, version, address)

    async def disconnected(self, station: str, reason: str) -> None:
        await self._happened("disconnected", station, reason)

    async def _happened(self, *event: str) -> None:
        async with self.changed:
            self.events.append(event)
            self.changed.notify_all()

    async def until(self, *event: str) -> None:
        """Wait until an event that begins with these words has happened."""
        async with asyncio.timeout(5), self.changed:
            await self.changed.wait_for(lambda: any(seen[: len(event)] == event for seen in self.events))

    async def observe(self, station: str, received: Received) -> Answer:
        self.received.append(received)
        if self.gate is not None:
            await self.gate.wait()
        if self.failing is not None:
            raise self.failing
        return (self.answering or default_answer)(received)


def default_answer(received: Received) -> Answer:
    match received.observation:
        case Booted():
            return BootAnswer("accepted", NOON, 300)
        case Alive():
            return AliveAnswer(NOON)
        case TokenPresented():
            return TokenAnswer("accepted", "GRP1", NOON)
        case TransactionReported(phase=phase, token=token):
            said = None if token is None else TokenAnswer("accepted", "GRP1")
            return TransactionAnswer("17" if phase is TransactionPhase.STARTED else None, said)
        case DataTransferred():
            return DataAnswer("unknown-vendor-id")
    return Noted()


@dataclass
class FakeWire:
    """Keeps what was written, as parsed frames."""

    sent: list[Any] = field(default_factory=list)
    shut_with: tuple[int, str] | None = None
    paused: bool = False

    def write(self, data: bytes) -> None:
        self.sent.append(json.loads(data))

    def shut(self, code: int, reason: str) -> None:
        self.shut_with = (code, reason)

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    async def drained(self) -> None:
        return


@dataclass
class Conversation:
    """A link with a wire that a test reads and a backend that it sets."""

    link: Link
    wire: FakeWire
    backend: Backend
    clock: FixedClock

    async def hear(self, *frames: Any) -> list[Any]:
        """Let the station say these, and return everything that was said to it meanwhile."""
        begin = len(self.wire.sent)
        for frame in frames:
            self.link.hear(frame if isinstance(frame, str) else json.dumps(frame))
        await self.link.settled()
        return self.wire.sent[begin:]

    async def until_sent(self, count: int) -> Any:
        """Wait until this many frames were written; the last of them."""
        async with asyncio.timeout(5):
            while len(self.wire.sent) < count:
                await asyncio.sleep(0)
        return self.wire.sent[count - 1]


def converse(
    dialect: Dialect = V16, limits: Limits | None = None, station: str = "CP-7", aside: Aside = at_once
) -> Conversation:
    wire, backend, clock = FakeWire(), Backend(aside=aside), FixedClock()
    link = Link(station, dialect, "10.0.0.7", wire, backend.hooks(), limits or Limits(), clock)
    link.open()
    return Conversation(link, wire, backend, clock)
