"""Who asks: the kernel's word on a Unix socket; over TCP nobody, yet.

The daemon's own user and root are admin. A browser cannot reach a Unix socket, but it can reach a TCP port
on this machine: whatever carries an ``Origin`` is refused.
"""

from __future__ import annotations

import os
import pwd
import socket
import struct
import sys
from asyncio import Transport
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from cms.api.errors import refused
from cms.contract.refusals import Denied
from cms.core import Actor

#: What answers without asking who: probes and figures, nothing of the business.
OPEN_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})

PEER = "cms.peer"
ACTOR = "cms.actor"

_UCRED = struct.Struct("3i")
#: macOS and BSD: struct xucred of LOCAL_PEERCRED (version, uid, ...) at level 0, option 1.
_XUCRED = struct.Struct("2I")


@dataclass(frozen=True, slots=True)
class Peer:
    """The process at the other end of a Unix socket when it connected."""

    uid: int
    pid: int | None


def peer_of(connection: socket.socket) -> Peer | None:
    """What the kernel says of the other end; None when it is not a Unix socket."""
    if connection.family != socket.AF_UNIX:
        return None
    if sys.platform == "linux":
        pid, uid, _ = _UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
        return Peer(uid, pid)
    _, uid = _XUCRED.unpack(connection.getsockopt(0, 1, 76)[: _XUCRED.size])
    return Peer(uid, None)


class PeerProtocol(H11Protocol):
    """Uvicorn's HTTP, with the peer of the connection put into the scope of its requests."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Learn once per connection who it is; credentials are those of the moment of connecting."""
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        peer = peer_of(connection) if connection is not None else None
        inner = self.app

        async def with_peer(scope: Any, receive: Any, send: Any) -> None:
            scope[PEER] = peer
            await inner(scope, receive, send)

        self.app = with_peer


def user_name(uid: int) -> str:
    """The OS user's name; the number when the system knows none (a container)."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


#: Stands for a slash inside a name; no name holds it.
SLASH = "\0"


def _with_slashes_kept(raw_path: bytes) -> str:
    """The decoded path in which an escaped slash belongs to a name and separates nothing."""
    parts = raw_path.decode("ascii").split("/")
    return "/".join(unquote(part).replace("/", SLASH) for part in parts)


class Gate:
    """Lets in who may come, and tells the routes behind it who it is."""

    def __init__(self, app: ASGIApp, permissions: frozenset[str], own_uid: int | None = None) -> None:
        self.app = app
        self.permissions = permissions
        self.admins = frozenset({0, os.getuid() if own_uid is None else own_uid})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http" and (refusal := self.refusal(scope)) is not None:
            denied, status = refusal
            await refused(denied, status)(scope, receive, send)
            return
        if b"%2f" in scope.get("raw_path", b"").lower():
            scope["path"] = _with_slashes_kept(scope["raw_path"])
        await self.app(scope, receive, send)

    def refusal(self, scope: Scope) -> tuple[Denied, int] | None:
        """Why this request may not pass, and the status to say so; else the actor is in the scope."""
        if any(name == b"origin" for name, _ in scope["headers"]):
            return Denied("Requests from web pages are refused (they carry an Origin header)"), 403
        if scope["path"] in OPEN_PATHS:
            return None
        peer: Peer | None = scope.get(PEER)
        if peer is None:
            return Denied(
                "The control API over TCP needs a token, and this daemon does not give out tokens yet",
                "ask over the control socket on the daemon's own machine",
            ), 401
        if peer.uid not in self.admins:
            return Denied(
                f"{user_name(peer.uid)} may not use this daemon: it serves its own user and root",
                f"ask as {user_name(min(self.admins - {0}, default=0))}, e.g. with sudo -u",
            ), 403
        scope[ACTOR] = Actor(name=user_name(peer.uid), role="admin", permissions=self.permissions)
        return None
