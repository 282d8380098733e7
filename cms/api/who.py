"""Who asks: the kernel's word on a Unix socket, a bearer token over TCP. What he may do is asked of operations.

A browser cannot reach a Unix socket, but it can reach a TCP port on this machine: whatever carries an ``Origin``
is refused.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import socket
import struct
import sys
from asyncio import Transport
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from cms.api.errors import refused
from cms.contract import apitokens
from cms.contract.refusals import Denied, Invalid, NotFound, Refusal, TooMany
from cms.core import Actor, Core
from cms.domain.operators import API_TOKEN, Principal
from cms.houses import Houses
from cms.limits import Buckets, take
from cms.operations.auditing import Denials, Row
from cms.operations.operators import bearer, has_grant, rights, with_grant

log = structlog.get_logger("cms.api")

#: What answers without asking who: probes, nothing of the business; and those who come for a token.
OPEN_PATHS = frozenset({"/healthz", "/readyz"})
PAIRINGS = "/v1/pairings"
#: Figures: open on this machine, elsewhere for somebody with a role.
FIGURES = "/metrics"

PEER = "cms.peer"
PRINCIPAL = "cms.principal"

#: The platform itself, as CMS-Organisation names it.
WHOLE_PLATFORM = "*"

_UCRED = struct.Struct("3i")
#: Linux: all groups of the process, not those of /etc/group, which may have changed or be another container's.
_SO_PEERGROUPS = 59
_MOST_GROUPS = 256
#: macOS and BSD: struct xucred of LOCAL_PEERCRED (version, uid, ...) at level 0, option 1.
_XUCRED = struct.Struct("2I")
_NO_LOGIN = 0xFFFF_FFFF

_FAILURES_PER_S = 5 / 60
_FAILURES = 5
_REQUESTS_PER_S = 50
_REQUESTS = 100
#: The longest body; the largest request of ours is a list of drivers to import.
MOST_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Peer:
    """The process at the other end of a Unix socket when it connected."""

    uid: int
    pid: int | None
    gids: frozenset[int] = frozenset()
    login_uid: int | None = None


def peer_of(connection: socket.socket) -> Peer | None:
    """What the kernel says of the other end; None when it is not a Unix socket."""
    if connection.family != socket.AF_UNIX:
        return None
    if sys.platform == "linux":
        pid, uid, gid = _UCRED.unpack(
            connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
        )
        return Peer(uid, pid, frozenset({gid, *_groups(connection, uid, gid)}), _login_uid(pid))
    _, uid = _XUCRED.unpack(connection.getsockopt(0, 1, 76)[: _XUCRED.size])
    return Peer(uid, None, frozenset(_registered_groups(uid)))


def _groups(connection: socket.socket, uid: int, gid: int) -> tuple[int, ...]:
    try:
        told = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _MOST_GROUPS * 4)
    except OSError:  # an old kernel, or more groups than a process should have
        return _registered_groups(uid)
    return struct.unpack(f"={len(told) // 4}I", told)


def _registered_groups(uid: int) -> tuple[int, ...]:
    try:
        user = pwd.getpwuid(uid)
        return tuple(os.getgrouplist(user.pw_name, user.pw_gid))
    except KeyError:
        return ()


def _login_uid(pid: int) -> int | None:
    """Who logged in before sudo. For the audit alone: the process may be another one by now."""
    with contextlib.suppress(OSError, ValueError):
        number = int(Path(f"/proc/{pid}/loginuid").read_text("ascii"))
        return None if number == _NO_LOGIN else number
    return None


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


@dataclass(frozen=True, slots=True)
class BringToken:
    """What the audit calls a try to come in with a token; ``id`` is what the token says of itself."""

    id: str | None


class Access:
    """Who somebody is, which organisation he means, and what he may do there."""

    def __init__(self, houses: Houses, permissions: frozenset[str], own_uid: int | None = None) -> None:
        self.houses = houses
        self.permissions = permissions
        #: Root, and the user of the daemon: they own the record anyway.
        self.owners = frozenset({0, os.getuid() if own_uid is None else own_uid})
        self.denials: Denials | None = None
        """Who is told of wrong tokens; None: nobody."""
        self._failures = Buckets(_FAILURES_PER_S, _FAILURES)
        self._requests = Buckets(_REQUESTS_PER_S, _REQUESTS)

    def principal(self, scope: Scope) -> Principal:
        """Who asks. Raises Denied (401: nobody we know) or TooMany."""
        peer: Peer | None = scope.get(PEER)
        if peer is not None:
            return Principal(user_name(peer.uid), uid=peer.uid, gids=peer.gids, login_uid=peer.login_uid)
        address = (scope.get("client") or ("", 0))[0]
        text = _bearer(scope)
        if text is None:
            raise Denied(
                "The control API over TCP needs a token",
                "cms login URL, or ask over the control socket on the daemon's own machine",
            )
        found = bearer(self._registers(), text, address, self.houses.platform.clock.now())
        if found is None:
            self._failed(text, address)
            raise Denied("This token is not known, has expired, or is not taken from here", "cms login URL")
        take(self._requests, found.key, "requests with this token")
        return found

    def _registers(self) -> list[Core]:
        return [self.houses.platform, *self.houses.all()]

    async def turned_away(self, scope: Scope, refused_: Refusal) -> None:
        """A wrong token is noted in the audit of the platform, sparingly; that somebody brings none, nowhere."""
        text = _bearer(scope)
        if text is None or self.denials is None or not isinstance(refused_, Denied):
            return
        read = apitokens.read(text)
        address = (scope.get("client") or ("", 0))[0]
        nobody = Actor("nobody", "", frozenset(), via=address, key=address)
        row = Row(self.houses.platform, nobody, BringToken(read[0] if read else None), "")
        await self.denials.denied(row, refused_)

    def _failed(self, text: str, address: str) -> None:
        """Count what failed, per address and token that there is. A right one is never refused for others' guesses."""
        read = apitokens.read(text)
        known = read is not None and any(
            read[0] in core.kept.get(API_TOKEN, {}) for core in self._registers()
        )
        id_ = read[0] if read is not None and known else None
        take(self._failures, (address, id_), "wrong tokens")
        log.info("token.refused", address=address, token=id_)

    def core(self, principal: Principal, named: str | None, *, platform: bool = False) -> Core:
        """The world that is meant: as named, else the asker's first. NotFound where he has nothing to look for."""
        if named == WHOLE_PLATFORM:
            if self._role(self.houses.platform, principal) is None:
                raise NotFound("there is no organisation *", "see `cms organisations list`")
            return self.houses.platform
        if named:
            core = self.houses.of(named)
            if not platform and not self.known(core, principal):
                # The same sentence as for one that does not exist: nobody learns who else is here.
                raise NotFound(f"there is no organisation {named}", "see `cms organisations list`")
        else:
            core = self._first(principal)
        return self.houses.platform if platform else core

    def _first(self, principal: Principal) -> Core:
        worlds = (*self.houses.all(), self.houses.platform)
        for core in worlds:
            if self.known(core, principal):
                return core
        name = principal.name
        if principal.token is not None:
            raise Denied(f"The token of {name} opens nothing here")
        raise Denied(
            f"{name} may not use this daemon: no role was given to {name}",
            f"an admin can: cms access map uid:{name} viewer",
        )

    def known(self, core: Core, principal: Principal) -> bool:
        """Whether he has a role there, or anything was granted to him."""
        if self._role(core, principal) is not None:
            return True
        return bool(core.kept.get("grant")) and has_grant(core, principal, core.clock.now())

    def _role(self, core: Core, principal: Principal) -> Actor | None:
        return rights(core, self.houses.platform, principal, self.owners, self.permissions)

    def actor(self, core: Core, principal: Principal, permission: str, station: str | None) -> Actor:
        """Him in this organisation, allowed to do this (or to propose it). Raises Denied (403)."""
        actor = self._role(core, principal)
        if actor is not None and permission in actor.permissions:
            return actor
        if station is not None and core.kept.get("grant"):
            granted = with_grant(core, principal, station, permission, core.clock.now())
            if granted is not None:
                return granted
        if actor is not None and permission in actor.proposes:
            return actor
        role = "no role here" if actor is None else actor.role
        raise Denied(f"{principal.name} ({role}) may not do this: it needs {permission!r}")

    def may(self, core: Core, principal: Principal, permission: str, station: str | None) -> bool:
        """Whether he (still) may: what is open is looked at again."""
        try:
            self.actor(core, principal, permission, station)
        except Denied:
            return False
        token = principal.token
        return token is None or core.clock.now() < token.expires_at


