"""The sockets: one port for all stations and versions, and core.Stations for everybody inside.

An idle station costs its socket and its link; nothing of ours runs for it. Frames go from the protocol straight
to the link, past the library's queues, and answers straight back; one timer looks after all connections.
"""

from __future__ import annotations

import asyncio
import functools
import http
import logging
import ssl
import time
from collections import deque
from collections.abc import Collection, Sequence
from typing import Any, cast

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import InvalidState, PayloadTooBig
from websockets.extensions.base import Extension
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.frames import BINARY, CONT, TEXT, Frame
from websockets.http11 import Request, Response
from websockets.protocol import CONNECTING, OPEN, Event
from websockets.server import ServerProtocol
from websockets.streams import StreamReader
from websockets.typing import ExtensionParameter, Subprotocol

from cms.contract.refusals import Invalid, Unreachable
from cms.contract.stations import Message
from cms.core import Clock, LinkInfo, StoreDown
from cms.domain.orders import Order, OrderAnswer
from cms.ocpp import door
from cms.ocpp.dialect import DIALECTS
from cms.ocpp.door import Admitted, Knock, Turned
from cms.ocpp.link import Hooks, Limits, Link
from cms.ocpp.tls import SecureListener

try:
    from websockets.speedups import apply_mask
except ImportError:  # no wheel with C for this machine
    from websockets.utils import apply_mask

log = logging.getLogger(__name__)

# RFC 6455, 5.2: FIN and opcode 1; the mask bit; the length that says that two more bytes hold it.
_WHOLE_TEXT, _MASKED, _TWO_BYTES_MORE = 0x81, 0x80, 126
_REPLACEMENTS = 3
_REPLACEMENT_WINDOW_S = 60.0
#: A close frame holds 123 bytes of reason (RFC 6455, 5.5).
_MAX_REASON = 120


class StationConnection(ServerConnection):
    """One socket. It is the wire of its link, and speaks to the protocol without the library's queues."""

    def __init__(
        self, protocol: ServerProtocol, server: Server, *, endpoint: Endpoint, **options: Any
    ) -> None:
        super().__init__(protocol, server, **options)
        self.endpoint = endpoint
        self.link: Link | None = None
        self.heard_at = self.loop.time()
        self._pinged_at = 0.0
        self._parts: list[bytes] | None = None
        self._closing: asyncio.TimerHandle | None = None
        self._lost_because: str | None = None
        self._through: door.Forwarded | None = None

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
    def secure(self) -> bool:
        """Whether it came with TLS, as far as we can know: a proxy of ours is believed."""
        encrypted = self.transport.get_extra_info("ssl_object") is not None
        return encrypted or (self._through is not None and self._through.secure)

    def believe(self, through: door.Forwarded) -> None:
        self._through = through

    @property
    def certificate(self) -> bytes | None:
        """The client certificate in DER, found genuine in the handshake; None without."""
        socket: ssl.SSLObject | None = self.transport.get_extra_info("ssl_object")
        return None if socket is None else socket.getpeercert(binary_form=True)

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.endpoint.at_the_door(self)

    def data_received(self, data: bytes) -> None:
        self.heard_at = self.loop.time()
        if self.link is not None and (text := self._whole_text(data)) is not None:
            self._hear(self.link, text)
        else:
            super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.endpoint.left_the_door(self)
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
        if len(data) != start + 4 + length or length > self.endpoint.limits.max_frame_bytes:
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
        elif len(self._parts) > self.endpoint.limits.max_fragments:
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
        if self.paused and self.transport.get_write_buffer_size() > self.endpoint.limits.max_unsent_bytes:
            self.give_up("it does not take what we send")

    async def drained(self) -> None:
        if not self.paused:
            return
        try:
            async with asyncio.timeout(self.endpoint.limits.write_s):
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
        self._closing = self.loop.call_later(self.endpoint.limits.close_s, self.transport.abort)

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


