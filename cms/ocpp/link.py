"""One conversation with one station, without a socket: who waits for what, deadlines, duplicates.

The reader only reads: ``hear`` settles answers to our CALLs and queues the station's CALLs; a worker, alive only
while there is something to do, handles those in order. Each direction has at most one CALL outstanding, and the
two never wait for each other (OCPP-J 4.1.1), so whoever handles a message may order the same station.
"""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import logging
import re
import uuid
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cms.contract.refusals import Invalid, NotSupported, Rejected, Unreachable
from cms.contract.stations import Message
from cms.core import Clock, LinkInfo, StoreDown
from cms.domain.observations import Answer, NotYet, Received
from cms.domain.orders import Order, OrderAnswer, SendText
from cms.ocpp import frames
from cms.ocpp.actions import said_to_stations
from cms.ocpp.dialect import Dialect, spoken_in
from cms.ocpp.door import Admitted, Knock, Turned
from cms.ocpp.frames import Failure, Refused
from cms.ocpp.messages import Ring
from cms.ocpp.schemas import KEPT, LENGTHS, STRICT, Tolerance
from cms.ocpp.translation import Outgoing, shown
from cms.ocpp.values import Json, Remarks

log = logging.getLogger(__name__)

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


#: A list has more entries than the station takes (B05.FR.11 and the like), in the spellings of both generations.
_TOO_LONG = frozenset({"OccurenceConstraintViolation", "OccurrenceConstraintViolation"})


class TooLong(Rejected):
    """The station did not take a message for the number of its entries."""


def cannot(order: type[Order]) -> str:
    """What a version lacks when it has no row for this order, in words."""
    return f"has no way to {_WORD.sub(' ', order.__name__).lower()}"


