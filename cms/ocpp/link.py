"""One conversation with one station, without a socket: what it says is heard in order and within bounds.

The reader only reads: ``hear`` settles answers to our CALLs and queues the station's CALLs; a worker, alive only
while there is something to do, handles those in order. Each direction has at most one CALL outstanding, and the
two never wait for each other (OCPP-J 4.1.1), so whoever handles a message may order the same station.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from datetime import datetime
from functools import partial

from cms.aside import LONG
from cms.core import Clock, LinkInfo, StoreDown
from cms.domain.masking import Masked, masked_text
from cms.domain.observations import NotYet, Observation, Received
from cms.domain.orders import Order, OrderAnswer
from cms.ocpp import frames
from cms.ocpp.asking import Asking
from cms.ocpp.conversation import Conversation
from cms.ocpp.dialect import Dialect, spoken_in
from cms.ocpp.frames import Failure, Refused
from cms.ocpp.messages import cut
from cms.ocpp.ports import Hooks, Limits, Wire
from cms.ocpp.schemas import LENGTHS, STRICT, Tolerance
from cms.ocpp.translation import Incoming
from cms.ocpp.values import Remarks

log = logging.getLogger(__name__)

_Queued = tuple[frames.Call | frames.Send, str, str, datetime]
"""A CALL or SEND that waits for the worker, its text, what is shown of that, and when it came."""


class Link(Conversation):
    """A conversation from its upgrade to its end: hears what the station says, answers it, and lets us ask."""

    __slots__ = (
        "_asking",
        "_held",
        "_inbox",
        "_leniency",
        "_loop",
        "_opened",
        "_reader",
        "_stray_minute",
        "_strays",
        "_tokens",
        "_tokens_at",
        "_unread",
        "_worker",
        "last_seen_at",
        "since",
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
        super().__init__(station, dialect, address, wire, hooks, limits, clock)
        self._leniency: Tolerance = LENGTHS if lenient else STRICT
        self.since = self.last_seen_at = clock.now()
        self._loop = asyncio.get_running_loop()
        self._opened = False
        self._inbox: deque[_Queued] | None = None
        self._worker: asyncio.Task[None] | None = None
        self._unread: deque[tuple[str, datetime]] | None = None
        self._reader: asyncio.Task[None] | None = None
        self._held: frozenset[str] = frozenset()
        self._tokens = limits.burst
        self._tokens_at = self._loop.time()
        self._asking: Asking | None = None
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
            self.hooks.count("in", "blank", self.dialect.version)
            return
        at = self.last_seen_at = self.now()
        self._spend(1 + len(text) // self.limits.bytes_per_token)
        if len(text) > LONG or self._unread is not None:
            self._read_later(text, at)
            return
        try:
            frame = frames.read(text, self.limits.max_depth)
        except frames.Unreadable as unreadable:
            self._complain(unreadable, text, at)
            return
        self._heard(frame, text, text, at)

    def _heard(self, frame: frames.Frame, text: str, shown: str, at: datetime) -> None:
        """``shown`` is what people may see of it: a long one is cut and masked already."""
        match frame:
            case frames.Call():
                self._enqueue((frame, text, shown, at))
            case frames.Result() | frames.Error():
                if self._asking is None or not self._asking.settle(frame, shown, at, long=len(text) > LONG):
                    self._stray(shown, at)
            case frames.Send() if frame.action in self.dialect.sends:
                self._enqueue((frame, text, shown, at))
            case frames.ResultError():
                self._disputed(frame, shown, at)
            case frames.Strange():
                self._wonder(frame, shown, at)
            case frames.Silent() | frames.Send():
                self._stray(shown, at)

    def _read_later(self, text: str, at: datetime) -> None:
        """A long text is read beside the loop; what comes meanwhile waits for it, and no more is taken in."""
        if self._unread is None:
            self._unread = deque()
            self._reader = self._loop.create_task(self._read_on(self._unread), name=f"ocpp {self.station}")
            self._hold("long")
        self._unread.append((text, at))

    async def _read_on(self, unread: deque[tuple[str, datetime]]) -> None:
        while unread:
            text, at = unread.popleft()
            work = partial(_read, text, self.limits.max_depth)
            try:
                frame, shown = await self.hooks.aside(work) if len(text) > LONG else work()
                if self._unread is not unread:
                    return  # shut meanwhile
                if isinstance(frame, frames.Unreadable):
                    self._complain(frame, shown, at)
                else:
                    self._heard(frame, text, shown, at)
            except Exception:
                log.exception("could not read what %r says", self.station)
        if self._unread is unread:
            self._unread = self._reader = None
            self._release("long")

    def _enqueue(self, queued: _Queued) -> None:
        if self._inbox is None:
            self._inbox = deque()
        self._inbox.append(queued)
        if len(self._inbox) >= self.limits.queue:
            self._hold("queue")
        self._work_if_any()

    def _work_if_any(self) -> None:
        if self._opened and self._inbox and self._worker is None:
            self._worker = self._loop.create_task(self._work(), name=f"ocpp {self.station}")

    async def _work(self) -> None:
        while self._inbox:
            queued = self._inbox.popleft()
            if self._held and len(self._inbox) <= self.limits.queue // 4:
                self._release("queue")
            try:
                await self._answer(queued)
            except Exception:
                # Not the message but one of our hooks: the next message must not suffer for it.
                log.exception("could not answer %r", self.station)
        self._worker = self._inbox = None

    async def _answer(self, queued: _Queued) -> None:
        call, text, shown, at = queued
        action = self.known(call.action)
        self.note("in", "call", action, call.id, shown, at)
        self.hooks.count("in", action, self.dialect.version)
        reply = await self._reply(call, text, at)
        if reply is None or self.closed is not None or isinstance(call, frames.Send):
            return
        kind, data = reply
        self.wire.write(data)
        sent_at = self.now()
        self.note("out", kind, action, call.id, data, sent_at, (sent_at - at).total_seconds() * 1000)
        await self.wire.drained()

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
            if len(text) > LONG:
                work = partial(self._understood_long, incoming, call, text, remarks)
                observation, text = await self.hooks.aside(work)
            else:
                observation = self._understood(incoming, call, remarks)
            received = Received(observation, at, dialect.version, call.action, text, tuple(remarks))
            answer = await self.hooks.observe(self.station, received)
            if isinstance(answer, NotYet):
                raise Refused(Failure.SECURITY, answer.message)
            return "result", frames.result(call.id, incoming.answer(answer))
        except Refused as refused:
            words = refused.words + ("" if len(text) > LONG else self._otherwise(call))
            return "error", frames.error(call.id, dialect.codes[refused.failure], words)
        except StoreDown:
            # An offline station queues and loses nothing; an error would make it throw the message away.
            self.shut(1013, "cannot store now, try again later")
            return None
        except Exception:
            log.exception("could not handle %s from %r", self.known(call.action), self.station)
            words = "an error of ours, it has been logged"
            return "error", frames.error(call.id, dialect.codes[Failure.INTERNAL], words)

    def _understood(
        self, incoming: Incoming, call: frames.Call | frames.Send, remarks: Remarks, *, long: bool = False
    ) -> Observation:
        """What it says, where it is as its schema says or may be forgiven. Raises Refused."""
        tolerance = incoming.tolerance | self._leniency if self._leniency else incoming.tolerance
        payload = self.dialect.schemas.check_call(call.action, call.payload, tolerance, remarks, long=long)
        return incoming.read(payload, remarks)

    def _understood_long(
        self, incoming: Incoming, call: frames.Call | frames.Send, text: str, remarks: Remarks
    ) -> tuple[Observation, Masked]:
        """Likewise, with its text as it may be kept."""
        return self._understood(incoming, call, remarks, long=True), Masked(masked_text(text))

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

    # What is not an orderly CALL

    def _disputed(self, frame: frames.ResultError, text: str, at: datetime) -> None:
        """The station could not use an answer of ours: that is a bug of one of us, and people should see it."""
        self._stray(text, at, "CALLRESULTERROR")
        if self.dialect.sends:
            log.warning("%r could not use our answer: %r %r", self.station, frame.code, frame.description)

    def _complain(self, unreadable: frames.Unreadable, text: str, at: datetime) -> None:
        self.note("in", "call", "unreadable", "", text, at)
        self.hooks.count("in", "unreadable", self.dialect.version)
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
        self.wire.write(data)
        self.note("out", "error", "unreadable", message_id, data, self.now())

    def _stray(self, text: str, at: datetime, what: str = "unexpected") -> None:
        """Something nobody waits for: counted and ignored, a flood of it ends the conversation."""
        self.note("in", "result", what, "", text, at)
        self.hooks.count("in", what, self.dialect.version)
        minute = int(self._loop.time() // 60)
        if minute != self._stray_minute:
            self._stray_minute, self._strays = minute, 0
        self._strays += 1
        if self._strays > self.limits.strays_per_minute:
            log.warning("%r floods us with answers that nobody waits for: closed", self.station)
            self.shut(1008, "too many unexpected answers")

    # Reading less

    def _spend(self, tokens: int) -> None:
        """Take from the token bucket; when it is empty stop reading: backpressure, never errors."""
        now, limits = self._loop.time(), self.limits
        refilled = self._tokens + (now - self._tokens_at) * limits.rate_per_s
        self._tokens = min(limits.burst, refilled) - tokens
        self._tokens_at = now
        if self._tokens < 0 and "rate" not in self._held:
            self._hold("rate")
            self._loop.call_later(-self._tokens / limits.rate_per_s, self._release, "rate")

    def _hold(self, why: str) -> None:
        if not self._held:
            self.wire.pause()
        self._held |= {why}

    def _release(self, why: str) -> None:
        if why in self._held:
            self._held -= {why}
            if not self._held and self.closed is None:
                self.wire.resume()

    # What we say

    async def give(self, order: Order, timeout_s: float) -> OrderAnswer:
        """Send an order and wait for its answer. Raises Unreachable, NotSupported, Rejected, Invalid."""
        if self._asking is None:
            self._asking = Asking(self)
        return await self._asking.give(order, timeout_s)

    # The end

    def shut(self, code: int, reason: str) -> None:
        """End it from our side: what was not begun is left to the station to repeat."""
        if self._inbox:
            self._inbox.clear()
        self._unread = self._reader = None
        self.lost(reason)
        self.wire.shut(code, reason)

    def lost(self, reason: str) -> None:
        """The connection is gone, or going: nobody waits any longer. What was received is still handled."""
        if self.closed is not None:
            return
        self.closed = reason
        if self._asking is not None:
            self._asking.lost(reason)

    def stop_reading(self) -> None:
        self._hold("drain")

    async def settled(self) -> None:
        """Returns when everything that was received has been handled."""
        if (reader := self._reader) is not None:
            await asyncio.wait([reader])
        if (worker := self._worker) is not None:
            await asyncio.wait([worker])


def _read(text: str, max_depth: int) -> tuple[frames.Frame | frames.Unreadable, str]:
    """The frame in this text, and what is shown of it."""
    shown = cut(text) if len(text) > LONG else text
    try:
        return frames.read(text, max_depth), shown
    except frames.Unreadable as unreadable:
        return unreadable, shown
