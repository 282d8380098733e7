"""The control API's sockets: uvicorn on the daemon's loop, without signals, ticks or logs of its own."""

from __future__ import annotations

import asyncio
import contextlib
import grp
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import uvicorn
from fastapi import FastAPI

from cms.api.remote import PublicProtocol, RemoteProtocol
from cms.api.who import PeerProtocol
from cms.contract.refusals import Conflict, Invalid

_FINISH_S = 2.0
#: Uvicorn's own patience, after which it cancels what is left.
_CLOSE_S = 4
_KEEP_ALIVE_S = 75
HANDSHAKE_WITHIN_S = 10.0


class _Server(uvicorn.Server):
    """Uvicorn that sleeps until told to stop, instead of looking ten times a second."""

    def __init__(self, config: uvicorn.Config, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(config)
        self._tls = tls
        self.up = asyncio.Event()
        self.stop = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The daemon owns the signals."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve, and say so."""
        await super().startup([] if self._tls is not None else sockets)
        if self._tls is not None:
            self.servers.extend([await self._secured(listening, self._tls) for listening in sockets or ()])
        self.up.set()

    async def _secured(self, listening: socket.socket, tls: ssl.SSLContext) -> asyncio.Server:
        """Uvicorn leaves a handshake a minute; its certificates could not be replaced while it listens either."""
        protocol: Any = self.config.http_protocol_class
        return await asyncio.get_running_loop().create_server(
            lambda: protocol(
                config=self.config, server_state=self.server_state, app_state=self.lifespan.state
            ),
            sock=listening,
            ssl=tls,
            ssl_handshake_timeout=HANDSHAKE_WITHIN_S,
            backlog=self.config.backlog,
        )

    async def main_loop(self) -> None:
        """Nothing to do until the end."""
        await self.stop.wait()


@dataclass(slots=True)
class RunningApi:
    """The API while it listens. ``tcp`` is the address it got there, if asked for one."""

    app: FastAPI
    socket_path: Path
    tcp: tuple[str, int] | None
    _servers: list[tuple[_Server, asyncio.Task[None]]]
    _inode: int

    async def close(self) -> None:
        """End the streams, let running requests finish (2 s at most), remove the socket file."""
        self.app.state.closing.set()
        for server, _ in self._servers:
            server.stop.set()
        await asyncio.wait([task for _, task in self._servers], timeout=_FINISH_S)
        for server, task in self._servers:
            if not task.done():
                # A reader that takes nothing, or somebody who waits for an effect: their clients come again.
                for connection in list(server.server_state.connections):
                    connection.transport.abort()
            await task
        _remove_own(self.socket_path, self._inode)


async def serve_api(
    app: FastAPI,
    socket_path: Path,
    tcp: tuple[str, int] | None = None,
    tls: ssl.SSLContext | None = None,
    group: str | None = None,
) -> RunningApi:
    """Listen on the Unix socket, and on TCP when asked, there with TLS. Raises Conflict when a daemon answers there.

    ``group`` is the group of this machine whose members may connect to the socket too.
    """
    local = bind_unix(socket_path, group)
    remote = None
    try:
        if tcp is not None:
            remote = bind_tcp(tcp, "The control API", "see --api-host and --api-port")
    except BaseException:
        local.close()
        _remove_own(socket_path, _inode(socket_path))
        raise
    servers = [await _served(app, PeerProtocol, [local], "control api")]
    if remote is None:
        return RunningApi(app, socket_path, None, servers, _inode(socket_path))
    servers.append(await _served(app, RemoteProtocol, [remote], "control api over TCP", tls))
    return RunningApi(app, socket_path, remote.getsockname()[:2], servers, _inode(socket_path))


async def _served(
    app: Callable[..., Any],
    http: type[asyncio.Protocol] | Literal["h11"],
    sockets: list[socket.socket],
    name: str,
    tls: ssl.SSLContext | None = None,
) -> tuple[_Server, asyncio.Task[None]]:
    """Uvicorn on these sockets, once it listens."""
    config = uvicorn.Config(
        app,
        http=http,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        date_header=False,
        server_header=False,
        proxy_headers=tls is None,  # a proxy of this machine may say for whom it asks
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_CLOSE_S,
    )
    server = _Server(config, tls)
    task = asyncio.create_task(server.serve(sockets), name=name)
    up = asyncio.create_task(server.up.wait())
    await asyncio.wait((up, task), return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        up.cancel()
        await task
    return server, task


@dataclass(slots=True)
class Running:
    """A listener beside the API while it listens: the address for files of stations, the pay page."""

    port: int
    _server: _Server
    _task: asyncio.Task[None]

    async def close(self) -> None:
        """End it; what is on its way is lost: the station sends its file again, the phone asks again."""
        self._server.stop.set()
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()
        await self._task


async def serve_uploads(app: Callable[..., Any], host: str, port: int) -> Running:
    """Listen for files. Raises Invalid when the address cannot be had."""
    bound = bind_tcp((host, port), "Uploads", "see --upload-host and --upload-port")
    server, task = await _served(app, "h11", [bound], "uploads")
    return Running(bound.getsockname()[1], server, task)


async def serve_public(
    app: Callable[..., Any], address: tuple[str, int], tls: ssl.SSLContext | None
) -> Running:
    """Listen for anybody: the pay page. Raises Invalid when the address cannot be had."""
    bound = bind_tcp(address, "The pay page", "see pay_host and pay_port")
    server, task = await _served(app, PublicProtocol, [bound], "pay page", tls)
    return Running(bound.getsockname()[1], server, task)


def _inode(path: Path) -> int:
    return path.stat().st_ino


def _remove_own(path: Path, inode: int) -> None:
    """Remove the socket file, unless it is that of a daemon that has come after us."""
    with contextlib.suppress(FileNotFoundError):
        if _inode(path) == inode:
            path.unlink()


def bind_unix(path: Path, group: str | None = None) -> socket.socket:
    """A bound Unix socket; a stale file is removed, a living one refused.

    It is 0600 from its first moment; then, for a group, 0660: at no moment is it more open than it shall be.
    """
    gid = None if group is None else _group_of(group)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.exists():
        _remove_stale(path)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        bound.bind(str(path))
        if gid is not None:
            os.chown(path, -1, gid)
            path.chmod(0o660)
    except OSError as error:
        bound.close()
        raise Invalid(
            f"The control socket {path} cannot be made: {error.strerror or error}", "see --socket"
        ) from error
    finally:
        os.umask(before)
    bound.setblocking(False)
    return bound


def _group_of(name: str) -> int:
    try:
        return int(name) if name.isascii() and name.isdecimal() else grp.getgrnam(name).gr_gid
    except KeyError:
        raise Invalid(f"socket_group: this machine has no group {name}", "see `getent group`") from None


def _remove_stale(path: Path) -> None:
    if not path.is_socket():
        raise Conflict(f"{path} is there and is not a socket", "name another with --socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except OSError as error:
            raise Conflict(f"The control socket {path} cannot be taken: {error.strerror or error}") from error
    raise Conflict(f"A daemon answers at {path} already", "stop it first, or name another with --socket")


def bind_tcp(address: tuple[str, int], what: str, hint: str) -> socket.socket:
    """A bound TCP socket; Invalid, in one sentence, when it cannot be had."""
    host, port = address
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        bound = socket.create_server((host, port), family=family)
    except OSError as error:
        raise Invalid(
            f"{what} cannot listen on {host}:{port}: {error.strerror or error}",
            hint,
        ) from error
    bound.setblocking(False)
    return bound
