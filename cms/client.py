"""How anything reaches a running daemon: ask a request, follow what happens.

One-shot questions (``ask``) go over the Unix socket with the standard library alone, so that a command
starts fast; httpx serves URLs, the asynchronous client and the event stream.
"""

from __future__ import annotations

import dataclasses
import os
import re
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

import msgspec

from cms import contexts, places
from cms.contract.events import Event
from cms.contract.refusals import Denied, Invalid, Refusal, Unreachable, refusal
from cms.contract.routes import EVENT_STREAM, ORGANISATION_HEADER, ROUTES, Route
from cms.contract.stations import Message

if TYPE_CHECKING:
    import httpx

CURSOR_HEADER: Final = "X-Cms-Cursor"
TIMEOUT_S: Final = 10.0
#: The longest that a daemon lets one order wait for a station's answer (cms.operations.intents).
_LONGEST_ORDER_S: Final = 600.0
#: The stream says something every 15 s (a comment at least); after three silences the link is lost.
STREAM_SILENCE_S: Final = 45.0
#: Waits before the first and the following attempts to come back, seconds; the last one repeats.
BACKOFF_S: Final = (0.1, 0.5, 1.0, 2.0, 4.0, 8.0)

_IN_PATH = re.compile(r"\{(\w+)\}")
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a daemon listens: a Unix socket path, or the URL of one elsewhere."""

    socket: str | None = None
    url: str | None = None
    organisation: str | None = None
    """The one that is meant; None: the asker's first."""
    token: str | None = field(default=None, repr=False)
    pin: str | None = None
    """SHA-256 of the certificate that is taken, and no other."""
    ca: str | None = None
    """A file of authorities in place of the system's."""
    dry_run: bool = False
    """Whether nothing may be changed there: what would is not sent (WouldAsk)."""

    @property
    def headers(self) -> dict[str, str]:
        """What goes along with every request."""
        told = {} if self.organisation is None else {ORGANISATION_HEADER: self.organisation}
        return told if self.token is None else {**told, "Authorization": f"Bearer {self.token}"}

    def __str__(self) -> str:
        return self.url or self.socket or ""


class WouldAsk(Exception):
    """What is asked changes something, and the address is for a dry run: nothing was sent."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The event stream broke; ``reason`` is one sentence. Attempts to come back go on."""

    reason: str


@dataclass(frozen=True, slots=True)
class Back:
    """The event stream stands again and goes on after the last cursor: nothing was missed."""

    cursor: str | None = None


Followed = Event | Message | Lost | Back


def find_daemon(
    socket_path: str | None = None,
    url: str | None = None,
    environ: Mapping[str, str] = os.environ,
    *,
    context: str | None = None,
    organisation: str | None = None,
    token_file: str | None = None,
) -> Address:
    """The daemon meant: as given, else CMS_URL, CMS_SOCKET, CMS_CONTEXT, the current context, or this user's own.

    A token is looked for only for a daemon elsewhere (cms.credentials).
    """
    organisation = organisation or environ.get("CMS_ORG")
    if socket_path:
        return Address(socket=socket_path, organisation=organisation)
    known = None
    if url or (context is None and (url := environ.get("CMS_URL"))):
        url = url.rstrip("/")
        known = contexts.at(url) or (None, contexts.Context(url))
    elif context is not None or not environ.get("CMS_SOCKET"):
        known = contexts.meant(environ, context)
    if known is None:
        return Address(socket=str(places.daemon_socket(environ)), organisation=organisation)
    name, meant = known
    return Address(
        socket=meant.socket,
        url=meant.url,
        organisation=organisation or meant.organisation,
        token=_token(name, meant.kept, environ, token_file) if meant.url else None,
        pin=meant.pin,
        ca=meant.ca,
    )


def _token(name: str | None, kept: str, environ: Mapping[str, str], token_file: str | None) -> str | None:
    from cms import credentials

    found = credentials.find(name, kept, environ, token_file)
    return found.token if found is not None else None


def ask(request: Any, address: Address, timeout_s: float = TIMEOUT_S) -> Any:
    """Ask the daemon and give its answer as plain JSON values. Raises refusals; Unreachable without a daemon.

    ``timeout_s`` is the patience with the daemon, on top of what the request itself allows a station. Raises
    WouldAsk for what changes something where the address says ``dry_run`` and the request does not.
    """
    route = ROUTES[type(request)]
    _check_dry(request, route, address)
    call = _call(request, route)
    patience_s = timeout_s + _own_wait_s(request)
    if address.url is not None:
        status, body = _ask_url(call, address, patience_s)
    else:
        status, body = _ask_socket(call, address, patience_s)
    return _answer(status, body)


