"""A station as raw frames on a websocket. It decides nothing: it says what it is told, and keeps what it hears.

Every frame that the central system sends is checked here: against the published schema of its version, for
what makes a frame fit for the wire, and for the rules of calling (ids are unique, one call outstanding).
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import websockets
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.schemas import check

CALL, RESULT, ERROR = 2, 3, 4

#: Error codes of each vocabulary: OCPP-J 1.6 table 7 (with its spellings), OCPP 2.0.1 part 4 section 4.3.
ERROR_CODES: Final = {
    "1.6": frozenset(
        "NotImplemented NotSupported InternalError ProtocolError SecurityError FormationViolation"
        " PropertyConstraintViolation OccurenceConstraintViolation TypeConstraintViolation GenericError".split()
    ),
    "2": frozenset(
        "FormatViolation GenericError InternalError MessageTypeNotSupported NotImplemented NotSupported"
        " OccurrenceConstraintViolation PropertyConstraintViolation ProtocolError RpcFrameworkError"
        " SecurityError TypeConstraintViolation".split()
    ),
}
_DATED: Final = re.compile(r"\d{4}-\d\d-\d\dT")
_WELL_DATED: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?(Z|[+-]\d\d:\d\d)")
#: Whatever the vendor agreed upon: not ours to judge.
_FOREIGN: Final = ("data", "customData")


@dataclass
class Watch:
    """What was seen of the central system by one worker: ids it used, rules it broke, the exchange for a report."""

    used: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    exchange: list[str] = field(default_factory=list)

    def note(self, who: str, arrow: str, text: str) -> None:
        self.exchange.append(
            f"{who} {arrow} {text if len(text) <= 600 else f'{text[:600]}... ({len(text)})'}"
        )


def basic(user: str, password: str | bytes) -> str:
    """The value of an Authorization header."""
    secret = password if isinstance(password, bytes) else password.encode()
    return "Basic " + base64.b64encode(user.encode() + b":" + secret).decode()


class Wire:
    """One connection of a station; ``name`` is how the report calls it."""

    def __init__(self, name: str, version: str, watch: Watch) -> None:
        self.name = name
        self.version = version
        self.watch = watch
        #: CALL actions that are answered without being looked at: action -> payload.
        self.auto: dict[str, Any] = {}
        self.unread: list[list[Any]] = []
        self.outstanding: str | None = None
        self._asked: dict[str, str] = {}
        self._news = asyncio.Event()
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None

    @property
    def socket(self) -> ClientConnection:
        assert self._socket is not None, f"station {self.name} is not connected"
        return self._socket

    @property
    def open(self) -> bool:
        return self._socket is not None and self._socket.state is websockets.State.OPEN

    async def connect(
        self,
        url: str,
        headers: dict[str, str],
        subprotocols: list[str],
        *,
        compression: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> ClientConnection:
        """Connect; raises what websockets raises (InvalidStatus: refused)."""
        self._socket = await connect(
            url,
            subprotocols=[Subprotocol(name) for name in subprotocols] or None,
            additional_headers=headers,
            compression=compression,
            ssl=tls,
            max_size=None,
            ping_interval=None,
            proxy=None,
            open_timeout=10,
        )
        if self._socket.subprotocol:
            self.version = self._socket.subprotocol.removeprefix("ocpp")
        self.unread, self.outstanding = [], None
        self._reader = asyncio.create_task(self._read(self._socket))
        return self._socket

    async def close(self) -> None:
        if self._socket is not None:
            with suppress(websockets.ConnectionClosed, OSError, TimeoutError):
                await asyncio.wait_for(self._socket.close(), 3)
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader
            self._reader = None

    def drop(self) -> None:
        """Be gone without a word, as when the power fails."""
        self.socket.transport.abort()

    # saying

    async def say(self, text: str | bytes, action: str | None = None, id: str | None = None) -> None:
        """Send a text frame as it is; ``action`` and ``id`` when an answer to it is to be checked."""
        if action is not None and id is not None:
            self._asked[id] = action
        self.watch.note(self.name, "->", text if isinstance(text, str) else text.decode("utf-8", "replace"))
        await self.socket.send(text, text=True)

    async def call(self, action: str, payload: Any, id: str) -> None:
        await self.say(json.dumps([CALL, id, action, payload], ensure_ascii=False), action, id)

    async def answer(self, id: str, payload: Any) -> None:
        self._settle(id)
        await self.say(json.dumps([RESULT, id, payload], ensure_ascii=False))

    async def refuse(self, id: str, code: str, description: str = "no") -> None:
        self._settle(id)
        await self.say(json.dumps([ERROR, id, code, description, {}]))

    def _settle(self, id: str) -> None:
        if self.outstanding == id:
            self.outstanding = None

    # hearing

    async def take(self, wanted: Callable[[list[Any]], bool], timeout_s: float) -> list[Any]:
        """The first unread frame that is wanted; TimeoutError when none comes, ConnectionError when none can."""
        async with asyncio.timeout(timeout_s):
            while True:
                for frame in self.unread:
                    if wanted(frame):
                        self.unread.remove(frame)
                        return frame
                if self._reader is None or self._reader.done():
                    raise ConnectionError(f"the connection is closed ({self.socket.close_code})")
                self._news.clear()
                await self._news.wait()

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for text in socket:
                self.watch.note(self.name, "<-", str(text))
                await self._heard(str(text))
                self._news.set()
        except websockets.ConnectionClosed:
            pass
        finally:
            self.watch.note(self.name, "--", f"closed {socket.close_code} {socket.close_reason or ''}")
            self._news.set()

    async def _heard(self, text: str) -> None:
        frame = json.loads(text, parse_float=Decimal)
        self.watch.faults += [f"{problem}: {text}" for problem in self._problems(frame)]
        if frame[0] == CALL and frame[2] in self.auto:
            await self.answer(frame[1], self.auto[frame[2]])
        else:
            self.unread.append(frame)

    def _problems(self, frame: list[Any]) -> Iterator[str]:
        match frame:
            case [2, str(id), str(action), dict(payload)]:
                yield from self._problems_of_call(id)
                yield from unfit(payload, self.version, action, response=False)
            case [3, str(id), dict(payload)]:
                if asked := self._asked.pop(id, None):
                    yield from unfit(payload, self.version, asked, response=True)
            case [4, str(id), str(code), str(), dict()]:
                self._asked.pop(id, "")
                if code not in ERROR_CODES["1.6" if self.version == "1.6" else "2"]:
                    yield f"{code} is no error code of {self.version}"
            case [3, int(), dict()] | [4, int(), str(), str(), dict()]:
                pass  # an id of ours that was no text, echoed
            case [6, str(), str(), dict()] if self.version == "2.1":
                pass
            case [5, str(), str(), str(), dict()] if self.version == "2.1":
                pass
            case _:
                yield "not a frame"

    def _problems_of_call(self, id: str) -> Iterator[str]:
        if len(id) > 36:
            yield "the message id is longer than 36 characters"
        if id in self.watch.used:
            yield "the message id was used before"
        self.watch.used.add(id)
        if self.outstanding is not None:
            yield f"a second CALL while {self.outstanding} is outstanding"
        self.outstanding = id


def unfit(payload: Any, version: str, action: str, *, response: bool) -> Iterator[str]:
    """What makes a payload of ours unfit for the wire."""
    try:
        check(version, action, json.loads(json.dumps(payload, default=float)), response=response)
    except FileNotFoundError:
        yield f"{action} is no action of {version}"
    except AssertionError as error:
        yield str(error)
    yield from _unclean(payload, "")


def _unclean(value: Any, place: str) -> Iterator[str]:
    if value is None:
        yield f"{place} is null"
    elif isinstance(value, dict):
        for name, item in value.items():
            if name not in _FOREIGN:
                yield from _unclean(item, f"{place}.{name}")
    elif isinstance(value, list):
        if not value:
            yield f"{place} is an empty list"
        for item in value:
            yield from _unclean(item, f"{place}[]")
    elif isinstance(value, str) and _DATED.match(value) and not _WELL_DATED.fullmatch(value):
        yield f"{place} is no time for the wire ({value})"