class Endpoint:
    """Where stations connect. Implements core.Stations."""

    def __init__(
        self,
        host: str,
        port: int | None,
        hooks: Hooks,
        clock: Clock,
        limits: Limits | None = None,
        prefix: str = "/ocpp",
        secure: SecureListener | None = None,
        proxies: Collection[str] = (),
    ) -> None:
        """``port`` None: stations are served with TLS alone. ``proxies``: addresses that do TLS for us."""
        self.host = host
        self.port = port
        self.secure_port = secure.port if secure else None
        self.limits = limits or Limits()
        self._hooks = hooks
        self._clock = clock
        self._prefix = "/" + prefix.strip("/")
        self._tls = secure.context if secure else None
        self._proxies = frozenset(proxies)
        self._servers: list[Server] = []
        self._keeper: asyncio.Task[None] | None = None
        self._stations: dict[str, StationConnection] = {}
        """The newest connection of each station, by identity without case."""
        self._knocking: set[StationConnection] = set()
        self._replacements: dict[str, deque[tuple[float, str]]] = {}
        self._frozen: dict[str, float] = {}

    @property
    def url(self) -> str:
        """What a station's configuration takes, without its identity: ``ws://HOST:PORT/ocpp``."""
        return self._at("ws", self.port)

    @property
    def secure_url(self) -> str | None:
        """The same for security profiles 2 and 3: ``wss://HOST:PORT/ocpp``; None when nobody listens there."""
        return None if self.secure_port is None else self._at("wss", self.secure_port)

    def _at(self, scheme: str, port: int | None) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{port}{self._prefix}"

    async def start(self) -> None:
        """Listen; port 0 picks a free one."""
        if self.port is not None:
            self.port = await self._listening(self.port, None)
        if self.secure_port is not None:
            self.secure_port = await self._listening(self.secure_port, self._tls)
        self._keeper = asyncio.create_task(self._keep_alive(), name="ocpp keep-alive")

    async def _listening(self, port: int, context: ssl.SSLContext | None) -> int:
        try:
            return await self._listen(port, context)
        except OSError as error:
            raise Invalid(
                f"Stations cannot be served on {self.host}:{port}: {error.strerror or error}",
                "see ocpp_host, ocpp_port and ocpp_tls_port",
            ) from error

    async def _listen(self, port: int, context: ssl.SSLContext | None) -> int:
        server = await serve(
            self._serve,
            self.host,
            port,
            subprotocols=[Subprotocol(name) for name in DIALECTS],
            select_subprotocol=_spoken_with,
            extensions=[_Deflate()],
            compression=None,
            process_request=self._receive,
            server_header=None,
            open_timeout=self.limits.handshake_s,
            ping_interval=None,
            close_timeout=self.limits.close_s,
            max_size=self.limits.max_frame_bytes,
            max_queue=None,
            logger=_QUIET,
            create_connection=cast(
                "type[ServerConnection]", functools.partial(StationConnection, endpoint=self)
            ),
            ssl=context,
            ssl_handshake_timeout=None if context is None else self.limits.handshake_s,
            backlog=1024,
        )
        self._servers.append(server)
        return int(next(iter(server.sockets)).getsockname()[1])

    async def drain(self, deadline_s: float) -> None:
        """Stop accepting and reading; handle and answer what was received, as far as the deadline allows."""
        for server in self._servers:
            server.close(close_connections=False)
        links = [connection.link for connection in self._stations.values() if connection.link is not None]
        for link in links:
            link.stop_reading()
        try:
            async with asyncio.timeout(deadline_s):
                await asyncio.gather(*(link.settled() for link in links))
        except TimeoutError:
            log.warning("some messages of stations were not handled in time; they will be repeated")

    async def close(self, code: int, reason: str) -> None:
        """Close every station with this code and stop listening."""
        for server in self._servers:
            server.close(close_connections=False)
        self.close_all(code, reason)
        for connection in list(self._knocking):
            connection.transport.abort()
        try:
            async with asyncio.timeout(self.limits.close_s + 1):
                await asyncio.gather(*(server.wait_closed() for server in self._servers))
        except TimeoutError:
            log.warning("some connections did not close in time")
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])

    def close_all(self, code: int, reason: str) -> None:
        """Close every station with this code, and go on listening."""
        for connection in list(self._stations.values()):
            if connection.link is not None:
                connection.link.shut(code, reason)

    # core.Stations

    def link(self, station_id: str) -> LinkInfo | None:
        link = self._link(station_id)
        return None if link is None else link.info

    def online(self) -> int:
        return sum(1 for connection in self._stations.values() if _is_open(connection))

    async def give(self, station_id: str, order: Order, timeout_s: float) -> OrderAnswer:
        link = self._link(station_id)
        if link is None:
            raise Unreachable(f"{station_id} is off line")
        return await link.give(order, timeout_s)

    def messages(self, station_id: str) -> list[Message]:
        link = self._link(station_id)
        return [] if link is None else link.ring.messages()

    def disconnect(self, station_id: str, code: int, reason: str) -> None:
        link = self._link(station_id)
        if link is not None:
            link.shut(code, reason)

    def _link(self, station_id: str) -> Link | None:
        connection = self._stations.get(station_id.casefold())
        return connection.link if connection is not None and _is_open(connection) else None

    # The door

    def at_the_door(self, connection: StationConnection) -> None:
        """A socket that has not proved anything yet: only so many of those."""
        self._knocking.add(connection)
        if len(self._knocking) > self.limits.handshakes:
            connection.transport.abort()

    def left_the_door(self, connection: StationConnection) -> None:
        self._knocking.discard(connection)

    async def _receive(self, connection: ServerConnection, request: Request) -> Response | None:
        """Decide about an upgrade; None lets it happen."""
        assert isinstance(connection, StationConnection)
        if "websocket" not in ",".join(request.headers.get_all("Upgrade")).casefold():
            return None  # the library explains to browsers and probes what this port is
        if connection.peer in self._proxies:
            connection.believe(door.forwarded(request.headers.get_all))
        offered = _listed(request.headers.get_all("Sec-WebSocket-Protocol"))
        knock = door.knock(
            request.path,
            offered,
            request.headers.get_all("Authorization"),
            prefix=self._prefix,
            address=connection.host,
            secure=connection.secure,
            certificate=connection.certificate,
            spoken=DIALECTS,
        )
        if isinstance(knock, Turned):
            return self._turn_away(connection, knock)
        verdict = await self._verdict(knock)
        if isinstance(verdict, Turned):
            return self._turn_away(connection, verdict)
        protocol = door.select(offered, DIALECTS) or verdict.subprotocol
        if protocol not in DIALECTS:
            return self._turn_away(connection, Turned(400, "the station offers no OCPP subprotocol"))
        connection.link = Link(
            verdict.station,
            DIALECTS[protocol],
            connection.host,
            connection,
            self._hooks,
            self.limits,
            self._clock,
            lenient=verdict.lenient,
        )
        return None

    async def _verdict(self, knock: Knock) -> Admitted | Turned:
        try:
            verdict = await self._hooks.admit(knock)
        except StoreDown:
            return Turned(503, "the store is down, try again later", retry_after_s=30)
        except Exception:
            log.exception("could not decide about %r from %s", knock.identity, knock.address)
            return Turned(500, "an error of ours, it has been logged")
        if isinstance(verdict, Admitted) and (refusal := self._contested(verdict.station, knock.address)):
            return refusal
        return verdict

    def _contested(self, station: str, address: str) -> Turned | None:
        """Two that both prove to be one station and throw each other out: keep the one that is in for a while.

        A station that redials from its own address is none of that; see _REPLACEMENTS.
        """
        key, now = station.casefold(), asyncio.get_running_loop().time()
        incumbent = self._stations.get(key)
        if incumbent is None or not _is_open(incumbent) or incumbent.host == address:
            return None
        if self._frozen.get(key, 0) > now:
            return _CONTESTED
        recent = [seen for at, seen in self._replacements.get(key, ()) if now - at < _REPLACEMENT_WINDOW_S]
        if len(recent) < _REPLACEMENTS:
            return None
        self._frozen[key] = now + _REPLACEMENT_WINDOW_S
        log.warning(
            "%r connects from %r and %r in turns: only the present one is served",
            station,
            *_two(recent, address),
        )
        return _CONTESTED

    def _turn_away(self, connection: StationConnection, turned: Turned) -> Response:
        response = connection.respond(http.HTTPStatus(turned.status), turned.reason + "\n")
        if turned.status == http.HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = 'Basic realm="OCPP", charset="UTF-8"'
        if turned.retry_after_s is not None:
            response.headers["Retry-After"] = str(turned.retry_after_s)
        return response

    # Inside

    async def _serve(self, connection: ServerConnection) -> None:
        """One connection from its upgrade to its end."""
        assert isinstance(connection, StationConnection) and connection.link is not None
        link = connection.link
        key = link.station.casefold()
        self._knocking.discard(connection)
        # Headers are a kilobyte or two that nobody reads again.
        connection.request = connection.response = None
        self._replace(key, connection)
        try:
            await self._welcome(link)
            await connection.wait_closed()
        finally:
            link.lost(connection.why_lost())
            await link.settled()
            # A newer connection makes the end of this one nobody's news.
            if self._stations.get(key) is connection:
                del self._stations[key]
                await self._part(link)

    def _replace(self, key: str, connection: StationConnection) -> None:
        """The newest authenticated connection wins (a rebooted station is the common case)."""
        older = self._stations.get(key)
        self._stations[key] = connection
        if older is None or older.link is None or older.link.closed is not None:
            return
        if older.host != connection.host:
            seen = self._replacements.setdefault(key, deque(maxlen=_REPLACEMENTS))
            seen.append((asyncio.get_running_loop().time(), older.host))
        older.link.shut(1008, "replaced by a newer connection")

    async def _welcome(self, link: Link) -> None:
        try:
            await self._hooks.connected(link.station, link.dialect.version, link.address)
        except StoreDown:
            link.shut(1013, "cannot store now, try again later")
        except Exception:
            log.exception("could not welcome %r", link.station)
            link.shut(1011, "an error of ours, it has been logged")
        else:
            link.open()

    async def _part(self, link: Link) -> None:
        try:
            await self._hooks.disconnected(link.station, link.closed or "")
        except StoreDown:
            log.warning("could not store that %r went off line", link.station)
        except Exception:
            log.exception("could not part from %r", link.station)

    async def _keep_alive(self) -> None:
        """One timer for all: half-open connections are found within ping_s + pong_s and a little."""
        loop = asyncio.get_running_loop()
        tick_s = min(self.limits.ping_s, self.limits.pong_s) / 4
        while True:
            await asyncio.sleep(tick_s)
            for number, connection in enumerate(list(self._stations.values())):
                try:
                    connection.probe(loop.time(), self.limits)
                except (InvalidState, OSError):
                    continue  # it has just gone by itself
                if number % 256 == 255:
                    await asyncio.sleep(0)
            self._forget_contests(loop.time())

    def _forget_contests(self, now: float) -> None:
        for key, seen in list(self._replacements.items()):
            if now - seen[-1][0] > _REPLACEMENT_WINDOW_S and self._frozen.get(key, 0) < now:
                del self._replacements[key]
                self._frozen.pop(key, None)