def request_json(address: Address, method: str, target: str, body: Any, timeout_s: float = TIMEOUT_S) -> Any:
    """Ask what is no operation; the answer as plain JSON values. Raises refusals."""
    if address.dry_run and method != "GET":
        raise WouldAsk(f"{method} {target}")
    call = _Call(method, target, None if body is None else msgspec.json.encode(body))
    send = _ask_url if address.url is not None else _ask_socket
    return _answer(*send(call, address, timeout_s))


def _check_dry(request: Any, route: Route, address: Address) -> None:
    """Raises WouldAsk, with ``AddDriver`` as people say it: add driver."""
    if address.dry_run and route.method != "GET" and not getattr(request, "dry_run", False):
        raise WouldAsk(_CAPITAL.sub(" ", type(request).__name__).lower())


@dataclass(frozen=True, slots=True)
class _Call:
    """A request as HTTP: method, path with query, JSON body."""

    method: str
    target: str
    body: bytes | None

    @property
    def headers(self) -> dict[str, str]:
        return {"Content-Type": "application/json"} if self.body is not None else {}


def _call(request: Any, route: Route) -> _Call:
    """Path fields into the path, what differs from its default into the query or the body."""
    in_path = _IN_PATH.findall(route.path)
    path = _IN_PATH.sub(lambda match: _in_path(request, match[1]), route.path)
    told = {
        field.name: value
        for field in dataclasses.fields(request)
        if field.name not in in_path and not _is_default(field, value := getattr(request, field.name))
    }
    plain = msgspec.to_builtins(told)
    if route.method in ("POST", "PATCH"):
        return _Call(route.method, path, msgspec.json.encode(plain))
    query = urlencode({name: _query_text(value) for name, value in plain.items()})
    return _Call(route.method, f"{path}?{query}" if query else path, None)


def _in_path(request: Any, name: str) -> str:
    value = str(getattr(request, name))
    if not value.strip("."):
        raise Invalid(f"{value!r} is not the name of a {name}")
    return quote(value, safe="")


def _is_default(field: dataclasses.Field[Any], value: Any) -> bool:
    return field.default is not dataclasses.MISSING and bool(value == field.default)


def _query_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _own_wait_s(request: Any) -> float:
    """How long the request itself lets the daemon wait: for a station's answer, or for an effect."""
    wait_s = getattr(request, "wait_s", 0.0) or getattr(request, "timeout_s", 0.0)
    # Without a time of its own an order has the daemon's, and may stand in line behind others of its station.
    return _LONGEST_ORDER_S if wait_s is None else float(wait_s)


class _SocketConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(self.path)
        except OSError:
            self.sock.close()
            raise


def _ask_socket(call: _Call, address: Address, patience_s: float) -> tuple[int, bytes]:
    path = address.socket
    assert path is not None
    check_socket_path(path)
    connection = _SocketConnection(path, patience_s)
    try:
        connection.request(
            call.method, call.target, body=call.body, headers={**call.headers, **address.headers}
        )
        response = connection.getresponse()
        return response.status, response.read()
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError) as error:
        raise no_daemon(address) from error
    except PermissionError as error:
        raise not_ours(address) from error
    except TimeoutError as error:
        raise Unreachable(f"The daemon at {path} did not answer within {patience_s:g} s") from error
    except (OSError, HTTPException) as error:
        raise Unreachable(f"The daemon at {path} broke off: {_why(error)}") from error
    finally:
        connection.close()