def _always(_: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Hooks:
    """What this border calls when something happens; the daemon hands it in."""

    admit: Callable[[Knock], Awaitable[Admitted | Turned]]
    """Whether this station may come in."""
    connected: Callable[[str, str, str], Awaitable[None]]
    """Station id, OCPP version, address. Its messages wait until this returns."""
    disconnected: Callable[[str, str], Awaitable[None]]
    """Station id, reason; only when no newer connection has taken over."""
    observe: Callable[[str, Received], Awaitable[Answer]]
    """Decide and make durable; the answer leaves after this returns. May raise core.StoreDown."""
    frame: Callable[[str, Message], None]
    """Every frame, masked, of stations that ``watched`` says yes to."""
    count: Callable[[str, str, str], None]
    """Direction (in, out), action, OCPP version."""
    watched: Callable[[str], bool] = _always
    """Whether anybody looks at this station's frames now: making a Message costs more than reading a frame."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds before anything is parsed. Seconds and bytes; frame sizes count after inflating."""

    max_frame_bytes: int = 256 * 1024
    max_depth: int = 32
    rate_per_s: float = 200.0
    burst: float = 1000.0
    bytes_per_token: int = 4096
    """A long frame costs as much as several: to read and decide 1 MiB takes a third of a second of CPU."""
    queue: int = 16
    """CALLs of one station that wait for the worker before we stop reading."""
    orders: int = 64
    """Orders that wait for one station."""
    strays_per_minute: int = 100
    handshake_s: float = 10.0
    handshakes: int = 4096
    call_timeout_s: float = 30.0
    """The answer deadline of an order that names none."""
    ping_s: float = 30.0
    pong_s: float = 20.0
    close_s: float = 5.0
    write_s: float = 10.0
    max_unsent_bytes: int = 1024 * 1024
    max_fragments: int = 1024


class Wire(Protocol):
    """What a conversation needs of a connection."""

    def write(self, data: bytes) -> None: ...

    def shut(self, code: int, reason: str) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    async def drained(self) -> None:
        """Returns when the station has taken what was written; at once when it has."""
        ...


_Queued = tuple[frames.Call | frames.Send, str, datetime]
"""A CALL or SEND that waits for the worker, its text, and when it came."""


@dataclass(slots=True)
class _Outstanding:
    """Our one CALL that waits for its answer."""

    id: frames.MessageId
    action: str
    sent_at: datetime
    answer: asyncio.Future[frames.Result | frames.Error]


class Link:
    """The conversation of one connection. ``closed`` is why it ended, None while it is open."""

    __slots__ = (
        "_held",
        "_hooks",
        "_inbox",
        "_leniency",
        "_limits",
        "_loop",
        "_now",
        "_opened",
        "_outstanding",
        "_stray_minute",
        "_strays",
        "_tokens",
        "_tokens_at",
        "_turn",
        "_waiting",
        "_wire",
        "_worker",
        "address",
        "closed",
        "dialect",
        "last_seen_at",
        "ring",
        "since",
        "station",
    )

    def __init__(
        self,
        station: str,
        dialect: Dialect,
        address: str,
        wire: Wire,
        hooks: Hooks,
        limits: Limits,
        clock: Clock,
        *,
        lenient: bool = False,
    ) -> None:
        self.station = station
        self.dialect = dialect
        self.address = address
        self.closed: str | None = None
        self.ring = Ring()
        self._wire = wire
        self._hooks = hooks
        self._limits = limits
        self._leniency: Tolerance = LENGTHS if lenient else STRICT
        self._now = clock.now
        self.since = self.last_seen_at = clock.now()
        self._loop = asyncio.get_running_loop()
        self._opened = False
        self._inbox: deque[_Queued] | None = None
        self._worker: asyncio.Task[None] | None = None
        self._held: frozenset[str] = frozenset()
        self._tokens = limits.burst
        self._tokens_at = self._loop.time()
        self._outstanding: _Outstanding | None = None
        self._turn: asyncio.Lock | None = None
        self._waiting = 0
        self._strays = 0
        self._stray_minute = 0

    @property
    def info(self) -> LinkInfo:
        return LinkInfo(self.dialect.version, self.address, self.since, self.last_seen_at)

    @property
    def holding(self) -> bool:
        """Whether we do not read this station now, so that its silence says nothing."""
        return bool(self._held)

    # What the station says

    def open(self) -> None:
        """Begin to handle messages; those heard before have waited."""
        self._opened = True
        self._work_if_any()

    def hear(self, text: str) -> None:
        """One text message from the station."""
        if self.closed is not None:
            return
        if not text or text.isspace():
            # Seen as a sign of life of some stations: no message, but counted.
            self._hooks.count("in", "blank", self.dialect.version)
            return
        at = self.last_seen_at = self._now()
        self._spend(1 + len(text) // self._limits.bytes_per_token)
        try:
            frame = frames.read(text, self._limits.max_depth)
        except frames.Unreadable as unreadable:
            self._complain(unreadable, text, at)
            return
        match frame:
            case frames.Call():
                self._enqueue((frame, text, at))
            case frames.Result() | frames.Error():
                self._settle(frame, text, at)
            case frames.Send() if frame.action in self.dialect.sends:
                self._enqueue((frame, text, at))
            case frames.ResultError():
                self._disputed(frame, text, at)
            case frames.Strange():
                self._wonder(frame, text, at)
            case frames.Silent() | frames.Send():
                self._stray(text, at)

    def _enqueue(self, queued: _Queued) -> None:
        if self._inbox is None:
            self._inbox = deque()
        self._inbox.append(queued)
        if len(self._inbox) >= self._limits.queue:
            self._hold("queue")
        self._work_if_any()

    def _work_if_any(self) -> None:
        if self._opened and self._inbox and self._worker is None:
            self._worker = self._loop.create_task(self._work(), name=f"ocpp {self.station}")

    async def _work(self) -> None:
        while self._inbox:
            queued = self._inbox.popleft()
            if self._held and len(self._inbox) <= self._limits.queue // 4:
                self._release("queue")
            try:
                await self._answer(queued)
            except Exception:
                # Not the message but one of our hooks: the next message must not suffer for it.
                log.exception("could not answer %r", self.station)
        self._worker = self._inbox = None

    async def _answer(self, queued: _Queued) -> None:
        call, text, at = queued
        action = self._known(call.action)
        self._note("in", "call", action, call.id, text, at)
        self._hooks.count("in", action, self.dialect.version)
        reply = await self._reply(call, text, at)
        if reply is None or self.closed is not None or isinstance(call, frames.Send):
            return
        kind, data = reply
        self._wire.write(data)
        sent_at = self._now()
        self._note("out", kind, action, call.id, data, sent_at, (sent_at - at).total_seconds() * 1000)
        await self._wire.drained()

    async def _reply(
        self, call: frames.Call | frames.Send, text: str, at: datetime
    ) -> tuple[str, bytes] | None:
        """The kind of the answer and its frame; None when there must be none."""
        dialect = self.dialect
        incoming = dialect.incoming.get(call.action)
        try:
            if incoming is None:
                raise self._cannot(call.action)
            remarks: Remarks = []
            tolerance = incoming.tolerance | self._leniency if self._leniency else incoming.tolerance
            payload = dialect.schemas.check_call(call.action, call.payload, tolerance, remarks)
            observation = incoming.read(payload, remarks)
            received = Received(observation, at, dialect.version, call.action, text, tuple(remarks))
            answer = await self._hooks.observe(self.station, received)
            if isinstance(answer, NotYet):
                raise Refused(Failure.SECURITY, answer.message)
            return "result", frames.result(call.id, incoming.answer(answer))
        except Refused as refused:
            words = refused.words + self._otherwise(call)
            return "error", frames.error(call.id, dialect.codes[refused.failure], words)
        except StoreDown:
            # An offline station queues and loses nothing; an error would make it throw the message away.
            self.shut(1013, "cannot store now, try again later")
            return None
        except Exception:
            log.exception("could not handle %s from %r", self._known(call.action), self.station)
            words = "an error of ours, it has been logged"
            return "error", frames.error(call.id, dialect.codes[Failure.INTERNAL], words)

    def _otherwise(self, call: frames.Call | frames.Send) -> str:
        """Some stations agree on one version and speak another: whoever looks for the reason should read it."""
        if call.action not in ("BootNotification", "StartTransaction"):
            return ""
        version = spoken_in(call.action, call.payload)
        if version is None or version == self.dialect.version:
            return ""
        log.warning("%r agreed on OCPP %s and speaks %s", self.station, self.dialect.version, version)
        return f"; this is {call.action} of OCPP {version}"

    def _cannot(self, action: str) -> Refused:
        if action in self.dialect.schemas.actions:
            return Refused(Failure.NOT_SUPPORTED, "not supported here")
        return Refused(Failure.NOT_IMPLEMENTED, f"OCPP {self.dialect.version} has no such action")

    def _known(self, action: str) -> str:
        """The action for metrics and logs: a station's invention would be hostile text there."""
        return action if action in self.dialect.schemas.actions else "unknown"

    # What is not an orderly CALL

    def _disputed(self, frame: frames.ResultError, text: str, at: datetime) -> None:
        """The station could not use an answer of ours: that is a bug of one of us, and people should see it."""
        self._stray(text, at, "CALLRESULTERROR")
        if self.dialect.sends:
            log.warning("%r could not use our answer: %r %r", self.station, frame.code, frame.description)

    def _complain(self, unreadable: frames.Unreadable, text: str, at: datetime) -> None:
        self._note("in", "call", "unreadable", "", text, at)
        self._hooks.count("in", "unreadable", self.dialect.version)
        message_id = unreadable.message_id
        if message_id is None:
            message_id = self.dialect.unreadable_id
        if message_id is not None:
            self._refuse(message_id, unreadable.failure, unreadable.words)

    def _wonder(self, frame: frames.Strange, text: str, at: datetime) -> None:
        self._stray(text, at)
        message_id = self.dialect.unreadable_id if frame.id is None else frame.id
        if message_id is not None and Failure.MESSAGE_TYPE in self.dialect.codes:
            self._refuse(message_id, Failure.MESSAGE_TYPE, "no such message type")

    def _refuse(self, message_id: frames.MessageId, failure: Failure, words: str) -> None:
        data = frames.error(message_id, self.dialect.codes[failure], words)
        self._wire.write(data)
        self._note("out", "error", "unreadable", message_id, data, self._now())

    def _stray(self, text: str, at: datetime, what: str = "unexpected") -> None:
        """Something nobody waits for: counted and ignored, a flood of it ends the conversation."""
        self._note("in", "result", what, "", text, at)
        self._hooks.count("in", what, self.dialect.version)
        minute = int(self._loop.time() // 60)
        if minute != self._stray_minute:
            self._stray_minute, self._strays = minute, 0
        self._strays += 1
        if self._strays > self._limits.strays_per_minute:
            log.warning("%r floods us with answers that nobody waits for: closed", self.station)
            self.shut(1008, "too many unexpected answers")

    # Reading less

    def _spend(self, tokens: int) -> None:
        """Take from the token bucket; when it is empty stop reading: backpressure, never errors."""
        now, limits = self._loop.time(), self._limits
        refilled = self._tokens + (now - self._tokens_at) * limits.rate_per_s
        self._tokens = min(limits.burst, refilled) - tokens
        self._tokens_at = now
        if self._tokens < 0 and "rate" not in self._held:
            self._hold("rate")
            self._loop.call_later(-self._tokens / limits.rate_per_s, self._release, "rate")

    def _hold(self, why: str) -> None:
        if not self._held:
            self._wire.pause()
        self._held |= {why}

    def _release(self, why: str) -> None:
        if why in self._held:
            self._held -= {why}
            if not self._held and self.closed is None:
                self._wire.resume()

    # What we say

    async def give(self, order: Order, timeout_s: float) -> OrderAnswer:
        """Send an order and wait for its answer. Raises Unreachable, NotSupported, Rejected, Invalid."""
        if isinstance(order, SendText):
            return await self._say(order.text, timeout_s)
        outgoing = self.dialect.outgoing.get(type(order))
        if outgoing is None:
            raise NotSupported(f"OCPP {self.dialect.version} {cannot(type(order))}")
        asked = outgoing.calls(order)
        for action, payload in asked:
            self._check(action, payload)  # all of them, before the first is sent
        answers: list[Json] = []
        for action, payload in asked:
            try:
                answers += await self._ask_divided(action, payload, outgoing.lists.get(action), timeout_s)
            except (Rejected, NotSupported):
                if outgoing.refused is None or len(asked) == 1:
                    raise
                answers.append(outgoing.refused(payload))
            if not outgoing.goes_on(answers[-1]):
                break
        return self._meant(outgoing, order, answers)

    def _meant(self, outgoing: Outgoing, order: Order, answers: list[Json]) -> OrderAnswer:
        try:
            return outgoing.understand(order, answers)
        except (LookupError, ValueError, TypeError, ArithmeticError) as error:
            # Answers are read leniently, and may have words that nobody thought of: the order ends all the same.
            name = type(order).__name__
            log.exception("could not understand the answer of %r to %s", self.station, name)
            raise Rejected(f"{self.station} answered {name} in words that we do not understand") from error

    async def _ask_divided(
        self, action: str, payload: Json, divisible: str | None, timeout_s: float
    ) -> list[Json]:
        """The answer to one CALL; where the station finds its list too long, the answers to its halves."""
        try:
            return [await self._ask(action, payload, timeout_s)]
        except TooLong:
            items = payload.get(divisible or "") or ()
            middle = len(items) // 2
            if not middle:
                raise
        answers: list[Json] = []
        for half in (items[:middle], items[middle:]):
            answers += await self._ask_divided(
                action, {**payload, str(divisible): half}, divisible, timeout_s
            )
        return answers

    async def _ask(self, action: str, payload: Json, timeout_s: float) -> Json:
        """One CALL and the payload of its CALLRESULT, held to its schema."""
        # Unique over connections and restarts (J errata 3.1), 32 of the 36 characters.
        message_id = uuid.uuid4().hex
        data = frames.call(message_id, action, payload)
        async with self._my_turn():
            reply = await self._exchange(action, message_id, data, timeout_s or self._limits.call_timeout_s)
        return self._understood(action, reply)

    def _check(self, action: str, payload: Json) -> None:
        """Refuse what the version cannot say, before anything is sent."""
        self._sayable(action)
        try:
            self.dialect.schemas.check_call(action, payload, STRICT, [])
        except Refused as refused:
            raise Invalid(
                f"{action} cannot say that in OCPP {self.dialect.version}: {refused.words}"
            ) from None

    def _sayable(self, action: str) -> None:
        actions = self.dialect.schemas.actions
        if action in said_to_stations(self.dialect.version, actions):
            return
        if action in actions:
            raise Invalid(f"{action} is said by stations, not to them")
        near = difflib.get_close_matches(action, actions, n=1)
        hint = f"did you mean {near[0]}?" if near else "docs/ocpp.md lists them all"
        raise NotSupported(f"OCPP {self.dialect.version} has no action {action}", hint)

    async def _say(self, text: str, timeout_s: float) -> OrderAnswer:
        """A text as it is; the answer to it where it is a CALL, in the station's own words."""
        try:
            frame = frames.read(text, self._limits.max_depth)
        except frames.Unreadable:
            frame = frames.Silent(0)
        async with self._my_turn():
            if isinstance(frame, frames.Call):
                reply = await self._exchange(
                    self._known(frame.action),
                    frame.id,
                    text.encode(),
                    timeout_s or self._limits.call_timeout_s,
                )
                said = reply._asdict()
                return OrderAnswer("accepted", type(reply).__name__.lower(), shown([said]))
            if self.closed is not None:
                raise Unreachable(f"{self.station} went off line: {self.closed}")
            self._wire.write(text.encode())
            self._note("out", "raw", "raw", "", text, self._now())
        return OrderAnswer("accepted", "sent", {})

    @contextlib.asynccontextmanager
    async def _my_turn(self) -> AsyncIterator[None]:
        """One CALL of ours at a time (OCPP-J 4.1.1), and a bounded queue for the others."""
        if self._waiting >= self._limits.orders:
            raise Unreachable(f"{self.station} has {self._waiting} orders waiting already")
        if self._turn is None:
            self._turn = asyncio.Lock()
        self._waiting += 1
        try:
            async with self._turn:
                yield
        finally:
            self._waiting -= 1

    async def _exchange(
        self, action: str, message_id: frames.MessageId, data: bytes, timeout_s: float
    ) -> frames.Result | frames.Error:
        if self.closed is not None:
            raise Unreachable(f"{self.station} went off line before {action} could be sent: {self.closed}")
        at = self._now()
        outstanding = _Outstanding(message_id, action, at, self._loop.create_future())
        self._outstanding = outstanding
        try:
            self._wire.write(data)
            self._note("out", "call", action, message_id, data, at)
            self._hooks.count("out", action, self.dialect.version)
            async with asyncio.timeout(timeout_s):
                return await outstanding.answer
        except TimeoutError:
            raise Unreachable(f"{self.station} did not answer {action} within {timeout_s:g} s") from None
        finally:
            # The slot is free again; an answer that comes now is a stray.
            self._outstanding = None

    def _settle(self, frame: frames.Result | frames.Error, text: str, at: datetime) -> None:
        outstanding = self._outstanding
        if outstanding is None or outstanding.id != frame.id or outstanding.answer.done():
            self._stray(text, at)
            return
        latency_ms = (at - outstanding.sent_at).total_seconds() * 1000
        kind = "result" if isinstance(frame, frames.Result) else "error"
        self._note("in", kind, outstanding.action, frame.id, text, at, latency_ms)
        outstanding.answer.set_result(frame)

    def _understood(self, action: str, reply: frames.Result | frames.Error) -> Json:
        if isinstance(reply, frames.Error):
            said = f"{self.station} answered {action} with {reply.code!r}"
            said += f": {reply.description!r}" if reply.description else ""
            if reply.code in _TOO_LONG:
                raise TooLong(said)
            raise (NotSupported if reply.code in ("NotSupported", "NotImplemented") else Rejected)(said)
        if reply.payload is None:
            self._dispute(reply.id, Failure.FORMAT, "the payload is not an object")
            raise Rejected(f"{self.station} answered {action} with something that is no CALLRESULT")
        try:
            return self.dialect.schemas.check_answer(action, reply.payload, KEPT, [])
        except Refused as refused:
            self._dispute(reply.id, refused.failure, refused.words)
            raise Rejected(f"{self.station} answered {action} invalidly: {refused.words}") from None

    def _dispute(self, message_id: frames.MessageId, failure: Failure, words: str) -> None:
        """Tell a 2.1 station that its answer is of no use; the others have no word for it."""
        if not self.dialect.sends or self.closed is not None:
            return
        data = frames.result_error(message_id, self.dialect.codes[failure], words)
        self._wire.write(data)
        self._note("out", "error", "CALLRESULTERROR", message_id, data, self._now())

    # The end

    def shut(self, code: int, reason: str) -> None:
        """End it from our side: what was not begun is left to the station to repeat."""
        if self._inbox:
            self._inbox.clear()
        self.lost(reason)
        self._wire.shut(code, reason)

    def lost(self, reason: str) -> None:
        """The connection is gone, or going: nobody waits any longer. What was received is still handled."""
        if self.closed is not None:
            return
        self.closed = reason
        if (outstanding := self._outstanding) is not None and not outstanding.answer.done():
            words = f"{self.station} went off line before it answered {outstanding.action}: {reason}"
            outstanding.answer.set_exception(Unreachable(words))

    def stop_reading(self) -> None:
        self._hold("drain")

    async def settled(self) -> None:
        """Returns when everything that was received has been handled."""
        if (worker := self._worker) is not None:
            await asyncio.wait([worker])

    def _note(
        self,
        direction: str,
        kind: str,
        action: str,
        message_id: frames.MessageId,
        text: str | bytes,
        at: datetime,
        latency_ms: float | None = None,
    ) -> None:
        self.ring.add(at, direction, kind, action, message_id, text, latency_ms)
        if self._hooks.watched(self.station):
            self._hooks.frame(self.station, self.ring.last())
