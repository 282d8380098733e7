"""What we ask of a station: an order becomes CALLs, one at a time (OCPP-J 4.1.1), and their answers its answer."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import logging
import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import NamedTuple

from cms.contract.refusals import Invalid, NotSupported, Rejected, Unreachable
from cms.domain.orders import Order, OrderAnswer, SendText
from cms.ocpp import frames
from cms.ocpp.actions import said_to_stations
from cms.ocpp.conversation import Conversation
from cms.ocpp.frames import Failure, Refused
from cms.ocpp.schemas import KEPT, STRICT
from cms.ocpp.translation import Outgoing, shown
from cms.ocpp.values import Json

log = logging.getLogger(__name__)

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
#: A list has more entries than the station takes (B05.FR.11 and the like), in the spellings of both generations.
_TOO_LONG = frozenset({"OccurenceConstraintViolation", "OccurrenceConstraintViolation"})


class TooLong(Rejected):
    """The station did not take a message for the number of its entries."""


def cannot(order: type[Order]) -> str:
    """What a version lacks when it has no row for this order, in words."""
    return f"has no way to {_WORD.sub(' ', order.__name__).lower()}"


class _Reply(NamedTuple):
    """What came back; a long one is taken apart beside the loop."""

    frame: frames.Result | frames.Error
    long: bool


class _Answer(NamedTuple):
    """The payload of a CALLRESULT, held to its schema."""

    payload: Json
    long: bool


@dataclass(slots=True)
class _Outstanding:
    """Our one CALL that waits for its answer."""

    id: frames.MessageId
    action: str
    sent_at: datetime
    answer: asyncio.Future[_Reply]


class Asking:
    """Our direction of a conversation; made when the first order is given."""

    __slots__ = ("_link", "_outstanding", "_turn", "_waiting")

    def __init__(self, link: Conversation) -> None:
        self._link = link
        self._outstanding: _Outstanding | None = None
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def give(self, order: Order, timeout_s: float) -> OrderAnswer:
        """Send an order and wait for its answer. Raises Unreachable, NotSupported, Rejected, Invalid."""
        if isinstance(order, SendText):
            return await self._say(order.text, timeout_s)
        outgoing = self._link.dialect.outgoing.get(type(order))
        if outgoing is None:
            raise NotSupported(f"OCPP {self._link.dialect.version} {cannot(type(order))}")
        asked = outgoing.calls(order)
        for action, payload in asked:
            self._check(action, payload)  # all of them, before the first is sent
        answers: list[_Answer] = []
        for action, payload in asked:
            try:
                answers += await self._ask_divided(action, payload, outgoing.lists.get(action), timeout_s)
            except (Rejected, NotSupported):
                if outgoing.refused is None or len(asked) == 1:
                    raise
                answers.append(_Answer(outgoing.refused(payload), False))
            if not outgoing.goes_on(answers[-1].payload):
                break
        payloads = [answer.payload for answer in answers]
        if any(answer.long for answer in answers):
            return await self._link.hooks.aside(partial(self._meant, outgoing, order, payloads))
        return self._meant(outgoing, order, payloads)

    def _meant(self, outgoing: Outgoing, order: Order, answers: list[Json]) -> OrderAnswer:
        try:
            return outgoing.understand(order, answers)
        except (LookupError, ValueError, TypeError, ArithmeticError) as error:
            # Answers are read leniently, and may have words that nobody thought of: the order ends all the same.
            name = type(order).__name__
            log.exception("could not understand the answer of %r to %s", self._link.station, name)
            raise Rejected(
                f"{self._link.station} answered {name} in words that we do not understand"
            ) from error

    async def _ask_divided(
        self, action: str, payload: Json, divisible: str | None, timeout_s: float
    ) -> list[_Answer]:
        """The answer to one CALL; where the station finds its list too long, the answers to its halves."""
        try:
            return [await self._ask(action, payload, timeout_s)]
        except TooLong:
            items = payload.get(divisible or "") or ()
            middle = len(items) // 2
            if not middle:
                raise
        answers: list[_Answer] = []
        for half in (items[:middle], items[middle:]):
            answers += await self._ask_divided(
                action, {**payload, str(divisible): half}, divisible, timeout_s
            )
        return answers

    async def _ask(self, action: str, payload: Json, timeout_s: float) -> _Answer:
        """One CALL and the payload of its CALLRESULT, held to its schema."""
        # Unique over connections and restarts (J errata 3.1), 32 of the 36 characters.
        message_id = uuid.uuid4().hex
        data = frames.call(message_id, action, payload)
        async with self._my_turn():
            reply = await self._exchange(
                action, message_id, data, timeout_s or self._link.limits.call_timeout_s
            )
        said = self._said(action, reply.frame)
        check = partial(self._link.dialect.schemas.check_answer, action, said, KEPT, [], long=reply.long)
        try:
            return _Answer(await self._link.hooks.aside(check) if reply.long else check(), reply.long)
        except Refused as refused:
            self._dispute(reply.frame.id, refused.failure, refused.words)
            raise Rejected(f"{self._link.station} answered {action} invalidly: {refused.words}") from None

    def _check(self, action: str, payload: Json) -> None:
        """Refuse what the version cannot say, before anything is sent."""
        self._sayable(action)
        try:
            self._link.dialect.schemas.check_call(action, payload, STRICT, [])
        except Refused as refused:
            raise Invalid(
                f"{action} cannot say that in OCPP {self._link.dialect.version}: {refused.words}"
            ) from None

    def _sayable(self, action: str) -> None:
        actions = self._link.dialect.schemas.actions
        if action in said_to_stations(self._link.dialect.version, actions):
            return
        if action in actions:
            raise Invalid(f"{action} is said by stations, not to them")
        near = difflib.get_close_matches(action, actions, n=1)
        hint = f"did you mean {near[0]}?" if near else "docs/ocpp.md lists them all"
        raise NotSupported(f"OCPP {self._link.dialect.version} has no action {action}", hint)

    async def _say(self, text: str, timeout_s: float) -> OrderAnswer:
        """A text as it is; the answer to it where it is a CALL, in the station's own words."""
        try:
            frame = frames.read(text, self._link.limits.max_depth)
        except frames.Unreadable:
            frame = frames.Silent(0)
        async with self._my_turn():
            if isinstance(frame, frames.Call):
                reply = await self._exchange(
                    self._link.known(frame.action),
                    frame.id,
                    text.encode(),
                    timeout_s or self._link.limits.call_timeout_s,
                )
                return await self._word_for_word(reply)
            if self._link.closed is not None:
                raise Unreachable(f"{self._link.station} went off line: {self._link.closed}")
            self._link.wire.write(text.encode())
            self._link.note("out", "raw", "raw", "", text, self._link.now())
        return OrderAnswer("accepted", "sent", {})

    async def _word_for_word(self, reply: _Reply) -> OrderAnswer:
        show = partial(shown, [reply.frame._asdict()])
        words = await self._link.hooks.aside(show) if reply.long else show()
        return OrderAnswer("accepted", type(reply.frame).__name__.lower(), words)

    @contextlib.asynccontextmanager
    async def _my_turn(self) -> AsyncIterator[None]:
        """One CALL of ours at a time (OCPP-J 4.1.1), and a bounded queue for the others."""
        if self._waiting >= self._link.limits.orders:
            raise Unreachable(f"{self._link.station} has {self._waiting} orders waiting already")
        self._waiting += 1
        try:
            async with self._turn:
                yield
        finally:
            self._waiting -= 1

    async def _exchange(
        self, action: str, message_id: frames.MessageId, data: bytes, timeout_s: float
    ) -> _Reply:
        if self._link.closed is not None:
            raise Unreachable(
                f"{self._link.station} went off line before {action} could be sent: {self._link.closed}"
            )
        at = self._link.now()
        outstanding = _Outstanding(message_id, action, at, asyncio.get_running_loop().create_future())
        self._outstanding = outstanding
        try:
            self._link.wire.write(data)
            self._link.note("out", "call", action, message_id, data, at)
            self._link.hooks.count("out", action, self._link.dialect.version)
            async with asyncio.timeout(timeout_s):
                return await outstanding.answer
        except TimeoutError:
            raise Unreachable(
                f"{self._link.station} did not answer {action} within {timeout_s:g} s"
            ) from None
        finally:
            # The slot is free again; an answer that comes now is a stray.
            self._outstanding = None

    def settle(
        self, frame: frames.Result | frames.Error, shown: str, at: datetime, *, long: bool = False
    ) -> bool:
        """Whether this answer was waited for; whoever did goes on with it."""
        outstanding = self._outstanding
        if outstanding is None or outstanding.id != frame.id or outstanding.answer.done():
            return False
        latency_ms = (at - outstanding.sent_at).total_seconds() * 1000
        kind = "result" if isinstance(frame, frames.Result) else "error"
        self._link.note("in", kind, outstanding.action, frame.id, shown, at, latency_ms)
        outstanding.answer.set_result(_Reply(frame, long))
        return True

    def lost(self, reason: str) -> None:
        """No answer comes any more."""
        if (outstanding := self._outstanding) is not None and not outstanding.answer.done():
            words = f"{self._link.station} went off line before it answered {outstanding.action}: {reason}"
            outstanding.answer.set_exception(Unreachable(words))

    def _said(self, action: str, reply: frames.Result | frames.Error) -> Json:
        if isinstance(reply, frames.Error):
            said = f"{self._link.station} answered {action} with {reply.code!r}"
            said += f": {reply.description!r}" if reply.description else ""
            if reply.code in _TOO_LONG:
                raise TooLong(said)
            raise (NotSupported if reply.code in ("NotSupported", "NotImplemented") else Rejected)(said)
        if reply.payload is None:
            self._dispute(reply.id, Failure.FORMAT, "the payload is not an object")
            raise Rejected(f"{self._link.station} answered {action} with something that is no CALLRESULT")
        return reply.payload

    def _dispute(self, message_id: frames.MessageId, failure: Failure, words: str) -> None:
        """Tell a 2.1 station that its answer is of no use; the others have no word for it."""
        if not self._link.dialect.sends or self._link.closed is not None:
            return
        data = frames.result_error(message_id, self._link.dialect.codes[failure], words)
        self._link.wire.write(data)
        self._link.note("out", "error", "CALLRESULTERROR", message_id, data, self._link.now())