def _ask_url(call: _Call, address: Address, patience_s: float) -> tuple[int, bytes]:
    import httpx

    from cms import tls

    try:
        response = httpx.request(
            call.method,
            f"{address.url}{call.target}",
            content=call.body,
            headers={**call.headers, **address.headers},
            timeout=patience_s,
            trust_env=False,
            verify=tls.context_for(address),
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _foreign(error, address) from error
    return response.status_code, response.content


def check_socket_path(path: str) -> None:
    """Refuse a path that no Unix socket can have, rather than fail with the system's word for it."""
    length = len(os.fsencode(path))
    if length > places.LONGEST_SOCKET_PATH:
        raise Invalid(
            f"The socket path {path} has {length} bytes; a Unix socket path may have"
            f" {places.LONGEST_SOCKET_PATH}",
            "give a shorter one with --socket",
        )


def no_daemon(address: Address) -> Unreachable:
    """What is said when nobody listens there."""
    return Unreachable(f"no daemon answers at {address}", "start one with `cms serve`")


def not_ours(address: Address) -> Denied:
    """What is said when the socket belongs to somebody else."""
    return Denied(f"the daemon at {address} belongs to another user", "ask as that user or as root")


def _why(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _answer(status: int, body: bytes) -> Any:
    """The decoded answer, or the refusal that it carries."""
    if status == 204 or (status < 400 and not body):
        return None
    try:
        decoded = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise Unreachable(f"What answers is not a daemon of ours (HTTP {status}, not JSON)") from error
    if status < 400:
        return decoded
    raise _refusal(status, decoded)


def _refusal(status: int, decoded: Any) -> Refusal:
    match decoded:
        case {"error": {"refusal": str(name), "message": str(message), **more}}:
            hint = more.get("hint")
            return refusal(name, message, hint if isinstance(hint, str) else None)
    return Unreachable(f"What answers is not a daemon of ours (HTTP {status})")


@cache
def _decoder(answers: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(answers)


@cache
def _decodes(name: str) -> msgspec.json.Decoder[Any]:
    """The decoder of one kind of message in the event stream."""
    return msgspec.json.Decoder(Message if name == "frame" else Event)


#: On a socket of this machine nothing is encrypted: to read all authorities of the world for it takes 40 ms.
_NO_TLS = False


class AsyncClient:
    """A daemon as the TUI and ``--follow`` see it. Close it, or use it as a context."""

    def __init__(
        self, address: Address, timeout_s: float = TIMEOUT_S, backoff_s: tuple[float, ...] = BACKOFF_S
    ) -> None:
        import httpx

        from cms import tls

        self.address = address
        self.timeout_s = timeout_s
        self.backoff_s = backoff_s
        if address.socket is not None:
            check_socket_path(address.socket)
        self._http = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=address.socket, verify=_NO_TLS)
            if address.socket
            else None,
            base_url=address.url or "http://localhost",
            headers=address.headers,
            trust_env=False,
            verify=tls.context_for(address),
        )

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    async def ask(self, request: Any) -> Any:
        """Ask the daemon; the answer as the view that cms.contract.routes names. Raises refusals."""
        view, _ = await self.ask_with_cursor(request)
        return view

    async def ask_with_cursor(self, request: Any) -> tuple[Any, str | None]:
        """The answer, and the cursor from which events must be followed to keep it true."""
        import httpx

        route = ROUTES[type(request)]
        _check_dry(request, route, self.address)
        call = _call(request, route)
        try:
            response = await self._http.request(
                call.method,
                call.target,
                content=call.body,
                headers=call.headers,
                timeout=self.timeout_s + _own_wait_s(request),
            )
        except httpx.HTTPError as error:
            raise _foreign(error, self.address) from error
        if response.status_code >= 400:
            _answer(response.status_code, response.content)
        return _view(response, route), response.headers.get(CURSOR_HEADER)

    async def follow(
        self,
        after: str | None = None,
        *,
        frames: str | None = None,
        station: str | None = None,
        type: str | None = None,
    ) -> AsyncIterator[Followed]:
        """Everything that happens after the cursor (None: from now on), for ever, without gap or repeat.

        ``frames`` adds that station's frames as Message; ``station`` and ``type`` narrow the events. When the
        stream breaks, Lost comes once, and Back when it stands again. The first connection fails loudly;
        later a refusal (a cursor that the record no longer knows) is raised too.
        """
        import asyncio

        wanted = {"frames": frames, "station": station, "type": type}
        query = {name: value for name, value in wanted.items() if value is not None}
        place = _Place(after)
        lost = False
        attempts = 0
        while True:
            try:
                async with aclosing(self._stream(place, query)) as stream:
                    async for item in stream:
                        attempts = 0
                        if isinstance(item, Back):
                            if lost:
                                yield Back(place.cursor)
                            lost = False
                            continue
                        yield item
                reason = "the daemon ended the stream"
            except Unreachable as error:
                if place.fresh and not lost:
                    raise
                reason = error.message
            if not lost:
                yield Lost(reason)
            lost = True
            place.fresh = False
            await asyncio.sleep(self.backoff_s[min(attempts, len(self.backoff_s) - 1)])
            attempts += 1

    async def _stream(self, place: _Place, query: dict[str, str]) -> AsyncGenerator[Followed, None]:
        """One connection's worth of the stream; Back first, when it stands."""
        import httpx

        headers = {"Accept": "text/event-stream"}
        if place.cursor is not None:
            headers["Last-Event-ID"] = place.cursor
        timeout = httpx.Timeout(self.timeout_s, read=STREAM_SILENCE_S)
        try:
            async with self._http.stream(
                "GET", EVENT_STREAM, params=query, headers=headers, timeout=timeout
            ) as response:
                if response.status_code >= 400:
                    _answer(response.status_code, await response.aread())
                place.fresh = False
                yield Back(place.cursor)
                async for item in _parsed(_lines(response.aiter_bytes()), place):
                    yield item
        except httpx.HTTPError as error:
            raise _foreign(error, self.address) from error


@dataclass(slots=True)
class _Place:
    """Where in the stream we are; ``fresh`` until the first connection stood."""

    cursor: str | None
    fresh: bool = True


async def _lines(parts: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """The stream cut at line feeds alone, as the API sends it.

    httpx cuts at U+2028, U+0085 and others too, which a station may put into its texts: half an event is none.
    """
    rest = b""
    async for part in parts:
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            yield line.decode().removesuffix("\r")


async def _parsed(lines: AsyncIterator[str], place: _Place) -> AsyncIterator[Event | Message]:
    """Server-sent events (HTML Living Standard 9.2.6): id, event, data; an empty line ends one."""
    name, data, cursor = "", "", place.cursor
    async for line in lines:
        key, _, value = line.partition(": ")
        if key == "id":
            cursor = value
        elif key == "event":
            name = value
        elif key == "data":
            data = value
        elif not line:
            # Only now: a connection that breaks before this line has not delivered the event.
            place.cursor = cursor
            if data:
                yield _decodes(name if name == "frame" else "event").decode(data)
            name, data = "", ""


def _view(response: httpx.Response, route: Route) -> Any:
    if route.answers is None or response.status_code == 204:
        return None
    if getattr(route.answers, "__args__", None) and not _is_list(route.answers):
        return _one_of(route.answers.__args__, response.content)
    return _decoder(route.answers).decode(response.content)


def _is_list(answers: Any) -> bool:
    return getattr(answers, "__origin__", None) is list


def _one_of(kinds: tuple[type, ...], body: bytes) -> Any:
    """The one kind of several whose required keys are all there (an intent or a preview)."""
    told = msgspec.json.decode(body)
    for kind in kinds:
        if _required(kind) <= told.keys():
            return msgspec.convert(told, kind)
    raise Unreachable("What answers is a daemon of another version: its answer has other keys")


@cache
def _required(kind: type) -> frozenset[str]:
    missing = dataclasses.MISSING
    return frozenset(
        field.name
        for field in dataclasses.fields(kind)
        if field.default is missing and field.default_factory is missing
    )


def _foreign(error: Exception, address: Address) -> Refusal:
    """What httpx says, in our words."""
    import httpx

    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return Invalid(f"{address} is not the URL of a daemon", "e.g. --url http://127.0.0.1:8080")
    if (untrusted := _untrusted(error)) is not None:
        return Denied(
            f"{address} is not the daemon that was trusted: {untrusted}",
            f"if its certificate was replaced on purpose: cms login {address}",
        )
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        if address.socket and Path(address.socket).exists() and not os.access(address.socket, os.W_OK):
            return not_ours(address)
        return no_daemon(address)
    if isinstance(error, httpx.TimeoutException):
        return Unreachable(f"The daemon at {address} did not answer in time")
    return Unreachable(f"The daemon at {address} broke off: {_why(error)}")


def _untrusted(error: BaseException | None) -> str | None:
    """What is wrong with the other end's certificate, where that is the reason behind."""
    import ssl

    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return str(getattr(error, "verify_message", "") or error.args[-1])
        error = error.__cause__ or error.__context__
    return None
