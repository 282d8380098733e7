"""One socket of a station: frames go from the protocol straight to the link, and answers straight back.

The library's queues, tasks per message and parser are passed by where a frame is as nearly all are.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, Protocol

from websockets.asyncio.server import Server, ServerConnection
from websockets.frames import BINARY, CONT, TEXT, Frame
from websockets.protocol import CONNECTING, OPEN, Event
from websockets.server import ServerProtocol
from websockets.streams import StreamReader

from cms.ocpp import door
from cms.ocpp.link import Link
from cms.ocpp.ports import Limits

try:
    from websockets.speedups import apply_mask
except ImportError:  # no wheel with C for this machine
    from websockets.utils import apply_mask

# RFC 6455, 5.2: FIN and opcode 1; the mask bit; the length that says that two more bytes hold it.
_WHOLE_TEXT, _MASKED, _TWO_BYTES_MORE = 0x81, 0x80, 126
#: A TLS record with a handshake in it (RFC 8446, 5.1), where HTTP should begin.
_TLS_HELLO = b"\x16\x03"
#: A close frame holds 123 bytes of reason (RFC 6455, 5.5).
_MAX_REASON = 120


class Doorstep(Protocol):
    """Where a socket waits until it has proved which station it is."""

    @property
    def limits(self) -> Limits: ...

    def at_the_door(self, connection: StationConnection) -> None: ...

    def left_the_door(self, connection: StationConnection) -> None: ...


class StationConnection(ServerConnection):
    """One socket. It is the wire of its link, and speaks to the protocol without the library's queues."""

    def __init__(
        self, protocol: ServerProtocol, server: Server, *, doorstep: Doorstep, **options: Any
    ) -> None:
        super().__init__(protocol, server, **options)
        self._doorstep = doorstep
        self._limits = doorstep.limits
        self.link: Link | None = None
        self.place = ""
        """Which station of which organisation it was admitted as (served.place)."""
        self.heard_at = self.loop.time()
        self._pinged_at = 0.0
        self._parts: list[bytes] | None = None
        self._closing: asyncio.TimerHandle | None = None
        self._lost_because: str | None = None
        self._through: door.Forwarded | None = None
        self.told = False
        """Whether the journal of handshakes knows of it."""
        self.spoke_tls = False

    @property
    def host(self) -> str:
        """Where the station is, behind a proxy of ours or not."""
        if self._through is not None and self._through.address:
            return self._through.address
        return self.peer

    @property
    def peer(self) -> str:
        address = self.remote_address
        return str(address[0]) if address else ""

    @property
    def file(self) -> int:
        """The number of its open file."""
        socket = self.transport.get_extra_info("socket")
        return 0 if socket is None else int(socket.fileno())

    @property
    def secure(self) -> bool:
        """Whether it came with TLS, as far as we can know: a proxy of ours is believed."""
        encrypted = self.transport.get_extra_info("ssl_object") is not None
        return encrypted or (self._through is not None and self._through.secure)

    def believe(self, through: door.Forwarded) -> None:
        self._through = through

    @property
    def cipher(self) -> str:
        """The TLS suite, e.g. ECDHE-ECDSA-AES128-GCM-SHA256; empty without TLS of ours."""
        cipher = self.transport.get_extra_info("cipher")
        return str(cipher[0]) if cipher else ""

    @property
    def certificate(self) -> bytes | None:
        """The client certificate in DER, found genuine in the handshake; None without."""
        socket: ssl.SSLObject | None = self.transport.get_extra_info("ssl_object")
        return None if socket is None else socket.getpeercert(binary_form=True)

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._doorstep.at_the_door(self)

    def data_received(self, data: bytes) -> None:
        self.heard_at = self.loop.time()
        if self.link is not None and (text := self._whole_text(data)) is not None:
            self._hear(self.link, text)
        else:
            if self.link is None and data.startswith(_TLS_HELLO):
                self.spoke_tls = True
            super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._doorstep.left_the_door(self)
        if self._closing is not None:
            self._closing.cancel()
        if self.link is not None:
            self.link.lost(self.why_lost())

    def why_lost(self) -> str:
        if self._lost_because is not None:
            return self._lost_because
        if self.protocol.close_rcvd is None:
            return "the connection broke"
        said = self.protocol.close_rcvd
        return f"closed by the station ({said.code}{' ' if said.reason else ''}{said.reason})"

    # What comes in

    def _whole_text(self, data: bytes) -> bytes | None:
        """The payload when this data is one masked text frame and no more (RFC 6455, 5.2), as nearly always.

        The library's parser costs as much as reading the JSON in it. Everything else is its business.
        """
        if len(data) < 6 or data[0] != _WHOLE_TEXT:
            return None
        length, start = data[1] - _MASKED, 2
        if length == _TWO_BYTES_MORE:
            length, start = int.from_bytes(data[2:4]), 4
        elif length > _TWO_BYTES_MORE:
            return None
        if len(data) != start + 4 + length or length > self._limits.max_frame_bytes:
            return None
        if self.protocol.state is not OPEN or not _between_messages(self.protocol):
            return None
        return apply_mask(data[start + 4 :], data[start : start + 4])

    def process_event(self, event: Event) -> None:
        link = self.link
        if link is None:
            super().process_event(event)
            return
        assert isinstance(event, Frame)
        opcode = event.opcode
        if opcode is TEXT and event.fin:
            self._hear(link, event.data)
        elif opcode is TEXT or opcode is CONT:
            self._collect(link, event)
        elif opcode is BINARY:
            # OCPP-J 4.1: text frames only.
            link.shut(1003, "OCPP is spoken in text frames")

    def _collect(self, link: Link, event: Frame) -> None:
        """Fragments; their sum is bounded by the protocol's max_size, their number here."""
        if event.opcode is TEXT:
            self._parts = []
        if self._parts is None:
            return
        self._parts.append(bytes(event.data))
        if event.fin:
            whole, self._parts = b"".join(self._parts), None
            self._hear(link, whole)
        elif len(self._parts) > self._limits.max_fragments:
            self._parts = None
            link.shut(1009, "too many fragments")

    def _hear(self, link: Link, data: Any) -> None:
        try:
            text = str(data, "utf-8")
        except UnicodeDecodeError:
            link.shut(1007, "not UTF-8")
        else:
            link.hear(text)

    # link.Wire: what goes out

    def write(self, data: bytes) -> None:
        if self.protocol.state is not OPEN:
            return
        if len(data) < _TWO_BYTES_MORE:
            # What the library would make of it: our extension leaves short messages alone.
            self.transport.write(bytes((_WHOLE_TEXT, len(data))) + data)
        else:
            self.protocol.send_text(data)
            self.send_data()
        if self.paused and self.transport.get_write_buffer_size() > self._limits.max_unsent_bytes:
            self.give_up("it does not take what we send")

    async def drained(self) -> None:
        if not self.paused:
            return
        try:
            async with asyncio.timeout(self._limits.write_s):
                await self.drain()
        except (TimeoutError, OSError):
            self.give_up("it does not take what we send")

    def pause(self) -> None:
        self.transport.pause_reading()

    def resume(self) -> None:
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def shut(self, code: int, reason: str) -> None:
        """Close politely, and rudely when the station does not answer that in time."""
        self._lost_because = self._lost_because or reason
        if self.protocol.state is CONNECTING:
            self.transport.abort()
        if self.protocol.state is not OPEN:
            return
        self.protocol.send_close(code, reason[:_MAX_REASON])
        self.send_data()
        self.resume()
        self._closing = self.loop.call_later(self._limits.close_s, self.transport.abort)

    def give_up(self, reason: str) -> None:
        """Break the connection of a station that no longer takes part in it."""
        self._lost_because = self._lost_because or reason
        if self.link is not None:
            self.link.lost(reason)
        self.transport.abort()

    def probe(self, now: float, limits: Limits) -> None:
        """Ping a silent station; give up one whose silence outlasts that."""
        if self.link is None or self.protocol.state is not OPEN:
            return
        if self.link.holding:
            self.heard_at = now
            return
        silent_s = now - self.heard_at
        if self._pinged_at > self.heard_at:
            # Counted from the ping: after we stood still ourselves, silence alone proves nothing.
            if now - self._pinged_at > limits.pong_s:
                self.give_up(f"no sign of life for {silent_s:.0f} s")
        elif silent_s > limits.ping_s:
            self._pinged_at = now
            self.protocol.send_ping(b"")
            self.send_data()


def _between_messages(protocol: ServerProtocol) -> bool:
    """Whether the library's parser waits for the first byte of a message.

    It does where it asks whether the stream has ended; should the library be built otherwise one day, the answer
    is no, and it parses every frame itself.
    """
    parser: Any = protocol.parser
    waiting_at = getattr(parser.gi_yieldfrom, "gi_yieldfrom", None)
    return getattr(waiting_at, "gi_code", None) is _AT_EOF and protocol.current_size is None


_AT_EOF = StreamReader.at_eof.__code__
