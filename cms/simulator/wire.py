"""The station's end of an OCPP-J conversation: calls out one at a time, orders in, each answered.

OCPP-J 1.6 section 4, OCPP 2.0.1 part 4: [2, id, action, payload], [3, id, payload], [4, id, code, text, {}].
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

CALL, CALLRESULT, CALLERROR = 2, 3, 4


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


#: What becomes of an order: an answer, a CALLERROR, or None: silence.
Obey = Callable[[str, Payload], Reply | Fault | None]


class Wire:
    """One connection. ``call`` may be used by many tasks; one CALL is out at a time (J 1.6 section 4.1.1)."""

    def __init__(
        self,
        socket: ClientConnection,
        obey: Obey,
        do: Callable[[Callable[[], Awaitable[None]]], None],
        patience_s: float = 30.0,
    ) -> None:
        self._socket = socket
        self._obey = obey
        self._do = do
        self._patience_s = patience_s
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
                    return await answer
            except TimeoutError:
                raise Silence(f"no answer to {action} within {self._patience_s:g} s") from None
            finally:
                self._waiting.pop(message_id, None)

    async def listen(self) -> None:
        """Read until the link is lost: LinkLost says why."""
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
            case Reply(answer, then):
                await self._send([CALLRESULT, message_id, answer])
                if then is not None:
                    self._do(then)
            case Fault(code, text):
                await self._send([CALLERROR, message_id, code, text, {}])
            case None:
                pass

    async def _send(self, frame: list[Any]) -> None:
        try:
            await self._socket.send(json.dumps(frame, separators=(",", ":")))
        except ConnectionClosed as why:
            raise LinkLost(str(why)) from None

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self._socket.close(code, reason)

    def cut(self) -> None:
        """Lose the link as a broken cable does: no closing handshake."""
        self._socket.transport.abort()