def _bearer(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, token = value.decode("latin-1").partition(" ")
            return token.strip() if scheme.casefold() == "bearer" else None
    return None


#: Stands for a slash inside a name; no name holds it.
SLASH = "\0"


def _with_slashes_kept(raw_path: bytes) -> str:
    """The decoded path in which an escaped slash belongs to a name and separates nothing."""
    parts = raw_path.decode("ascii").split("/")
    return "/".join(unquote(part).replace("/", SLASH) for part in parts)


class Gate:
    """Lets in who can say who he is, and tells the routes behind it; bodies have an end."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app = app
        self.access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http":
            refusal = self.refusal(scope)
            if refusal is not None:
                if refusal[1] == 401:
                    await self.access.turned_away(scope, refusal[0])
                await refused(*refusal)(scope, receive, send)
                return
            receive = _bounded(receive)
        if b"%2f" in scope.get("raw_path", b"").lower():
            scope["path"] = _with_slashes_kept(scope["raw_path"])
        await self.app(scope, receive, send)

    def refusal(self, scope: Scope) -> tuple[Refusal, int] | None:
        """Why this request may not pass, and the status to say so; else the principal is in the scope."""
        if any(name == b"origin" for name, _ in scope["headers"]):
            return Denied("Requests from web pages are refused (they carry an Origin header)"), 403
        if _too_long(scope):
            return Invalid(f"A body has at most {MOST_BYTES} bytes"), 413
        if _open(scope):
            return None
        try:
            principal = self.access.principal(scope)
        except TooMany as refused_:
            return refused_, 429
        except Denied as refused_:
            return refused_, 401
        scope[PRINCIPAL] = principal
        if not scope["path"].startswith("/v1/"):
            # What belongs to no organisation (the description of the API) is for those who have any role at all.
            try:
                self.access.core(principal, None)
            except Denied as refused_:
                return refused_, 403
        return None


def _open(scope: Scope) -> bool:
    path = scope["path"]
    if path in OPEN_PATHS or path == PAIRINGS:
        return True
    if path.startswith(f"{PAIRINGS}/") and scope["method"] == "GET":
        return True
    return bool(path == FIGURES and (scope.get(PEER) is not None or _of_this_machine(scope)))


def _of_this_machine(scope: Scope) -> bool:
    try:
        return ip_address((scope.get("client") or ("", 0))[0]).is_loopback
    except ValueError:
        return False


def _too_long(scope: Scope) -> bool:
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return not length.isdigit() or int(length) > MOST_BYTES


def _bounded(receive: Receive) -> Receive:
    """A body that does not say its length ends all the same."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MOST_BYTES:
            return {"type": "http.disconnect"}
        return message

    return counted