_CONTESTED = Turned(429, "this station is being served elsewhere", retry_after_s=60)

# The library tells of every handshake that fails, which is what stations and scanners do all day; what fails on
# our side is told above.
_QUIET = logging.getLogger("cms.ocpp.websockets")
_QUIET.setLevel(logging.CRITICAL)


def _between_messages(protocol: ServerProtocol) -> bool:
    """Whether the library's parser waits for the first byte of a message.

    It does where it asks whether the stream has ended; should the library be built otherwise one day, the answer
    is no, and it parses every frame itself.
    """
    parser: Any = protocol.parser
    waiting_at = getattr(parser.gi_yieldfrom, "gi_yieldfrom", None)
    return getattr(waiting_at, "gi_code", None) is _AT_EOF and protocol.current_size is None


_AT_EOF = StreamReader.at_eof.__code__


def _is_open(connection: StationConnection) -> bool:
    return connection.link is not None and connection.link.closed is None


def _listed(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(item.strip() for value in values for item in value.split(",") if item.strip())


def _two(recent: Sequence[str], address: str) -> tuple[str, str]:
    return recent[-1], address


def _spoken_with(connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    if not offered:
        return None  # RFC 6455, 4.2.2: nothing is chosen for a client that offers nothing
    assert isinstance(connection, StationConnection) and connection.link is not None
    return Subprotocol(connection.link.dialect.subprotocol)


#: Bytes that one station may win by compression, at once and per second.
_INFLATED_BURST = 4 * 1024 * 1024
_INFLATED_PER_S = 256 * 1024


class _DeflateSometimes(PerMessageDeflate):
    """Compression without a context per connection, for messages that are worth it.

    A message is sent uncompressed when it likes (RFC 7692, 7.2.1); our answers are mostly shorter than the effort.
    What inflates is bounded over time too: one read of the socket can hold hundreds of small frames that each
    become the largest message there may be.
    """

    _left = float(_INFLATED_BURST)
    _at = 0.0

    def decode(self, frame: Frame, *, max_size: int | None = None) -> Frame:
        decoded = super().decode(frame, max_size=max_size)
        now = time.monotonic()
        refilled = min(_INFLATED_BURST, self._left + (now - self._at) * _INFLATED_PER_S)
        self._at, self._left = now, refilled - (len(decoded.data) - len(frame.data))
        if self._left < 0:
            raise PayloadTooBig(None, max_size)
        return decoded

    def encode(self, frame: Frame) -> Frame:
        return frame if len(frame.data) < 1024 else super().encode(frame)


class _Deflate(ServerPerMessageDeflateFactory):
    """Offers permessage-deflate so that an idle connection keeps no window: 2.0.1 Part 4, 3.4 wants the extension."""

    def __init__(self) -> None:
        super().__init__(
            server_no_context_takeover=True,
            client_no_context_takeover=True,
            server_max_window_bits=12,
            compress_settings={"memLevel": 5},
        )

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[ExtensionParameter], PerMessageDeflate]:
        agreed, extension = super().process_request_params(params, accepted_extensions)
        return agreed, _DeflateSometimes(
            extension.remote_no_context_takeover,
            extension.local_no_context_takeover,
            extension.remote_max_window_bits,
            extension.local_max_window_bits,
            extension.compress_settings,
        )
