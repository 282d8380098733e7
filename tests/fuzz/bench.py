"""A station's conversation with everything real behind it: link, dialects, decisions, record (on a fast disk)."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import tempfile
import time
import types
import typing
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from cms.aside import LONG, Beside
from cms.contract.refusals import Refusal, Unreachable
from cms.contract.stations import AddStation, Message
from cms.contract.tariffs import AddTariff, Component, Price, Tariff, UseTariff, When
from cms.contract.tokens import AddToken
from cms.domain.orderbook import ORDERS
from cms.domain.orders import CallAction, Order, OrderAnswer
from cms.ocpp.dialect import DIALECTS, Dialect
from cms.ocpp.door import Admitted
from cms.ocpp.frames import Call, read
from cms.ocpp.link import Link
from cms.ocpp.ports import Hooks, Limits
from cms.ocpp.schemas import STRICT
from cms.operations import stations, tariffs, tokens
from cms.operations.admission import connected, disconnected
from cms.operations.observe import observe
from tests.fuzz.seeds import Choices, actions, likely, one_of, request
from tests.fuzz.texts import SENT, text
from tests.operations.small import ANA, Small

BY_VERSION = {dialect.version: dialect for dialect in DIALECTS.values()}
T = TypeVar("T")
TOO_LONG_S = 0.05
#: A new station after so many messages: what one has told so far must not slow the others down.
_MESSAGES_PER_STATION = 500
_STATIONS_PER_RECORD = 200


#: What is charged is priced by time of day and power: to count that is the most work a reading can be.
_BY_DAY = Component(
    (Price(Decimal("0.7"), When(from_time="10:00", to_time="18:00", min_power_w=Decimal(100))),)
)
_PRICED = Tariff("usual", "EUR", energy=_BY_DAY, charging_time=_BY_DAY, idle_time=_BY_DAY)


class Wrong(AssertionError):
    """What must not happen did; the message has the text that made it."""


class Wire:
    """Keeps what was written since it was last asked."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.shut_with: tuple[int, str] | None = None

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def shut(self, code: int, reason: str) -> None:
        self.shut_with = (code, reason)

    def pause(self) -> None:
        """The bench goes on all the same: reading less is the endpoint's promise."""

    def resume(self) -> None: ...

    async def drained(self) -> None: ...


