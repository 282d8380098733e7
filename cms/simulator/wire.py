"""The station's end of an OCPP-J conversation: calls out one at a time, orders in, each answered.

OCPP-J 1.6 section 4, OCPP 2.0.1 part 4: [2, id, action, payload], [3, id, payload], [4, id, code, text, {}];
OCPP 2.1 part 4 adds [5, id, code, text, {}] for an answer that cannot be read, and [6, id, action, payload],
which nobody answers.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

Payload = dict[str, Any]

CALL, CALLRESULT, CALLERROR, CALLRESULTERROR, SEND = 2, 3, 4, 5, 6


class LinkLost(Exception):
    """There is no conversation (any more)."""


class Silence(Exception):
    """The CSMS did not answer in time."""


class Refused(Exception):
    """The CSMS answered with a CALLERROR."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to an order; ``then`` is done after it has left (TriggerMessage, Reset)."""

    payload: Payload
    then: Callable[[], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """A CALLERROR as an answer."""

    code: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Slow:
    """An answer that takes its time: ``make`` is awaited beside everything else, then its answer is sent."""

    make: Callable[[], Awaitable[Reply | Fault]]


#: What becomes of an order: an answer, a CALLERROR, or None: silence.
Obey = Callable[[str, Payload], Reply | Fault | Slow | None]
#: A frame as it is sent instead of the one that should be, more of them, or none.
Bend = Callable[[list[Any]], list[Any]]

#: What is wrong with the answer to an action, or None.
Judge = Callable[[str, Payload], str | None]


def straight(frame: list[Any]) -> list[Any]:
    """The frames to send for this one: itself."""
    return [frame]


class Wire:
    """One connection. ``call`` may be used by many tasks; one CALL is out at a time (J 1.6 section 4.1.1)."""

    def __init__(
        self,
        socket: ClientConnection,
        obey: Obey,
        do: Callable[[Callable[[], Awaitable[None]]], object],
        patience_s: float = 30.0,
        bend: Bend = straight,
    ) -> None:
        self._socket = socket
        self._obey = obey
        self._do = do
        self._patience_s = patience_s
        self.bend = bend
        self._listening: asyncio.Task[Any] | None = None
        self.doubts = False
        """Whether every answer is refused with a CALLRESULTERROR, and used all the same."""
        self.contradicts = False
        """Whether the version has CALLRESULTERROR."""
        self.judge: Judge = lambda action, answer: None
        self._turn = asyncio.Lock()
        self._waiting: dict[str, asyncio.Future[Payload]] = {}

    async def call(self, action: str, payload: Payload) -> Payload:
        """Send a CALL and return its CALLRESULT. Raises Refused, Silence or LinkLost."""
        async with self._turn:
            message_id = str(uuid.uuid4())
            answer: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
            self._waiting[message_id] = answer
            try:
                await self._send([CALL, message_id, action, payload])
                async with asyncio.timeout(self._patience_s):
                    told = await answer
            except TimeoutError:
                raise Silence(f"no answer to {action} within {self._patience_s:g} s") from None
            finally:
                self._waiting.pop(message_id, None)
        reason = self.judge(action, told)
        if reason is not None or self.doubts:
            await self.refuse_answer(message_id, "FormatViolation", reason or "not as expected")
        if reason is not None:
            raise Refused("FormatViolation", reason)
        return told

    async def send(self, action: str, payload: Payload) -> None:
        """A SEND (2.1): there is no answer to wait for. Raises LinkLost."""
        await self._send([SEND, str(uuid.uuid4()), action, payload])

    async def send_text(self, text: str) -> None:
        """A frame as it is, however wrong. Raises LinkLost."""
        try:
            await self._socket.send(text)
        except ConnectionClosed as why:
            raise LinkLost(str(why)) from None

    async def refuse_answer(self, message_id: str, code: str, text: str) -> None:
        """A CALLRESULTERROR where there is such a thing (2.1): an answer was not understood."""
        if self.contradicts:
            await self._send([CALLRESULTERROR, message_id, code, text, {}])

    async def listen(self) -> None:
        """Read until the link is lost: LinkLost says why."""
        self._listening = asyncio.current_task()
        try:
            while True:
                await self._hear(json.loads(await self._socket.recv()))
        except ConnectionClosed as why:
            raise LinkLost(str(why)) from None
        finally:
            self._abandon()

    def _abandon(self) -> None:
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(LinkLost("the link was lost before the answer came"))
                answer.exception()  # looked at here: nobody may be waiting any more

    async def _hear(self, frame: list[Any]) -> None:
        match frame:
            case [2, str(message_id), str(action), dict(payload)]:
                await self._answer(message_id, action, payload)
            case [3, str(message_id), dict(payload)]:
                self._settle(message_id, lambda answer: answer.set_result(payload))
            case [4, str(message_id), str(code), str(text), *_]:
                self._settle(message_id, lambda answer: answer.set_exception(Refused(code, text)))
            case _:
                pass  # J 1.6 section 4.1.3: unknown message types are ignored

    def _settle(self, message_id: str, give: Callable[[asyncio.Future[Payload]], None]) -> None:
        answer = self._waiting.get(message_id)
        if answer is not None and not answer.done():
            give(answer)

    async def _answer(self, message_id: str, action: str, payload: Payload) -> None:
        match self._obey(action, payload):
            case None:
                pass
            case Slow(make):
                self._do(lambda: self._answer_slowly(message_id, make))
            case answer:
                await self._give(message_id, answer)

    async def _answer_slowly(self, message_id: str, make: Callable[[], Awaitable[Reply | Fault]]) -> None:
        await self._give(message_id, await make())

    async def _give(self, message_id: str, answer: Reply | Fault) -> None:
        if isinstance(answer, Fault):
            await self._send([CALLERROR, message_id, answer.code, answer.text, {}])
            return
        await self._send([CALLRESULT, message_id, answer.payload])
        if answer.then is not None:
            self._do(answer.then)

    async def _send(self, frame: list[Any]) -> None:
        for bent in self.bend(frame):
            await self.send_text(bent if isinstance(bent, str) else json.dumps(bent, separators=(",", ":")))

    def abandon(self) -> None:
        """Listen no more, and leave the socket open: some firmware forgets it."""
        if self._listening is not None:
            self._listening.cancel()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self._socket.close(code, reason)

    def cut(self) -> None:
        """Lose the link as a broken cable does: no closing handshake."""
        self._socket.transport.abort()
