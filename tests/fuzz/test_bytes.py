"""Whatever bytes come after the handshake, in whatever pieces: the connection ends with a code, or goes on."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from cms.core import MAIN
from cms.ocpp import Endpoint, Limits
from cms.ocpp.served import place
from tests.fuzz.bench import Errors
from tests.fuzz.seeds import Choices, likely, one_of
from tests.fuzz.test_frames import EXAMPLES
from tests.fuzz.texts import text
from tests.ocpp.fakes import Backend, FixedClock

_CP7 = place(MAIN, "cp-7")

#: Heads of frames: whole text, text to be continued, continuation (last), binary, ping, pong, close; with RSV bits.
_HEADS = (0x81, 0x81, 0x81, 0x01, 0x00, 0x80, 0x82, 0x89, 0x8A, 0x88, 0xC1, 0xA1, 0x91, 0x83, 0x8F, 0x09)
_PAYLOADS = (b"", b"\x03\xe8", b"\x00\x00", b"\x03\xe8\xff", b"\xff\xfe", b"[", b"\x00" * 130, b"x" * 70_000)
_KNOWN = ("BootNotification", "Heartbeat", "StatusNotification", "MeterValues", "DataTransfer")


def frame(choices: Choices) -> bytes:
    """One frame as a client sends it, mostly."""
    payload = (
        one_of(choices, _PAYLOADS)
        if likely(choices, 3)
        else text(choices, "1.6", _KNOWN).encode("utf-8", "replace")
    )
    key = bytes(choices.randrange(256) for _ in range(4))
    masked = bytes(byte ^ key[n % 4] for n, byte in enumerate(payload[:5000]))
    length = len(masked) if not likely(choices, 10) else choices.randrange(2**16)
    unmasked = likely(choices, 20)
    return bytes((one_of(choices, _HEADS),)) + _length(length, 0 if unmasked else 0x80) + key + masked


def _length(length: int, mask: int) -> bytes:
    if length < 126:
        return bytes((mask | length,))
    if length < 2**16:
        return bytes((mask | 126,)) + length.to_bytes(2, "big")
    return bytes((mask | 127,)) + length.to_bytes(8, "big")


def stream(choices: Choices) -> bytes:
    """Some frames, perhaps with bytes lost, changed or added."""
    sent = b"".join(frame(choices) for _ in range(1 + choices.randrange(4)))
    for _ in range(choices.randrange(3)):
        at = choices.randrange(len(sent) + 1)
        some = bytes(choices.randrange(256) for _ in range(choices.randrange(3)))
        sent = sent[:at] + some + sent[at + choices.randrange(3) :]
    return sent


def pieces(choices: Choices, sent: bytes) -> Iterator[bytes]:
    while sent:
        size = one_of(choices, (1, 2, 7, 100, 100_000))
        yield sent[:size]
        sent = sent[size:]


class Door:
    """An endpoint on the loopback that stations may send bytes to."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.errors = Errors()
        self.ends: dict[Any, int] = {}
        for name in ("cms", "asyncio"):
            logging.getLogger(name).addHandler(self.errors)
        self.endpoint = self.runner.run(self._open())

    async def _open(self) -> Endpoint:
        limits = Limits(close_s=0.2, max_frame_bytes=20_000, rate_per_s=1e6, burst=1e6)
        backend = Backend()
        endpoint = Endpoint("127.0.0.1", 0, backend.admit, backend.hooks_of, FixedClock(), limits)
        await endpoint.start()
        return endpoint

    async def try_one(self, choices: Choices) -> None:
        options: dict[str, Any] = {"compression": one_of(choices, (None, "deflate")), "proxy": None}
        url = f"{self.endpoint.url}/CP-7"
        async with connect(
            url, subprotocols=[Subprotocol("ocpp1.6")], ping_interval=None, **options
        ) as client:
            connection = await self._inside()
            for piece in pieces(choices, stream(choices)):
                connection.data_received(piece)
            client.transport.write_eof()
            async with asyncio.timeout(10):
                await self._over(client)
            self.ends[client.close_code] = self.ends.get(client.close_code, 0) + 1
        async with asyncio.timeout(10):
            while self.endpoint.online():
                await asyncio.sleep(0)
        assert not self.errors.seen, self.errors.seen[-1]

    async def _inside(self) -> Any:
        async with asyncio.timeout(10):
            while "main/cp-7" not in self.endpoint._connections:
                await asyncio.sleep(0)
        return self.endpoint._connections["main/cp-7"]

    async def _over(self, client: Any) -> None:
        """Read until the end; what is said is JSON."""
        try:
            while True:
                json.loads(await client.recv())
        except ConnectionClosed:
            return

    def close(self) -> None:
        self.runner.run(self.endpoint.close(1001, "the end"))
        self.runner.close()
        for name in ("cms", "asyncio"):
            logging.getLogger(name).removeHandler(self.errors)


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    made = Door()
    yield made
    print(made.ends)
    made.close()


@settings(max_examples=EXAMPLES // 3, deadline=None, suppress_health_check=list(HealthCheck))
@given(choices=st.randoms(use_true_random=False))
def test_any_bytes_end_the_connection_or_are_answered(door: Door, choices: random.Random) -> None:
    door.runner.run(door.try_one(choices))