class Errors(logging.Handler):
    """Every exception that was logged: none may be."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []

    def emit(self, entry: logging.LogRecord) -> None:
        self.seen.append(logging.Formatter().format(entry))


@dataclass
class Figures:
    """What became of the inputs, what they cost, and how long each held the loop (CPU seconds)."""

    inputs: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    slowest_s: float = 0.0
    slowest: str = ""
    spent_s: float = 0.0
    over: int = 0

    def add(self, outcome: str, spent: Spent, said: str) -> None:
        self.inputs += 1
        self.spent_s += spent.all_s
        self.over += spent.held_s > TOO_LONG_S
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        if spent.held_s > self.slowest_s:
            self.slowest_s, self.slowest = spent.held_s, said

    def __str__(self) -> str:
        shares = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.outcomes.items()))
        mean_us = self.spent_s / max(self.inputs, 1) * 1e6
        return (
            f"{self.inputs} inputs: {shares}; {mean_us:.0f} us each on the mean,"
            f" the loop held for {self.slowest_s * 1e3:.1f} ms by the worst, {self.over} over {TOO_LONG_S * 1e3:.0f} ms"
        )


@dataclass
class Spent:
    """CPU seconds: in all, and between two turns of the loop, whichever thread they went to.

    A short text is heard within a few turns: what it costs in all is taken for one.
    """

    all_s: float = 0.0
    held_s: float = 0.0


@contextlib.asynccontextmanager
async def spending(said: str) -> AsyncIterator[Spent]:
    spent = Spent()
    turning = asyncio.create_task(_turn(spent)) if len(said) > LONG else None
    before_s = time.process_time()
    try:
        yield spent
    finally:
        spent.all_s = time.process_time() - before_s
        if turning is None:
            spent.held_s = spent.all_s
        else:
            turning.cancel()
            await asyncio.wait([turning])


async def _turn(spent: Spent) -> None:
    before_s = time.process_time()
    while True:
        await asyncio.sleep(0)
        now_s = time.process_time()
        spent.held_s = max(spent.held_s, now_s - before_s)
        before_s = now_s


@dataclass(frozen=True)
class Giving:
    """An order on its way: its message id, its action, and who waits for its answer."""

    id: str
    action: str
    task: asyncio.Task[OrderAnswer]


class Bench:
    """Says texts to a link, one at a time, and checks what comes of each."""

    def __init__(self, long_one_in: int = 0) -> None:
        self.figures = Figures()
        self._long_one_in = long_one_in
        self._errors = Errors()
        self._counts = 0
        self._number = 0
        self._said = 0
        self._links: dict[str, tuple[Link, Wire]] = {}
        self._giving: dict[str, Giving] = {}
        self._beside = Beside()
        self._aside = 0
        """How many long texts are being taken apart."""
        self.last = ("1.6", "")
        """The version and the text that were said last."""

    async def open(self) -> Bench:
        logging.getLogger("cms").addHandler(self._errors)
        await self._new_record()
        return self

    async def close(self) -> None:
        logging.getLogger("cms").removeHandler(self._errors)
        await self._end_record()
        self._beside.close()

    async def _new_record(self) -> None:
        fast = Path("/dev/shm")
        self._folder = tempfile.TemporaryDirectory(dir=fast if fast.is_dir() else None)
        self._small = await Small(Path(self._folder.name)).open()
        self._small.core.aside = self._do_aside
        self._small.stations.answer = Unreachable("the bench gives orders itself")
        await tokens.add(self._small.core, AddToken("CARD1", group="GRP1"), ANA)
        await tariffs.add(self._small.core, AddTariff(_PRICED), ANA)
        await tariffs.use(self._small.core, UseTariff(_PRICED.id), ANA)

    async def _end_record(self) -> None:
        for version in list(self._links):
            await self._leave(version)
        await self._small.close()
        self._folder.cleanup()

    def _hooks(self) -> Hooks:
        core = self._small.core

        async def admit(_: Any) -> Admitted:
            raise AssertionError("nobody knocks here")

        return Hooks(
            connected=lambda station, version, address: connected(core, station, version, address),
            disconnected=lambda station, reason: disconnected(core, station, reason),
            observe=lambda station, received: observe(core, station, received),
            frame=self._frame,
            count=self._count,
            aside=self._do_aside,
        )

    async def _do_aside(self, work: Callable[[], T]) -> T:
        self._aside += 1
        try:
            return await self._beside(work)
        finally:
            self._aside -= 1

    def _frame(self, station: str, message: Message) -> None:
        """As when somebody watches: masking and unwrapping must stand every text too."""
        msgspec.json.encode(message)

    def _count(self, *_: str) -> None:
        self._counts += 1

    async def _talk(self, version: str) -> tuple[Link, Wire]:
        if version not in self._links:
            self._number += 1
            if self._number % _STATIONS_PER_RECORD == 0:
                await self._end_record()
                await self._new_record()
            name = f"F{self._number}"
            await stations.add(self._small.core, AddStation(name), ANA)
            wire = Wire()
            link = Link(
                name, BY_VERSION[version], "127.0.0.1", wire, self._hooks(), Limits(), self._small.clock
            )
            self._links[version] = link, wire
            self._small.stations.links[name] = link.info
            await connected(self._small.core, name, version, "127.0.0.1")
            link.open()
        return self._links[version]

    async def _leave(self, version: str) -> None:
        link, _ = self._links.pop(version)
        link.lost("the end")
        await link.settled()
        giving = self._giving.pop(version, None)
        if giving is not None:
            await _ended(giving, "the end")
        self._small.stations.links.pop(link.station, None)
        await disconnected(self._small.core, link.station, "the end")
        await self._small.settled()

    # One input

    async def try_one(self, choices: Choices) -> str:
        """Make one text, say it, check what comes of it; what became of it in a word."""
        version = one_of(choices, tuple(BY_VERSION))
        link, wire = await self._talk(version)
        if version not in self._giving and likely(choices, 4):
            await self._give(choices, version, link, wire)
        giving = self._giving.get(version)
        answers = (giving.id, giving.action) if giving else (None, "Reset")
        told = list(link.dialect.incoming)
        said = text(choices, version, told, *answers, long_one_in=self._long_one_in)
        return await self.say(version, said)

    async def try_afresh(self, choices: Choices) -> None:
        """A few texts to stations that have said nothing yet: what comes of them depends on the choices alone."""
        for version in list(self._links):
            await self._leave(version)
        for _ in range(1 + choices.randrange(4)):
            await self.try_one(choices)

    async def say(self, version: str, said: str) -> str:
        """Say this text; raises Wrong where an exception was logged, or nothing came of it."""
        link, wire = await self._talk(version)
        self.last = version, said
        counted, begin = self._counts, len(self._errors.seen)
        wire.sent.clear()
        async with spending(said) as spent:
            link.hear(said)
            await link.settled()
            await self._breathe()
            await self._small.settled()
        ordered = await self._settled(version, said)
        if self._errors.seen[begin:]:
            raise Wrong(f"{version}: {said!r}\n{self._errors.seen[-1]}")
        if ordered:
            outcome = "answers to orders"
        else:
            outcome = self._outcome(link.dialect, wire, said, self._counts > counted)
        self.figures.add(outcome, spent, said)
        self._said += 1
        if link.closed is not None or self._said % _MESSAGES_PER_STATION == 0:
            await self._leave(version)
        return outcome

    async def slow_again(self, version: str, said: str) -> bool:
        """Whether this text is slow of itself: three times, each with a new station."""
        over = self.figures.over
        for _ in range(3):
            if version in self._links:
                await self._leave(version)
            await self.say(version, said)
        return self.figures.over - over == 3

    def _outcome(self, dialect: Dialect, wire: Wire, said: str, counted: bool) -> str:
        frames = [msgspec.json.decode(data) for data in wire.sent]
        answers = [frame for frame in frames if frame[0] in (3, 4)]
        if len(answers) > 1:
            raise Wrong(f"{dialect.version}: {len(answers)} answers to {said!r}: {answers}")
        for frame in answers:
            _check(dialect, frame, said)
            return "replies" if frame[0] == 3 else "errors"
        if wire.shut_with is not None:
            if wire.shut_with[0] == 1013:
                raise Wrong(f"{dialect.version}: the record could not take {said!r}")
            return f"closed with {wire.shut_with[0]}"
        if not counted:
            raise Wrong(f"{dialect.version}: nothing came of {said!r}")
        return "dropped, counted"

    # Orders

    async def _give(self, choices: Choices, version: str, link: Link, wire: Wire) -> None:
        """Have an order outstanding, so that answers are read too."""
        wire.sent.clear()
        task = asyncio.get_running_loop().create_task(link.give(any_order(choices, version), 3600.0))
        await self._breathe()
        if task.done():  # this version cannot say it, or these values are none: no station has spoken yet
            task.exception()
            return
        self._giving[version] = _of_calls(wire, task)

    async def _breathe(self) -> None:
        """Let an order's task take its next steps; they wait for nothing but the station, and long answers."""
        steps = 5
        while steps:
            await asyncio.sleep(0)
            steps = 5 if self._aside else steps - 1

    async def _settled(self, version: str, said: str) -> bool:
        """Whether the text answered the order that is on its way; an order of several CALLs goes on."""
        giving = self._giving.get(version)
        if giving is None:
            return False
        link, wire = self._links[version]
        if giving.task.done():
            del self._giving[version]
            await _ended(giving, said)
            return link.closed is None
        if not _calls(wire):
            return False
        self._giving[version] = _of_calls(wire, giving.task)
        return True


