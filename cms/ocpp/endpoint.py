"""The sockets: one port for all stations and versions, and core.Stations for everybody inside.

An idle station costs its socket and its link; nothing of ours runs for it: one timer looks after all connections.
"""

from __future__ import annotations

import asyncio
import functools
import http
import logging
import ssl
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, cast

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import InvalidState
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from cms.contract.refusals import Invalid
from cms.core import MAIN, Clock, StoreDown
from cms.domain import handshakes
from cms.domain.handshakes import Attempt
from cms.domain.networks import network_of
from cms.ocpp import door
from cms.ocpp.connection import StationConnection
from cms.ocpp.contests import Contests
from cms.ocpp.deflate import Deflate
from cms.ocpp.dialect import DIALECTS
from cms.ocpp.door import Admitted, Knock, Turned
from cms.ocpp.gate import Gate
from cms.ocpp.journal import Journal, outcome_of
from cms.ocpp.link import Link
from cms.ocpp.ports import Hooks, Limits
from cms.ocpp.served import Served, is_open, place
from cms.ocpp.tls import SecureListener

log = logging.getLogger(__name__)


class Endpoint(Served):
    """Where stations connect. It is itself core.Stations of the main organisation."""

    def __init__(
        self,
        host: str,
        port: int | None,
        admit: Callable[[Knock], Awaitable[Admitted | Turned]],
        hooks: Callable[[str], Hooks],
        clock: Clock,
        limits: Limits | None = None,
        prefix: str = "/ocpp",
        secure: SecureListener | None = None,
        proxies: Collection[str] = (),
    ) -> None:
        """``port`` None: stations are served with TLS alone. ``proxies``: addresses that do TLS for us.

        ``admit`` decides who may come in, and to which organisation; ``hooks`` are what that one hears of him.
        """
        super().__init__({}, MAIN, Journal())
        self.host = host
        self.port = port
        self.secure_port = secure.port if secure else None
        self.limits = limits or Limits()
        self._admit = admit
        self._hooks = hooks
        self._clock = clock
        self._prefix = "/" + prefix.strip("/")
        self._tls = secure.context if secure else None
        if self._tls is not None:
            self._tls.tell = self._tls_failed
        self._proxies = frozenset(proxies)
        self._servers: list[Server] = []
        self._keeper: asyncio.Task[None] | None = None
        self._gate: Gate[StationConnection] = Gate(self.limits.handshakes, self.limits.files)
        self._contests = Contests()

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
            extensions=[Deflate()],
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
                "type[ServerConnection]", functools.partial(StationConnection, doorstep=self)
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
        links = [connection.link for connection in self._connections.values() if connection.link is not None]
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
        for connection in self._gate.all():
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
        for connection in list(self._connections.values()):
            if connection.link is not None:
                connection.link.shut(code, reason)

    def of(self, organisation: str) -> Served:
        """The stations of an organisation."""
        return Served(self._connections, organisation, self._journal)

    def connected(self) -> int:
        """How many stations are connected, whoever they belong to."""
        return sum(map(is_open, self._connections.values()))

    # The door

    def at_the_door(self, connection: StationConnection) -> None:
        """A socket that has not proved anything yet: only so many of those."""
        peer = connection.peer
        # A proxy of ours is not one of the many: whom it brings is said in a header, later.
        network = f"proxy {id(connection)}" if peer in self._proxies else network_of(peer)
        now = asyncio.get_running_loop().time()
        goes = self._gate.enter(connection, network, now, connection.file)
        if goes is not None:
            goes.transport.abort()

    def left_the_door(self, connection: StationConnection) -> None:
        self._gate.leave(connection)
        if connection.link is None and not connection.told:
            outcome = handshakes.TLS_TO_PLAIN if connection.spoke_tls else handshakes.SILENT
            self._journal.note(self._attempt(connection.host, outcome, "", tls=connection.cipher))

    def _attempt(self, address: str, outcome: str, why: str, **more: Any) -> Attempt:
        now = self._clock.now()
        return Attempt(now, now, address, outcome, why, **more)

    def _tls_failed(self, address: str, reason: str) -> None:
        self._journal.note(self._attempt(address, outcome_of(reason), reason))

    async def _receive(self, connection: ServerConnection, request: Request) -> Response | None:
        """Decide about an upgrade; None lets it happen."""
        assert isinstance(connection, StationConnection)
        if "websocket" not in ",".join(request.headers.get_all("Upgrade")).casefold():
            self._note(connection, request, Turned(426, "no websocket", outcome=handshakes.NO_UPGRADE))
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
            cipher=connection.cipher,
            spoken=DIALECTS,
        )
        if isinstance(knock, Turned):
            return self._turn_away(connection, request, knock)
        verdict = await self._verdict(knock)
        if isinstance(verdict, Turned):
            return self._turn_away(connection, request, verdict)
        protocol = door.select(offered, DIALECTS) or verdict.subprotocol
        if protocol not in DIALECTS:
            nothing = Turned(400, "the station offers no OCPP subprotocol", outcome=handshakes.SUBPROTOCOL)
            return self._turn_away(connection, request, nothing)
        self._journal.solved(verdict.organisation, verdict.station, self._clock.now())
        connection.place = place(verdict.organisation, verdict.station)
        connection.link = Link(
            verdict.station,
            DIALECTS[protocol],
            connection.host,
            connection,
            self._hooks(verdict.organisation),
            self.limits,
            self._clock,
            lenient=verdict.lenient,
        )
        return None

    async def _verdict(self, knock: Knock) -> Admitted | Turned:
        try:
            verdict = await self._admit(knock)
        except StoreDown:
            return Turned(503, "the store is down, try again later", retry_after_s=30)
        except Exception:
            log.exception("could not decide about %r from %s", knock.identity, knock.address)
            return Turned(500, "an error of ours, it has been logged")
        if isinstance(verdict, Admitted) and await self._contested(verdict, knock.address):
            return _CONTESTED
        return verdict

    async def _contested(self, verdict: Admitted, address: str) -> bool:
        """Whether two that both prove to be one station throw each other out."""
        key = place(verdict.organisation, verdict.station)
        incumbent = self._connections.get(key)
        if incumbent is None or not is_open(incumbent) or incumbent.host == address:
            return False
        now = asyncio.get_running_loop().time()
        if self._contests.frozen(key, now):
            return True
        if not self._contests.freezes(key, now):
            return False
        try:
            await self._hooks(verdict.organisation).contested(verdict.station, incumbent.host, address)
        except StoreDown:
            log.warning("could not store that %r is contested", verdict.station)
        return True

    def _note(self, connection: StationConnection, request: Request, turned: Turned) -> None:
        """Into the journal: the shape of what it showed, nothing of its secrets."""
        connection.told = True
        named = door.identity(request.path, self._prefix)
        attempt = self._attempt(
            connection.host,
            turned.outcome,
            turned.why or turned.reason,
            target=request.path.partition("?")[0],
            identity=named if isinstance(named, str) else "",
            offered=tuple(_listed(request.headers.get_all("Sec-WebSocket-Protocol"))),
            credentials=door.shape(request.headers.get_all("Authorization"), connection.certificate),
            tls=connection.cipher or ("by a proxy" if connection.secure else ""),
            status=turned.status,
            organisation=turned.organisation,
        )
        self._journal.note(attempt)

    def _turn_away(self, connection: StationConnection, request: Request, turned: Turned) -> Response:
        self._note(connection, request, turned)
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
        key = connection.place
        self._gate.leave(connection)
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
            if self._connections.get(key) is connection:
                del self._connections[key]
                await self._part(link)

    def _replace(self, key: str, connection: StationConnection) -> None:
        """The newest authenticated connection wins (a rebooted station is the common case)."""
        older = self._connections.get(key)
        self._connections[key] = connection
        if older is None or older.link is None or older.link.closed is not None:
            return
        if older.host != connection.host:
            self._contests.replaced(key, older.host, asyncio.get_running_loop().time())
        older.link.shut(1008, "replaced by a newer connection")

    async def _welcome(self, link: Link) -> None:
        try:
            await link.hooks.connected(link.station, link.dialect.version, link.address)
        except StoreDown:
            link.shut(1013, "cannot store now, try again later")
        except Exception:
            log.exception("could not welcome %r", link.station)
            link.shut(1011, "an error of ours, it has been logged")
        else:
            link.open()

    async def _part(self, link: Link) -> None:
        try:
            await link.hooks.disconnected(link.station, link.closed or "")
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
            for number, connection in enumerate(list(self._connections.values())):
                try:
                    connection.probe(loop.time(), self.limits)
                except (InvalidState, OSError):
                    continue  # it has just gone by itself
                if number % 256 == 255:
                    await asyncio.sleep(0)
            self._contests.forget(loop.time())


_CONTESTED = Turned(429, "this station is being served elsewhere", retry_after_s=60)

# The library tells of every handshake that fails, which is what stations and scanners do all day; what fails on
# our side is told above.
_QUIET = logging.getLogger("cms.ocpp.websockets")
_QUIET.setLevel(logging.CRITICAL)


def _listed(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(item.strip() for value in values for item in value.split(",") if item.strip())


def _spoken_with(connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    if not offered:
        return None  # RFC 6455, 4.2.2: nothing is chosen for a client that offers nothing
    assert isinstance(connection, StationConnection) and connection.link is not None
    return Subprotocol(connection.link.dialect.subprotocol)