def _calls(wire: Wire) -> list[Any]:
    return [frame for data in wire.sent if (frame := msgspec.json.decode(data))[0] == 2]


def _of_calls(wire: Wire, task: asyncio.Task[OrderAnswer]) -> Giving:
    _, message_id, action, _ = _calls(wire)[-1]
    return Giving(message_id, action, task)


async def _ended(giving: Giving, said: str) -> None:
    """An order ends with an answer or a refusal, whatever the station said."""
    try:
        await giving.task
    except Refusal:
        return
    except Exception as error:
        raise Wrong(f"{giving.action} ended with {error!r} after {said!r}") from error


def _check(dialect: Dialect, frame: list[Any], said: str) -> None:
    """What we answer is as the version says."""
    if frame[0] == 4:
        _, _, code, words, details = frame
        if code not in dialect.codes.values() or len(words) > 255 or details != {}:
            raise Wrong(f"{dialect.version}: {frame} is no error of this version, answering {said!r}")
        if code == "InternalError":
            raise Wrong(f"{dialect.version}: an error of ours, answering {said!r}")
        return
    try:
        asked = read(said)
        assert isinstance(asked, Call)
        if asked.action in SENT and frame[2] == {}:
            return  # to ask for what needs no answer gets an empty one
        dialect.schemas.check_answer(asked.action, frame[2], STRICT, [])
    except Exception as error:
        raise Wrong(f"{dialect.version}: {frame} is no answer to {said!r}: {error}") from error


# Orders of every kind, with values of their fields' types

_TEXTS = (
    "CARD1",
    "StatusNotification",
    "hard",
    "soft",
    "rfid",
    "1",
    "tx-1",
    "HeartbeatInterval",
    "EVSE@1.Power",
    "x",
)
_ORDERS: tuple[type[Order], ...] = tuple(dict.fromkeys(ORDERS.values()))


def any_order(choices: Choices, version: str) -> Order:
    """An order of some kind, or any action of the version word for word."""
    if likely(choices, 2):
        action = one_of(choices, actions(version))
        return CallAction(action, request(choices, version, action))
    made: Order = _made(choices, one_of(choices, _ORDERS))
    return made


def _made(choices: Choices, kind: Any) -> Any:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return _made(choices, one_of(choices, inner))
    if origin is tuple:
        return tuple(_made(choices, inner[0]) for _ in range(choices.randrange(3)))
    if origin in (list, frozenset):
        return origin(_made(choices, inner[0]) for _ in range(choices.randrange(3)))
    if origin is dict:
        return {_made(choices, inner[0]): _made(choices, inner[1]) for _ in range(1 + choices.randrange(2))}
    if hasattr(kind, "__dataclass_fields__"):
        hints = typing.get_type_hints(kind)
        return kind(**{f.name: _made(choices, hints[f.name]) for f in dataclasses.fields(kind) if f.init})
    return _PLAIN.get(kind, _nothing)(choices)


def _nothing(_: Choices) -> None:
    """A field of another type: whoever makes the CALLs of it fails before a station is asked."""


_PLAIN: dict[Any, Any] = {
    str: lambda choices: one_of(choices, _TEXTS),
    int: lambda choices: one_of(choices, (0, 1, 2, 17)),
    bool: lambda choices: likely(choices, 2),
    type(None): lambda choices: None,
}

__all__ = ["Bench", "Figures", "Wrong", "any_order"]
